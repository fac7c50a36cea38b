//! The hygiene report: what is found in the little company, what it is narrowed to, and every way to be refused.

use binnacle::proto::api;
use binnacle::proto::api::finding::Severity;
use tonic::Code::{FailedPrecondition, InvalidArgument, NotFound, OutOfRange};

use crate::common::*;

fn check() -> api::CheckHygieneRequest {
    api::CheckHygieneRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    }
}

async fn report(server: &Server, request: api::CheckHygieneRequest) -> api::HygieneReport {
    let answered = server.progress().check_hygiene(request).await;
    answered.expect("a report").into_inner()
}

fn codes_of<'r>(report: &'r api::HygieneReport, path: &str) -> Vec<&'r str> {
    let about = report.findings.iter().filter(|it| it.resource == acme(path));
    about.map(|finding| finding.code.as_str()).collect()
}

#[tokio::test]
async fn a_report_says_what_is_wrong_how_bad_it_is_and_what_to_do() {
    let server = Server::start().await;
    with_company(&server).await;
    let report = report(&server, check()).await;
    assert_eq!((report.revision, report.truncated), (server.head().await, false));
    // The limits are those that the workspace began with.
    assert_eq!(report.policy_version, 1);
    assert_eq!(codes_of(&report, "objectives/win"), ["TOO_FEW_KEY_RESULTS"]);
    assert_eq!(
        codes_of(&report, "objectives/win/keyResults/deals"),
        ["KEY_RESULT_WITHOUT_KPI"]
    );
    assert_eq!(codes_of(&report, "cycles/q1"), ["REVIEW_NOT_SCHEDULED"]);
    assert_eq!(
        codes_of(&report, "kpis/nps"),
        [
            "KPI_BREACHED_WITHOUT_PLAN",
            "KPI_WITHOUT_DATA_SOURCE",
            "KPI_WITHOUT_OWNER"
        ]
    );
    let few = report.findings.iter().find(|it| it.code == "TOO_FEW_KEY_RESULTS");
    assert_eq!(
        few,
        Some(&api::Finding {
            code: "TOO_FEW_KEY_RESULTS".to_owned(),
            severity: Severity::Warning.into(),
            resource: acme("objectives/win"),
            sentence: "The objective \"win\" has 2 of at least 3 key results.".to_owned(),
            suggestion: "Add a key result for each part of the objective that nothing measures yet."
                .to_owned(),
        })
    );
    let order: Vec<_> = report
        .findings
        .iter()
        .map(|it| (std::cmp::Reverse(it.severity), &it.resource, &it.code))
        .collect();
    assert!(order.is_sorted(), "{order:#?}");
}

#[tokio::test]
async fn a_report_is_narrowed_to_a_cycle_a_team_with_the_teams_below_it_and_a_severity() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut workspaces = server.workspaces();
    workspaces.create_team(new_team("brazil", "sales")).await.unwrap();
    let mut below = new_objective("below");
    below.objective.as_mut().unwrap().team = acme("teams/brazil");
    server.objectives().create_objective(below).await.unwrap();

    let of_cycle = api::CheckHygieneRequest {
        cycle: acme("cycles/q1"),
        ..check()
    };
    let of_cycle = report(&server, of_cycle).await;
    assert!(!of_cycle.findings.is_empty());
    assert!(of_cycle.findings.iter().all(|it| !it.resource.contains("/kpis/")));

    for (team, own, lower) in [("teams/sales", true, true), ("teams/brazil", false, true)] {
        let of_team = api::CheckHygieneRequest {
            team: acme(team),
            ..check()
        };
        let of_team = report(&server, of_team).await;
        let speaks_of = |path: &str| !codes_of(&of_team, path).is_empty();
        assert_eq!(
            (speaks_of("objectives/win"), speaks_of("objectives/below")),
            (own, lower),
            "{team}"
        );
        assert!(!speaks_of("kpis/nps") && !speaks_of("cycles/q1"), "{team}");
    }

    let severe = api::CheckHygieneRequest {
        severity_min: Severity::Error.into(),
        ..check()
    };
    let severe = report(&server, severe).await;
    assert_eq!(
        codes_of(&severe, "objectives/below"),
        ["OBJECTIVE_WITHOUT_KEY_RESULTS"]
    );
    assert_eq!(codes_of(&severe, "kpis/nps"), ["KPI_BREACHED_WITHOUT_PLAN"]);
    assert_eq!(severe.findings.len(), 2);
}

