//! `binnacle restore`: what comes back is what was there, in a new epoch; what is damaged, interrupted or in the way is refused
//! and leaves nothing that a server would take for the whole.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use binnacle::domain::Revision;
use binnacle::log::{ArchiveWriter, Checkpoint, Frontier, LeafHash, LogEntry, LogId, Origin, SigningKey};
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::{api, stored};
use prost::Message;
use tempfile::TempDir;
use tonic::Code;

use crate::company::{connect, measure, wait};
use crate::prepared::{Copied, copy, prepared};
use crate::program::{PROGRAM, Run, Server, Start, run, start};
use crate::reads::{answers, checkpoint, everything};

const ACME: &str = "workspaces/acme";
/// An earlier point, in front of the newest checkpoint of all.
const EARLIER: i64 = 60;
/// Upper bound of a wait.
const WAIT: Duration = Duration::from_secs(60);

/// A backup of the prepared directory, and what was answered when it was taken.
struct Source {
    data: Copied,
    files: TempDir,
    head: i64,
    answers: BTreeMap<String, String>,
    earlier: BTreeMap<String, String>,
    /// Resume tokens by their revisions.
    tokens: BTreeMap<i64, String>,
}

impl Source {
    fn new() -> Self {
        let (data, files) = (prepared().copy(), TempDir::new().expect("a folder"));
        let server = Server::start(&data.dir());
        let head = checkpoint(&server.url, ACME, 0).size;
        for (name, revision) in [("earlier", EARLIER), ("head", head)] {
            let note = checkpoint(&server.url, ACME, revision).note;
            fs::write(files.path().join(name), note).expect("a checkpoint");
        }
        let source = Self {
            head,
            answers: answers(&server.url, "acme", head),
            earlier: answers(&server.url, "acme", EARLIER),
            tokens: tokens(&server.url, head),
            data,
            files,
        };
        let archive = source.archive();
        run([
            "backup",
            "--server",
            &server.url,
            "-o",
            &archive.to_string_lossy(),
        ])
        .ended(0, &[]);
        server.stop();
        source
    }

