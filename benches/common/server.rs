//! The program as a process of its own, so that what it takes is told apart from what its clients take.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A child process that listens, killed when it is dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    /// Where it listens.
    pub(crate) address: String,
    /// What it said when its log was replayed.
    pub(crate) replayed: Value,
}

impl Server {
    /// `binnacle serve`.
    pub(crate) fn start(data_dir: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_binnacle"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--log-format",
                "json",
                "--data-dir",
            ])
            .arg(data_dir)
            .env_remove("BINNACLE_CONFIG")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let (mut address, mut replayed) = (String::new(), Value::Null);
        loop {
            let line = lines.next().expect("a server that starts").expect("its log");
            let fields = serde_json::from_str::<Value>(&line).expect("JSON")["fields"].clone();
            match fields["message"].as_str() {
                Some("listening") => address = fields["address"].as_str().expect("an address").to_owned(),
                Some("the log is replayed") => replayed = fields,
                Some("serving") => break,
                _ => {}
            }
        }
        // Its log is read on, so that it never waits for us; a warning in it belongs to the figures.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains("\"WARN\"") || line.contains("\"ERROR\"") {
                    eprintln!("{line}");
                }
            }
        });
        Self {
            child,
            address,
            replayed,
        }
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("VmRSS");
        let kib: Option<u64> = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok());
        kib.expect("a number") * 1024
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // kill -9: the next start has to manage without a good end.
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}
