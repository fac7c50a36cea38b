//! `binnacle doctor`: on a data directory that is as it should be, and on one where each thing in turn is not. It names that one
//! thing, says what to do, and changes nothing.

#[path = "doctor/given.rs"]
mod given;
#[path = "common/process.rs"]
mod process;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use given::{Given, authority, mode};
use process::ServerProcess;
use rcgen::KeyPair;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn nothing(_: &Given) -> Vec<String> {
    Vec::new()
}

/// Harms one thing, and asserts that doctor finds that and nothing else.
///
/// `harm` does something to the data directory, or beside it, and answers what doctor is told beside it.
fn assert_found(about: &str, level: &str, code: i32, part: &str, harm: impl FnOnce(&Given) -> Vec<String>) {
    let given = Given::new();
    let more = harm(&given);
    let before = given.everything();
    let found = given.doctor(&more);
    assert_eq!(found.code, Some(code), "{about}: {found:?}");
    let not_ok = found.not_ok();
    let [one] = not_ok.as_slice() else {
        panic!("{about}: {found:?}");
    };
    assert_eq!(
        (one.about.as_str(), one.level.as_str()),
        (about, level),
        "{found:?}"
    );
    assert!(one.is.contains(part), "{part:?} is not in {one:?}");
    assert!(
        one.todo.as_ref().is_some_and(|todo| todo.len() > 10),
        "nothing to do: {one:?}"
    );
    assert_eq!(given.everything(), before, "{about}: something was changed");
}

#[test]
fn a_data_directory_that_is_as_it_should_be_is_found_so_and_left_so() {
    let given = Given::new();
    let before = given.everything();
    let found = given.doctor(&nothing(&given));
    assert_eq!((found.code, found.not_ok()), (Some(0), Vec::new()), "{found:?}");
    for about in [
        "configuration",
        "address",
        "data directory",
        "disk",
        "open files",
        "certificates",
        "callers",
        "store",
        "clock",
    ] {
        assert!(found.about(about), "nothing about {about}: {found:?}");
    }
    assert!(found.summary.contains("nothing is wrong"), "{found:?}");
    assert_eq!(given.everything(), before, "something was changed");
}

#[test]
fn settings_that_are_none_are_named() {
    let file = |text: &'static str| {
        move |given: &Given| {
            let path = given.beside("binnacle.toml");
            fs::write(&path, text).expect("a file");
            words(&["--config", &path.to_string_lossy()])
        }
    };
    let given = Given::new();
    for (text, part) in [("data_dirr = \"x\"", "data_dirr"), ("listen = 7", "listen")] {
        let found = given.doctor(&file(text)(&given));
        assert_eq!(found.code, Some(2), "{found:?}");
        assert!(
            found.not_ok().first().is_some_and(|one| one.is.contains(part)),
            "{found:?}"
        );
    }
    assert_found("configuration", "wrong", 2, "--log is no filter", |_| {
        words(&["--log", "a=b=c"])
    });
    assert_found("configuration", "warning", 0, "--accept-clock is set", |_| {
        words(&["--accept-clock"])
    });
    assert_found(
        "configuration",
        "warning",
        0,
        "nobody is authenticated there",
        |_| words(&["--metrics-listen", "0.0.0.0:9700"]),
    );
}

#[test]
fn an_address_that_cannot_be_had_or_must_not_is_named() {
    assert_found(
        "address",
        "wrong",
        2,
        "nobody would have to show who they are",
        |_| words(&["--listen", "0.0.0.0:7700"]),
    );
    assert_found(
        "address",
        "wrong",
        2,
        "tokens would travel in the clear",
        |given| {
            given.keys(&["create", "--principal", "maria"]);
            words(&["--listen", "0.0.0.0:7700"])
        },
    );
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let given = Given::new();
    let address = taken.local_addr().expect("an address").to_string();
    let found = given.doctor(&words(&["--listen", &address]));
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(
        found.not_ok()[0].is.contains("cannot be listened on"),
        "{found:?}"
    );
}

#[test]
fn a_metrics_address_that_cannot_be_had_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    assert_found("metrics address", "wrong", 1, "cannot be listened on", |_| {
        words(&["--metrics-listen", &address])
    });
    // Both at one place, also where one of them is everywhere: each by itself would be free.
    let given = Given::new();
    drop(taken);
    let everywhere = address.replace("127.0.0.1", "0.0.0.0");
    for (listen, metrics) in [(&address, &address), (&address, &everywhere)] {
        let found = given.doctor(&words(&["--listen", listen, "--metrics-listen", metrics]));
        assert_eq!(found.code, Some(1), "{found:?}");
        assert!(
            found.of("metrics address").is.contains("cannot be listened on"),
            "{found:?}"
        );
    }
}

