//! Handshakes of TLS that are begun and not ended.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use super::good_client::GoodClient;
use super::patience::in_time;
use super::{Abuse, PATIENCE, Scene, alone, metric};

/// How many there are at once.
const HALF_OPEN: u64 = 5_000;
/// The beginning of a ClientHello of 512 bytes.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

fn key_of(data_dir: &Path, principal: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_binnacle"))
        .args(["keys", "create", "--principal", principal, "--data-dir"])
        .arg(data_dir)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .expect("a text")
        .trim()
        .to_owned()
}

/// As many files as the operating system gives.
fn open_all_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, all).expect("as many as there may be");
    // The server has half of them, less some, for one address.
    assert!(
        maximum.is_none_or(|files| files >= 2 * HALF_OPEN + 256),
        "the operating system gives {maximum:?} files, too few for this test: raise ulimit -n"
    );
}

#[test]
fn five_thousand_handshakes_that_are_begun_and_not_ended() {
    let _alone = alone();
    open_all_files();
    let mut certificate = String::new();
    let mut token = String::new();
    let scene = Scene::new(|dir| {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        certificate = params.self_signed(&key).expect("a certificate").pem();
        std::fs::write(dir.join("tls.pem"), &certificate).expect("a file");
        std::fs::write(dir.join("tls.key"), key.serialize_pem()).expect("a file");
        token = key_of(&dir.join("data"), "good");
        let file = |name: &str| dir.join(name).to_string_lossy().into_owned();
        [
            "--tls-certificate",
            &file("tls.pem"),
            "--tls-key",
            &file("tls.key"),
            "--operator",
            "good",
            "--metrics-listen",
            "127.0.0.1:0",
            // Longer than this test takes on a slow machine.
            "--handshake-s-max",
            "120",
        ]
        .map(str::to_owned)
        .to_vec()
    });
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&certificate))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", scene.server.address)).expect("an address");
    let good = GoodClient::new(endpoint.tls_config(tls).expect("TLS"), Some(&token), true);
    scene.runtime.block_on(good.prepare());
    let abuse = Abuse::of(&scene.server.address);
    let half_open = in_time("so many connections", half_open(&abuse));
    let half_open = scene.runtime.block_on(half_open);
    let turned = r#"binnacle_turned_away_total{limit="connections_per_address_max"}"#;
    // The operating system has them first.
    let until = Instant::now() + PATIENCE;
    while metric(&scene.server, "binnacle_connections ") < HALF_OPEN as f64 {
        assert!(Instant::now() < until, "the server does not take all of them");
        assert_eq!(
            metric(&scene.server, turned),
            0.0,
            "some of them were turned away"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    scene.play("half-open handshakes", &good, &abuse, |_| true, |_| {});
    drop(half_open);
    drop(scene.dir);
}

/// From another address than that of the good client, which has as many connections as an address may have.
async fn half_open(abuse: &Abuse) -> Vec<tokio::net::TcpStream> {
    let mut connections = Vec::new();
    while abuse.done.load(Ordering::Relaxed) < HALF_OPEN {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind("127.0.0.2:0".parse().expect("an address"))
            .expect("an address of this machine");
        let address = abuse.address.parse().expect("an address");
        let Ok(mut connection) = socket.connect(address).await else {
            // The queue of the operating system is full.
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        if connection.write_all(HALF_A_HELLO).await.is_ok() {
            abuse.did(1);
            connections.push(connection);
        }
    }
    connections
}
