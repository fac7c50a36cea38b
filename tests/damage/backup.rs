//! `binnacle backup` from a server that is written to, and what is in an archive.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use binnacle::log::MAX_RECORD_BYTES;
use binnacle::proto::api;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tempfile::TempDir;

use crate::archives::Parts;
use crate::company::{batch, connect, furnish, measure, wait};
use crate::prepared::prepared;
use crate::program::{Run, Server, run};
use crate::reads::everything;

const WRITERS: u32 = 4;

/// Runs the program with a last argument that is a path.
fn at(path: &std::path::Path, args: &[&str]) -> Run {
    run(args.iter().map(AsRef::as_ref).chain([path.as_os_str()]))
}

/// The records of an archive's first log.
fn records_of(path: &std::path::Path) -> Vec<Vec<u8>> {
    let parts = Parts::of(path);
    let ends = parts.places(b'L').get(1).copied().unwrap_or(usize::MAX);
    let records = parts.places(b'R').into_iter().filter(|place| *place < ends);
    records.map(|place| parts.content(place).to_vec()).collect()
}

#[test]
fn a_backup_while_writers_write_is_a_prefix_with_all_that_was_answered_before_it_and_verify_agrees() {
    let files = TempDir::new().expect("a folder");
    let server = Server::start(&files.path().join("data"));
    wait(furnish(&server.url, "acme"));
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let channel = wait(connect(&server.url));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (over, answered, channel) = (Arc::clone(&over), Arc::clone(&answered), channel.clone());
            #[allow(
                clippy::async_yields_async,
                reason = "it is awaited when the writers are told to end"
            )]
            let writing = async {
                tokio::spawn(async move {
                    let mut number = 0;
                    while !over.load(Ordering::SeqCst) {
                        let name = writer * 1_000_000 + number;
                        let revision = measure(&channel, "acme", name).await.expect("a measurement");
                        answered.fetch_max(revision, Ordering::SeqCst);
                        number += 1;
                    }
                })
            };
            // On the runtime of the tests.
            wait(writing)
        })
        .collect();
    let mut archives = Vec::new();
    for number in 0..3 {
        let before = answered.load(Ordering::SeqCst);
        let archive = files.path().join(format!("{number}.binnacle"));
        let backup = at(&archive, &["backup", "--server", &server.url, "-o"]);
        backup.ended(0, &["workspaces/acme: revisions 1 to", "1 workspace with"]);
        archives.push((archive, before));
    }
    over.store(true, Ordering::SeqCst);
    for writer in writers {
        wait(writer).expect("a writer");
    }
    let all = everything(&server.url)
        .remove("workspaces/acme")
        .expect("the records");
    let key = files.path().join("data/checkpoint.pub");
    let key = key.to_string_lossy();
    for (archive, before) in archives {
        at(&archive, &["verify", "--public-key", &key]).ended(0, &["as signed", "everything agrees"]);
        let records = records_of(&archive);
        assert!(records.len() as i64 >= before, "{} of {before}", records.len());
        assert!(all.starts_with(&records), "it is a prefix");
    }
}

#[test]
fn a_commit_as_large_as_commits_may_be_is_backed_up_whole() {
    const COUNT: usize = 420;
    let files = TempDir::new().expect("a folder");
    let server = Server::start(&files.path().join("data"));
    wait(furnish(&server.url, "acme"));
    // How large such a commit is with notes of 9,000 characters; each more is a byte more.
    let revision = wait(batch(&server.url, "acme", "large-a", &[9_000; COUNT]));
    let all = everything(&server.url)
        .remove("workspaces/acme")
        .expect("the records");
    let record = &all[usize::try_from(revision - 1).expect("a place")];
    let more = MAX_RECORD_BYTES - record.len();
    let mut notes = [9_000 + more / COUNT; COUNT];
    notes[..more % COUNT].iter_mut().for_each(|note| *note += 1);
    let revision = wait(batch(&server.url, "acme", "large-b", &notes));
    let archive = files.path().join("all.binnacle");
    at(&archive, &["backup", "--server", &server.url, "-o"]).ended(0, &[]);
    let records = records_of(&archive);
    let largest = records
        .get(usize::try_from(revision - 1).expect("a place"))
        .expect("a record");
    // The message around it is larger than messages may be by default.
    assert!(MAX_RECORD_BYTES - largest.len() <= 2, "{}", largest.len());
    let restored = files.path().join("restored");
    let args = [
        "restore",
        "--reason",
        "a test",
        "--data-dir",
        &restored.to_string_lossy(),
    ];
    at(&archive, &args).ended(0, &[]);
    let again = Server::start(&restored);
    let after = everything(&again.url)
        .remove("workspaces/acme")
        .expect("the records");
    assert!(after.starts_with(&records));
}

