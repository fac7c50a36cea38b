//! DiffStates: what was created, changed, removed and computed anew between two moments.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::as_of::Moment;
use binnacle::proto::api::resource_difference::Kind;
use prost_types::value::Kind as ValueKind;
use tonic::Code;

use crate::common::*;

fn revision(number: i64) -> Option<api::AsOf> {
    Some(api::AsOf {
        moment: Some(Moment::Revision(number)),
    })
}

fn recorded(second: i64) -> Option<api::AsOf> {
    Some(api::AsOf {
        moment: time(second).map(Moment::RecordedTime),
    })
}

fn between(before: Option<api::AsOf>, after: Option<api::AsOf>, path: &str) -> api::DiffStatesRequest {
    api::DiffStatesRequest {
        parent: "workspaces/acme".to_owned(),
        resource: if path.is_empty() {
            String::new()
        } else {
            acme(path)
        },
        before,
        after,
        page_size: 1000,
        ..Default::default()
    }
}

async fn differences(server: &Server, request: api::DiffStatesRequest) -> api::DiffStatesResponse {
    let answer = server.audit().diff_states(request).await;
    answer.expect("what differs").into_inner()
}

/// Each resource with what became of it.
fn kinds(answer: &api::DiffStatesResponse) -> Vec<String> {
    let word = |kind| match kind {
        Kind::Unspecified => "nothing",
        Kind::Created => "created",
        Kind::Changed => "changed",
        Kind::Removed => "removed",
        Kind::Recomputed => "recomputed",
    };
    let named = answer.differences.iter();
    named
        .map(|it| {
            let name = it.name.strip_prefix("workspaces/acme").expect("inside");
            format!("{} {}", word(it.kind()), name.trim_start_matches('/'))
        })
        .collect()
}

fn said(value: Option<&prost_types::Value>) -> String {
    match value.and_then(|value| value.kind.as_ref()) {
        None | Some(ValueKind::NullValue(_)) => "none".to_owned(),
        Some(ValueKind::BoolValue(bool)) => bool.to_string(),
        Some(ValueKind::NumberValue(number)) => number.to_string(),
        Some(ValueKind::StringValue(text)) => format!("{text:?}"),
        Some(ValueKind::ListValue(list)) => {
            let items: Vec<String> = list.values.iter().map(|item| said(Some(item))).collect();
            format!("[{}]", items.join(", "))
        }
        Some(ValueKind::StructValue(_)) => panic!("no field is a structure"),
    }
}

fn lines(changes: &[api::FieldChange]) -> Vec<String> {
    let line = |it: &api::FieldChange| {
        format!(
            "{}: {} → {}",
            it.path,
            said(it.before.as_ref()),
            said(it.after.as_ref())
        )
    };
    changes.iter().map(line).collect()
}

fn of<'a>(answer: &'a api::DiffStatesResponse, path: &str) -> &'a api::ResourceDifference {
    let found = answer.differences.iter().find(|it| it.name == acme(path));
    found.unwrap_or_else(|| panic!("{path} does not differ: {:?}", kinds(answer)))
}

