//! From a KPI in trouble to an objective, and from a key result to a KPI: each in one commit, with everything tied together.

use binnacle::proto::api;
use binnacle::proto::api::Foundation;
use binnacle::proto::api::key_result::Kind;
use tonic::Code::{self, AlreadyExists};

use crate::common::*;
use crate::gauges::*;
use crate::key_results::maintain;
use crate::steps::*;

fn start(kpi: &str, objective: &str) -> api::StartObjectiveFromKpiRequest {
    named!(
        StartObjectiveFromKpiRequest,
        acme(&format!("kpis/{kpi}")),
        cycle: acme("cycles/q1"),
        objective_id: objective.to_owned()
    )
}

fn keep(path: &str, kpi: &str) -> api::CreateKpiFromKeyResultRequest {
    named!(
        CreateKpiFromKeyResultRequest,
        key_result_name(path),
        kpi_id: kpi.to_owned(),
        cadence: api::Cadence::Weekly.into()
    )
}

#[tokio::test]
async fn an_objective_starts_from_a_kpi_in_trouble_with_all_that_belongs_to_it() {
    let server = Server::start().await;
    with_company(&server).await;
    with_gauge(&server, "reply", |it| {
        it.title = "Reply time".to_owned();
        it.direction = api::Direction::LowerIsBetter.into();
        it.owner = acme("members/anonymous");
        it.team = acme("teams/sales");
    })
    .await;
    let at_most = target("reply", 1, |it| {
        (it.at_most, it.critical_at_most) = (Some(30.0), Some(45.0));
    });
    server.kpis().set_target(at_most).await.expect("a target");
    record(&server, "reply", 0, 48.0).await;
    let opened = alerts(&server, "kpi = reply").await.remove(0);
    let revision = server.head().await;
    let api::StartObjectiveFromKpiResponse {
        objective: made,
        key_result,
        alert: from,
    } = retried!(server, kpis.start_objective_from_kpi(start("reply", "faster")));
    let (made, key_result, from) = (
        made.expect("an objective"),
        key_result.expect("a key result"),
        from.expect("an alert"),
    );
    assert_eq!(made, objective(&server, "faster").await);
    assert_eq!(key_result, key_result_of(&server, "faster/reply").await);
    assert_eq!(from, alert(&server, &opened).await);
    assert_eq!(
        (
            made.state(),
            made.title.as_str(),
            made.owner.as_str(),
            made.team.as_str()
        ),
        (
            api::objective::State::Draft,
            "Bring \"Reply time\" back to target",
            acme("members/anonymous").as_str(),
            acme("teams/sales").as_str()
        )
    );
    assert_eq!(
        (&made.started_from_kpi, &made.started_from_alert, &made.serves),
        (&acme("kpis/reply"), &from.name, &vec![acme("kpis/reply")])
    );
    let Some(Kind::Metric(metric)) = key_result.kind else {
        panic!("no metric")
    };
    assert_eq!((metric.baseline, metric.target), (Some(48.0), Some(30.0)));
    assert_eq!(key_result.kpi, acme("kpis/reply"));
    let planned = from.action_plan.expect("the objective is the plan");
    assert_eq!(planned.objective, made.name);
    assert!(!from.needs_action && !planned.text.is_empty());
    let told = told_after(&server, revision).await;
    assert_eq!(
        &heads_of(&told)[..3],
        [
            ("ObjectiveCreated", "objectives/faster"),
            ("KeyResultCreated", "objectives/faster/keyResults/reply"),
            (
                "ActionPlanSet",
                format!("kpis/{}", opened.replace('/', "/alerts/")).as_str()
            )
        ]
    );
    // What it is there to mend does not speak against it; its team rests on that alone.
    assert_eq!(made.foundation(), Foundation::Unknown);
    let team = named!(GetTeamRequest, acme("teams/sales"));
    let team = server
        .workspaces()
        .get_team(team)
        .await
        .expect("a team")
        .into_inner();
    assert_eq!(team.foundation(), Foundation::Weak);
    assert_eq!(
        objective(&server, "win").await.foundation(),
        Foundation::Weak,
        "it is of the team"
    );

    activate_objective(&server, "faster").await;
    record(&server, "reply", 1, 39.0).await;
    assert_eq!(
        objective(&server, "faster").await.progress.expect("ACTIVE").score,
        Some(0.5)
    );
    record(&server, "reply", 2, 29.0).await;
    let team = named!(GetTeamRequest, acme("teams/sales"));
    let team = server
        .workspaces()
        .get_team(team)
        .await
        .expect("a team")
        .into_inner();
    assert_eq!(team.foundation(), Foundation::Solid);
    let told = closed(api::alert::CloseReason::Recovered);
    assert_eq!(standing(&alert(&server, &opened).await), told);
}

