//! A proxy in front of the real program's server. Its first connection goes wrong behind so many bytes of requests.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How long a proxy waits for the server to record what it was sent.
const WAIT: Duration = Duration::from_secs(30);

/// The newest revision, as the server itself says.
pub(crate) type Revision = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How the first connection goes wrong.
#[derive(Clone)]
pub(crate) enum Fault {
    /// It breaks so much later, and what the server answers meanwhile is lost.
    Breaks(Duration),
    /// It breaks when the server has recorded something more, and its answer is lost.
    BreaksBehindRecord(Revision),
    /// It stays open and carries no more requests, and neither does any later one. Whoever listens hears when it begins.
    Stalls(mpsc::Sender<()>),
}

/// The proxy.
pub(crate) struct Proxy {
    pub(crate) url: String,
    connections: Arc<AtomicUsize>,
}

/// One connection.
struct Carried {
    client: TcpStream,
    server: TcpStream,
    /// Requests of more bytes than that end it; none: it does not go wrong.
    fault: Option<(usize, Fault)>,
    has_failed: AtomicBool,
}

impl Proxy {
    pub(crate) fn start(server: &str, request_bytes: usize, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let connections = Arc::new(AtomicUsize::new(0));
        let (counter, server) = (Arc::clone(&connections), server.to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let is_first = counter.fetch_add(1, Ordering::SeqCst) == 0;
                let fault = match (&fault, is_first) {
                    (fault, true) => Some((request_bytes, fault.clone())),
                    (Fault::Stalls(_), false) => Some((0, fault.clone())),
                    (Fault::Breaks(_) | Fault::BreaksBehindRecord(_), false) => None,
                };
                let carried = Arc::new(Carried {
                    client,
                    server: TcpStream::connect(&server).expect("the server"),
                    fault,
                    has_failed: AtomicBool::new(false),
                });
                let requests = Arc::clone(&carried);
                std::thread::spawn(move || requests.carry_requests());
                std::thread::spawn(move || carried.carry_answers());
            }
        });
        Self { url, connections }
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Carried {
    fn carry_requests(&self) {
        let (mut bytes, mut sent) = ([0; 512], 0);
        while let Ok(count @ 1..) = (&self.client).read(&mut bytes) {
            sent += count;
            if let Some((request_bytes, fault)) = &self.fault
                && sent > *request_bytes
                && !self.has_failed.swap(true, Ordering::SeqCst)
            {
                match fault {
                    Fault::Stalls(begins) => {
                        let _nobody_listens = begins.send(());
                        let _until_the_client_is_gone =
                            std::io::copy(&mut &self.client, &mut std::io::sink());
                        break;
                    }
                    Fault::Breaks(later) => self.break_behind({
                        let later = *later;
                        move || std::thread::sleep(later)
                    }),
                    Fault::BreaksBehindRecord(revision) => self.break_behind({
                        // From before the server has the last of it.
                        let (revision, before) = (Arc::clone(revision), revision());
                        move || {
                            let until = Instant::now() + WAIT;
                            while revision() == before && Instant::now() < until {
                                std::thread::sleep(Duration::from_millis(5));
                            }
                        }
                    }),
                }
            }
            if (&self.server).write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        self.close();
    }

    /// Breaks the connection behind something, while requests are still carried.
    fn break_behind(&self, something: impl FnOnce() + Send + 'static) {
        let clone = |stream: &TcpStream| stream.try_clone().expect("a stream");
        let (client, server) = (clone(&self.client), clone(&self.server));
        std::thread::spawn(move || {
            something();
            close(&client, &server);
        });
    }

    fn carry_answers(&self) {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = (&self.server).read(&mut bytes) {
            let is_lost = self.has_failed.load(Ordering::SeqCst) && !self.stalls();
            if !is_lost && (&self.client).write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        self.close();
    }

    fn stalls(&self) -> bool {
        matches!(self.fault, Some((_, Fault::Stalls(_))))
    }

    fn close(&self) {
        close(&self.client, &self.server);
    }
}

fn close(client: &TcpStream, server: &TcpStream) {
    let _closed = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}
