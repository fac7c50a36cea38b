//! `binnacle health` as a container's health check runs it: what it says, and its exit code.

#[path = "common/process.rs"]
mod process;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use process::ServerProcess;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

/// What a run of the program left behind.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    written: String,
    told: String,
}

fn health(args: &[&str], environment: &[(&str, &Path)]) -> Run {
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_binnacle"), "health"]);
    for name in [
        "BINNACLE_TLS_CA",
        "BINNACLE_TLS_NAME",
        "BINNACLE_TOKEN",
        "BINNACLE_TOKEN_FILE",
    ] {
        command.env_remove(name);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value.as_os_str())));
    let output = command.args(args).output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Run {
        code: output.status.code(),
        written: text(&output.stdout),
        told: text(&output.stderr),
    }
}

/// An address where nothing listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn a_server_that_serves_is_0_and_everything_else_1() {
    let dir = TempDir::new().expect("a folder");
    let server = ServerProcess::start(dir.path());
    let url = server.url();
    let serves = health(&["--server", &url, "--wait", "30"], &[]);
    assert_eq!(serves.code, Some(0), "{serves:?}");
    assert_eq!(serves.written, format!("SERVING: the server at {url}"));
    let one = health(&["--server", &url, "--service", "binnacle.v1.KpiService"], &[]);
    assert_eq!(
        (one.code, one.written.as_str()),
        (
            Some(0),
            format!("SERVING: binnacle.v1.KpiService at {url}").as_str()
        )
    );
    let unknown = health(&["--server", &url, "--service", "binnacle.v1.Nothing"], &[]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.told.contains("it knows no such service"), "{unknown:?}");
    let nothing = health(&["--server", &nowhere(), "--wait", "1"], &[]);
    assert_eq!(nothing.code, Some(1), "{nothing:?}");
    assert!(nothing.told.contains("nothing answers at"), "{nothing:?}");
    let wrong = health(&["--server", "localhost", "--wait", "1000"], &[]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

#[test]
fn a_server_with_keys_is_asked_without_one() {
    let dir = TempDir::new().expect("a folder");
    let data_dir = dir.path().to_string_lossy().into_owned();
    let made = Command::new(env!("CARGO_BIN_EXE_binnacle"))
        .args(["keys", "create", "--principal", "maria", "--data-dir", &data_dir])
        .output()
        .expect("the program runs");
    assert!(made.status.success(), "{made:?}");
    let server = ServerProcess::start(dir.path());
    let serves = health(&["--server", &server.url(), "--wait", "30"], &[]);
    assert_eq!(serves.code, Some(0), "{serves:?}");
}

#[test]
fn a_certificate_for_the_name_that_others_know_is_enough_on_the_servers_own_machine() {
    let dir = TempDir::new().expect("a folder");
    let write = |name: &str, pem: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).expect("a file");
        path
    };
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(["binnacle.acme.example".to_owned()])
        .expect("a name")
        .signed_by(&key, &authority)
        .expect("a certificate");
    let ca = write("ca.pem", &authority.pem());
    let certificate = write("server.pem", &certificate.pem());
    let key = write("server.key", &key.serialize_pem());
    let (certificate, key) = (certificate.to_string_lossy(), key.to_string_lossy());
    let server = ServerProcess::start_at(
        &dir.path().join("data"),
        "127.0.0.1:0",
        &["--tls-certificate", &certificate, "--tls-key", &key],
    );
    let url = format!("https://{}", server.address);
    let name = ("BINNACLE_TLS_NAME", Path::new("binnacle.acme.example"));
    let serves = health(
        &["--server", &url, "--wait", "30"],
        &[("BINNACLE_TLS_CA", &ca), name],
    );
    assert_eq!(serves.code, Some(0), "{serves:?}");
    for environment in [
        &[("BINNACLE_TLS_CA", ca.as_path())][..],
        &[
            ("BINNACLE_TLS_CA", ca.as_path()),
            ("BINNACLE_TLS_NAME", Path::new("other.example")),
        ],
        &[name],
    ] {
        let refused = health(&["--server", &url], environment);
        assert_eq!(refused.code, Some(1), "{environment:?}: {refused:?}");
        assert!(
            refused
                .told
                .contains("does not answer as a server that can be trusted"),
            "{refused:?}"
        );
    }
}