#[tokio::test]
async fn a_plan_that_is_there_gets_the_objective_and_a_chosen_alert_is_the_one() {
    let server = Server::start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    let set = named!(
        SetActionPlanRequest,
        alert_name("nps/breach-7"),
        action_plan: plan("Call everybody", |it| it.due_date = date(2026, 1, 31))
    );
    server.kpis().set_action_plan(set).await.expect("a plan");
    let request = api::StartObjectiveFromKpiRequest {
        cycle: acme("cycles/q2"),
        objective_id: String::new(),
        key_result_id: "value".to_owned(),
        title: "Delight".to_owned(),
        description: "At last.".to_owned(),
        owner: acme("members/anonymous"),
        team: acme("teams/sales"),
        ambition: api::objective::Ambition::Aspirational.into(),
        alert: alert_name("nps/breach-7"),
        ..start("nps", "")
    };
    let answer = retried!(server, kpis.start_objective_from_kpi(request));
    let made = answer.objective.expect("an objective");
    let id = made.name.rsplit('/').next().expect("an id");
    assert_eq!(
        (id.len(), &id[..1]),
        (13, "o"),
        "the server's choice, the same again"
    );
    assert_eq!(
        (
            made.title.as_str(),
            made.description.as_str(),
            made.cycle.as_str(),
            made.ambition()
        ),
        (
            "Delight",
            "At last.",
            acme("cycles/q2").as_str(),
            api::objective::Ambition::Aspirational
        )
    );
    let key_result = answer.key_result.expect("a key result");
    assert_eq!(key_result.name, format!("{}/keyResults/value", made.name));
    let said = answer.alert.expect("an alert").action_plan.expect("a plan");
    assert_eq!(
        (said.text.as_str(), said.due_date, said.objective),
        ("Call everybody", date(2026, 1, 31), made.name)
    );
}

#[tokio::test]
async fn within_a_range_it_is_the_nearer_bound_and_without_an_alert_there_is_none() {
    let server = Server::start().await;
    with_company(&server).await;
    with_gauge(&server, "stock", |it| {
        it.direction = api::Direction::InRange.into()
    })
    .await;
    let range = target("stock", 1, |it| {
        (it.at_least, it.at_most) = (Some(10.0), Some(20.0));
        (it.critical_at_least, it.critical_at_most) = (Some(0.0), Some(40.0));
    });
    server.kpis().set_target(range).await.expect("a target");
    for (second, value, bound, id) in [(0, 5.0, 10.0, "more"), (1, 30.0, 20.0, "less")] {
        record(&server, "stock", second, value).await;
        assert_eq!(health(&server, "stock").await.health(), api::Health::Watch);
        let answer = server.kpis().start_objective_from_kpi(start("stock", id)).await;
        let answer = answer.expect("an objective").into_inner();
        assert_eq!(answer.alert, None);
        assert_eq!(answer.objective.expect("an objective").started_from_alert, "");
        let Some(Kind::Metric(metric)) = answer.key_result.expect("a key result").kind else {
            panic!("no metric")
        };
        assert_eq!((metric.baseline, metric.target), (Some(value), Some(bound)));
    }
}

