//! ListEvents: every filter, held against whoever reads the whole list and picks; pages, restarts, stored bytes.

use std::sync::Arc;

use binnacle::engine::{Engine, EngineConfig};
use binnacle::log::{EventLog, LeafHash, MemoryLog};
use binnacle::proto::api;
use binnacle::service::ServerConfig;
use prost::Message;
use prost_types::Timestamp;
use tonic::{Code, Request};

use crate::common::*;

const REQUEST: &str = "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42";
const HOUR_S: i64 = 3600;

/// A server on a log that outlives it.
async fn start(log: &Arc<MemoryLog>, clock_s: i64) -> Server {
    let (clock, given) = (clock(), Arc::clone(log));
    clock.advance_to(at(clock_s));
    let ticking = Arc::clone(&clock);
    let server = Server::opening(ServerConfig::default(), clock, move || {
        let log: Arc<dyn EventLog> = given;
        Engine::open(log, None, ticking, EngineConfig::default()).expect("an engine")
    })
    .await;
    until_serving(&server.channel).await;
    server
}

/// A request by somebody, maybe on somebody's behalf, as part of a piece of work.
fn by<T>(message: T, actor: &str, on_behalf_of: &str, correlation_id: &str) -> Request<T> {
    let mut request = Request::new(message);
    for (key, value) in [
        ("binnacle-actor", actor),
        ("binnacle-on-behalf-of", on_behalf_of),
        ("binnacle-correlation-id", correlation_id),
    ] {
        if !value.is_empty() {
            request
                .metadata_mut()
                .insert(key, value.parse().expect("a value"));
        }
    }
    request
}

/// The little company, and what three people did to it in some hours.
async fn with_history(server: &Server) {
    with_company(server).await;
    server.kpis().create_kpi(new_kpi("churn")).await.expect("a KPI");
    for hour in 1..=6 {
        server.clock.advance_to(at(hour * HOUR_S));
        let number = u32::try_from(hour).expect("a small number");
        let check_in = new_check_in(
            "objectives/win/keyResults/deals",
            &format!("c{hour}"),
            f64::from(number),
        );
        let check_in = by(check_in, "maria@acme.example", "", "weekly");
        server
            .objectives()
            .create_check_in(check_in)
            .await
            .expect("a check-in");
        let mut batch = api::BatchRecordMeasurementsRequest {
            parent: acme("kpis/-"),
            measurements: Vec::new(),
            ..Default::default()
        };
        for (kpi, days_ago) in [("nps", hour), ("churn", 2 * hour), ("nps", 0)] {
            let mut measurement = measure(kpi, hour * HOUR_S - days_ago * 24 * HOUR_S, f64::from(number));
            let measurement = measurement.measurement.take().expect("one");
            batch.measurements.push(api::Measurement {
                kpi: acme(&format!("kpis/{kpi}")),
                ..measurement
            });
        }
        if hour == 2 {
            batch.request_id = REQUEST.to_owned();
        }
        let actor = if hour % 2 == 0 {
            "bot@acme.example"
        } else {
            "jo@acme.example"
        };
        let batch = by(
            batch,
            actor,
            if hour == 4 { "maria@acme.example" } else { "" },
            "import",
        );
        server
            .kpis()
            .batch_record_measurements(batch)
            .await
            .expect("values");
        let updated = api::UpdateKeyResultRequest {
            key_result: Some(api::KeyResult {
                name: acme("objectives/win/keyResults/deals"),
                title: format!("version {hour}"),
                ..Default::default()
            }),
            update_mask: mask(&["title"]),
            ..Default::default()
        };
        server
            .objectives()
            .update_key_result(by(updated, "jo@acme.example", "", ""))
            .await
            .expect("a key result");
    }
    let deleted = api::DeleteKpiRequest {
        name: acme("kpis/churn"),
        ..Default::default()
    };
    server.kpis().delete_kpi(deleted).await.expect("a deletion");
}