/// A proxy that cuts its first connections off behind so many bytes of answers, each behind more than the one before.
fn cutting(server: &str, first_bytes: u64) -> (String, Arc<AtomicI64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (connections, server) = (Arc::new(AtomicI64::new(0)), server.to_owned());
    let counter = Arc::clone(&connections);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let bytes = match counter.fetch_add(1, Ordering::SeqCst) {
                number @ 0..4 => first_bytes << number,
                _ => u64::MAX,
            };
            let server = TcpStream::connect(&server).expect("the server");
            let clone = |stream: &TcpStream| stream.try_clone().expect("a stream");
            let (requests, to) = (clone(&client), clone(&server));
            std::thread::spawn(move || std::io::copy(&mut &requests, &mut &to));
            std::thread::spawn(move || {
                let _cut = std::io::copy(&mut (&server).take(bytes), &mut &client);
                let _closed = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
            });
        }
    });
    (url, connections)
}

#[test]
fn a_backup_whose_connection_breaks_goes_on_where_it_was() {
    let data = prepared().copy();
    let server = Server::start(&data.dir());
    let files = TempDir::new().expect("a folder");
    let whole = files.path().join("whole");
    at(&whole, &["backup", "--server", &server.url, "-o"]).ended(0, &["2 workspaces"]);
    let address = server.url.trim_start_matches("http://");
    let (url, connections) = cutting(address, 4_000);
    let cut = files.path().join("cut");
    at(&cut, &["backup", "--server", &url, "-o"]).ended(0, &["2 workspaces"]);
    assert!(connections.load(Ordering::SeqCst) > 2, "{connections:?}");
    assert_eq!(
        std::fs::read(cut).expect("a file"),
        std::fs::read(whole).expect("a file")
    );
}

#[test]
fn a_deleted_workspace_is_in_a_backup_and_a_server_without_any_has_an_empty_one() {
    let files = TempDir::new().expect("a folder");
    let server = Server::start(&files.path().join("data"));
    let key = files.path().join("data/checkpoint.pub");
    let key = key.to_string_lossy();
    let archive = files.path().join("all.binnacle");
    at(&archive, &["backup", "--server", &server.url, "-o"]).ended(0, &["0 workspaces with 0 commits"]);
    at(&archive, &["verify", "--public-key", &key]).ended(1, &["UNPROVEN", "holds no workspace"]);
    let restored = files.path().join("restored");
    let restore = [
        "restore",
        "--reason",
        "a test",
        "--data-dir",
        &restored.to_string_lossy(),
    ];
    at(&archive, &restore).ended(2, &["holds no workspace"]);

    wait(async {
        furnish(&server.url, "acme").await;
        furnish(&server.url, "beta").await;
        let request = api::DeleteWorkspaceRequest {
            name: "workspaces/beta".into(),
            ..api::DeleteWorkspaceRequest::default()
        };
        let mut workspaces = WorkspaceServiceClient::new(connect(&server.url).await);
        workspaces.delete_workspace(request).await.expect("a deletion");
    });
    let before = everything(&server.url);
    at(&archive, &["backup", "--server", &server.url, "-o"]).ended(0, &["2 workspaces"]);
    at(&archive, &["verify", "--public-key", &key]).ended(0, &["workspaces/beta", "everything agrees"]);
    at(&archive, &restore).ended(0, &["2 workspaces restored"]);
    let again = Server::start(&restored);
    for (name, records) in everything(&again.url) {
        assert!(records.starts_with(&before[&name]), "{name}");
        assert_eq!(records.len(), before[&name].len() + 1, "{name}");
    }
}
