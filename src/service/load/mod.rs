//! How much is taken on, and of whom: calls a second and at once of a principal, calls a second of a workspace, connections of
//! an address and in all, bytes of requests and of answers, and how long a connection may be open without a call, and a call
//! without an answer.
//!
//! Invariant: what is refused here was looked at by nothing behind it (but for an answer that is not sent), and is refused at once,
//! with the time after which it is worth to try again; who keeps within their limits does not notice those who do not. Memory is kept for those
//! alone who have called within the last second or so. It does not know what a call does. The queue of commands has bounds of
//! its own (`engine::queue`), and subscriptions have theirs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::domain::Id;

mod bounded;
mod carried;
mod doors;
mod gate;
mod inflow;
mod outflow;
mod places;

pub(super) use bounded::Bounded;
pub(super) use carried::Attached;
pub(super) use doors::{Doors, Entered};
pub(super) use gate::Excess;

use gate::Gate;
use inflow::Inflow;
use outflow::Outflow;

/// Bounds of calls and connections. 0 calls a second or at once: any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadLimits {
    /// Calls of one principal a second.
    pub principal_calls_per_s: u32,
    /// Calls of one principal that are open at once, streams among them.
    pub principal_calls_open_max: u32,
    /// Calls a second from one address whose callers nobody knows.
    pub stranger_calls_per_s: u32,
    /// The same that are open at once: they may watch the server's health.
    pub stranger_calls_open_max: u32,
    /// Calls about one workspace a second.
    pub workspace_calls_per_s: u32,
    /// Bytes of all requests that are being received and are not understood yet.
    pub requests_bytes_max: usize,
    /// Bytes of all answers that are made and not read yet by whoever asked; of those of one principal a quarter.
    pub answers_bytes_max: usize,
    /// Connections open at once.
    pub connections_max: usize,
    /// The same from one address; from an IPv6 network of 64 bits.
    pub connections_per_address_max: usize,
    /// How long a handshake may take, in seconds.
    pub handshake_s_max: u64,
    /// The largest header list of a call, in bytes.
    pub header_list_bytes_max: u32,
    /// How long a connection may be open before its first call of somebody who is known, in seconds.
    pub first_call_s_max: u64,
    /// How long a call may take to come to its answer, or a stream to the beginning of it, in seconds.
    pub answer_s_max: u64,
}

/// Who is at their limits, for one server.
pub struct Load {
    limits: LoadLimits,
    principals: Gate<SmolStr>,
    strangers: Gate<Option<IpAddr>>,
    workspaces: Gate<Id>,
    inflow: Arc<Inflow>,
    outflow: Arc<Outflow>,
    doors: Arc<Doors>,
}

/// What was refused since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turned {
    /// The limit, as its setting is called.
    pub limit: &'static str,
    /// How often it was reached.
    pub count: u64,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self {
            principal_calls_per_s: 10_000,
            principal_calls_open_max: 1_000,
            stranger_calls_per_s: 200,
            stranger_calls_open_max: 200,
            workspace_calls_per_s: 0,
            requests_bytes_max: 128 * 1024 * 1024,
            answers_bytes_max: 256 * 1024 * 1024,
            connections_max: 10_000,
            connections_per_address_max: 5_000,
            handshake_s_max: 10,
            header_list_bytes_max: 16 * 1024,
            first_call_s_max: 60,
            answer_s_max: 60,
        }
    }
}

impl Load {
    pub(super) fn new(limits: LoadLimits) -> Self {
        Self {
            principals: Gate::new(limits.principal_calls_per_s, limits.principal_calls_open_max),
            strangers: Gate::new(limits.stranger_calls_per_s, limits.stranger_calls_open_max),
            workspaces: Gate::new(limits.workspace_calls_per_s, 0),
            inflow: Arc::new(Inflow::new(limits.requests_bytes_max)),
            outflow: Arc::new(Outflow::new(limits.answers_bytes_max)),
            doors: Arc::new(Doors::new(
                limits.connections_max,
                limits.connections_per_address_max,
            )),
            limits,
        }
    }

    pub(super) fn doors(&self) -> &Arc<Doors> {
        &self.doors
    }

    /// Counts one call about a workspace. Only of who sees it: others must neither learn that it is there nor use up what its
    /// members may call.
    ///
    /// # Errors
    /// There are more than it may have.
    pub(super) fn of_workspace(&self, workspace: &Id) -> Result<(), Excess> {
        self.workspaces.enter(workspace).map(drop)
    }

    /// Closes connections that do not take their answers while others need the room.
    pub(super) fn close_the_stalled(&self) {
        self.outflow
            .close_the_stalled(Duration::from_secs(self.limits.answer_s_max));
    }

    /// Lets go of those who have not called lately.
    pub(super) fn forget_idle(&self) {
        self.principals.forget_idle();
        self.strangers.forget_idle();
        self.workspaces.forget_idle();
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.doors.inside()
    }

    /// How often each limit was reached.
    #[must_use]
    pub fn turned(&self) -> [Turned; 9] {
        let [all, of_address] = self.doors.turned();
        let of = |limit, count| Turned { limit, count };
        [
            of("principal_calls_per_s", self.principals.over_rate()),
            of("principal_calls_open_max", self.principals.over_open()),
            of("stranger_calls_per_s", self.strangers.over_rate()),
            of("stranger_calls_open_max", self.strangers.over_open()),
            of("workspace_calls_per_s", self.workspaces.over_rate()),
            of("requests_bytes_max", self.inflow.over()),
            of("answers_bytes_max", self.outflow.over()),
            of("connections_max", all),
            of("connections_per_address_max", of_address),
        ]
    }
}
