//! Ordered: the revisions of a stream only rise, over all connections of a subscriber.

use crate::promise::{holds, ordered};
use crate::{conflict, cut_snapshot, killed_client, killed_server, slow_reader, stopped_reader};

#[test]
fn ordered_under_kill_9_of_the_server() {
    holds(ordered, killed_server::evidence());
}

#[test]
fn ordered_under_kill_9_of_the_client() {
    holds(ordered, killed_client::evidence());
}

#[test]
fn ordered_for_a_slow_reader() {
    holds(ordered, slow_reader::evidence());
}

#[test]
fn ordered_for_a_reader_that_stops() {
    holds(ordered, stopped_reader::evidence());
}

#[test]
fn ordered_over_a_reconnect_in_mid_snapshot() {
    holds(ordered, cut_snapshot::evidence());
}

#[test]
fn ordered_with_64_writers_in_conflict() {
    holds(ordered, conflict::evidence());
}
