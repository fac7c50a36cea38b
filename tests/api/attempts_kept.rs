//! How the record of refused calls is read, and how it lasts: workspaces, pages, restarts, floods, and the program that lists it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use binnacle::access::BYTES_DEFAULT;
use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::service::{LoadLimits, ServerConfig};
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::attempts::{listed, remembering, said, under};
use crate::common::*;
use crate::process::ServerProcess;
use crate::steps::*;

/// A call that is refused, and known again by the KPI that it names.
async fn try_in_vain(kpis: &mut KpiServiceClient<Channel>, number: usize, actor: &str) {
    let mut request = Request::new(named!(ArchiveKpiRequest, acme(&format!("kpis/none-{number}"))));
    request
        .metadata_mut()
        .insert("binnacle-actor", actor.parse().expect("a value"));
    let refused = kpis.archive_kpi(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::NotFound);
}

fn numbers(attempts: &[api::Attempt]) -> Vec<usize> {
    let number = |attempt: &api::Attempt| {
        let (_, number) = attempt.resource.rsplit_once("none-").expect("a number");
        number.parse().expect("a number")
    };
    attempts.iter().map(number).collect()
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_its_field() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = remembering(dir.path(), BYTES_DEFAULT, ServerConfig::default()).await;
    with_workspace(&server).await;
    let mut kpis = server.kpis();
    for number in 0..3 {
        try_in_vain(&mut kpis, number, "maria").await;
    }
    let refusal = async |request| server.refusal(server.audit().list_attempts(request)).await;
    for parent in [
        "",
        "acme",
        "workspaces/",
        "workspaces/acme/kpis/nps",
        "workspaces/A b",
    ] {
        assert_eq!(refusal(under(parent)).await, invalid(&["parent"]), "{parent}");
    }
    let missing = refusal(under("workspaces/ghost")).await;
    assert_eq!((missing.code, &*missing.reason), (Code::NotFound, "NOT_FOUND"));
    let with = |change: fn(&mut api::ListAttemptsRequest)| {
        let mut request = under("workspaces/acme");
        change(&mut request);
        request
    };
    assert_eq!(
        refusal(with(|it| it.page_size = -1)).await,
        invalid(&["page_size"])
    );
    assert_eq!(
        refusal(with(|it| it.page_token = "x".to_owned())).await,
        invalid(&["page_token"])
    );
    assert_eq!(
        refusal(with(|it| it.principal = "a\nb".to_owned())).await,
        invalid(&["principal"])
    );
    let first = server
        .audit()
        .list_attempts(with(|it| it.page_size = 1))
        .await
        .expect("a page");
    let page_token = first.into_inner().next_page_token;
    for mut other in [
        under("workspaces/-"),
        with(|it| it.principal = "maria".to_owned()),
    ] {
        other.page_token = page_token.clone();
        assert_eq!(refusal(other).await, invalid(&["page_token"]));
    }
}

#[tokio::test]
async fn a_workspace_shows_what_was_about_itself_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = remembering(dir.path(), BYTES_DEFAULT, ServerConfig::default()).await;
    for workspace in ["acme", "acme-2", "acm"] {
        server
            .workspaces()
            .create_workspace(new_workspace(workspace))
            .await
            .expect("a workspace");
        let archive = named!(ArchiveKpiRequest, format!("workspaces/{workspace}/kpis/none"));
        server.kpis().archive_kpi(archive).await.expect_err("missing");
    }
    // What is created in one workspace and named as if it lay in another was about the one.
    let mut sly = new_kpi("-");
    sly.kpi.as_mut().expect("a KPI").name = "workspaces/acm/kpis/x".to_owned();
    server.kpis().create_kpi(sly).await.expect_err("no id");
    for name in [
        "workspaces/acme/../acm/kpis/x",
        "workspaces//acm",
        "workspaces/ghost/kpis/x",
    ] {
        server
            .kpis()
            .archive_kpi(named!(ArchiveKpiRequest, name))
            .await
            .expect_err("no name");
    }
    let resources = async |parent: &str| {
        let said = said(&server, parent).await;
        said.into_iter()
            .map(|[_, resource, ..]| resource)
            .collect::<Vec<_>>()
    };
    assert_eq!(resources("workspaces/acm").await, ["workspaces/acm/kpis/none"]);
    assert_eq!(
        resources("workspaces/acme-2").await,
        ["workspaces/acme-2/kpis/none"]
    );
    assert_eq!(
        resources("workspaces/acme").await,
        [
            "workspaces/acme/kpis/none",
            "workspaces/acme",
            "workspaces/acme/../acm/kpis/x"
        ]
    );
    assert_eq!(resources("workspaces/-").await.len(), 7);
}

