//! Runs of the real program: a command that ends, and a server that serves or refuses to.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::company::{serves, wait};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_binnacle");
/// Upper bound of a wait: a test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// How a start came out.
pub(crate) enum Start {
    Serves(Server),
    Refused(Run),
}

/// A running server. It is killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    said: Arc<Mutex<String>>,
}

/// Runs it to its end.
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    let mut command = Command::new(PROGRAM);
    command
        .args(args)
        .env_remove("BINNACLE_ACTOR")
        .env_remove("BINNACLE_DATA_DIR")
        .stdin(Stdio::null());
    Run::of(&command.output().expect("the program runs"))
}

impl Run {
    fn of(output: &Output) -> Self {
        let run = Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        run.without_panic()
    }

    fn without_panic(self) -> Self {
        assert!(!self.stderr.contains("panicked"), "it panicked: {self:?}");
        self
    }

    /// It ended with this code, and said each of these.
    pub(crate) fn ended(&self, code: i32, sentences: &[&str]) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for sentence in sentences {
            assert!(
                self.stdout.contains(sentence) || self.stderr.contains(sentence),
                "it does not say {sentence:?}: {self:#?}"
            );
        }
        self
    }

    /// The sentence that it ended with.
    pub(crate) fn sentence(&self) -> &str {
        let last = self.stderr.lines().last().unwrap_or_default();
        last.strip_prefix("binnacle: ").unwrap_or_default()
    }
}

impl Server {
    /// Starts one that has to serve.
    pub(crate) fn start(data_dir: &Path) -> Self {
        match start(data_dir) {
            Start::Serves(server) => server,
            Start::Refused(run) => panic!("the server does not start: {run:#?}"),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// In good order.
    pub(crate) fn stop(mut self) {
        let told = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status();
        assert!(told.expect("a signal").success(), "the process is gone");
        let status = self.process.wait().expect("a process that has ended");
        assert!(status.success(), "{}", self.said.lock().expect("what it said"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// Starts a server and waits until it has read its log, or has ended.
pub(crate) fn start(data_dir: &Path) -> Start {
    let mut process = Command::new(PROGRAM)
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
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let said = Arc::new(Mutex::new(String::new()));
    let lines = lines_of(&mut process, Arc::clone(&said));
    let mut server = Server {
        process,
        url: String::new(),
        said,
    };
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                let fields = &event["fields"];
                if fields["message"] == "listening" {
                    server.url = format!("http://{}", fields["address"].as_str().unwrap_or_default());
                }
                if fields["message"] == "the log is replayed" {
                    // Said on the way there.
                    wait(serves(&server.url));
                    return Start::Serves(server);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                let code = server.process.wait().expect("a process that has ended").code();
                let stderr = server.said.lock().expect("what it said").clone();
                let run = Run {
                    code,
                    stdout: String::new(),
                    stderr,
                };
                return Start::Refused(run.without_panic());
            }
            Err(RecvTimeoutError::Timeout) => {
                panic!(
                    "it neither serves nor ends: {}",
                    server.said.lock().expect("what it said")
                )
            }
        }
    }
}

/// What it writes to its log. What comes later is read too, so that it never waits for us.
fn lines_of(process: &mut Child, said: Arc<Mutex<String>>) -> Receiver<String> {
    let stderr = process.stderr.take().expect("a pipe");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            {
                let mut said = said.lock().expect("what it said");
                said.push_str(&line);
                said.push('\n');
            }
            let _nobody_waits = tell.send(line);
        }
    });
    told
}