#[tokio::test]
async fn an_objective_that_cannot_start_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    with_gauge(&server, "churn", |_| {}).await;
    with_gauge(&server, "good", |_| {}).await;
    server
        .kpis()
        .set_target(new_target("good"))
        .await
        .expect("a target");
    record(&server, "good", 0, 50.0).await;
    record(&server, "nps", 1, 60.0).await;
    record(&server, "nps", 2, 40.0).await;
    let of = |change: fn(&mut api::StartObjectiveFromKpiRequest)| {
        let mut request = start("nps", "new");
        change(&mut request);
        request
    };
    let trouble = |kpi: &str| rule("KPI_NOT_IN_TROUBLE", &format!("kpis/{kpi}"));
    for (request, expected) in [
        (start("churn", "new"), trouble("churn")),
        (start("good", "new"), trouble("good")),
        (start("x", "new"), missing("kpis/x")),
        (
            start("nps", "win"),
            refused(AlreadyExists, "ALREADY_EXISTS", &["objectives/win"]),
        ),
        (of(|it| it.cycle = acme("cycles/q9")), missing("cycles/q9")),
        (of(|it| it.cycle.clear()), invalid(&["cycle"])),
        (
            of(|it| it.cycle = "workspaces/other/cycles/q1".to_owned()),
            invalid(&["cycle"]),
        ),
        (
            of(|it| it.objective_id = "New".to_owned()),
            invalid(&["objective_id"]),
        ),
        (
            of(|it| it.key_result_id = "-".to_owned()),
            invalid(&["key_result_id"]),
        ),
        (of(|it| it.title = "t".repeat(201)), invalid(&["title"])),
        (
            of(|it| it.description = "d".repeat(10_001)),
            invalid(&["description"]),
        ),
        (of(|it| it.owner = acme("members/x")), missing("members/x")),
        (of(|it| it.team = acme("teams/x")), missing("teams/x")),
        (of(|it| it.ambition = 99), invalid(&["ambition"])),
        (
            of(|it| it.alert = alert_name("churn/breach-7")),
            invalid(&["alert"]),
        ),
        (
            of(|it| it.alert = "workspaces/other/kpis/nps/alerts/breach-7".to_owned()),
            invalid(&["alert"]),
        ),
        (
            of(|it| it.alert = alert_name("nps/breach-7")),
            rule("ALERT_CLOSED", "kpis/nps/alerts/breach-7"),
        ),
        (
            of(|it| it.alert = alert_name("nps/breach-8")),
            missing("kpis/nps/alerts/breach-8"),
        ),
        (of(|it| it.name = acme("kpis/-")), invalid(&["name"])),
    ] {
        let found = server
            .refusal(server.kpis().start_objective_from_kpi(request.clone()))
            .await;
        assert_eq!(found, expected, "{request:?}");
    }
    let review = named!(BeginCycleReviewRequest, acme("cycles/q1"));
    server
        .cycles()
        .begin_cycle_review(review)
        .await
        .expect("a review");
    let close = api::CloseCycleRequest {
        objectives: vec![crate::closing::explained("win")],
        ..crate::closing::close(vec![])
    };
    server.cycles().close_cycle(close).await.expect("closed");
    assert_eq!(
        server
            .refusal(server.kpis().start_objective_from_kpi(start("nps", "new")))
            .await,
        rule("CYCLE_CLOSED", "cycles/q1")
    );
}

