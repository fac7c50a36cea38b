//! What the real program tells a service manager (systemd's `Type=notify`): a datagram socket stands where systemd's would.

#[path = "common/process.rs"]
mod process;

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use process::{ServerProcess, WAIT};
use tempfile::TempDir;

/// A service manager that only listens.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
    _dir: TempDir,
}

impl Manager {
    fn new() -> Self {
        let dir = TempDir::new().expect("a folder");
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(WAIT)).expect("a timeout");
        Self {
            socket,
            path,
            _dir: dir,
        }
    }

    /// The next message: its lines.
    fn told(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).expect("the server says something");
        let text = std::str::from_utf8(&bytes[..length]).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    /// The next message that is no ping of the watchdog, and how many of those came before it.
    fn told_beside_pings(&self) -> (Vec<String>, usize) {
        let mut pings = 0;
        loop {
            let told = self.told();
            if told != ["WATCHDOG=1"] {
                return (told, pings);
            }
            pings += 1;
        }
    }

    fn server(&self, data_dir: &TempDir, more: &[(&str, &str)]) -> ServerProcess {
        let path = self.path.to_string_lossy().into_owned();
        let environment = [&[("NOTIFY_SOCKET", path.as_str())], more].concat();
        ServerProcess::start_in(&environment, data_dir.path(), "127.0.0.1:0", &[])
    }
}

#[test]
fn a_service_manager_is_told_when_calls_are_taken_that_the_log_is_alive_and_when_it_stops() {
    let (manager, data_dir) = (Manager::new(), TempDir::new().expect("a folder"));
    let mut server = manager.server(&data_dir, &[("WATCHDOG_USEC", "100000")]);
    assert_eq!(manager.told(), ["STATUS=reading the log"]);
    let ready = manager.told();
    assert_eq!(
        ready,
        [
            "READY=1".to_owned(),
            format!("STATUS=serving on {}", server.address)
        ]
    );
    // The committer of a server that nobody asks for anything is alive as well.
    for _ in 0..5 {
        assert_eq!(manager.told(), ["WATCHDOG=1"]);
    }
    server.terminate();
    assert!(server.ended(), "in good order");
    let (last, _) = manager.told_beside_pings();
    assert_eq!(last, ["STOPPING=1", "STATUS=stopping: open calls may end"]);
}

#[test]
fn without_a_watchdog_or_with_that_of_another_process_nobody_is_pinged() {
    for more in [&[][..], &[("WATCHDOG_USEC", "10000"), ("WATCHDOG_PID", "1")]] {
        let (manager, data_dir) = (Manager::new(), TempDir::new().expect("a folder"));
        let mut server = manager.server(&data_dir, more);
        assert_eq!(manager.told().len(), 1);
        assert_eq!(manager.told().first().map(String::as_str), Some("READY=1"));
        // Time for pings, if there were any.
        std::thread::sleep(std::time::Duration::from_millis(200));
        server.terminate();
        assert!(server.ended(), "in good order");
        let (last, pings) = manager.told_beside_pings();
        assert_eq!((last.first().map(String::as_str), pings), (Some("STOPPING=1"), 0));
    }
}

#[test]
fn a_server_whose_service_manager_is_gone_serves_all_the_same() {
    let (manager, data_dir) = (Manager::new(), TempDir::new().expect("a folder"));
    let mut server = manager.server(&data_dir, &[("WATCHDOG_USEC", "100000")]);
    assert_eq!(manager.told().len(), 1);
    drop(manager);
    server.terminate();
    assert!(server.ended(), "in good order");
    let said = server.said();
    assert!(
        said.iter().any(|line| line["fields"]["message"]
            .as_str()
            .is_some_and(|message| message.contains("NOTIFY_SOCKET could not be told"))),
        "{said:?}"
    );
}
