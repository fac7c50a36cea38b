//! Connections that can be closed from outside.
//!
//! A stream of HTTP/2 that its client does not take cannot be ended by itself: the transport asks it for nothing, and keeps what
//! it was given. With its connection all of that is gone, and its client notices.

use std::any::Any;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
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
}

#[derive(Default)]
struct Closing {
    is_closed: AtomicBool,
    /// Who reads and writes: one task.
    waker: AtomicWaker,
}

impl Connection {
    /// Closes it, and with it every stream on it.
    pub(super) fn close(&self) {
        self.closing.is_closed.store(true, Ordering::Release);
        self.closing.waker.wake();
    }
}

impl<C> Closable<C> {
    pub(super) fn new(io: C) -> Self {
        Self {
            io,
            closing: Arc::default(),
        }
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
        self.closing.check(context)?;
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Closable<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.closing.check(context)?;
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.closing.check(context)?;
        Pin::new(&mut self.io).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.closing.check(context)?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
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
        let mut accepted = Closable::new(listener.accept().await.unwrap().0);
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
}
