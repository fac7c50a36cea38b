//! Lists: pages that stay as they were while writes go on, and tokens that work for their own list alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use binnacle::proto::api;
use sha2::{Digest, Sha256};
use tonic::Code;

use crate::common::*;

fn list_kpis(page_size: i32, page_token: &str) -> api::ListKpisRequest {
    api::ListKpisRequest {
        parent: "workspaces/acme".to_owned(),
        page_size,
        page_token: page_token.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn every_list_shows_what_there_is_and_a_hyphen_shows_all() {
    let server = Server::start().await;
    with_company(&server).await;
    let deals = "objectives/win/keyResults/deals";
    server
        .objectives()
        .create_check_in(new_check_in(deals, "c1", 1.0))
        .await
        .unwrap();
    macro_rules! listed {
        ($client:expr, $call:ident, $Request:ident, $items:ident, $parent:expr) => {{
            let request = api::$Request {
                parent: $parent.to_owned(),
                ..Default::default()
            };
            let answer = $client.$call(request).await.expect("a list").into_inner();
            assert_eq!(answer.revision, server.head().await);
            assert_eq!(answer.next_page_token, "");
            answer.$items.len()
        }};
    }
    let (mut workspaces, mut objectives, mut kpis) =
        (server.workspaces(), server.objectives(), server.kpis());
    let all = "workspaces/acme";
    assert_eq!(listed!(workspaces, list_teams, ListTeamsRequest, teams, all), 1);
    assert_eq!(
        listed!(workspaces, list_members, ListMembersRequest, members, all),
        1
    );
    assert_eq!(
        listed!(server.cycles(), list_cycles, ListCyclesRequest, cycles, all),
        1
    );
    assert_eq!(
        listed!(
            objectives,
            list_objectives,
            ListObjectivesRequest,
            objectives,
            all
        ),
        1
    );
    assert_eq!(listed!(kpis, list_kpis, ListKpisRequest, kpis, all), 1);
    for parent in ["objectives/win", "objectives/-"] {
        let parent = acme(parent);
        assert_eq!(
            listed!(
                objectives,
                list_key_results,
                ListKeyResultsRequest,
                key_results,
                parent
            ),
            2
        );
        assert_eq!(
            listed!(
                objectives,
                list_initiatives,
                ListInitiativesRequest,
                initiatives,
                parent
            ),
            1
        );
    }
    for parent in [
        deals,
        "objectives/win/keyResults/-",
        "objectives/-/keyResults/deals",
        "objectives/-/keyResults/-",
    ] {
        let parent = acme(parent);
        assert_eq!(
            listed!(objectives, list_check_ins, ListCheckInsRequest, check_ins, parent),
            1,
            "{parent}"
        );
    }
    for parent in ["kpis/nps", "kpis/-"] {
        let parent = acme(parent);
        assert_eq!(
            listed!(kpis, list_targets, ListTargetsRequest, targets, parent),
            1
        );
    }
    for parent in ["kpis/nps", "kpis/-"] {
        let parent = acme(parent);
        assert_eq!(listed!(kpis, list_alerts, ListAlertsRequest, alerts, parent), 1);
    }
    assert_eq!(
        listed!(
            kpis,
            list_measurements,
            ListMeasurementsRequest,
            measurements,
            acme("kpis/nps")
        ),
        1
    );
}

#[tokio::test]
async fn pages_show_one_revision_while_writes_go_on() {
    let server = Server::start().await;
    with_workspace(&server).await;
    for name in ["a", "c", "e", "g"] {
        server.kpis().create_kpi(new_kpi(name)).await.unwrap();
    }
    let pinned = server.head().await;
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = server
            .kpis()
            .list_kpis(list_kpis(1, &token))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.revision, pinned);
        seen.extend(
            page.kpis
                .into_iter()
                .map(|kpi| (kpi.name, kpi.health.unwrap().measurement_count)),
        );
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
        let number = seen.len();
        server
            .kpis()
            .create_kpi(new_kpi(&format!("b{number}")))
            .await
            .unwrap();
        server
            .kpis()
            .record_measurement(measure("g", number as i64, 1.0))
            .await
            .unwrap();
    }
    let expected: Vec<_> = ["a", "c", "e", "g"]
        .map(|name| (acme(&format!("kpis/{name}")), 0))
        .into();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_page_token_is_bound_to_its_list() {
    let server = Server::start().await;
    with_workspace(&server).await;
    for name in ["a", "b", "c"] {
        server.kpis().create_kpi(new_kpi(name)).await.unwrap();
        server.workspaces().create_team(new_team(name, "")).await.unwrap();
    }
    let page = server
        .kpis()
        .list_kpis(list_kpis(1, ""))
        .await
        .unwrap()
        .into_inner();
    let token = page.next_page_token;
    let larger = server
        .kpis()
        .list_kpis(list_kpis(1000, &token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(larger.kpis.len(), 2, "the page size may change");
    let bad = Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["page_token"]);
    let teams = api::ListTeamsRequest {
        parent: "workspaces/acme".to_owned(),
        page_token: token.clone(),
        ..Default::default()
    };
    assert_eq!(server.refusal(server.workspaces().list_teams(teams)).await, bad);
    for garbage in ["garbage", "AA", &token[1..], &"A".repeat(5000)] {
        assert_eq!(
            server
                .refusal(server.kpis().list_kpis(list_kpis(1, garbage)))
                .await,
            bad,
            "{garbage}"
        );
    }
    let negative = server.refusal(server.kpis().list_kpis(list_kpis(-1, ""))).await;
    assert_eq!(
        negative,
        Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["page_size"])
    );
}

/// A token as anybody can make one who knows the format: the seal is no secret.
fn forged(binding: &[&str], revision: u64, last_key: &str) -> String {
    let revision = revision.to_be_bytes();
    let mut hash = Sha256::new();
    for part in binding
        .iter()
        .map(|part| part.as_bytes())
        .chain([&revision[..], last_key.as_bytes()])
    {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = vec![1];
    bytes.extend_from_slice(&hash.finalize()[..12]);
    bytes.extend_from_slice(&revision);
    bytes.extend_from_slice(last_key.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_page_token_of_what_has_not_happened_ends_at_once() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let future = Refused::new(Code::OutOfRange, "REVISION_IN_FUTURE", &[]);
    for revision in [99, u64::MAX] {
        let token = forged(&["ListKpisRequest", "workspaces/acme", "", "", ""], revision, "a");
        assert_eq!(
            server
                .refusal(server.kpis().list_kpis(list_kpis(1, &token)))
                .await,
            future
        );
        for (newest_first, direction) in [(false, ""), (true, "newest_first")] {
            for last in [0, 1, 50, u64::MAX] {
                let binding = ["ListEvents", "workspaces/acme", direction];
                let request = api::ListEventsRequest {
                    parent: "workspaces/acme".to_owned(),
                    page_token: forged(&binding, revision, &last.to_string()),
                    newest_first,
                    ..Default::default()
                };
                assert_eq!(server.refusal(server.audit().list_events(request)).await, future);
            }
        }
    }
    let behind_the_end = forged(&["ListEvents", "workspaces/acme", ""], 1, &u64::MAX.to_string());
    let request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_token: behind_the_end,
        ..Default::default()
    };
    let page = server
        .audit()
        .list_events(request)
        .await
        .expect("an empty page")
        .into_inner();
    assert!(page.events.is_empty() && page.next_page_token.is_empty());
}

#[tokio::test]
async fn measurements_are_listed_by_effective_time_between_two_moments() {
    let server = Server::start().await;
    with_kpi(&server).await;
    for second in [-30, -10, -20, 0] {
        server
            .kpis()
            .record_measurement(measure("nps", second, second as f64))
            .await
            .unwrap();
    }
    let list = async |start: Option<i64>, end: Option<i64>| -> Vec<f64> {
        let mut values = Vec::new();
        let mut request = api::ListMeasurementsRequest {
            parent: acme("kpis/nps"),
            page_size: 1,
            start_time: start.and_then(time),
            end_time: end.and_then(time),
            ..Default::default()
        };
        loop {
            let page = server
                .kpis()
                .list_measurements(request.clone())
                .await
                .unwrap()
                .into_inner();
            values.extend(
                page.measurements
                    .iter()
                    .filter_map(|measurement| measurement.value),
            );
            if page.next_page_token.is_empty() {
                return values;
            }
            request.page_token = page.next_page_token;
        }
    };
    assert_eq!(list(None, None).await, [-30.0, -20.0, -10.0, 0.0]);
    assert_eq!(
        list(Some(-20), Some(0)).await,
        [-20.0, -10.0],
        "from the first, up to before the second"
    );
    assert_eq!(list(Some(0), Some(-20)).await, [] as [f64; 0]);
}

#[tokio::test]
async fn a_page_ends_early_where_one_message_would_not_hold_it() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let description = "\u{10348}".repeat(10_000);
    for number in 0..120 {
        let mut kpi = new_kpi(&format!("k{number}"));
        kpi.kpi.as_mut().unwrap().description.clone_from(&description);
        server.kpis().create_kpi(kpi).await.unwrap();
    }
    let (mut seen, mut token) = (0, String::new());
    loop {
        let page = server
            .kpis()
            .list_kpis(list_kpis(1000, &token))
            .await
            .expect("a page")
            .into_inner();
        seen += page.kpis.len();
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
    }
    assert_eq!(seen, 120);
    let overview = api::GetOverviewRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let overview = server
        .progress()
        .get_overview(overview)
        .await
        .expect("an overview")
        .into_inner();
    assert!(overview.truncated && !overview.kpis.is_empty());
}
