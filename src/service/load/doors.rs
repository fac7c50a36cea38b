//! The door that connections come in by: so many in all, and so many from one address. Who is over that is turned away before
//! anything is read, and before a handshake.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::places::{Place, Places};

/// Who is inside.
pub(crate) struct Doors {
    max: usize,
    free: Arc<Semaphore>,
    of_address: Places<IpAddr>,
    turned_all: AtomicU64,
    turned_of_address: AtomicU64,
}

/// A connection's place; it is free again when it is dropped.
pub(crate) struct Entered {
    _of_all: OwnedSemaphorePermit,
    _of_address: Place<IpAddr>,
}

/// How long nobody is let in when the operating system has no room for another.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(10);

impl Doors {
    pub(super) fn new(max: usize, of_address_max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self {
            max,
            free: Arc::new(Semaphore::new(max)),
            of_address: Places::new(of_address_max),
            turned_all: AtomicU64::new(0),
            turned_of_address: AtomicU64::new(0),
        }
    }

    /// Connections as they come, each with its place.
    pub(crate) fn admit(
        self: Arc<Self>,
        incoming: impl Stream<Item = io::Result<TcpStream>> + Send,
    ) -> impl Stream<Item = (TcpStream, Entered)> + Send {
        incoming.filter_map(move |accepted| {
            let doors = Arc::clone(&self);
            async move {
                match accepted {
                    Ok(stream) => {
                        // Without an address it is gone already.
                        let peer = stream.peer_addr().ok()?;
                        let entered = doors.enter(peer.ip());
                        if entered.is_none() {
                            tracing::debug!(%peer, "a connection was turned away: there are too many");
                        }
                        entered.map(|entered| (stream, entered))
                    }
                    // The operating system has no room for another, or the client is gone: the next one may come.
                    Err(error) => {
                        tracing::debug!(%error, "a connection could not be accepted");
                        tokio::time::sleep(NO_ROOM_PAUSE).await;
                        None
                    }
                }
            }
        })
    }

    fn enter(&self, address: IpAddr) -> Option<Entered> {
        let Some(of_address) = self.of_address.take(&network(address)) else {
            self.turned_of_address.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        let Ok(of_all) = Arc::clone(&self.free).try_acquire_owned() else {
            self.turned_all.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        Some(Entered {
            _of_all: of_all,
            _of_address: of_address,
        })
    }

    pub(super) fn inside(&self) -> usize {
        self.max - self.free.available_permits()
    }

    /// How many were turned away: by the limit of all, by that of an address.
    pub(super) fn turned(&self) -> [u64; 2] {
        [&self.turned_all, &self.turned_of_address].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Whom an address belongs to: of IPv6 everybody has a network of 64 bits.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_is_turned_away_at_its_limit_and_everybody_at_that_of_all() {
        let doors = Doors::new(3, 2);
        let first = doors.enter(address("10.0.0.1")).expect("a place");
        let _second = doors.enter(address("10.0.0.1")).expect("a place");
        assert!(doors.enter(address("10.0.0.1")).is_none());
        let _third = doors.enter(address("10.0.0.2")).expect("a place of another");
        assert!(doors.enter(address("10.0.0.3")).is_none());
        assert_eq!((doors.inside(), doors.turned()), (3, [1, 1]));
        drop(first);
        assert_eq!(doors.inside(), 2);
        assert!(doors.enter(address("10.0.0.3")).is_some());
    }

    #[test]
    fn who_has_a_network_of_64_bits_has_one_address() {
        assert_eq!(
            network(address("2001:db8::1")),
            network(address("2001:db8::ffff:1"))
        );
        assert_ne!(
            network(address("2001:db8:0:1::1")),
            network(address("2001:db8::1"))
        );
        assert_eq!(network(address("::ffff:10.0.0.1")), address("10.0.0.1"));
    }
}
