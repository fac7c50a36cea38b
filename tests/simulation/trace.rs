//! All that happened in one simulation, in order: what two runs of one seed are compared by.
//!
//! Nothing stands in it that differs between runs of one seed: no random ids, no times but virtual ones.

use std::fmt::Display;
use std::sync::{Arc, Mutex};

/// A record of what happened. A copy is another hand on the same one.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<Line>>>);

/// When, who, and what.
type Line = (u128, String, String);

impl Trace {
    /// Notes what somebody inside of the simulation did or met.
    pub(crate) fn note(&self, who: &str, what: impl Display) {
        let at = turmoil::sim_elapsed().unwrap_or_default().as_millis();
        self.note_at(at, who, what);
    }

    /// Notes what was done to the simulation from outside.
    pub(crate) fn note_at(&self, at_ms: u128, who: &str, what: impl Display) {
        let mut lines = self.0.lock().expect("no holder panics");
        lines.push((at_ms, who.to_owned(), what.to_string()));
    }

    /// All of it by time. What several do in one millisecond has no order among them, and is shown by their names.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.0.lock().expect("no holder panics").clone();
        lines.sort_by(|(at, who, _), (other_at, other, _)| (at, who).cmp(&(other_at, other)));
        let line = |(at, who, what): &Line| format!("{at:>6} ms  {who:<13} {what}");
        lines.iter().map(line).collect()
    }
}
