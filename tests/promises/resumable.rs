//! Resumable: whoever comes with a token is told what is behind it, from the very next update on.

use crate::promise::{holds, resumable};
use crate::{conflict, cut_snapshot, killed_client, killed_server, slow_reader, stopped_reader};

#[test]
fn resumable_under_kill_9_of_the_server() {
    holds(resumable, killed_server::evidence());
}

#[test]
fn resumable_under_kill_9_of_the_client() {
    holds(resumable, killed_client::evidence());
}

#[test]
fn resumable_for_a_slow_reader() {
    holds(resumable, slow_reader::evidence());
}

#[test]
fn resumable_for_a_reader_that_stops() {
    holds(resumable, stopped_reader::evidence());
}

#[test]
fn resumable_over_a_reconnect_in_mid_snapshot() {
    holds(resumable, cut_snapshot::evidence());
}

#[test]
fn resumable_with_64_writers_in_conflict() {
    holds(resumable, conflict::evidence());
}
