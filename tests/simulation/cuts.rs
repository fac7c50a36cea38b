//! Faults that come at the n-th message from the server to one of its clients: the answer, or the message with the token,
//! is on its way.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard};

use super::machine::{Machine, SERVER};

/// What comes at a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is lost, with all that is on its way, and the link is cut for so many milliseconds.
    Lost { for_ms: u64 },
    /// It is held, with all that is on its way, and delivered after so many milliseconds.
    Held { for_ms: u64 },
    /// The server dies with it on its way, and its connections just go silent.
    ServerDies,
}

/// The cuts of one simulation, by client and number of the message.
#[derive(Default)]
pub(crate) struct Cuts(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    planned: BTreeMap<(String, u64), Cut>,
    sent: BTreeMap<String, u64>,
    /// When which link is whole again, in milliseconds.
    healing: Vec<(u128, String)>,
}

impl Cuts {
    pub(crate) fn new(planned: BTreeMap<(String, u64), Cut>) -> Self {
        Self(Mutex::new(Inner {
            planned,
            ..Inner::default()
        }))
    }

    /// Counts a message, and cuts where it is planned.
    pub(super) fn before_a_message_to(&self, peer: IpAddr, machine: &Machine) {
        let Some(client) = turmoil::reverse_lookup(peer) else {
            return;
        };
        let mut inner = self.lock();
        let sent = inner.sent.entry(client.clone()).or_default();
        *sent += 1;
        let number = *sent;
        let Some(cut) = inner.planned.remove(&(client.clone(), number)) else {
            return;
        };
        let now = turmoil::sim_elapsed().unwrap_or_default().as_millis();
        machine
            .trace
            .note(&client, format!("message {number} on its way: {cut:?}"));
        match cut {
            Cut::Lost { for_ms } => {
                turmoil::partition(SERVER, client.as_str());
                inner.healing.push((now + u128::from(for_ms), client));
            }
            Cut::Held { for_ms } => {
                turmoil::hold(SERVER, client.as_str());
                inner.healing.push((now + u128::from(for_ms), client));
            }
            Cut::ServerDies => {
                turmoil::partition(SERVER, client.as_str());
                inner.healing.push((now, client));
                machine.died.store(true, Ordering::SeqCst);
            }
        }
    }

    /// A link is to be whole again at a time.
    pub(crate) fn heal_at(&self, at_ms: u128, client: &str) {
        self.lock().healing.push((at_ms, client.to_owned()));
    }

    /// The clients whose links are whole again.
    pub(crate) fn healed(&self, now_ms: u128) -> Vec<String> {
        let mut inner = self.lock();
        let (due, later) = std::mem::take(&mut inner.healing)
            .into_iter()
            .partition(|(at, _)| *at <= now_ms);
        inner.healing = later;
        let due: Vec<(u128, String)> = due;
        due.into_iter().map(|(_, client)| client).collect()
    }

    /// No cuts any more.
    pub(crate) fn end(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }
}