/// All pages of a list.
async fn list(server: &Server, request: &api::ListEventsRequest) -> Vec<api::Event> {
    let mut request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        ..request.clone()
    };
    let mut events = Vec::new();
    loop {
        let page = server.audit().list_events(request.clone()).await;
        let page = page
            .unwrap_or_else(|status| panic!("{status}: {request:?}"))
            .into_inner();
        assert!(!page.events.is_empty() || page.next_page_token.is_empty());
        events.extend(page.events);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return events;
        }
    }
}

fn names(events: &[api::Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

fn moment(time: Option<&Timestamp>) -> (i64, i32) {
    let time = time.expect("a time");
    (time.seconds, time.nanos)
}

/// Whether an event is asked for, as somebody reads it who knows the contract alone.
fn wanted(request: &api::ListEventsRequest, event: &api::Event) -> bool {
    let commit = event.commit.as_ref().expect("a commit");
    let recorded = commit.recorded_time.as_ref();
    let effective = event.effective_time.as_ref().or(recorded);
    let within = |time, start: &Option<Timestamp>, end: &Option<Timestamp>| {
        start
            .as_ref()
            .is_none_or(|start| moment(Some(start)) <= moment(time))
            && end.as_ref().is_none_or(|end| moment(time) < moment(Some(end)))
    };
    let below = format!("{}/", request.resource);
    (request.resource.is_empty() || event.resource == request.resource || event.resource.starts_with(&below))
        && (request.principal.is_empty()
            || commit.principal == request.principal
            || commit.on_behalf_of == request.principal)
        && (request.types.is_empty() || request.types.contains(&event.r#type))
        && within(recorded, &request.recorded_start_time, &request.recorded_end_time)
        && within(
            effective,
            &request.effective_start_time,
            &request.effective_end_time,
        )
        && (request.request_id.is_empty() || commit.request_id == request.request_id)
        && (request.correlation_id.is_empty() || commit.correlation_id == request.correlation_id)
}

/// The whole list from the end: the newest commit first, each in its own order.
fn newest_first(events: &[api::Event]) -> Vec<api::Event> {
    let revision = |event: &api::Event| event.commit.as_ref().expect("a commit").revision;
    let mut commits: Vec<&[api::Event]> = events
        .chunk_by(|one, other| revision(one) == revision(other))
        .collect();
    commits.reverse();
    commits.concat()
}

type Ask = fn(&mut api::ListEventsRequest);

const ASKED: [Ask; 16] = [
    |it| it.resource = acme("objectives/win"),
    |it| it.resource = acme("objectives/win/keyResults/deals"),
    |it| it.resource = acme("objectives/win/keyResults/deals/checkIns/c3"),
    |it| it.resource = acme("kpis/nps"),
    |it| it.resource = acme("kpis/churn"),
    |it| it.resource = acme("cycles/q1"),
    |it| it.principal = "maria@acme.example".to_owned(),
    |it| it.principal = "bot@acme.example".to_owned(),
    |it| it.types.push("MeasurementRecorded".to_owned()),
    |it| it.types.push("CheckInRecorded".to_owned()),
    |it| it.request_id = REQUEST.to_owned(),
    |it| it.correlation_id = "import".to_owned(),
    |it| it.recorded_start_time = time(2 * HOUR_S),
    |it| it.recorded_end_time = time(5 * HOUR_S),
    |it| it.effective_start_time = time(-4 * 24 * HOUR_S),
    |it| it.effective_end_time = time(-2 * 24 * HOUR_S),
];

fn asking(asked: impl IntoIterator<Item = Ask>) -> api::ListEventsRequest {
    let mut request = api::ListEventsRequest::default();
    for ask in asked {
        ask(&mut request);
    }
    request
}

#[tokio::test]
async fn a_filtered_list_is_what_is_picked_from_the_whole_one() {
    let log = Arc::new(MemoryLog::new());
    let mut server = start(&log, 0).await;
    with_history(&server).await;
    let all = list(&server, &api::ListEventsRequest::default()).await;
    // Each filter alone, every pair, and a hundred others.
    let mut requests: Vec<api::ListEventsRequest> = ASKED.iter().map(|ask| asking([*ask])).collect();
    for one in ASKED {
        requests.extend(ASKED.map(|other| asking([one, other])));
    }
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..100 {
        let count = random.usize(3..6);
        let asked: Vec<Ask> = (0..count).map(|_| ASKED[random.usize(..ASKED.len())]).collect();
        requests.push(asking(asked));
    }
    let mut found = 0;
    let check = async |server: &Server, request: &api::ListEventsRequest, page_size: i32| {
        let expected: Vec<api::Event> = all
            .iter()
            .filter(|event| wanted(request, event))
            .cloned()
            .collect();
        let mut request = api::ListEventsRequest {
            page_size,
            ..request.clone()
        };
        assert_eq!(
            names(&list(server, &request).await),
            names(&expected),
            "{request:?}"
        );
        request.newest_first = true;
        let backwards = list(server, &request).await;
        assert_eq!(names(&backwards), names(&newest_first(&expected)), "{request:?}");
        expected.len()
    };
    for request in &requests {
        let page_size = random.i32(1..8);
        let count = check(&server, request, page_size).await;
        found += usize::from(count > 0 && count < all.len());
    }
    assert!(
        found > 80,
        "only {found} of these filters find something and leave something out"
    );
    for ask in ASKED {
        let count = check(&server, &asking([ask]), 1000).await;
        assert!(count > 0 && count < all.len(), "{:?}", asking([ask]));
    }

    server.tell_to_stop();
    server.ended().await.expect("an end in good order");
    // Whatever is known of the log by then is made anew.
    let again = start(&log, 7 * HOUR_S).await;
    for request in &requests[..100] {
        check(&again, request, 5).await;
    }
}

#[tokio::test]
async fn a_name_that_never_was_has_no_events_and_a_deleted_one_has_its_own() {
    let server = Server::start().await;
    with_history(&server).await;
    let of = async |path: &str| {
        let resource = if path.is_empty() {
            "workspaces/acme".to_owned()
        } else {
            acme(path)
        };
        let request = api::ListEventsRequest {
            resource,
            ..Default::default()
        };
        list(&server, &request).await
    };
    assert_eq!(of("kpis/never").await, []);
    assert_eq!(of("objectives/win/keyResults/deals/checkIns/never").await, []);
    let churn = of("kpis/churn").await;
    let types: Vec<&str> = churn.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types.first(), Some(&"KpiCreated"));
    assert!(types.contains(&"KpiDeleted"), "{types:?}");
    assert!(types.contains(&"MeasurementRecorded"), "{types:?}");
    assert!(
        churn
            .iter()
            .all(|event| event.resource.starts_with(&acme("kpis/churn")))
    );
    let all = list(&server, &api::ListEventsRequest::default()).await;
    assert_eq!(of("").await, all, "everything lies in the workspace");
}

#[tokio::test]
async fn pages_of_a_filter_are_stable_while_writes_go_on_and_keep_a_commit_together() {
    let server = Server::start().await;
    with_history(&server).await;
    for newest_first in [false, true] {
        let mut request = api::ListEventsRequest {
            parent: "workspaces/acme".to_owned(),
            resource: acme("kpis/nps"),
            types: vec!["MeasurementRecorded".to_owned()],
            page_size: 1,
            newest_first,
            ..Default::default()
        };
        let expected = list(&server, &request).await;
        let mut pages: Vec<Vec<api::Event>> = Vec::new();
        loop {
            let page = server
                .audit()
                .list_events(request.clone())
                .await
                .expect("a page")
                .into_inner();
            pages.push(page.events);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
            let second = 7 * HOUR_S + i64::try_from(pages.len()).expect("few");
            server.clock.advance_to(at(second));
            server
                .kpis()
                .record_measurement(measure("nps", second, 1.0))
                .await
                .expect("a value");
        }
        assert_eq!(pages.concat(), expected);
        // Of the batches two events are this KPI's, and they are on one page.
        assert!(pages.iter().any(|page| page.len() == 2));
        for pair in pages.windows(2) {
            let revision = |page: &[api::Event]| page[0].commit.as_ref().expect("a commit").revision;
            assert_ne!(revision(&pair[0]), revision(&pair[1]), "a commit is on two pages");
        }
    }
}

#[tokio::test]
async fn a_page_token_works_for_its_filters_alone() {
    let server = Server::start().await;
    with_history(&server).await;
    let first = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        principal: "jo@acme.example".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let page = server
        .audit()
        .list_events(first.clone())
        .await
        .expect("a page")
        .into_inner();
    assert!(!page.next_page_token.is_empty());
    let others = ASKED.iter().copied().chain([
        (|it| it.newest_first = true) as Ask,
        |it| it.include_records = true,
        |it| it.principal = String::new(),
    ]);
    let refused = Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["page_token"]);
    for change in others {
        let mut request = api::ListEventsRequest {
            page_token: page.next_page_token.clone(),
            ..first.clone()
        };
        change(&mut request);
        assert_eq!(server.refusal(server.audit().list_events(request)).await, refused);
    }
    let larger = api::ListEventsRequest {
        page_token: page.next_page_token,
        page_size: 1000,
        ..first
    };
    server
        .audit()
        .list_events(larger)
        .await
        .expect("the size of a page may change");
}

#[tokio::test]
async fn a_record_is_what_the_leaf_is_the_hash_of_and_comes_once_a_commit() {
    let server = Server::start().await;
    with_history(&server).await;
    let mut request = api::ListEventsRequest {
        include_records: true,
        page_size: 7,
        ..Default::default()
    };
    let all = list(&server, &request).await;
    request.types = vec!["MeasurementRecorded".to_owned()];
    request.resource = acme("kpis/churn");
    let some = list(&server, &request).await;
    for events in [&all, &some] {
        let mut before = 0;
        for event in events {
            let commit = event.commit.as_ref().expect("a commit");
            let is_first = commit.revision != before;
            before = commit.revision;
            assert_eq!(!commit.record.is_empty(), is_first, "{}", event.name);
            if is_first {
                assert_eq!(LeafHash::of(&commit.record).0.to_vec(), commit.leaf_hash);
            }
            let get = |include_record| api::GetEventRequest {
                name: event.name.clone(),
                include_record,
                ..Default::default()
            };
            let one = server
                .audit()
                .get_event(get(true))
                .await
                .expect("an event")
                .into_inner();
            let record = one.commit.expect("a commit").record;
            assert_eq!(LeafHash::of(&record).0.to_vec(), commit.leaf_hash);
            let without = server
                .audit()
                .get_event(get(false))
                .await
                .expect("an event")
                .into_inner();
            assert!(without.commit.expect("a commit").record.is_empty());
        }
    }
    let without = list(&server, &api::ListEventsRequest::default()).await;
    assert!(
        without
            .iter()
            .all(|event| event.commit.as_ref().expect("a commit").record.is_empty())
    );
}

#[tokio::test]
async fn the_bytes_of_records_count_for_a_page() {
    let server = Server::start().await;
    with_workspace(&server).await;
    for number in 0..70 {
        let mut kpi = new_kpi(&format!("k{number}"));
        kpi.kpi.as_mut().expect("a KPI").description = "\u{10348}".repeat(10_000);
        server.kpis().create_kpi(kpi).await.expect("a KPI");
    }
    let pages = async |include_records| {
        let mut request = api::ListEventsRequest {
            parent: "workspaces/acme".to_owned(),
            page_size: 1000,
            include_records,
            ..Default::default()
        };
        let mut sizes = Vec::new();
        loop {
            let page = server
                .audit()
                .list_events(request.clone())
                .await
                .expect("a page")
                .into_inner();
            sizes.push(page.events.len());
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return sizes;
            }
        }
    };
    let (without, with) = (pages(false).await, pages(true).await);
    assert_eq!(without.iter().sum::<usize>(), 73);
    assert_eq!(with.iter().sum::<usize>(), 73);
    assert!(without.len() < with.len(), "{without:?} {with:?}");
}

/// A commit is never split over pages: also the largest, with the longest reason, has to come in one message.
#[tokio::test]
async fn the_largest_commit_with_the_longest_reason_is_listed_and_says_it_once() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let measurements: Vec<_> = (1..=1000)
        .map(|second| api::Measurement {
            note: "n".repeat(4000),
            ..measure("nps", -second, 1.0).measurement.expect("a measurement")
        })
        .collect();
    let batch = api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/nps"),
        measurements,
        reason: "\u{10348}".repeat(10_000),
        ..Default::default()
    };
    let sent = batch.encoded_len();
    assert!((4_000_000..4 * 1024 * 1024).contains(&sent), "{sent}");
    server
        .kpis()
        .batch_record_measurements(batch)
        .await
        .expect("a batch");
    let request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        types: vec!["MeasurementRecorded".to_owned()],
        page_size: 1000,
        include_records: true,
        ..Default::default()
    };
    let page = server
        .audit()
        .list_events(request)
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(page.events.len(), 1000);
    let reasons = page.events.iter().filter(|event| {
        let commit = event.commit.as_ref().expect("a commit");
        !commit.reason.is_empty()
    });
    assert_eq!(reasons.count(), 1, "the first of its events says why");
}