#[tokio::test]
async fn pages_are_newest_first_and_stand_still_while_more_come() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = remembering(dir.path(), BYTES_DEFAULT, ServerConfig::default()).await;
    with_workspace(&server).await;
    let mut kpis = server.kpis();
    for number in 0..25 {
        try_in_vain(&mut kpis, number, ["maria", "jo"][number % 2]).await;
    }
    for (principal, expected) in [
        ("", (0..25).rev().collect::<Vec<_>>()),
        ("jo", (0..25).rev().filter(|number| number % 2 == 1).collect()),
    ] {
        let mut request = api::ListAttemptsRequest {
            page_size: 4,
            principal: principal.to_owned(),
            ..under("workspaces/acme")
        };
        let mut found = Vec::new();
        loop {
            let page = server
                .audit()
                .list_attempts(request.clone())
                .await
                .expect("a page");
            let page = page.into_inner();
            assert!(page.attempts.len() <= 4);
            found.extend(numbers(&page.attempts));
            try_in_vain(&mut kpis, 1000, "jo").await;
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        found.retain(|number| *number < 1000);
        assert_eq!(found, expected, "{principal}");
    }
}

#[tokio::test]
async fn what_was_refused_before_a_restart_is_listed_behind_it() {
    let dir = tempfile::tempdir().expect("a directory");
    for round in 0..3 {
        let mut server = remembering(dir.path(), BYTES_DEFAULT, ServerConfig::default()).await;
        with_workspace(&server).await;
        let mut kpis = server.kpis();
        try_in_vain(&mut kpis, round, "maria").await;
        let expected: Vec<_> = (0..=round).rev().collect();
        assert_eq!(
            numbers(&listed(&server, under("workspaces/acme")).await),
            expected
        );
        // Whatever waits is written when it stops.
        server.tell_to_stop();
        server.ended().await.expect("in good order");
    }
}

