//! All that happened in one simulation, in order: what two runs of one seed are compared by.
//!
//! Nothing stands in it that differs between runs of one seed: no random ids, no times but virtual ones.

use std::fmt::Display;
use std::sync::{Arc, Mutex};

/// A record of what happened. A copy is another hand on the same one.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    /// Notes what somebody inside of the simulation did or met.
    pub(crate) fn note(&self, who: &str, what: impl Display) {
        let at = turmoil::sim_elapsed().unwrap_or_default().as_millis();
        self.note_at(at, who, what);
    }

    /// Notes what was done to the simulation from outside.
    pub(crate) fn note_at(&self, at_ms: u128, who: &str, what: impl Display) {
        let mut lines = self.0.lock().expect("no holder panics");
        lines.push(format!("{at_ms:>6} ms  {who:<13} {what}"));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no holder panics").clone()
    }
}
