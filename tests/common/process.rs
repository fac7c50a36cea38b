//! The real program as a server on a free port. It is killed when it is dropped.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a test waits for a server.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// `binnacle serve`.
pub(crate) struct ServerProcess {
    process: Child,
    /// Where it listens.
    pub(crate) address: String,
}

impl ServerProcess {
    /// Starts it on a data directory, and waits until it says where it listens.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_at(data_dir, "127.0.0.1:0")
    }

    /// The same at an address, for example where it was before.
    pub(crate) fn start_at(data_dir: &Path, listen: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_binnacle"))
            .args(["serve", "--listen", listen, "--log-format", "json"])
            .arg("--data-dir")
            .arg(data_dir)
            .env_remove("BINNACLE_CONFIG")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let address = listening(&mut process);
        Self { process, address }
    }

    /// Where it listens, as a client is told.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

#[allow(dead_code, reason = "most tests do not end it in good order")]
impl ServerProcess {
    /// Tells it to end in good order, and waits until it has.
    pub(crate) fn terminate(mut self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
        let ended = self.process.wait().expect("it ends");
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// The address that the server writes to its log. What it writes later is read too, so that it never waits for us.
fn listening(process: &mut Child) -> String {
    let lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if event["fields"]["message"] == "listening" {
                let address = event["fields"]["address"].as_str().unwrap_or_default();
                let _only_the_first = tell.send(address.to_owned());
            }
        }
    });
    told.recv_timeout(WAIT).expect("the server says where it listens")
}
