//! A log in memory whose appends wait while the gate is closed.

use std::sync::{Arc, Condvar, Mutex};

use binnacle::log::{Ending, MemoryLog};

use crate::common::in_time;

/// The gate; it begins open.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    is_closed: bool,
    waits: bool,
}

impl Gate {
    pub(crate) fn log(&self) -> MemoryLog {
        let gate = self.clone();
        MemoryLog::with_interruption(move |_, _| {
            let (state, changed) = &*gate.0;
            let mut state = state.lock().expect("the gate");
            state.waits = state.is_closed;
            changed.notify_all();
            while state.is_closed {
                state = changed.wait(state).expect("the gate");
            }
            state.waits = false;
            Ending::AsUsual
        })
    }

    pub(crate) fn close(&self) {
        self.0.0.lock().expect("the gate").is_closed = true;
    }

    pub(crate) fn open(&self) {
        self.0.0.lock().expect("the gate").is_closed = false;
        self.0.1.notify_all();
    }

    /// Waits until an append stands in front of the closed gate.
    pub(crate) async fn reached(&self) {
        let waits = || self.0.0.lock().expect("the gate").waits;
        let reached = async {
            while !waits() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        in_time("an append at the gate", reached).await;
    }
}