#[tokio::test]
async fn what_is_no_filter_is_refused_with_its_field_and_everything_at_once() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let asks: [(Ask, &str, &str); 9] = [
        (
            |it| it.resource = "workspaces/other/kpis/nps".to_owned(),
            "resource",
            "is in another workspace",
        ),
        (
            |it| it.resource = acme("widgets/nps"),
            "resource",
            "is not the name of a resource",
        ),
        (
            |it| it.resource = "kpis/nps".to_owned(),
            "resource",
            "does not begin with \"workspaces/\"",
        ),
        (
            |it| it.types = vec!["CheckInRecored".to_owned()],
            "types[0]",
            "did you mean \"CheckInRecorded\"?",
        ),
        (
            |it| it.types = vec!["KpiCreated".to_owned(), "x".to_owned()],
            "types[1]",
            "there is no type \"x\"",
        ),
        (|it| it.request_id = "7".to_owned(), "request_id", "it is no UUID"),
        (
            |it| (it.recorded_start_time, it.recorded_end_time) = (time(5), time(5)),
            "recorded_end_time",
            "is not after recorded_start_time",
        ),
        (
            |it| (it.effective_start_time, it.effective_end_time) = (time(5), time(4)),
            "effective_end_time",
            "is not after effective_start_time",
        ),
        (
            |it| {
                it.effective_start_time = Some(Timestamp {
                    seconds: 0,
                    nanos: -1,
                })
            },
            "effective_start_time",
            "nanos",
        ),
    ];
    let mut everything = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    for (ask, field, sentence) in asks {
        let mut request = asking([ask]);
        request.parent = "workspaces/acme".to_owned();
        let refused = server.audit().list_events(request).await.expect_err("a refusal");
        assert!(refused.message().contains(sentence), "{refused}");
        assert_eq!(
            Refused::of(&refused),
            Refused::new(Code::InvalidArgument, "INVALID_FIELD", &[field])
        );
        ask(&mut everything);
    }
    let fields = [
        "resource",
        "types[1]",
        "recorded_end_time",
        "effective_start_time",
        "request_id",
    ];
    assert_eq!(
        server.refusal(server.audit().list_events(everything)).await,
        Refused::new(Code::InvalidArgument, "INVALID_FIELD", &fields)
    );
}
