//! States of the past that somebody has asked for of late, shared by all who ask for the same: who pages through a list
//! as of a moment folds once, and so do a hundred dashboards that show one moment.
//!
//! Invariant: at most `STATES_MAX` states over all workspaces, which pin at most `BYTES_MAX` (by an estimate from above) or
//! are one alone; each is folded once however many ask for it meanwhile; and what nobody has asked for in a while is let go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::versions::{Version, pinned_bytes};
use crate::domain::Revision;
use crate::log::LogId;
use crate::projection::State;

/// A state that is being folded, or was.
pub(super) type Shared = Arc<OnceCell<Arc<State>>>;

/// The states that were asked for of late.
#[derive(Default)]
pub(super) struct Pasts {
    /// The one that was asked for last is the last.
    held: Mutex<Vec<Held>>,
}

struct Held {
    log: LogId,
    revision: Revision,
    state: Shared,
    /// What it pins; 0 until it is there.
    bytes: usize,
    asked: Instant,
}

const STATES_MAX: usize = 16;
const BYTES_MAX: usize = 128 * 1024 * 1024;
/// What nobody has asked for in so long is let go.
const IDLE_MAX: Duration = Duration::from_secs(60);

impl Pasts {
    /// The place of a state: whoever comes first fills it, the others wait there for it.
    pub(super) fn place(&self, log: LogId, revision: Revision) -> Shared {
        let mut held = self.lock();
        let found = held
            .iter()
            .position(|it| it.log == log && it.revision == revision);
        let mut asked = match found {
            Some(index) => held.remove(index),
            None => Held {
                log,
                revision,
                state: Shared::default(),
                bytes: 0,
                asked: Instant::now(),
            },
        };
        asked.asked = Instant::now();
        let state = Arc::clone(&asked.state);
        held.push(asked);
        let gone = shortened(&mut held);
        drop(held);
        // To let go of a state takes a while: others need not wait for that.
        drop(gone);
        state
    }

    /// Where to fold a state from: the nearest that is there, of those that are kept and those that were asked for.
    pub(super) fn nearest(&self, log: LogId, revision: Revision, kept: &Version) -> Arc<State> {
        let held = self.lock();
        let older = held.iter().filter(|it| it.log == log && it.revision <= revision);
        let nearest = older
            .filter_map(|it| it.state.get())
            .max_by_key(|state| state.workspace().revision());
        nearest
            .filter(|state| state.workspace().revision() > kept.revision())
            .map_or_else(|| Arc::clone(&kept.state), Arc::clone)
    }

    /// Counts what a state takes that was folded on from a kept version.
    pub(super) fn count(&self, log: LogId, state: &State, kept: &Version) {
        let workspace = state.workspace();
        let mut held = self.lock();
        let counted = held
            .iter_mut()
            .find(|it| it.log == log && it.revision == workspace.revision());
        if let Some(counted) = counted {
            counted.bytes = pinned_bytes(workspace, kept.revision());
        }
        let gone = shortened(&mut held);
        drop(held);
        drop(gone);
    }

    /// Lets go what nobody has asked for in a while.
    pub(super) fn forget_idle(&self) {
        let mut held = self.lock();
        let (idle, asked) = std::mem::take(&mut *held)
            .into_iter()
            .partition::<Vec<_>, _>(|it| it.asked.elapsed() > IDLE_MAX);
        *held = asked;
        drop(held);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out those that were not asked for the longest, until the others are few enough.
fn shortened(held: &mut Vec<Held>) -> Vec<Held> {
    let mut bytes: usize = held.iter().map(|it| it.bytes).sum();
    let mut gone = 0;
    for it in held.iter() {
        if held.len() - gone <= 1 || (held.len() - gone <= STATES_MAX && bytes <= BYTES_MAX) {
            break;
        }
        bytes -= it.bytes;
        gone += 1;
    }
    held.drain(..gone).collect()
}
