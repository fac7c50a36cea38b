//! Tokens: each misuse has its code and its reason, and a token of any release is good where it belongs.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use binnacle::domain::Revision;
use binnacle::engine::EngineConfig;
use binnacle::log::{Append, EventLog, LogId, MemoryLog};
use binnacle::proto::api;
use binnacle::service::ServerConfig;
use tonic::Code;

use crate::common::{Refused, new_kpi, new_workspace};
use crate::history::{Said, What};
use crate::host::Host;
use crate::kinds::named;
use crate::subscriber::{Subscriber, next, subscribe};
use crate::truth;

/// Bytes of version 1: version, log, revision, root, filter.
const BYTES: usize = 1 + 16 + 8 + 32 + 8;

fn unreadable() -> Refused {
    Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["after"])
}

fn other_log() -> Refused {
    Refused::new(Code::FailedPrecondition, "LOG_MISMATCH", &["after"])
}

fn other_filter() -> Refused {
    Refused::new(Code::FailedPrecondition, "FILTER_MISMATCH", &["after"])
}

fn future() -> Refused {
    Refused::new(Code::OutOfRange, "POSITION_IN_FUTURE", &[])
}

async fn host(log: Arc<dyn EventLog>) -> Host {
    Host::with_company(log, EngineConfig::default(), ServerConfig::default()).await
}

/// The newest token of a kind.
async fn newest(kind: &str, host: &Host) -> String {
    let channel = &host.server.channel;
    let mut subscriber = Subscriber::of(named(kind));
    subscriber
        .follow_to(channel, truth::head(channel).await)
        .await
        .expect("a stream");
    subscriber.token.expect("a token").0
}

/// What a request is refused with.
async fn refusal(host: &Host, request: api::SubscribeRequest) -> Refused {
    match subscribe(&host.server.channel, request).await {
        Ok(_) => panic!("it was taken"),
        Err(status) => Refused::of(&status),
    }
}

fn after(kind: &str, token: &str) -> api::SubscribeRequest {
    named(kind).request(Some(token))
}

