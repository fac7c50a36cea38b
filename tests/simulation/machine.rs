//! The server's host: the real services and the real engine on a simulated network, a disk that survives, and a committer
//! that has its turns in virtual time.
//!
//! Invariant: everything on it runs on one thread, in an order that follows from the seed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use binnacle::engine::{Engine, EngineConfig, SteppedClock};
use binnacle::service::{BoundServer, ServeError, ServerConfig};
use futures_util::{Stream, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tonic::transport::server::Connected;
use turmoil::net::{TcpListener, TcpStream};

use super::cuts::Cuts;
use super::disk::Disk;
use super::trace::Trace;
use crate::common::at;

pub(crate) const SERVER: &str = "server";
pub(crate) const PORT: u16 = 7420;

/// What is left of the machine when it crashes, and the strings that the simulation pulls.
pub(crate) struct Machine {
    pub(crate) disk: Disk,
    pub(crate) cuts: Cuts,
    pub(crate) trace: Trace,
    pub(crate) engine: EngineConfig,
    /// How long the committer waits for more between two turns.
    pub(crate) pace: Duration,
    /// It has died and says nothing any more: it is to be crashed.
    pub(crate) died: AtomicBool,
    /// Asks the server to stop in good order.
    pub(crate) stop: Notify,
}

impl Machine {
    /// Runs from start to stop. It does not come back from a death.
    pub(crate) async fn run(self: Arc<Self>) -> turmoil::Result {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
        let clock = Arc::new(SteppedClock::new(at(0)));
        clock.advance_to(now());
        let given = Arc::clone(&clock);
        let (engine, mut turns) = Engine::embed(Arc::new(self.disk.clone()), None, given, self.engine)?;
        let replayed = engine.replayed().commits;
        self.trace.note(SERVER, format!("starts with {replayed} commits"));
        let committing = async {
            loop {
                tokio::time::sleep(self.pace).await;
                clock.advance_to(now());
                if !turns.turn() {
                    // What else there is to say is said by the server's end.
                    std::future::pending::<()>().await;
                }
            }
        };
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT);
        let incoming = connections(listener, Arc::clone(&self));
        let config = ServerConfig {
            keepalive_interval_s: 1,
            keepalive_timeout_s: 1,
            drain_s: 1,
            ..ServerConfig::default()
        };
        let opening = std::future::ready(Ok(engine));
        let serving = BoundServer::on(incoming, address, config).serve_once(opening, self.stop.notified());
        let ended = tokio::select! {
            biased;
            ended = serving => ended,
            () = committing => return Ok(()),
        };
        match ended {
            Ok(()) => self.trace.note(SERVER, "has stopped"),
            Err(ServeError::Log(_)) => {
                self.died.store(true, Ordering::SeqCst);
                std::future::pending::<()>().await;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// What the clock on the wall shows: the time of the simulation behind the time when every test begins.
fn now() -> binnacle::domain::Timestamp {
    let elapsed = turmoil::sim_elapsed().unwrap_or_default();
    at(i64::try_from(elapsed.as_secs()).expect("a short simulation"))
}

fn connections(listener: TcpListener, machine: Arc<Machine>) -> impl Stream<Item = io::Result<Connection>> {
    stream::unfold((listener, machine), |(listener, machine)| async {
        let accepted = listener.accept().await.map(|(stream, peer)| Connection {
            stream,
            peer: peer.ip(),
            frames: Frames::default(),
            machine: Arc::clone(&machine),
        });
        Some((accepted, (listener, machine)))
    })
}

/// One connection of the server. Every frame of data on it is an answer or a message, and at some of them a fault comes.
struct Connection {
    stream: TcpStream,
    peer: IpAddr,
    frames: Frames,
    machine: Arc<Machine>,
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        // The frame that begins the buffer goes alone, so that a fault can come between it and the next one.
        let first = this.frames.clone().up_to_the_next(buf);
        if this.frames.begins_data(buf) {
            this.machine.cuts.before_a_message_to(this.peer, &this.machine);
        }
        let written = Pin::new(&mut this.stream).poll_write(cx, &buf[..first]);
        if let Poll::Ready(Ok(count)) = written {
            this.frames.up_to_the_next(&buf[..count]);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Where one is in a stream of HTTP/2 frames.
#[derive(Clone, Default)]
struct Frames {
    /// What has come of a frame's head.
    head: Vec<u8>,
    /// What is to come of its payload.
    payload: usize,
}

const FRAME_HEAD_BYTES: usize = 9;
const DATA: u8 = 0;

impl Frames {
    /// Whether a frame of data begins with these bytes.
    fn begins_data(&self, bytes: &[u8]) -> bool {
        self.payload == 0 && self.head.is_empty() && bytes.get(3) == Some(&DATA)
    }

    /// Goes on up to the end of the frame at hand, and answers how many bytes that are.
    fn up_to_the_next(&mut self, bytes: &[u8]) -> usize {
        let mut count = 0;
        if self.payload == 0 {
            count = (FRAME_HEAD_BYTES - self.head.len()).min(bytes.len());
            self.head.extend(&bytes[..count]);
            if self.head.len() < FRAME_HEAD_BYTES {
                return count;
            }
            let length = &self.head[..3];
            self.payload = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            self.head.clear();
        }
        let payload = self.payload.min(bytes.len() - count);
        self.payload -= payload;
        count + payload
    }
}
