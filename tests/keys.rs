//! API keys with the real program: made, shown, listed and revoked; and where a server refuses to listen.

#[path = "common/process.rs"]
mod process;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use process::ServerProcess;
use tempfile::TempDir;

/// What a run of the program left behind.
#[derive(Debug)]
struct Run {
    code: Option<i32>,
    written: String,
    told: String,
}

fn binnacle(args: &[&str], token: Option<&str>) -> Run {
    // A server that starts although it should not would be waited for without end.
    let mut command = Command::new("timeout");
    command.args(["60", env!("CARGO_BIN_EXE_binnacle")]);
    for name in [
        "BINNACLE_ACTOR",
        "BINNACLE_DATA_DIR",
        "BINNACLE_TOKEN",
        "BINNACLE_TOKEN_FILE",
    ] {
        command.env_remove(name);
    }
    if let Some(token) = token {
        command.env("BINNACLE_TOKEN", token);
    }
    let output = command.args(args).output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Run {
        code: output.status.code(),
        written: text(&output.stdout),
        told: text(&output.stderr),
    }
}

fn keys(dir: &Path, args: &[&str]) -> Run {
    let dir = dir.to_string_lossy().into_owned();
    binnacle(&[&["keys", "--data-dir", &dir], args].concat(), None)
}

/// What the server says to somebody who asks for a workspace that is not there.
fn ask(server: &ServerProcess, token: Option<&str>) -> Run {
    binnacle(
        &["export", "--workspace", "none", "--server", &server.url()],
        token,
    )
}

#[test]
fn a_key_is_written_once_lets_its_owner_in_and_nobody_after_it_is_revoked() {
    let dir = TempDir::new().expect("a folder");
    let made = keys(
        dir.path(),
        &[
            "create",
            "--principal",
            "maria@acme.example",
            "--expires-in",
            "90days",
        ],
    );
    assert_eq!(made.code, Some(0), "{made:?}");
    let token = made.written.as_str();
    assert!(
        token.starts_with("binnacle_") && !token.contains(char::is_whitespace),
        "{made:?}"
    );
    assert!(made.told.contains("start the server again"), "{made:?}");
    let listed = keys(dir.path(), &["list"]);
    assert!(
        listed.written.contains("maria@acme.example") && listed.written.contains("until"),
        "{listed:?}"
    );
    let secret = token.splitn(3, '_').nth(2).expect("a secret");
    assert!(!listed.written.contains(secret), "{listed:?}");
    let id = listed
        .written
        .split_whitespace()
        .next()
        .expect("an id")
        .to_owned();

    let server = ServerProcess::start(dir.path());
    let nobody = ask(&server, None);
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert!(
        nobody.told.contains("this server knows its callers"),
        "{nobody:?}"
    );
    let maria = ask(&server, Some(token));
    assert!(maria.told.contains("workspaces/none does not exist"), "{maria:?}");
    let revoked = keys(dir.path(), &["revoke", &id]);
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    let begun = Instant::now();
    while !ask(&server, Some(token))
        .told
        .contains("has expired or was revoked")
    {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "a revoked key still lets somebody in"
        );
    }
    let second = keys(dir.path(), &["create", "--principal", "jo@acme.example"]);
    assert!(!second.told.contains("start the server again"), "{second:?}");
    let begun = Instant::now();
    while !ask(&server, Some(&second.written))
        .told
        .contains("does not exist")
    {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "a new key lets nobody in"
        );
    }
}

#[test]
fn a_server_that_had_keys_or_has_operators_does_not_begin_to_believe_everybody() {
    let dir = TempDir::new().expect("a folder");
    let data_dir = dir.path().to_string_lossy().into_owned();
    let serve = |more: &[&str]| {
        let args = ["serve", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
        binnacle(&[&args[..], more].concat(), None)
    };
    let operator = serve(&["--operator", "maria"]);
    assert_eq!(operator.code, Some(2), "{operator:?}");
    assert!(operator.told.contains("it knows nobody"), "{operator:?}");
    keys(dir.path(), &["create", "--principal", "maria"]);
    std::fs::remove_file(dir.path().join("keys.json")).expect("the keys");
    let lost = serve(&[]);
    assert_eq!(lost.code, Some(2), "{lost:?}");
    assert!(lost.told.contains("keys.json is missing"), "{lost:?}");
}

#[test]
fn what_no_key_can_be_is_refused_in_a_sentence() {
    let dir = TempDir::new().expect("a folder");
    for (args, part) in [
        (&["create", "--principal", ""][..], "1 to 200 characters"),
        (
            &["create", "--principal", "maria", "--expires-in", "0h"],
            "expired already",
        ),
        (&["revoke", "nobody"], "there is no key nobody"),
    ] {
        let refused = keys(dir.path(), args);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.told.contains(part), "{refused:?}");
    }
    assert_eq!(keys(dir.path(), &["list"]).written, "");
}

#[test]
fn a_server_listens_where_others_reach_it_only_if_it_knows_them_and_nobody_listens_in() {
    let dir = TempDir::new().expect("a folder");
    let data_dir = dir.path().to_string_lossy().into_owned();
    let serve = |more: &[&str]| {
        let args = ["serve", "--listen", "0.0.0.0:0", "--data-dir", &data_dir];
        binnacle(&[&args[..], more].concat(), None)
    };
    let open = serve(&[]);
    assert_eq!(open.code, Some(2), "{open:?}");
    assert!(
        open.told.contains("nobody would have to show who they are"),
        "{open:?}"
    );
    keys(dir.path(), &["create", "--principal", "maria"]);
    let clear = serve(&[]);
    assert_eq!(clear.code, Some(2), "{clear:?}");
    assert!(
        clear.told.contains("tokens would travel in the clear"),
        "{clear:?}"
    );
    let behind = ServerProcess::start_at(dir.path(), "0.0.0.0:0", &["--plaintext-beyond-loopback"]);
    assert!(behind.address.starts_with("0.0.0.0:"), "{}", behind.address);
}
