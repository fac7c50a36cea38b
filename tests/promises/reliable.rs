//! Reliable: nothing is missing between the first and the last revision that a subscriber was told of.

use crate::promise::{holds, reliable};
use crate::{conflict, cut_snapshot, killed_client, killed_server, slow_reader, stopped_reader};

#[test]
fn reliable_under_kill_9_of_the_server() {
    holds(reliable, killed_server::evidence());
}

#[test]
fn reliable_under_kill_9_of_the_client() {
    holds(reliable, killed_client::evidence());
}

#[test]
fn reliable_for_a_slow_reader() {
    holds(reliable, slow_reader::evidence());
}

#[test]
fn reliable_for_a_reader_that_stops() {
    holds(reliable, stopped_reader::evidence());
}

#[test]
fn reliable_over_a_reconnect_in_mid_snapshot() {
    holds(reliable, cut_snapshot::evidence());
}

#[test]
fn reliable_with_64_writers_in_conflict() {
    holds(reliable, conflict::evidence());
}
