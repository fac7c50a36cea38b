//! Peers that keep to nothing, against the real program: what it answers, how much memory it takes meanwhile, and how a client
//! beside them that keeps to everything is served. Each case prints a line, also where nothing is printed of tests that pass:
//! its figures are for people, and what is asserted are not times.

#[path = "../common/patience.rs"]
mod patience;
#[path = "../common/process.rs"]
mod process;

mod flood;
mod frames;
mod good_client;
mod handshakes;
mod low_disk;

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use good_client::{GoodClient, Served};
use process::ServerProcess;

/// One case at a time: each has the machine for itself.
static MACHINE: Mutex<()> = Mutex::new(());
/// How long the abuse goes on, and how long at most where it has not come to what it is about by then.
const LONG: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);
/// How much more memory than before a server may take under abuse, in MiB.
const MORE_MEMORY_MIB_MAX: u64 = 256;

/// A server, a good client, and whoever abuses it.
struct Scene {
    server: ServerProcess,
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

/// What those who abuse a server have in common.
#[derive(Clone)]
struct Abuse {
    address: String,
    is_over: Arc<AtomicBool>,
    /// What they have done, in whatever they count.
    done: Arc<AtomicU64>,
    /// How often the server has put an end to a connection.
    ended: Arc<AtomicU64>,
    /// How often it has taken nothing for half a second.
    held_up: Arc<AtomicU64>,
}

impl Abuse {
    fn of(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            is_over: Arc::default(),
            done: Arc::default(),
            ended: Arc::default(),
            held_up: Arc::default(),
        }
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn did(&self, count: u64) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    fn was_refused(&self, error: &std::io::Error) {
        let count = match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => &self.held_up,
            _ => &self.ended,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Scene {
    /// A server in the clear that knows nobody, or what `settings` say.
    fn new(settings: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = settings(dir.path());
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let server = ServerProcess::start_at(&dir.path().join("data"), "127.0.0.1:0", &settings);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        Self { server, dir, runtime }
    }

    /// Has the server abused for a while, and until that was `enough`, and the good client served beside; answers who did what
    /// how often.
    fn play(
        &self,
        name: &str,
        good: &GoodClient,
        abuse: &Abuse,
        enough: fn(&Abuse) -> bool,
        spawn: impl FnOnce(&Abuse),
    ) -> Served {
        let before = memory_mib(self.server.id());
        spawn(abuse);
        let began = Instant::now();
        let mut peak = before;
        let served = std::thread::scope(|scope| {
            let serving = scope.spawn(|| self.runtime.block_on(good.calls_until(&abuse.is_over)));
            let goes_on = || began.elapsed() < LONG || (!enough(abuse) && began.elapsed() < PATIENCE);
            // A good client that has ended is not served, which is said below.
            while goes_on() && !serving.is_finished() {
                peak = peak.max(memory_mib(self.server.id()));
                std::thread::sleep(Duration::from_millis(20));
            }
            abuse.is_over.store(true, Ordering::Relaxed);
            serving.join().expect("the good client is served")
        });
        peak = peak.max(memory_mib(self.server.id()));
        let [done, ended, held_up] =
            [&abuse.done, &abuse.ended, &abuse.held_up].map(|count| count.load(Ordering::Relaxed));
        tell(&format!(
            "abuse: {name}: {done} sent, {ended} connections ended by the server, {held_up} held up; memory {before} -> {peak} MiB; \
             the good client: {served}"
        ));
        assert!(served.calls > 0, "the good client was not served");
        assert!(
            peak <= before + MORE_MEMORY_MIB_MAX,
            "the server took {peak} MiB, {before} before"
        );
        served
    }
}

/// A figure that the server shows of itself.
fn metric(server: &ServerProcess, name: &str) -> f64 {
    let address = server.metrics.as_ref().expect("it shows some");
    let mut connection = std::net::TcpStream::connect(address).expect("its metrics");
    let request = b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    connection.write_all(request).expect("it is written");
    let mut page = String::new();
    connection.read_to_string(&mut page).expect("a page");
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let figure = line.and_then(|figure| figure.trim().parse().ok());
    figure.unwrap_or_else(|| panic!("{name} in {page}"))
}

/// What the process holds in memory.
fn memory_mib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a server that lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
}

/// The test program keeps to itself what tests print; this is not printed by the test.
fn tell(line: &str) {
    let _nobody_reads = writeln!(std::io::stderr().lock(), "{line}");
}

fn alone() -> std::sync::MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}