#[tokio::test]
async fn a_key_result_becomes_a_kpi_with_its_values_its_target_and_its_future() {
    let server = Server::start().await;
    with_company(&server).await;
    for (second, id, number) in [(0, "a", 2.0), (60, "b", 4.0), (60, "c", 5.0)] {
        server.clock.advance_to(at(second));
        let said = value("win/deals", id, number);
        server
            .objectives()
            .create_check_in(said)
            .await
            .expect("a check-in");
    }
    server
        .objectives()
        .create_check_in(check_in("win/deals", "d", |it| it.confidence = Some(0.5)))
        .await
        .expect("a check-in");
    let before = key_result_of(&server, "win/deals")
        .await
        .progress
        .expect("ACTIVE");
    let revision = server.head().await;
    let request = api::CreateKpiFromKeyResultRequest {
        area: "sales".to_owned(),
        data_source: "crm".to_owned(),
        ..keep("win/deals", "deals")
    };
    let made = retried!(server, kpis.create_kpi_from_key_result(request));
    assert_eq!(made, kpi(&server, "deals").await);
    assert_eq!(
        (
            made.title.as_str(),
            made.team.as_str(),
            made.owner.as_str(),
            made.area.as_str()
        ),
        (
            "deals",
            acme("teams/sales").as_str(),
            acme("members/anonymous").as_str(),
            "sales"
        )
    );
    assert_eq!(
        (made.direction(), made.cadence(), made.data_source.as_str()),
        (api::Direction::HigherIsBetter, api::Cadence::Weekly, "crm")
    );
    let stands = made.health.clone().expect("its health");
    assert_eq!(
        (
            stands.health(),
            stands.latest_value,
            stands.measurement_count,
            stands.target
        ),
        (
            api::Health::Breached,
            Some(5.0),
            2,
            acme("kpis/deals/targets/2026-01-01")
        ),
        "of two check-ins of one moment the later one counted"
    );
    assert_eq!(
        made.open_alerts,
        [acme(&format!("kpis/deals/alerts/breach-{}", revision + 1))]
    );
    let told = told_after(&server, revision).await;
    assert_eq!(
        &heads_of(&told)[..6],
        [
            ("KpiCreated", "kpis/deals"),
            ("TargetSet", "kpis/deals/targets/2026-01-01"),
            ("MeasurementRecorded", "kpis/deals"),
            ("MeasurementRecorded", "kpis/deals"),
            ("KeyResultUpdated", "objectives/win/keyResults/deals"),
            (
                "AlertOpened",
                format!("kpis/deals/alerts/breach-{}", revision + 1).as_str()
            ),
        ]
    );
    let after = key_result_of(&server, "win/deals").await;
    assert_eq!(after.kpi, made.name);
    let progress = after.progress.expect("ACTIVE");
    assert_eq!((progress.current, progress.score), (before.current, before.score));
    assert_eq!(
        server
            .refusal(server.objectives().create_check_in(value("win/deals", "e", 6.0)))
            .await,
        rule("VALUE_COMES_FROM_KPI", "objectives/win/keyResults/deals")
    );
    record(&server, "deals", 120, 10.0).await;
    assert_eq!(
        key_result_of(&server, "win/deals")
            .await
            .progress
            .expect("ACTIVE")
            .score,
        1.0
    );
    assert_eq!(
        server
            .refusal(
                server
                    .kpis()
                    .create_kpi_from_key_result(keep("win/deals", "more"))
            )
            .await,
        rule("KEY_RESULT_HAS_KPI", "objectives/win/keyResults/deals")
    );
}

#[tokio::test]
async fn each_kind_of_key_result_with_values_asks_the_same_of_its_kpi() {
    use api::Direction::{HigherIsBetter, InRange, LowerIsBetter};
    use api::maintain::Mode;
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    let now = |least, most| maintain(least, most, Mode::Now, Some(1.0));
    for (id, kind, direction, bounds) in [
        ("rise", metric(0.0, 10.0), HigherIsBetter, (Some(10.0), None)),
        ("fall", metric(48.0, 30.0), LowerIsBetter, (None, Some(30.0))),
        ("least", now(Some(5.0), None), HigherIsBetter, (Some(5.0), None)),
        ("most", now(None, Some(5.0)), LowerIsBetter, (None, Some(5.0))),
        ("both", now(Some(1.0), Some(5.0)), InRange, (Some(1.0), Some(5.0))),
    ] {
        let path = format!("win/{id}");
        objectives
            .create_key_result(key_result(&path, kind))
            .await
            .expect("a key result");
        let made = server.kpis().create_kpi_from_key_result(keep(&path, id)).await;
        let made = made.expect("a KPI").into_inner();
        assert_eq!((made.direction(), made.open_alerts.len()), (direction, 0), "{id}");
        let targets = api::ListTargetsRequest {
            parent: made.name,
            ..Default::default()
        };
        let targets = server
            .kpis()
            .list_targets(targets)
            .await
            .expect("targets")
            .into_inner()
            .targets;
        assert_eq!((targets[0].at_least, targets[0].at_most), bounds, "{id}");
        assert_eq!(targets[0].effective_date, date(2026, 1, 1), "from today on");
    }
}