const EVERYTHING: &str = "everything, after a token";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_refused_as_unreadable() {
    let host = host(Arc::new(MemoryLog::new())).await;
    let token = newest(EVERYTHING, &host).await;
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
    assert_eq!(bytes.len(), BYTES);
    let mut of_version_2 = bytes.clone();
    of_version_2[0] = 2;
    let longer = [bytes.as_slice(), &[0]].concat();
    let mut garbage = vec![
        String::new(),
        "garbage".to_owned(),
        "\u{1F980}".to_owned(),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{token}="),
        format!("{} {}", &token[..20], &token[20..]),
        token.repeat(2),
        "A".repeat(100_000),
        URL_SAFE_NO_PAD.encode(of_version_2),
        URL_SAFE_NO_PAD.encode(longer),
        STANDARD.encode([&[1][..], &[0xFF; BYTES - 1]].concat()),
    ];
    garbage.extend((0..token.len()).map(|length| token[..length].to_owned()));
    garbage.extend((1..token.len()).map(|length| token[length..].to_owned()));
    for text in garbage {
        let short: String = text.chars().take(100).collect();
        assert_eq!(
            refusal(&host, after(EVERYTHING, &text)).await,
            unreadable(),
            "{short:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_any_bit_changed_is_refused_with_the_reason_of_what_was_changed() {
    let host = host(Arc::new(MemoryLog::new())).await;
    let token = newest(EVERYTHING, &host).await;
    let bytes = URL_SAFE_NO_PAD.decode(&token).expect("base64url");
    let revision = u64::from_be_bytes(bytes[17..25].try_into().expect("8 bytes"));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let says = u64::from_be_bytes(changed[17..25].try_into().expect("8 bytes"));
            let expected = match at {
                0 => unreadable(),
                1..17 => other_log(),
                17..25 if says > revision => future(),
                // An older revision had another root.
                17..57 => other_log(),
                _ => other_filter(),
            };
            let changed = URL_SAFE_NO_PAD.encode(changed);
            let refused = refusal(&host, after(EVERYTHING, &changed)).await;
            assert_eq!(refused, expected, "bit {bit} of byte {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_belongs_to_its_workspace_and_to_its_filter_however_that_is_written() {
    let host = host(Arc::new(MemoryLog::new())).await;
    let mut workspaces = host.server.workspaces();
    workspaces
        .create_workspace(new_workspace("other"))
        .await
        .expect("a workspace");
    let token = newest(EVERYTHING, &host).await;
    let elsewhere = api::SubscribeRequest {
        parent: "workspaces/other".to_owned(),
        ..after(EVERYTHING, &token)
    };
    assert_eq!(refusal(&host, elsewhere).await, other_log());
    let sources = "figures' sources, from the beginning";
    let of_sources = newest(sources, &host).await;
    for (kind, token) in [
        ("objectives, snapshot", &token),
        (EVERYTHING, &of_sources),
        ("objectives, snapshot", &of_sources),
    ] {
        assert_eq!(refusal(&host, after(kind, token)).await, other_filter(), "{kind}");
    }
    // The same in another order and twice, and with a min_interval.
    let mut request = after(sources, &of_sources);
    let kinds = &mut request.filter.as_mut().expect("a filter").resource_kinds;
    kinds.reverse();
    kinds.extend(kinds.clone());
    let coalesced = after("everything, coalesced, snapshot", &token);
    for taken in [request, coalesced, after(EVERYTHING, &token)] {
        let mut stream = subscribe(&host.server.channel, taken)
            .await
            .expect("it belongs here");
        let first = next(&mut stream).await.expect("no fault").expect("a message");
        assert!(matches!(Said::of(&first).what, What::Started(_)));
    }
}

/// A log of the same id that has the first commits of another.
fn restored(log: &MemoryLog, id: LogId, commits: usize) -> MemoryLog {
    let restored = MemoryLog::new();
    let records = log.read(id, Revision::ZERO).take(commits);
    let append = Append {
        log: id,
        expected: Revision::ZERO,
        records: records.map(|record| record.expect("a record").bytes).collect(),
    };
    restored.append(&[append]).expect("no disk, no error");
    restored
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_before_a_restore_is_refused_where_the_history_is_another() {
    let log = Arc::new(MemoryLog::new());
    let first = host(log.clone()).await;
    let head = truth::head(&first.server.channel).await;
    let token = newest(EVERYTHING, &first).await;
    let id = *log.heads().expect("heads").keys().next().expect("a log");
    let commits = usize::try_from(head).expect("a revision") - 1;
    let config = EngineConfig::default;
    let again = Arc::new(restored(&log, id, commits));
    let second = Host::start(again, config(), ServerConfig::default()).await;
    assert_eq!(refusal(&second, after(EVERYTHING, &token)).await, future());
    for number in 0..3 {
        let other = new_kpi(&format!("other-{number}"));
        second.server.kpis().create_kpi(other).await.expect("a KPI");
        let refused = refusal(&second, after(EVERYTHING, &token)).await;
        assert_eq!(refused, other_log(), "{number} further than the token");
    }
    // What both histories have is a place in both.
    let before = restored(&log, id, commits - 1);
    let third = Host::start(Arc::new(before), config(), ServerConfig::default()).await;
    let common = newest(EVERYTHING, &third).await;
    let mut goes_on = Subscriber::resuming(named(EVERYTHING), common, head - 2);
    let channel = &second.server.channel;
    let last = truth::head(channel).await;
    goes_on.follow_to(channel, last).await.expect("it is taken");
    let told: Vec<i64> = goes_on.history.updates().map(|(revision, _)| revision).collect();
    assert_eq!(told, (head - 1..=last).collect::<Vec<_>>());
}
