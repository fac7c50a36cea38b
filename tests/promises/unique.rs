//! Unique: no revision is told twice to who keeps what came with a token, and none that is not in the log.

use crate::promise::{holds, unique};
use crate::{conflict, cut_snapshot, killed_client, killed_server, slow_reader, stopped_reader};

#[test]
fn unique_under_kill_9_of_the_server() {
    holds(unique, killed_server::evidence());
}

#[test]
fn unique_under_kill_9_of_the_client() {
    holds(unique, killed_client::evidence());
}

#[test]
fn unique_for_a_slow_reader() {
    holds(unique, slow_reader::evidence());
}

#[test]
fn unique_for_a_reader_that_stops() {
    holds(unique, stopped_reader::evidence());
}

#[test]
fn unique_over_a_reconnect_in_mid_snapshot() {
    holds(unique, cut_snapshot::evidence());
}

#[test]
fn unique_with_64_writers_in_conflict() {
    holds(unique, conflict::evidence());
}