#[tokio::test]
async fn what_was_created_changed_removed_and_computed_anew_is_told_apart() {
    let server = Server::start().await;
    with_company(&server).await;
    let before = server.head().await;
    let check_in = new_check_in("objectives/win/keyResults/deals", "c1", 5.0);
    server
        .objectives()
        .create_check_in(check_in)
        .await
        .expect("a check-in");
    let mut renamed = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            title: "Net Promoter".to_owned(),
            owner: acme("members/anonymous"),
            ..Default::default()
        }),
        ..Default::default()
    };
    renamed.update_mask = mask(&["title", "owner"]);
    server.kpis().update_kpi(renamed).await.expect("a KPI");
    let demos = api::DeleteInitiativeRequest {
        name: acme("objectives/win/initiatives/demos"),
        ..Default::default()
    };
    server
        .objectives()
        .delete_initiative(demos)
        .await
        .expect("a deletion");
    let answer = differences(&server, between(revision(before), None, "")).await;
    assert_eq!(answer.before_revision, before);
    assert_eq!(answer.after_revision, server.head().await);
    assert_eq!(
        kinds(&answer),
        [
            "recomputed ",
            "recomputed cycles/q1",
            "changed kpis/nps",
            "recomputed objectives/win",
            "removed objectives/win/initiatives/demos",
            "recomputed objectives/win/keyResults/deals",
            "created objectives/win/keyResults/deals/checkIns/c1",
            "recomputed teams/sales",
        ]
    );
    let kpi = of(&answer, "kpis/nps");
    let expected = [r#"owner: none → "anonymous""#, r#"title: "nps" → "Net Promoter""#];
    assert_eq!(lines(&kpi.changes), expected);
    assert_eq!(lines(&kpi.derived), [] as [&str; 0]);
    let check_in = of(&answer, "objectives/win/keyResults/deals/checkIns/c1");
    assert_eq!(
        lines(&check_in.changes),
        [
            r#"effective_time: none → "2026-01-01T12:00:00Z""#,
            "value: none → 5"
        ]
    );
    let demos = of(&answer, "objectives/win/initiatives/demos");
    assert!(lines(&demos.changes).contains(&r#"title: "demos" → none"#.to_owned()));
    let deals = lines(&of(&answer, "objectives/win/keyResults/deals").derived);
    for line in ["progress.current: none → 5", "progress.score: 0 → 0.5"] {
        assert!(deals.contains(&line.to_owned()), "{line}: {deals:?}");
    }
    let team = lines(&of(&answer, "teams/sales").derived);
    assert_eq!(team, ["scores.q1.score: 0 → 0.25"]);

    let below = differences(
        &server,
        between(revision(before), None, "objectives/win/keyResults/deals"),
    )
    .await;
    assert_eq!(
        kinds(&below),
        [
            "recomputed objectives/win/keyResults/deals",
            "created objectives/win/keyResults/deals/checkIns/c1",
        ]
    );
    let head = server.head().await;
    let same = differences(&server, between(revision(head), revision(head), "")).await;
    assert_eq!(kinds(&same), [] as [&str; 0]);
}

#[tokio::test]
async fn what_somebody_did_is_a_change_though_the_server_says_it() {
    let server = Server::start().await;
    with_company(&server).await;
    let before = server.head().await;
    let close = api::CloseObjectiveRequest {
        name: acme("objectives/win"),
        closing: Some(api::Closing {
            grade: Some(0.6),
            grade_reason: "a late survey".to_owned(),
            explanation: "one customer left".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    server.objectives().close_objective(close).await.expect("closed");
    let archive = api::ArchiveKpiRequest {
        name: acme("kpis/nps"),
        ..Default::default()
    };
    server.kpis().archive_kpi(archive).await.expect("archived");
    let answer = differences(&server, between(revision(before), None, "")).await;
    let win = of(&answer, "objectives/win");
    assert_eq!(win.kind(), Kind::Changed);
    let changes = lines(&win.changes);
    for line in [
        r#"result.closing.grade: none → 0.6"#,
        r#"result.grading.outcome: none → "PARTIAL""#,
        r#"state: "ACTIVE" → "CLOSED""#,
    ] {
        assert!(changes.contains(&line.to_owned()), "{line}: {changes:?}");
    }
    let kpi = of(&answer, "kpis/nps");
    assert_eq!(
        lines(&kpi.changes),
        [r#"archive_time: none → "2026-01-01T12:00:00Z""#]
    );
    // The state of its objective is shown with it.
    let deals = of(&answer, "objectives/win/keyResults/deals");
    assert_eq!(deals.kind(), Kind::Recomputed);
    // An alert is gone when it is closed for good.
    let alerts = kinds(&answer);
    assert!(
        alerts
            .iter()
            .any(|kind| kind.starts_with("removed kpis/nps/alerts/")),
        "{alerts:?}"
    );
}

/// Of every resource that is new, each field that its event names is there, in the same words.
#[tokio::test]
async fn a_new_resource_is_told_as_its_event_tells_it() {
    let server = Server::start().await;
    with_company(&server).await;
    for (id, kind) in [
        (
            "steps",
            api::key_result::Kind::Milestones(api::Milestones {
                milestones: ["plan", "ship"]
                    .map(|id| api::Milestone {
                        id: id.to_owned(),
                        title: id.to_owned(),
                        weight: Some(2.0),
                    })
                    .into(),
            }),
        ),
        ("done", api::key_result::Kind::Binary(api::Binary {})),
        (
            "kept",
            api::key_result::Kind::Maintain(api::Maintain {
                at_least: Some(3.0),
                tolerance: Some(1.0),
                ..Default::default()
            }),
        ),
    ] {
        let mut request = new_key_result("win", id);
        request.key_result.as_mut().expect("one").kind = Some(kind);
        server
            .objectives()
            .create_key_result(request)
            .await
            .expect("a key result");
    }
    let mut check_in = new_check_in("objectives/win/keyResults/steps", "c1", 0.0);
    check_in.check_in = Some(api::CheckIn {
        reached_milestones: Some(api::ReachedMilestones {
            milestones: vec!["plan".to_owned()],
        }),
        confidence: Some(0.5),
        comment: "half way".to_owned(),
        status_override: api::Status::Behind.into(),
        ..Default::default()
    });
    server
        .objectives()
        .create_check_in(check_in)
        .await
        .expect("a check-in");
    let mut money = new_kpi("money");
    let kpi = money.kpi.as_mut().expect("a KPI");
    kpi.unit = Some(api::Unit {
        kind: api::unit::Kind::Currency.into(),
        currency_code: "BRL".to_owned(),
        decimals: Some(2),
        ..Default::default()
    });
    kpi.labels = [("plan".to_owned(), "pro".to_owned())].into();
    kpi.replaces = acme("kpis/nps");
    server.kpis().create_kpi(money).await.expect("a KPI");
    let mut aligned = new_objective("more");
    aligned.objective.as_mut().expect("one").aligned_to = acme("objectives/win/keyResults/deals");
    server
        .objectives()
        .create_objective(aligned)
        .await
        .expect("an objective");
    server
        .workspaces()
        .create_member(new_member("maria"))
        .await
        .expect("a member");
    let review = api::CreateReviewRequest {
        parent: acme("cycles/q1"),
        review_id: "mid".to_owned(),
        review: Some(api::Review {
            team: acme("teams/sales"),
            attendees: vec![acme("members/maria")],
            achieved: "a lot".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    server.cycles().create_review(review).await.expect("a review");

    let answer = differences(&server, between(recorded(-1), None, "")).await;
    assert_eq!(answer.before_revision, 0, "before the workspace was created");
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in all_events(&server.channel).await.expect("events") {
        let is_new = ["Created", "Recorded", "TargetSet"]
            .iter()
            .any(|word| event.r#type.ends_with(word));
        if is_new && event.r#type != "MeasurementRecorded" {
            expected
                .entry(event.resource.clone())
                .or_default()
                .extend(lines(&event.changes));
        }
    }
    assert!(expected.len() > 15, "{:?}", expected.keys());
    let mut untold = Vec::new();
    for (name, told) in expected {
        let found = answer.differences.iter().find(|it| it.name == name);
        let found = found.unwrap_or_else(|| panic!("{name} is not new"));
        assert_eq!(found.kind(), Kind::Created, "{name}");
        let lines = [lines(&found.changes), lines(&found.derived)].concat();
        for line in told {
            // What comes with a workspace is a resource of its own.
            if !line.starts_with("scoring_policy.") && !lines.contains(&line) {
                untold.push(format!("{name}: {line}"));
            }
        }
    }
    assert!(untold.is_empty(), "{untold:#?}");
}

#[tokio::test]
async fn pages_of_differences_are_of_two_revisions_while_writes_go_on() {
    let server = Server::start().await;
    with_company(&server).await;
    let whole = differences(&server, between(recorded(-1), None, "")).await;
    let mut request = api::DiffStatesRequest {
        page_size: 2,
        ..between(recorded(-1), None, "")
    };
    let mut pages = Vec::new();
    loop {
        let page = differences(&server, request.clone()).await;
        assert_eq!(page.after_revision, whole.after_revision);
        assert!(page.differences.len() <= 2);
        pages.extend(page.differences);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        let id = format!("k{}", pages.len());
        server.kpis().create_kpi(new_kpi(&id)).await.expect("a KPI");
    }
    assert_eq!(pages, whole.differences);
    let names: Vec<&String> = pages.iter().map(|it| &it.name).collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused_with_its_field() {
    let server = Server::start().await;
    with_workspace(&server).await;
    server.kpis().create_kpi(new_kpi("nps")).await.expect("a KPI");
    let first = differences(
        &server,
        api::DiffStatesRequest {
            page_size: 1,
            ..between(recorded(-1), None, "")
        },
    )
    .await;
    let empty = Some(api::AsOf { moment: None });
    for (request, field) in [
        (between(None, None, ""), "before"),
        (between(empty, None, ""), "before"),
        (between(revision(0), None, ""), "before.revision"),
        (between(revision(1), revision(-2), ""), "after.revision"),
        (between(revision(2), revision(1), ""), "after"),
        (between(revision(1), None, "widgets/x"), "resource"),
        (
            api::DiffStatesRequest {
                resource: "workspaces/other/kpis/nps".to_owned(),
                ..between(revision(1), None, "")
            },
            "resource",
        ),
        (
            api::DiffStatesRequest {
                page_token: first.next_page_token.clone(),
                ..between(revision(1), None, "")
            },
            "page_token",
        ),
    ] {
        assert_eq!(
            server.refusal(server.audit().diff_states(request)).await,
            Refused::new(Code::InvalidArgument, "INVALID_FIELD", &[field])
        );
    }
    // A moment that is still to come is answered with what is known now, and a name that never was does not differ.
    let future = differences(&server, between(revision(1), revision(99), "")).await;
    assert_eq!(future.after_revision, 2);
    let never = differences(&server, between(recorded(-1), None, "kpis/never")).await;
    assert_eq!(never.differences, []);
}