/// Bytes and files of a directory. A file may go while it is looked at.
fn on_disk(dir: &Path) -> (u64, usize) {
    let files = fs::read_dir(dir).expect("a directory");
    let lengths: Vec<_> = files
        .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
        .collect();
    (lengths.iter().sum(), lengths.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_refusals_take_no_more_of_the_disk_than_they_may_and_the_newest_are_there() {
    const BYTES_MAX: u64 = 1024 * 1024;
    let dir = tempfile::tempdir().expect("a directory");
    let server = remembering(dir.path(), BYTES_MAX, ServerConfig::default()).await;
    with_workspace(&server).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let watching = {
        let (dir, is_over) = (dir.path().to_owned(), Arc::clone(&is_over));
        std::thread::spawn(move || {
            let mut most = (0, 0);
            while !is_over.load(Ordering::Relaxed) {
                let (bytes, files) = on_disk(&dir);
                most = (bytes.max(most.0), files.max(most.1));
                std::thread::sleep(Duration::from_millis(1));
            }
            most
        })
    };
    let senders = (0..50).map(|sender| {
        let mut kpis = server.kpis();
        tokio::spawn(async move {
            for number in 0..1000 {
                try_in_vain(&mut kpis, sender * 1000 + number, "flood").await;
            }
        })
    });
    futures_util::future::join_all(senders.collect::<Vec<_>>()).await;
    for number in 50_000..50_100 {
        try_in_vain(&mut server.kpis(), number, "maria").await;
    }
    is_over.store(true, Ordering::Relaxed);
    let (bytes, files) = watching.join().expect("a watcher");
    assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    assert!(bytes > BYTES_MAX / 2, "{bytes} bytes: the flood did not fill it");
    assert!(files <= 17, "{files} files");
    let answer = server
        .audit()
        .list_attempts(under("workspaces/acme"))
        .await
        .expect("attempts");
    let answer = answer.into_inner();
    let newest: Vec<_> = (50_000..50_100).rev().collect();
    assert_eq!(numbers(&answer.attempts)[..100], newest);
    assert_eq!(answer.attempts.len(), 1000);
    assert!(on_disk(dir.path()).0 <= BYTES_MAX);
}

/// The program's exit code and what it wrote.
fn attempts(url: &str, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_binnacle"))
        .arg("attempts")
        .args(args)
        .args(["--server", url])
        .env_remove("BINNACLE_ACTOR")
        .env("TZ", "UTC")
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_lists_what_was_refused_also_before_kill_9() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = ServerProcess::start_at(
        dir.path(),
        "127.0.0.1:0",
        &["--access-record-bytes-max", "131072"],
    );
    let connect = async |url: String| {
        let channel = Channel::from_shared(url).expect("an address").connect().await;
        let channel = channel.expect("a server");
        until_serving(&channel).await;
        channel
    };
    let channel = connect(server.url()).await;
    let mut workspaces =
        binnacle::proto::api::workspace_service_client::WorkspaceServiceClient::new(channel.clone());
    workspaces
        .create_workspace(new_workspace("acme"))
        .await
        .expect("a workspace");
    let mut kpis = KpiServiceClient::new(channel);
    for number in 0..3 {
        try_in_vain(&mut kpis, number, ["maria", "jo"][number % 2]).await;
    }
    // A listing waits for what was left before it: now it is with the operating system.
    let (code, lines, told) = attempts(&server.url(), &[]);
    assert_eq!((code, lines.lines().count()), (Some(0), 3), "{lines}{told}");
    assert!(told.contains("remembered since 20"), "{told}");
    server.kill();
    assert!(dir.path().join("access").is_dir());

    let server = ServerProcess::start(dir.path());
    connect(server.url()).await;
    let (code, lines, _) = attempts(&server.url(), &["acme", "--by", "maria", "--limit", "1"]);
    assert_eq!(code, Some(0));
    let rest = lines.split_once("  ").expect("a time").1;
    assert_eq!(
        rest.trim_end(),
        "maria  ArchiveKpi workspaces/acme/kpis/none-2  \
         NOT_FOUND: kpis/none-2 does not exist: correct the name, or create it first"
    );
    let (code, json, told) = attempts(&server.url(), &["--format", "ndjson"]);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    let resources = json.lines().map(|line| {
        let attempt: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(attempt["code"], "NOT_FOUND");
        attempt["resource"].as_str().expect("a name").to_owned()
    });
    assert_eq!(
        resources.collect::<Vec<_>>(),
        [2, 1, 0].map(|number| acme(&format!("kpis/none-{number}")))
    );
    let (code, lines, told) = attempts(&server.url(), &["ghost"]);
    assert_eq!((code, lines.as_str()), (Some(2), ""));
    assert!(told.contains("workspaces/ghost"), "{told}");
    assert_eq!(attempts(&server.url(), &["--limit", "0"]).0, Some(2));
}

fn within(load: LoadLimits) -> ServerConfig {
    ServerConfig {
        load,
        ..ServerConfig::default()
    }
}

/// What is kept, as soon as it may be asked for.
async fn kept(server: &Server) -> Vec<api::Attempt> {
    let listed = async {
        loop {
            match server.audit().list_attempts(under("workspaces/-")).await {
                Ok(listed) => break listed.into_inner().attempts,
                Err(status) => assert_eq!(reason_of(&status), "RATE_LIMITED", "{status}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    in_time("a listing", listed).await
}

#[tokio::test]
async fn what_is_refused_for_being_too_much_is_not_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = within(LoadLimits {
        workspace_calls_per_s: 5,
        ..LoadLimits::default()
    });
    let server = remembering(dir.path(), BYTES_DEFAULT, config).await;
    with_workspace(&server).await;
    // At once: one after the other they may be too slow for any to be too many.
    let tries = join_all((0..100).map(|_| async {
        let request = named!(ArchiveKpiRequest, acme("kpis/none"));
        server.kpis().archive_kpi(request).await.expect_err("refused")
    }))
    .await;
    let mut limited = 0;
    for refused in tries {
        match refused.code() {
            Code::ResourceExhausted => limited += 1,
            code => assert_eq!(code, Code::NotFound, "{refused}"),
        }
    }
    assert!(limited >= 20, "{limited} of a hundred were too many");
    let kept = kept(&server).await;
    assert!(
        !kept.is_empty() && kept.iter().all(|attempt| attempt.reason == "NOT_FOUND"),
        "{kept:?}"
    );
}

#[tokio::test]
async fn pages_of_origins_that_nobody_has_named_do_not_fill_the_record() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = within(LoadLimits {
        stranger_calls_per_s: 5,
        ..LoadLimits::default()
    });
    let server = remembering(dir.path(), BYTES_DEFAULT, config).await;
    let call = "POST /binnacle.v1.KpiService/GetKpi HTTP/1.1\r\nhost: a\r\norigin: https://evil.example\r\n\
                content-type: application/grpc-web+proto\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for _ in 0..100 {
        let mut connection = TcpStream::connect(server.address).await.expect("a connection");
        connection
            .write_all(call.as_bytes())
            .await
            .expect("it is written");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
    let kept = kept(&server).await.len();
    assert!((1..100).contains(&kept), "{kept}");
}
