//! `binnacle verify` and `binnacle prove` as an auditor uses them: what agrees, what proves nothing, what is no file of ours, and
//! what is not what was signed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use binnacle::domain::Revision;
use binnacle::log::{Checkpoint, LogId, Origin, Root, SigningKey};

use crate::company::{measure_all, wait};
use crate::prepared::{copy, prepared};
use crate::program::{Server, Start, run, start};
use crate::reads::checkpoint;
use crate::rubbish::Kept;

#[test]
fn everything_that_a_server_signed_agrees_each_for_itself_and_all_at_once() {
    let kept = Kept::new();
    for names in [
        &["archive"][..],
        &["event"],
        &["early-event"],
        &["early", "archive"],
        &["checkpoint", "archive"],
        &["archive", "early-event"],
        &["archive", "event", "early-event"],
        &["early", "since"],
        &["early", "checkpoint", "since", "archive", "event", "early-event"],
    ] {
        kept.verify(names).ended(0, &["everything agrees"]);
    }
    kept.verify(&["event"])
        .ended(0, &["revision 20 is in the log of", "MeasurementRecorded"]);
    kept.verify(&["early", "since"])
        .ended(0, &["revisions 1 to 40 are unchanged in the log of"]);
    let (dir, key, early) = (kept.dir(), kept.path("key"), kept.path("early"));
    let args = [
        "verify".as_ref(),
        "--public-key".as_ref(),
        key.as_os_str(),
        dir.as_os_str(),
        early.as_os_str(),
    ];
    run(args).ended(0, &["as signed", "everything agrees"]);
    // Without a key that was kept elsewhere the directory's own is taken, and that is said.
    let own = run(["verify".as_ref(), dir.as_os_str()]);
    own.ended(0, &["the key is the directory's own", "everything agrees"]);
}

#[test]
fn what_nothing_was_held_against_is_no_success() {
    let kept = Kept::new();
    kept.verify(&["early"])
        .ended(1, &["UNPROVEN", "there is nothing to hold it against"]);
    kept.verify(&["since"])
        .ended(1, &["UNPROVEN", "add the checkpoint of that revision"]);
    kept.verify(&["since", "event"]).ended(1, &["ok", "UNPROVEN"]);
}

#[test]
fn two_proofs_that_each_agree_prove_nothing_together_when_nothing_connects_them() {
    let kept = Kept::new();
    // Each is right for itself: of one log they may be, and of two that were told to two auditors as well.
    kept.verify(&["event", "early-event"])
        .ended(1, &["nothing connects what it says of revision 40", "UNPROVEN"]);
    // What leads from the one to the other says that it is one log.
    kept.verify(&["event", "early-event", "early", "since"])
        .ended(0, &["everything agrees"]);
}

#[test]
fn archives_of_different_days_agree_in_whichever_order_they_are_named() {
    let kept = Kept::new();
    let dir = kept.dir();
    let server = Server::start(&dir);
    wait(measure_all(&server.url, "beta", 200..203));
    let archive = kept.path("of-beta");
    let args = ["backup", "--server", &server.url, "--workspace", "beta", "-o"];
    run(args.iter().map(AsRef::as_ref).chain([archive.as_os_str()])).ended(0, &[]);
    // Now the newer archive of the two is the shorter one.
    wait(measure_all(&server.url, "acme", 200..203));
    let later = kept.path("later");
    let args = ["backup", "--server", &server.url, "-o"];
    run(args.iter().map(AsRef::as_ref).chain([later.as_os_str()])).ended(0, &[]);
    server.stop();
    for names in [
        ["archive", "later"],
        ["later", "archive"],
        ["of-beta", "later"],
        ["later", "of-beta"],
    ] {
        kept.verify(&names).ended(0, &["everything agrees"]);
    }
    // A checkpoint that was kept by itself has to be in each.
    let server = Server::start(&dir);
    let newest = kept.path("newest");
    let args = ["checkpoint", "acme", "--server", &server.url, "-o"];
    run(args.iter().map(AsRef::as_ref).chain([newest.as_os_str()])).ended(0, &[]);
    server.stop();
    kept.verify(&["later", "newest"]).ended(0, &["everything agrees"]);
    kept.verify(&["later", "archive", "newest"])
        .ended(3, &["revisions", "are missing"]);
}