/// "Thresholds are policy".
#[tokio::test]
async fn another_policy_finds_other_things_and_is_named() {
    let server = Server::start().await;
    with_company(&server).await;
    let update = api::UpdateScoringPolicyRequest {
        scoring_policy: Some(api::ScoringPolicy {
            name: acme("scoringPolicy"),
            hygiene: Some(api::HygieneLimits {
                key_results_min: Some(2),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let updated = server.workspaces().update_scoring_policy(update).await.unwrap();
    let report = report(&server, check()).await;
    assert_eq!(report.policy_version, updated.into_inner().version);
    assert!(codes_of(&report, "objectives/win").is_empty());
}

#[tokio::test]
async fn a_workspace_of_kpis_alone_hears_of_kpis_alone() {
    let server = Server::start().await;
    let mut create = new_workspace("acme");
    create.workspace.as_mut().unwrap().preset = api::workspace::Preset::KpiOnly.into();
    server.workspaces().create_workspace(create).await.unwrap();
    server.kpis().create_kpi(new_kpi("nps")).await.unwrap();
    server.cycles().create_cycle(new_cycle("q1")).await.unwrap();
    server
        .objectives()
        .create_objective(new_objective("win"))
        .await
        .unwrap();
    let report = report(&server, check()).await;
    assert!(report.findings.iter().all(|it| it.resource == acme("kpis/nps")));
    assert_eq!(
        codes_of(&report, "kpis/nps"),
        [
            "KPI_WITHOUT_DATA_SOURCE",
            "KPI_WITHOUT_OWNER",
            "KPI_WITHOUT_TARGET"
        ]
    );
}

#[tokio::test]
async fn a_report_about_what_is_not_there_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    let head = server.head().await;
    let narrowed = |change: fn(&mut api::CheckHygieneRequest)| {
        let mut request = check();
        change(&mut request);
        request
    };
    for (request, expected) in [
        (
            narrowed(|it| it.team = acme("teams/support")),
            Refused::new(NotFound, "NOT_FOUND", &["teams/support"]),
        ),
        (
            narrowed(|it| it.cycle = acme("cycles/q9")),
            Refused::new(NotFound, "NOT_FOUND", &["cycles/q9"]),
        ),
        (
            narrowed(|it| it.parent = "workspaces/nowhere".to_owned()),
            Refused::new(NotFound, "NOT_FOUND", &[]),
        ),
        (
            narrowed(|it| it.cycle = "workspaces/other/cycles/q1".to_owned()),
            Refused::new(InvalidArgument, "INVALID_FIELD", &["cycle"]),
        ),
        (
            narrowed(|it| it.team = acme("cycles/q1")),
            Refused::new(InvalidArgument, "INVALID_FIELD", &["team"]),
        ),
        (
            narrowed(|it| {
                it.parent = "acme".to_owned();
                it.min_revision = -1;
                it.severity_min = 9;
            }),
            Refused::new(
                InvalidArgument,
                "INVALID_FIELD",
                &["parent", "min_revision", "severity_min"],
            ),
        ),
        (
            api::CheckHygieneRequest {
                min_revision: head + 1,
                ..check()
            },
            Refused::new(OutOfRange, "REVISION_IN_FUTURE", &[]),
        ),
    ] {
        let refusal = server
            .refusal(server.progress().check_hygiene(request.clone()))
            .await;
        assert_eq!(refusal, expected, "{request:?}");
    }
    let delete = api::DeleteTeamRequest {
        name: acme("teams/sales"),
        ..Default::default()
    };
    server.workspaces().delete_team(delete).await.unwrap();
    let of_deleted = narrowed(|it| it.team = acme("teams/sales"));
    assert_eq!(
        server.refusal(server.progress().check_hygiene(of_deleted)).await,
        Refused::new(FailedPrecondition, "DELETED", &["teams/sales"])
    );
}
