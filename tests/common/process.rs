//! The real program as a server on a free port. It is killed when it is dropped.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// How long a test waits for a server.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// `binnacle serve`.
pub(crate) struct ServerProcess {
    process: Child,
    /// Where it listens.
    pub(crate) address: String,
    /// Where its metrics are, if it was told to show them.
    pub(crate) metrics: Option<String>,
    said: Said,
}

/// What the server has written to its log.
#[derive(Default)]
struct Said {
    lines: Arc<Mutex<Vec<serde_json::Value>>>,
    /// Ends with the log.
    reader: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl ServerProcess {
    /// Starts it on a data directory, and waits until it says where it listens.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_at(data_dir, "127.0.0.1:0", &[])
    }

    /// Starts it at an address and with some more settings.
    pub(crate) fn start_at(data_dir: &Path, address: &str, settings: &[&str]) -> Self {
        Self::start_in(&[], data_dir, address, settings)
    }

    /// Starts it with some variables in its environment, at an address and with some more settings.
    pub(crate) fn start_in(
        environment: &[(&str, &str)],
        data_dir: &Path,
        address: &str,
        settings: &[&str],
    ) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_binnacle"))
            .args(["serve", "--listen", address, "--log-format", "json"])
            .args(settings)
            .arg("--data-dir")
            .arg(data_dir)
            .env_remove("BINNACLE_CONFIG")
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let said = Said::default();
        let address = said.listening(&mut process);
        let metrics = said.address_behind("metrics are served");
        Self {
            process,
            address,
            metrics,
            said,
        }
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("a process that can be killed");
        self.process.wait().expect("a process that has ended");
    }

    /// Tells it to stop in good order, and does not wait.
    pub(crate) fn terminate(&self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status()
            .expect("a signal");
        assert!(told.success(), "the process is gone");
    }

    /// Waits until it has ended by itself; whether in good order.
    pub(crate) fn ended(&mut self) -> bool {
        self.process.wait().expect("a process that has ended").success()
    }

    /// Everything that it has written to its log, once it has ended.
    pub(crate) fn said(&self) -> Vec<serde_json::Value> {
        let reader = self.said.reader.lock().expect("no panic").take();
        reader.expect("asked once").join().expect("no panic");
        self.said.lines.lock().expect("no panic").clone()
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where it listens, as a client is told.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

impl Said {
    /// The address that the server writes to its log. What it writes later is read too, so that it never waits for us.
    fn listening(&self, process: &mut Child) -> String {
        let lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let (tell, told) = mpsc::channel();
        let kept = Arc::clone(&self.lines);
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                let is_listening = event["fields"]["message"] == "listening";
                let address = address_in(&event);
                kept.lock().expect("no panic").push(event);
                if is_listening {
                    let _only_the_first = tell.send(address);
                }
            }
        });
        *self.reader.lock().expect("no panic") = Some(reader);
        told.recv_timeout(WAIT).expect("the server says where it listens")
    }

    /// The address in the line with a message.
    fn address_behind(&self, message: &str) -> Option<String> {
        let lines = self.lines.lock().expect("no panic");
        let line = lines.iter().find(|line| line["fields"]["message"] == message)?;
        Some(address_in(line))
    }
}

fn address_in(event: &serde_json::Value) -> String {
    let address = event["fields"]["address"].as_str();
    address.unwrap_or_default().to_owned()
}