#[test]
fn directories_of_different_days_agree_in_whichever_order_they_are_named() {
    let kept = Kept::new();
    let (newer, older, key) = (kept.dir(), prepared().older(), kept.path("key"));
    let archive = kept.path("archive");
    let verify = |paths: &[&Path]| {
        let args = ["verify".as_ref(), "--public-key".as_ref(), key.as_os_str()];
        run(args.into_iter().chain(paths.iter().map(|path| path.as_os_str())))
    };
    for paths in [
        &[newer.as_path(), older.as_path()][..],
        &[&older, &newer],
        &[&older, &archive],
        &[&archive, &older],
        &[&archive, &newer, &older],
    ] {
        verify(paths).ended(0, &["everything agrees"]);
    }
    // What somebody kept by itself has to be in each.
    let [acme, _] = prepared().kept();
    verify(&[&newer, &acme]).ended(0, &["everything agrees"]);
    verify(&[&newer, &older, &acme]).ended(3, &["WRONG", "are missing"]);
    // An older store in the place of a newer one is found by what lies beside it, as ever.
    let mixed = kept.path("mixed");
    copy(&newer, &mixed);
    fs::remove_dir_all(mixed.join("store")).expect("the store");
    copy(&older.join("store"), &mixed.join("store"));
    verify(&[&mixed, &older]).ended(3, &["WRONG", "are missing"]);
    verify(&[&older, &mixed]).ended(3, &["WRONG", "are missing"]);
}

#[test]
fn what_is_no_file_of_ours_and_a_key_that_is_missing_are_told_apart_from_damage() {
    let kept = Kept::new();
    kept.verify(&["nowhere"]).ended(2, &["cannot be read"]);
    kept.verify(&["key"])
        .ended(2, &["is no archive, no proof and no checkpoint"]);
    let archive = kept.path("archive");
    run(["verify".as_ref(), archive.as_os_str()]).ended(2, &["--public-key is missing"]);
    let empty = kept.path("empty");
    fs::create_dir(&empty).expect("a folder");
    kept.verify(&["empty"]).ended(2, &["is no data directory"]);
    let key = kept.path("archive");
    run([
        "verify".as_ref(),
        "--public-key".as_ref(),
        key.as_os_str(),
        archive.as_os_str(),
    ])
    .ended(2, &["--public-key", "is no Ed25519 key"]);
}

#[test]
fn what_the_key_has_not_signed_is_named() {
    let kept = Kept::new();
    let other = SigningKey::generate().expect("a key").public().text();
    kept.write("key", other.as_bytes());
    for name in ["archive", "event", "since", "checkpoint"] {
        kept.verify(&[name])
            .ended(3, &["WRONG", "is not signed by the key"]);
    }
    let (dir, key) = (kept.dir(), kept.path("key"));
    run([
        "verify".as_ref(),
        "--public-key".as_ref(),
        key.as_os_str(),
        dir.as_os_str(),
    ])
    .ended(3, &["WRONG", "is not signed by the key"]);
}

#[test]
fn a_proof_of_another_commit_or_of_another_beginning_is_found() {
    let kept = Kept::new();
    let proof = String::from_utf8(kept.read("event")).expect("text");
    let other = String::from_utf8(kept.read("other")).expect("text");
    let line = |text: &str, number: usize| text.lines().nth(number).expect("a line").to_owned();
    // Another commit, another place, and another path.
    let forged = [
        proof.replace(&line(&proof, 1), &line(&other, 1)),
        proof.replace("index 19", "index 20"),
        proof.replace(&line(&proof, 3), &line(&proof, 4)),
        proof.replacen(&format!("{}\n", line(&proof, 3)), "", 1),
    ];
    for forged in forged {
        assert_ne!(forged, proof);
        kept.write("forged", forged.as_bytes());
        kept.verify(&["forged"])
            .ended(3, &["WRONG", "is not the one at revision"]);
    }
    let since = String::from_utf8(kept.read("since")).expect("text");
    let forged = since.replacen(&format!("{}\n", line(&since, 1)), "", 1);
    kept.write("forged", forged.as_bytes());
    kept.verify(&["forged", "early"])
        .ended(3, &["does not begin with what was signed for revision 40"]);
}

