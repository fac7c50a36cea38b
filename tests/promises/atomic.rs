//! Atomic: a commit is whole or is not kept; a token is never inside of one.

use crate::promise::{atomic, holds};
use crate::{conflict, cut_snapshot, killed_client, killed_server, slow_reader, stopped_reader};

#[test]
fn atomic_under_kill_9_of_the_server() {
    holds(atomic, killed_server::evidence());
}

#[test]
fn atomic_under_kill_9_of_the_client() {
    holds(atomic, killed_client::evidence());
}

#[test]
fn atomic_for_a_slow_reader() {
    holds(atomic, slow_reader::evidence());
}

#[test]
fn atomic_for_a_reader_that_stops() {
    holds(atomic, stopped_reader::evidence());
}

#[test]
fn atomic_over_a_reconnect_in_mid_snapshot() {
    holds(atomic, cut_snapshot::evidence());
}

#[test]
fn atomic_with_64_writers_in_conflict() {
    holds(atomic, conflict::evidence());
}