#[test]
fn who_may_not_look_is_told_so_and_not_that_something_is_missing_or_in_the_way() {
    let given = Given::new();
    let server = ServerProcess::start(&given.data_dir());
    given.until_serving(&server.url());
    let found = given.doctor_of_another(&words(&["--listen", &server.address]));
    assert_eq!(found.code, Some(1), "{found:?}");
    let not_ok = found.not_ok();
    let abouts: Vec<_> = not_ok
        .iter()
        .map(|one| (one.about.as_str(), one.level.as_str()))
        .collect();
    let expected = [
        ("address", "warning"),
        ("data directory", "wrong"),
        ("API keys", "warning"),
        ("store", "warning"),
    ];
    assert_eq!(abouts, expected, "{found:?}");
    for finding in not_ok {
        let todo = finding.todo.expect("something to do");
        assert!(todo.contains("the user that runs the server"), "{todo}");
    }
}

#[test]
fn root_is_told_that_the_directory_is_of_somebody_else() {
    let given = Given::new();
    if chown(given.data_dir(), Some(12_345), None).is_err() {
        println!("NOT RUN: only root can give a directory to somebody else");
        return;
    }
    for path in given.everything().keys() {
        chown(path, Some(12_345), None).expect("root");
    }
    let found = given.doctor(&nothing(&given));
    let not_ok = found.not_ok();
    assert_eq!((found.code, not_ok.len()), (Some(0), 1), "{found:?}");
    assert!(not_ok[0].is.contains("belongs to the user 12345"), "{found:?}");
}

fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("what the system says of this process");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = u64::from_str_radix(ignored.expect("a mask").trim(), 16).expect("a number");
    mask & 1 == 1
}

#[test]
fn whoever_is_interrupted_leaves_no_copy_of_the_store() {
    let given = Given::new();
    let scratch = given.beside("scratch");
    fs::create_dir(&scratch).expect("a folder");
    // What is copied has no end: nobody writes into it.
    let pipe = given.data_dir().join("store/pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let copies = || fs::read_dir(&scratch).expect("a folder").count();
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let mut doctor = given.begin_doctor(&scratch);
        let began = Instant::now();
        while copies() == 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing is copied");
            std::thread::sleep(Duration::from_millis(5));
        }
        let told = Command::new("kill")
            .args([signal, &doctor.id().to_string()])
            .status();
        assert!(told.expect("kill runs").success());
        let ended = loop {
            if let Some(ended) = doctor.try_wait().expect("a process") {
                break ended;
            }
            if began.elapsed() > Duration::from_secs(60) {
                doctor.kill().expect("a process");
                // As under nohup, which means that it goes on.
                assert_eq!(signal, "-HUP", "it does not end");
                assert!(ignores_hangup(), "it does not end");
                println!("NOT RUN: {signal}, which this process was started to ignore");
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!((ended.code(), copies()), (Some(code), 0), "{signal}");
    }
}

#[test]
fn whoever_may_read_too_much_or_too_little_is_named() {
    assert_found(
        "data directory",
        "warning",
        0,
        "every user of this machine",
        |given| {
            mode(&given.data_dir(), 0o755);
            Vec::new()
        },
    );
    assert_found("signing key", "wrong", 1, "can be read by others", |given| {
        mode(&given.data_dir().join("checkpoint.key"), 0o644);
        Vec::new()
    });
    assert_found(
        "callers",
        "wrong",
        2,
        "can be read or written by others",
        |given| {
            given.keys(&["create", "--principal", "maria"]);
            mode(&given.data_dir().join("keys.json"), 0o644);
            Vec::new()
        },
    );
    // Who may everything can give things away, and who may not can take them from itself.
    let given = Given::new();
    let heads = given.data_dir().join("heads");
    let part = match chown(&heads, Some(12_345), None) {
        Ok(()) => "belongs to another user",
        Err(_) => {
            mode(&heads, 0o400);
            "this user may not read and write"
        }
    };
    let found = given.doctor(&nothing(&given));
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.not_ok()[0].is.contains(part), "{found:?}");
}

#[test]
fn damage_is_named_and_counts_for_more_than_anything_else() {
    assert_found("signing key", "wrong", 3, "checkpoint.key is missing", |given| {
        fs::remove_file(given.data_dir().join("checkpoint.key")).expect("the key");
        Vec::new()
    });
    assert_found(
        "data directory",
        "wrong",
        3,
        "is missing, and the heads and checkpoints",
        |given| {
            fs::remove_dir_all(given.data_dir().join("store")).expect("the store");
            Vec::new()
        },
    );
    assert_found("data directory", "wrong", 3, "was interrupted", |given| {
        fs::rename(
            given.data_dir().join("store"),
            given.data_dir().join("store.restoring"),
        )
        .expect("the store");
        Vec::new()
    });
    // What is said to be missing is not said to be fine as well.
    let given = Given::new();
    fs::remove_dir_all(given.data_dir().join("store")).expect("the store");
    let found = given.doctor(&nothing(&given));
    assert!(!found.about("store"), "{found:?}");
    assert_found("store", "wrong", 3, "missing", |given| {
        let path = given.data_dir().join("store/db");
        let mut bytes = fs::read(&path).expect("the store");
        // Its log of pages, behind the first: what is behind it is dropped by who opens it.
        let at = bytes
            .iter()
            .rposition(|byte| *byte != 0)
            .expect("something in it")
            / 2;
        bytes[at..at + 64].fill(0xA5);
        fs::write(&path, bytes).expect("the store");
        Vec::new()
    });
}