#[test]
fn two_histories_under_one_key_are_a_fork_wherever_they_are_met() {
    let kept = Kept::new();
    let key = SigningKey::generate().expect("a key");
    kept.write("key", key.public().text().as_bytes());
    let signed = |root: u8| {
        key.sign(&Checkpoint {
            origin: Origin {
                log: LogId([7; 16]),
                epoch: 1,
            },
            revision: Revision(12),
            root: Root([root; 32]),
        })
    };
    let fork = &[
        "WRONG",
        "signed for revision 12 of one log with different roots",
        "two histories have been told",
    ];
    kept.write("one", signed(1).as_bytes());
    kept.write("another", signed(2).as_bytes());
    kept.write("both", format!("{}\n{}", signed(1), signed(2)).as_bytes());
    kept.verify(&["one", "another"]).ended(3, fork);
    kept.verify(&["both"]).ended(3, fork);
    kept.verify(&["one", "one"]).ended(1, &["UNPROVEN"]);
}

#[test]
fn a_checkpoint_of_a_log_that_is_not_there_says_what_is_missing() {
    let kept = Kept::new();
    let (dir, key) = (kept.dir(), kept.path("key"));
    let mine = SigningKey::load_or_create(&dir.join("checkpoint.key")).expect("the key");
    let stranger = mine.sign(&Checkpoint {
        origin: Origin {
            log: LogId([7; 16]),
            epoch: 1,
        },
        revision: Revision(12),
        root: Root([1; 32]),
    });
    kept.write("stranger", stranger.as_bytes());
    let path = kept.path("stranger");
    run([
        "verify".as_ref(),
        "--public-key".as_ref(),
        key.as_os_str(),
        dir.as_os_str(),
        path.as_os_str(),
    ])
    .ended(
        3,
        &[
            "log 07070707070707070707070707070707",
            "revisions 1 to 12 are missing",
        ],
    );
    // And in the directory itself.
    let file = dir.join("checkpoints").join(LogId([7; 16]).to_string());
    fs::write(file, format!("{stranger}\n")).expect("a file");
    match start(&dir) {
        Start::Refused(run) => run.ended(3, &["revisions 1 to 12 are missing", "restore the newest backup"]),
        Start::Serves(_) => panic!("it starts without a log that was signed"),
    };
}

#[test]
fn a_directory_whose_server_runs_is_not_verified_and_stays_as_it_is() {
    let copied = prepared().copy();
    let server = Server::start(&copied.dir());
    let dir = copied.dir();
    run(["verify".as_ref(), dir.as_os_str()]).ended(1, &["open in another process"]);
    assert!(checkpoint(&server.url, "workspaces/acme", 0).size > 100);
    server.stop();
    run(["verify".as_ref(), dir.as_os_str()]).ended(0, &["everything agrees"]);
}

#[test]
fn a_key_that_others_can_read_is_not_signed_with() {
    let copied = prepared().copy();
    let key = copied.dir().join("checkpoint.key");
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("a mode");
    assert_eq!(
        fs::metadata(&key).expect("the key").permissions().mode() & 0o777,
        0o600
    );
    for exposed in [0o644, 0o640, 0o604] {
        mode(exposed);
        match start(&copied.dir()) {
            Start::Refused(run) => run.ended(1, &["can be read by others than its owner", "chmod 600"]),
            Start::Serves(_) => panic!("it signs with a key that anybody may have"),
        };
    }
    mode(0o600);
    Server::start(&copied.dir()).stop();
}