#[tokio::test]
async fn a_key_result_that_makes_no_kpi_is_refused_and_one_that_is_over_is_not_linked() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    for request in [
        key_result("win/steps", milestones(&["a"])),
        key_result("win/open", Kind::Binary(api::Binary {})),
    ] {
        objectives.create_key_result(request).await.expect("a key result");
    }
    let of = |change: fn(&mut api::CreateKpiFromKeyResultRequest)| {
        let mut request = keep("win/deals", "new");
        change(&mut request);
        request
    };
    let no_values = |id: &str| {
        rule(
            "KEY_RESULT_HAS_NO_VALUES",
            &format!("objectives/win/keyResults/{id}"),
        )
    };
    for (request, expected) in [
        (keep("win/steps", "new"), no_values("steps")),
        (keep("win/open", "new"), no_values("open")),
        (
            keep("win/nps", "new"),
            rule("KEY_RESULT_HAS_KPI", "objectives/win/keyResults/nps"),
        ),
        (keep("win/x", "new"), missing("objectives/win/keyResults/x")),
        (keep("x/x", "new"), missing("objectives/x/keyResults/x")),
        (
            keep("win/deals", "nps"),
            refused(AlreadyExists, "ALREADY_EXISTS", &["kpis/nps"]),
        ),
        (of(|it| it.kpi_id = "N".to_owned()), invalid(&["kpi_id"])),
        (of(|it| it.title = "t".repeat(201)), invalid(&["title"])),
        (of(|it| it.cadence = 0), invalid(&["cadence"])),
        (of(|it| it.cadence = 99), invalid(&["cadence"])),
        (of(|it| it.area = "a".repeat(201)), invalid(&["area"])),
        (
            of(|it| it.data_source = "d".repeat(10_001)),
            invalid(&["data_source"]),
        ),
        (of(|it| it.name = acme("objectives/win")), invalid(&["name"])),
        (
            of(|it| it.name = acme("objectives/-/keyResults/deals")),
            invalid(&["name"]),
        ),
        (
            of(|it| it.name = "workspaces/other/objectives/win/keyResults/deals".to_owned()),
            refused(Code::NotFound, "NOT_FOUND", &[]),
        ),
    ] {
        let found = server
            .refusal(server.kpis().create_kpi_from_key_result(request.clone()))
            .await;
        assert_eq!(found, expected, "{request:?}");
    }
    with_objective(&server, "other", |_| {}).await;
    objectives
        .create_check_in(value("other/number", "c", 10.0))
        .await
        .expect("a check-in");
    let close = named!(CloseObjectiveRequest, acme("objectives/other"));
    objectives.close_objective(close).await.expect("closed");
    let before = objective(&server, "other").await;
    let request = api::CreateKpiFromKeyResultRequest {
        title: "Kept".to_owned(),
        kpi_id: String::new(),
        ..keep("other/number", "")
    };
    let made = retried!(server, kpis.create_kpi_from_key_result(request));
    assert_eq!(
        (made.title.as_str(), made.health.expect("its health").health()),
        ("Kept", api::Health::Healthy)
    );
    assert_eq!(
        key_result_of(&server, "other/number").await.kpi,
        "",
        "what is over changes no more"
    );
    assert_eq!(objective(&server, "other").await, before);
    let delete = named!(DeleteKeyResultRequest, key_result_name("win/deals"));
    objectives.delete_key_result(delete).await.expect("deleted");
    assert_eq!(
        server
            .refusal(server.kpis().create_kpi_from_key_result(keep("win/deals", "new")))
            .await,
        rule("DELETED", "objectives/win/keyResults/deals")
    );
}
