//! Bookmarkable: a token never stands behind an update that was not delivered.

use crate::promise::{bookmarkable, holds};
use crate::{conflict, cut_snapshot, killed_client, killed_server, slow_reader, stopped_reader};

#[test]
fn bookmarkable_under_kill_9_of_the_server() {
    holds(bookmarkable, killed_server::evidence());
}

#[test]
fn bookmarkable_under_kill_9_of_the_client() {
    holds(bookmarkable, killed_client::evidence());
}

#[test]
fn bookmarkable_for_a_slow_reader() {
    holds(bookmarkable, slow_reader::evidence());
}

#[test]
fn bookmarkable_for_a_reader_that_stops() {
    holds(bookmarkable, stopped_reader::evidence());
}

#[test]
fn bookmarkable_over_a_reconnect_in_mid_snapshot() {
    holds(bookmarkable, cut_snapshot::evidence());
}

#[test]
fn bookmarkable_with_64_writers_in_conflict() {
    holds(bookmarkable, conflict::evidence());
}