#[test]
fn certificates_that_end_have_ended_or_do_not_fit_are_named() {
    let served = |days: std::ops::Range<i64>| {
        let key = KeyPair::generate().expect("a key");
        (authority(&key, days), key.serialize_pem())
    };
    let look = |given: &Given, certificate: &str, key: &str| {
        let (certificate, key) = (
            given.write("server.pem", certificate),
            given.write("server.key", key),
        );
        given.doctor(&words(&["--tls-certificate", &certificate, "--tls-key", &key]))
    };
    let given = Given::new();
    for (days, code, level, part) in [
        (-10..365, 0, "ok", "holds until"),
        (-10..20, 0, "warning", "days"),
        (-10..-1, 1, "wrong", "has ended"),
        (2..300, 1, "wrong", "not yet"),
    ] {
        let (certificate, key) = served(days.clone());
        let found = look(&given, &certificate, &key);
        assert_eq!(found.code, Some(code), "{days:?}: {found:?}");
        let one = found.of("certificates");
        assert!(one.level == level && one.is.contains(part), "{days:?}: {found:?}");
    }
    let (certificate, _) = served(-1..365);
    let (_, other) = served(-1..365);
    let found = look(&given, &certificate, &other);
    assert!(
        found.of("certificates").is.contains("cannot be used together"),
        "{found:?}"
    );
    let found = look(&given, "nothing", &other);
    assert!(
        found.of("certificates").is.contains("holds no certificate"),
        "{found:?}"
    );
    // The authority of clients has ended.
    let ((certificate, key), (ended, _)) = (served(-1..365), served(-10..-1));
    let (certificate, key, ended) = (
        given.write("server.pem", &certificate),
        given.write("server.key", &key),
        given.write("clients.pem", &ended),
    );
    let found = given.doctor(&words(&[
        "--tls-certificate",
        &certificate,
        "--tls-key",
        &key,
        "--tls-client-ca",
        &ended,
    ]));
    let not_ok = found.not_ok();
    let [one] = not_ok.as_slice() else {
        panic!("{found:?}");
    };
    assert!(one.is.contains("clients.pem has ended"), "{found:?}");
}

#[test]
fn credentials_that_cannot_be_had_or_end_soon_are_named() {
    assert_found("API keys", "warning", 0, "ends on", |given| {
        given.keys(&["create", "--principal", "maria"]);
        given.keys(&["create", "--principal", "rui", "--expires-in", "72h"]);
        Vec::new()
    });
    assert_found("API keys", "wrong", 1, "none of them lets anybody in", |given| {
        given.keys(&["create", "--principal", "maria"]);
        let listed = given.keys(&["list"]);
        given.keys(&["revoke", listed.split_whitespace().next().expect("an id")]);
        Vec::new()
    });
    assert_found("callers", "wrong", 2, "jwks.json cannot be read", |given| {
        let path = given.beside("jwks.json").to_string_lossy().into_owned();
        words(&[
            "--jwt-jwks",
            &path,
            "--jwt-issuer",
            "https://login.example.com",
            "--jwt-audience",
            "binnacle",
        ])
    });
}

#[test]
fn a_clock_that_is_far_from_the_log_is_named() {
    let given = Given::recorded_at(1_577_836_800); // 2020-01-01
    let found = given.doctor(&nothing(&given));
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(
        found.of("clock").is.contains("30 days ahead of the log"),
        "{found:?}"
    );
}

#[test]
fn few_open_files_are_a_warning() {
    let given = Given::new();
    let found = given.doctor_in("ulimit -n 200 && exec \"$@\"", &nothing(&given));
    assert_eq!(found.code, Some(0), "{found:?}");
    let one = found.of("open files");
    assert!(
        one.level == "warning" && one.is.contains("200 may be open"),
        "{found:?}"
    );
}

#[test]
fn a_server_that_runs_is_asked_and_its_store_left_alone() {
    let given = Given::new();
    let server = ServerProcess::start(&given.data_dir());
    given.until_serving(&server.url());
    let found = given.doctor(&words(&["--listen", &server.address]));
    assert_eq!((found.code, found.not_ok()), (Some(0), Vec::new()), "{found:?}");
    assert!(found.of("store").is.contains("a server has it open"), "{found:?}");
    assert!(found.of("server").is.contains("it serves at"), "{found:?}");
    // Where nobody listens it is not taken for one that serves.
    let elsewhere = given.doctor(&words(&["--listen", "127.0.0.1:1"]));
    assert_eq!(
        (elsewhere.code, elsewhere.of("server").level.as_str()),
        (Some(0), "warning"),
        "{elsewhere:?}"
    );
}

#[test]
fn what_a_person_reads_says_what_is_and_below_it_what_to_do() {
    let given = Given::new();
    fs::set_permissions(given.data_dir(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let written = given.doctor_lines();
    let lines: Vec<&str> = written.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with("warning  data directory: "))
        .expect("a warning");
    assert!(lines[at + 1].starts_with("         run chmod 700 "), "{written}");
    assert!(Path::new(&given.data_dir()).is_dir());
}
