//! Connections that can be closed from outside, and that are closed when they come without a call.
//!
//! A stream of HTTP/2 that its client does not take cannot be ended by itself: the transport asks it for nothing, and keeps what
//! it was given. With its connection all of that is gone, and its client notices. A connection that nobody has called on for a
//! while since it was opened is held by no time-out of the transport: it may have sent half a request, or nothing.

use std::any::Any;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::tls::Peer;

/// The connection that a request came on. It is in the request's extensions.
#[derive(Clone)]
pub(super) struct Connection {
    /// The client's address, where the connection is one of TCP.
    pub(super) peer: Option<SocketAddr>,
    /// The client's certificate (DER), where it came with one that was verified.
    pub(super) certificate: Option<Arc<[u8]>>,
    closing: Arc<Closing>,
}

/// The bytes of a connection, until it is closed.
pub(super) struct Closable<C> {
    io: C,
    closing: Arc<Closing>,
    /// When it is closed if nobody has called; none: somebody has.
    first_call: Option<Pin<Box<Sleep>>>,
    /// How much it has read since others had their turn.
    turn_bytes: usize,
}

#[derive(Default)]
struct Closing {
    is_closed: AtomicBool,
    is_called: AtomicBool,
    /// How many calls were given up before their answer, less those that were answered.
    given_up: AtomicU32,
    /// Who reads and writes: one task.
    waker: AtomicWaker,
}

/// How much a connection reads before others have their turn, in bytes. Frames may be tiny: a peer that sends thousands at once
/// would have the thread for itself.
const TURN_BYTES_MAX: usize = 8 * 1024;
/// How many more calls than were answered may be given up on one connection: who makes calls only to reset them has the server
/// work for nothing (CVE-2023-44487).
const GIVEN_UP_MAX: u32 = 1000;

impl Connection {
    /// Closes it, and with it every stream on it.
    pub(super) fn close(&self) {
        self.closing.is_closed.store(true, Ordering::Release);
        self.closing.waker.wake();
    }

    /// Somebody calls on it: it stays open.
    pub(super) fn called(&self) {
        self.closing.is_called.store(true, Ordering::Relaxed);
    }

    /// A call on it was answered with more than a refusal.
    pub(super) fn answered(&self) {
        let one_less = |count: u32| count.checked_sub(1);
        // Where none were given up there is nothing to make good.
        let _none = self
            .closing
            .given_up
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
    }

    /// A call on it was given up by its caller before it was answered.
    pub(super) fn gave_up(&self) {
        if self.closing.given_up.fetch_add(1, Ordering::Relaxed) == GIVEN_UP_MAX {
            tracing::debug!(peer = ?self.peer, "a connection was closed: its calls are made to be given up");
            self.close();
        }
    }
}

impl<C> Closable<C> {
    /// Of a connection on which somebody has to call within so long.
    pub(super) fn new(io: C, first_call_within: Duration) -> Self {
        Self {
            io,
            closing: Arc::default(),
            first_call: Some(Box::pin(tokio::time::sleep(first_call_within))),
            turn_bytes: 0,
        }
    }

    /// Whether it may go on: it was not closed, and somebody has called, or there is time for that. Also whoever only writes is
    /// woken and asks: a peer that reads nothing holds up the reading too.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        self.closing.check(context)?;
        let Some(first_call) = &mut self.first_call else {
            return Ok(());
        };
        if self.closing.is_called.load(Ordering::Relaxed) {
            self.first_call = None;
        } else if first_call.as_mut().poll(context).is_ready() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl Closing {
    /// Whoever goes on is woken when it is closed.
    fn check(&self, context: &Context<'_>) -> io::Result<()> {
        self.waker.register(context.waker());
        if self.is_closed.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl<C: Connected> Connected for Closable<C> {
    type ConnectInfo = Connection;

    fn connect_info(&self) -> Connection {
        let info: &dyn Any = &self.io.connect_info();
        let peer = info.downcast_ref::<Peer>();
        let tcp = info.downcast_ref().or(peer.map(|peer| &peer.tcp));
        Connection {
            peer: tcp.and_then(TcpConnectInfo::remote_addr),
            certificate: peer.and_then(|peer| peer.certificate.clone()),
            closing: Arc::clone(&self.closing),
        }
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Closable<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        if self.turn_bytes >= TURN_BYTES_MAX {
            self.turn_bytes = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        match read {
            Poll::Ready(_) => self.turn_bytes += buffer.filled().len() - before,
            Poll::Pending => self.turn_bytes = 0,
        }
        read
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Closable<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.io).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
impl<C> Closable<C> {
    /// The connection, of a peer that nobody knows.
    pub(super) fn connection(&self) -> Connection {
        Connection {
            peer: None,
            certificate: None,
            closing: Arc::clone(&self.closing),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closing.is_closed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_connection_knows_its_peer_and_whoever_reads_it_hears_that_it_is_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let long = Duration::from_secs(3600);
        let mut accepted = Closable::new(listener.accept().await.unwrap().0, long);
        let connection = accepted.connect_info();
        assert_eq!(connection.peer, client.local_addr().ok());
        client.write_all(b"a").await.unwrap();
        assert_eq!(accepted.read_u8().await.unwrap(), b'a');
        accepted.write_all(b"b").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'b');
        let reading = tokio::spawn(async move { (accepted.read_u8().await, accepted.write_u8(b'c').await) });
        tokio::task::yield_now().await;
        connection.close();
        let (read, written) = reading.await.unwrap();
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        assert!(client.read_u8().await.is_err(), "its client notices");
    }
    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_call_is_closed_in_time_and_one_with_a_call_is_not() {
        let within = Duration::from_secs(60);
        let (_silent, silent) = tokio::io::duplex(64);
        let mut silent = Closable::new(silent, within);
        let began = tokio::time::Instant::now();
        assert_eq!(
            silent.read_u8().await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        assert_eq!(began.elapsed().as_secs(), 60);
        let (_used, used) = tokio::io::duplex(64);
        let mut used = Closable::new(used, within);
        let connection = used.connection();
        connection.called();
        let long = Duration::from_secs(6000);
        assert!(
            tokio::time::timeout(long, used.read_u8()).await.is_err(),
            "it stays open"
        );
    }

    #[tokio::test]
    async fn a_connection_with_much_to_read_leaves_others_their_turn() {
        let (mut writer, reader) = tokio::io::duplex(1 << 20);
        let all = vec![7; 8 * TURN_BYTES_MAX];
        writer.write_all(&all).await.unwrap();
        let mut reader = Closable::new(reader, Duration::from_secs(3600));
        let turns = Arc::new(AtomicU32::new(0));
        let others = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move {
                loop {
                    turns.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut read = vec![0; all.len()];
        let mut pieces = read.chunks_mut(1024);
        for piece in &mut pieces {
            reader.read_exact(piece).await.unwrap();
        }
        others.abort();
        assert_eq!(read, all);
        assert!(
            turns.load(Ordering::Relaxed) >= 7,
            "one turn for each 8 KiB: {turns:?}"
        );
    }

    #[tokio::test]
    async fn a_connection_whose_calls_are_given_up_is_closed_and_one_where_most_are_answered_is_not() {
        let (_peer, io) = tokio::io::duplex(64);
        let io = Closable::new(io, Duration::from_secs(3600));
        let connection = io.connection();
        for _ in 0..10 * GIVEN_UP_MAX {
            connection.gave_up();
            connection.answered();
        }
        (0..GIVEN_UP_MAX).for_each(|_| connection.gave_up());
        assert!(!io.is_closed());
        connection.gave_up();
        assert!(io.is_closed());
    }
}