    fn archive(&self) -> PathBuf {
        self.files.path().join("all.binnacle")
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn verify(&self, dir: &Path, kept: &str) -> Run {
        let key = self.data.dir().join("checkpoint.pub");
        let kept = self.kept(kept);
        run([
            "verify".as_ref(),
            "--public-key".as_ref(),
            key.as_os_str(),
            dir.as_os_str(),
            kept.as_os_str(),
        ])
    }
}

/// Restores into a directory.
pub(crate) fn restore(archive: &Path, dir: &Path, more: &[&str]) -> Run {
    let mut args: Vec<&OsStr> = vec![
        "restore".as_ref(),
        archive.as_os_str(),
        "--data-dir".as_ref(),
        dir.as_os_str(),
    ];
    if !more.contains(&"--reason") {
        args.extend(["--reason", "the disk broke"].map(OsStr::new));
    }
    args.extend(more.iter().map(|more| OsStr::new(*more)));
    run(args)
}

/// The token of every revision.
fn tokens(url: &str, head: i64) -> BTreeMap<i64, String> {
    wait(async {
        let request = api::SubscribeRequest {
            parent: ACME.to_owned(),
            start: Some(api::subscribe_request::Start::FromBeginning(())),
            ..api::SubscribeRequest::default()
        };
        let mut client = ProgressServiceClient::new(connect(url).await);
        let mut messages = client.subscribe(request).await.expect("a stream").into_inner();
        let mut tokens = BTreeMap::new();
        while !tokens.contains_key(&head) {
            let message = messages.message().await.expect("a message").expect("a message");
            if let Some(api::subscribe_response::Event::Update(update)) = message.event
                && !message.resume_token.is_empty()
            {
                tokens.insert(revision_of(update), message.resume_token);
            }
        }
        tokens
    })
}

/// What resuming behind a token comes to: the next revision that is sent, or the code and reason of the refusal.
fn resume(url: &str, token: &str) -> Result<i64, (Code, String)> {
    let refused = |status: tonic::Status| {
        use tonic_types::StatusExt;
        let reason = status.get_details_error_info().map(|info| info.reason);
        (status.code(), reason.unwrap_or_default())
    };
    wait(async {
        let request = api::SubscribeRequest {
            parent: ACME.to_owned(),
            start: Some(api::subscribe_request::Start::After(token.to_owned())),
            ..api::SubscribeRequest::default()
        };
        let mut client = ProgressServiceClient::new(connect(url).await);
        let mut messages = client.subscribe(request).await.map_err(refused)?.into_inner();
        loop {
            let message = messages.message().await.map_err(refused)?.expect("a message");
            if let Some(api::subscribe_response::Event::Update(update)) = message.event {
                return Ok(revision_of(update));
            }
        }
    })
}

fn revision_of(update: api::Update) -> i64 {
    update.commit.expect("a commit").revision
}

/// Nothing that a server would start on, and no rest.
fn nothing_is_left(dir: &Path) {
    for path in ["store", "store.restoring", "heads"] {
        assert!(!dir.join(path).exists(), "{path} is left");
    }
}

#[test]
fn a_restored_server_answers_every_query_as_before_in_a_new_epoch() {
    let source = Source::new();
    let dir = source.files.path().join("restored");
    let restored = restore(&source.archive(), &dir, &["--actor", "maria@example.com"]);
    restored.ended(0, &["2 workspaces restored", "begins a new epoch"]);
    let server = Server::start(&dir);
    assert!(
        answers(&server.url, "acme", source.head) == source.answers,
        "it answers as before"
    );
    let newest = checkpoint(&server.url, ACME, 0);
    assert_eq!((newest.size, newest.epoch), (source.head + 1, 2));
    assert!(newest.origin.ends_with("/epoch/2"), "{}", newest.origin);
    // The last commit says what happened, and why.
    let all = everything(&server.url).remove(ACME).expect("the records");
    let last = stored::Commit::decode(all.last().expect("a record").as_slice()).expect("a commit");
    assert_eq!((last.reason.as_str(), last.epoch), ("the disk broke", 2));
    // What was asked before is remembered, and answered with the revision of then.
    let again = wait(async { measure(&connect(&server.url).await, "acme", 119).await });
    assert_eq!(again.expect("an answer"), source.head);
    // Whoever had read everything goes on.
    assert_eq!(
        resume(&server.url, &source.tokens[&source.head]),
        Ok(source.head + 1)
    );
    assert_eq!(resume(&server.url, &source.tokens[&5]), Ok(6));
    server.stop();
    // A checkpoint from before is of the same history.
    source.verify_restored(&dir);
}

impl Source {
    /// The restored directory has a key of its own: what was kept is held against an archive with the old one.
    fn verify_restored(&self, dir: &Path) {
        let own = run(["verify".as_ref(), dir.as_os_str()]);
        own.ended(0, &["everything agrees"]);
        self.verify(&self.archive(), "head")
            .ended(0, &["everything agrees"]);
        self.verify(&self.archive(), "earlier")
            .ended(0, &["everything agrees"]);
    }
}

#[test]
fn a_restore_to_an_earlier_point_goes_on_there_and_what_came_behind_is_refused() {
    let source = Source::new();
    let dir = source.data.dir();
    // As in the place of a store that is damaged: key and checkpoints are there.
    fs::rename(dir.join("store"), source.files.path().join("store.damaged")).expect("a store");
    let revision = EARLIER.to_string();
    restore(&source.archive(), &dir, &["--to-revision", &revision]).ended(2, &["add --workspace"]);
    let args = ["--workspace", "acme", "--to-revision", &revision];
    let restored = restore(&source.archive(), &dir, &args);
    restored.ended(
        0,
        &[
            "revisions 1 to 60",
            "moved to checkpoints/superseded/",
            "which was not restored",
        ],
    );
    let server = Server::start(&dir);
    let newest = checkpoint(&server.url, ACME, 0);
    assert_eq!((newest.size, newest.epoch), (EARLIER + 1, 2));
    assert!(
        answers(&server.url, "acme", EARLIER)
            .iter()
            .all(|(question, answer)| {
                // The figures of now are those of the earlier point; nothing else was asked of it then.
                question.starts_with("get_") || source.earlier.get(question) == Some(answer)
            })
    );
    let url = &server.url;
    assert_eq!(resume(url, &source.tokens[&EARLIER]), Ok(EARLIER + 1));
    let mismatch = (Code::FailedPrecondition, "LOG_MISMATCH".to_owned());
    assert_eq!(resume(url, &source.tokens[&(EARLIER + 1)]), Err(mismatch.clone()));
    let future = (Code::OutOfRange, "POSITION_IN_FUTURE".to_owned());
    assert_eq!(resume(url, &source.tokens[&(EARLIER + 2)]), Err(future));
    // What was asked up to there is remembered, what came behind runs.
    wait(async {
        let channel = connect(url).await;
        let commit = |number| i64::from(number) + 4;
        assert_eq!(
            measure(&channel, "acme", 50).await.expect("an answer"),
            commit(50)
        );
        assert_eq!(
            measure(&channel, "acme", 80).await.expect("an answer"),
            EARLIER + 2
        );
    });
    assert_eq!(resume(url, &source.tokens[&(EARLIER + 2)]), Err(mismatch));
    server.stop();
    source.verify(&dir, "earlier").ended(0, &["everything agrees"]);
    source
        .verify(&dir, "head")
        .ended(3, &["the log was restored to revision 60", "epoch 2"]);
    // A store that is there is not overwritten.
    restore(&source.archive(), &dir, &[]).ended(2, &["is there already: move it away first"]);
    Server::start(&dir).stop();
    // It was too far back: all of the archive after all, over the checkpoints of the epoch that was begun. No epoch is given twice.
    fs::rename(dir.join("store"), source.files.path().join("store.too-far-back")).expect("a store");
    restore(&source.archive(), &dir, &[]).ended(0, &["moved to checkpoints/superseded/"]);
    let server = Server::start(&dir);
    assert_eq!(checkpoint(&server.url, ACME, 0).epoch, 3);
    server.stop();
    source.verify(&dir, "head").ended(0, &["everything agrees"]);
}

#[test]
fn a_restore_to_a_time_ends_with_what_was_recorded_then() {
    let source = Source::new();
    let commits: Vec<_> = prepared().before[ACME]
        .iter()
        .map(|record| stored::Commit::decode(record.as_slice()).expect("a commit"))
        .collect();
    let time = commits[usize::try_from(EARLIER - 1).expect("a place")].recorded_time_us;
    let count = commits
        .iter()
        .filter(|commit| commit.recorded_time_us <= time)
        .count();
    let written = |us: i64| jiff::Timestamp::from_microsecond(us).expect("a time").to_string();
    let dir = source.files.path().join("restored");
    let before = written(commits[0].recorded_time_us - 1_000_000);
    restore(&source.archive(), &dir, &["--to-time", &before])
        .ended(2, &["nothing in the archive was there yet"]);
    nothing_is_left(&dir);
    restore(&source.archive(), &dir, &["--to-time", &written(time)]).ended(0, &["begins a new epoch"]);
    let server = Server::start(&dir);
    let after = everything(&server.url).remove(ACME).expect("the records");
    assert_eq!(after[..count], prepared().before[ACME][..count]);
    assert_eq!(after.len(), count + 1);
}

#[test]
fn what_cannot_be_meant_is_refused_and_leaves_nothing() {
    let source = Source::new();
    let dir = source.files.path().join("restored");
    let (long, name) = ("x".repeat(10_001), "y".repeat(201));
    for (more, sentence) in [
        (&["--reason", &long][..], "--reason:"),
        (&["--actor", &name], "--actor:"),
        (
            &["--workspace", "acme", "--to-revision", "100000"],
            "has no revision 100000",
        ),
        (&["--workspace", "gamma"], "holds no workspaces/gamma"),
        (&["--public-key", "no-key"], "--public-key"),
    ] {
        restore(&source.archive(), &dir, more).ended(2, &[sentence]);
        nothing_is_left(&dir);
    }
    // Signed by somebody else.
    let other = SigningKey::generate().expect("a key").public().text();
    restore(&source.archive(), &dir, &["--public-key", &other])
        .ended(3, &["is not signed by the key", "nothing was restored"]);
    nothing_is_left(&dir);
}

/// An archive of one log with so many commits of about a kilobyte, made of two that a server wrote.
fn large_archive(path: &Path, count: u64) -> Vec<Vec<u8>> {
    let records = &prepared().before["workspaces/beta"];
    let decoded = |place: usize| stored::Commit::decode(records[place].as_slice()).expect("a commit");
    let measured = decoded(2);
    let log = LogId(measured.log_id.clone().try_into().expect("an id"));
    let mut all = records[..2].to_vec();
    all.extend((3..=count).map(|revision| {
        let mut commit = measured.clone();
        commit.revision = revision;
        commit.reason = "r".repeat(1000);
        commit.request_id.clear();
        commit.request_fingerprint.clear();
        commit.encode_to_vec()
    }));
    let mut tree = Frontier::empty();
    all.iter().for_each(|record| tree.push(LeafHash::of(record)));
    let checkpoint = Checkpoint {
        origin: Origin { log, epoch: 1 },
        revision: Revision(count),
        root: tree.root(),
    };
    let mut archive = ArchiveWriter::begin(File::create(path).expect("a file")).expect("an archive");
    let entry = LogEntry {
        workspace: "beta".into(),
        log: log.to_string(),
        size: count,
        root: tree.root().to_string(),
        checkpoint: SigningKey::generate().expect("a key").sign(&checkpoint),
    };
    archive.log(entry).expect("an archive");
    for record in &all {
        archive.record(record).expect("an archive");
    }
    archive.end().expect("an archive");
    all
}

/// Kills a restore as soon as there is something of it. Whether it was in the middle: it may be done by then.
fn kill_a_restore(archive: &Path, dir: &Path) -> bool {
    let mut restoring = Command::new(PROGRAM)
        .args(["restore", "--reason", "the disk broke", "--data-dir"])
        .args([dir, archive])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let until = Instant::now() + WAIT;
    let mut has_ended = || restoring.try_wait().expect("a process").is_some();
    while !dir.join("store.restoring/db").exists() && !has_ended() {
        assert!(Instant::now() < until, "it restores nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
    let _gone = restoring.kill();
    let ended = restoring.wait().expect("a process that has ended");
    assert!(
        matches!(ended.code(), None | Some(0)),
        "it has failed by itself: {ended}"
    );
    // Also one that is killed may have done all but its last steps, behind which the store has its name.
    !ended.success() && !dir.join("store").exists()
}

#[test]
fn a_restore_that_was_killed_leaves_nothing_that_a_server_starts_on_and_a_second_one_works() {
    let files = TempDir::new().expect("a folder");
    let (archive, dir) = (files.path().join("large.binnacle"), files.path().join("data"));
    // One that was done before it could be killed says nothing: then there has to be more of it.
    let mut sizes = [16_000, 64_000, 256_000].into_iter();
    let all = loop {
        let size = sizes.next().expect("a restore that is killed in the middle");
        let all = large_archive(&archive, size);
        if kill_a_restore(&archive, &dir) {
            break all;
        }
        fs::remove_dir_all(&dir).expect("a restored directory");
    };
    for _ in 0..2 {
        match start(&dir) {
            Start::Refused(refused) => {
                refused.ended(
                    3,
                    &["was interrupted and is not whole: run \"binnacle restore\" again"],
                );
            }
            Start::Serves(_) => panic!("it serves what was not restored"),
        }
    }
    restore(&archive, &dir, &[]).ended(0, &["1 workspace restored"]);
    assert!(!dir.join("store.restoring").exists());
    let server = Server::start(&dir);
    let after = everything(&server.url)
        .remove("workspaces/beta")
        .expect("the records");
    assert!(after[..all.len()] == all[..]);
    assert_eq!(after.len(), all.len() + 1);
}

/// The state of a directory whose restore was killed just before the store got its name: heads and checkpoints are aside, others
/// in their place.
fn killed_at_the_last_moment(dir: &Path) {
    let older = prepared().older();
    fs::rename(dir.join("heads"), dir.join("heads.before-restore")).expect("the heads");
    fs::copy(older.join("heads"), dir.join("heads")).expect("other heads");
    let (checkpoints, aside) = (dir.join("checkpoints"), dir.join("checkpoints/superseded"));
    fs::create_dir_all(&aside).expect("a folder");
    for log in logs_of(dir) {
        let before = aside.join(format!("{log}.before"));
        fs::rename(checkpoints.join(&log), before).expect("the checkpoints");
        fs::copy(older.join("checkpoints").join(&log), checkpoints.join(&log)).expect("other checkpoints");
    }
    fs::rename(dir.join("store"), dir.join("store.restoring")).expect("the store");
}

fn logs_of(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("checkpoints")).expect("the checkpoints");
    let names = entries.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    names.filter(|name| name.len() == 32).collect()
}

/// Heads and checkpoints, and that nothing is aside.
fn evidence(dir: &Path) -> Vec<Vec<u8>> {
    assert!(!dir.join("heads.before-restore").exists(), "the heads are aside");
    let mut logs = logs_of(dir);
    logs.sort();
    assert_eq!(logs.len(), 2, "two workspaces");
    let files = logs.into_iter().map(|log| {
        let aside = dir.join(format!("checkpoints/superseded/{log}.before"));
        assert!(!aside.exists(), "the checkpoints of {log} are aside");
        dir.join("checkpoints").join(log)
    });
    let all = [dir.join("heads")].into_iter().chain(files);
    all.map(|path| fs::read(path).expect("a file")).collect()
}

#[test]
fn what_a_restore_that_was_killed_had_moved_aside_is_put_back_before_anybody_needs_it() {
    let source = Source::new();
    // The store that was moved away comes back, and a start follows: what spoke for it speaks again.
    let copied = source.data.dir();
    let dir = source.files.path().join("put-back");
    copy(&copied, &dir);
    let was = evidence(&dir);
    killed_at_the_last_moment(&dir);
    copy(&copied.join("store"), &dir.join("store"));
    Server::start(&dir).stop();
    for (was, is) in was.iter().zip(evidence(&dir)) {
        assert!(
            is.starts_with(&was[..64]) && is.len() >= was.len(),
            "what was aside is not back"
        );
    }
    // The same where somebody has given up and removed what was not whole.
    let dir = source.files.path().join("given-up");
    copy(&copied, &dir);
    let was = evidence(&dir);
    killed_at_the_last_moment(&dir);
    fs::remove_dir_all(dir.join("store.restoring")).expect("what was not whole");
    copy(&copied.join("store"), &dir.join("store"));
    Server::start(&dir).stop();
    for (was, is) in was.iter().zip(evidence(&dir)) {
        assert!(is.starts_with(&was[..64]), "what was aside is not back");
    }
    // An older store in its place is refused by it, which what the restore had put there would not have done.
    let dir = source.files.path().join("older");
    copy(&copied, &dir);
    killed_at_the_last_moment(&dir);
    copy(&prepared().older().join("store"), &dir.join("store"));
    match start(&dir) {
        Start::Refused(refused) => refused.ended(3, &["are missing", "was durable"]),
        Start::Serves(_) => panic!("it serves an older store"),
    };
    // A restore follows.
    let dir = source.files.path().join("again");
    copy(&copied, &dir);
    killed_at_the_last_moment(&dir);
    restore(&source.archive(), &dir, &[]).ended(0, &["2 workspaces restored"]);
    evidence(&dir);
    let server = Server::start(&dir);
    assert_eq!(answers(&server.url, "acme", source.head), source.answers);
    server.stop();
    source.verify(&dir, "head").ended(0, &["everything agrees"]);
}

#[test]
fn what_a_restore_that_was_killed_when_it_was_done_has_left_is_removed() {
    let source = Source::new();
    let dir = source.data.dir();
    let was = evidence(&dir);
    fs::copy(prepared().older().join("heads"), dir.join("heads.before-restore")).expect("other heads");
    fs::create_dir_all(dir.join("checkpoints/superseded")).expect("a folder");
    fs::write(dir.join("store/restored"), "").expect("the mark of a restore");
    for log in logs_of(&dir) {
        let other = prepared().older().join("checkpoints").join(&log);
        fs::copy(other, dir.join(format!("checkpoints/superseded/{log}.before"))).expect("other checkpoints");
    }
    Server::start(&dir).stop();
    for (was, is) in was.iter().zip(evidence(&dir)) {
        assert!(
            is.starts_with(&was[..64]) && is.len() >= was.len(),
            "what was restored is gone"
        );
    }
    assert!(!dir.join("store/restored").exists() && !dir.join("heads.before-restore").exists());
}
