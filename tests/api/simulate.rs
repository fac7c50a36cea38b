//! What-ifs: the same figures as really doing it, and what is refused by its index. Nothing is ever recorded.

use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::simulated_command::Command;
use tonic::Code::{FailedPrecondition, NotFound};

use crate::common::*;
use crate::gauges::*;
use crate::steps::*;

pub(crate) fn what_if(commands: Vec<Command>) -> api::SimulateRequest {
    let commands = commands.into_iter().map(|command| api::SimulatedCommand {
        command: Some(command),
    });
    api::SimulateRequest {
        parent: "workspaces/acme".to_owned(),
        commands: commands.collect(),
        ..Default::default()
    }
}

/// A what-if, and that nothing of it was recorded.
pub(crate) async fn simulated(server: &Server, request: api::SimulateRequest) -> api::SimulateResponse {
    let heads = server.heads().await;
    let answer = server.progress().simulate(request).await.expect("an answer");
    assert_eq!(
        answer.metadata().get("binnacle-revision"),
        None,
        "nothing was made durable"
    );
    assert_eq!(server.heads().await, heads);
    answer.into_inner()
}

/// A command is imagined, then really done: the same figures change, by as many events.
macro_rules! same {
    ($server:ident, $Command:ident, $client:ident.$call:ident($request:expr)) => {{
        let request = $request;
        let answer = simulated(&$server, what_if(vec![Command::$Command(request.clone())])).await;
        let revision = $server.head().await;
        assert_eq!(answer.revision, revision);
        $server
            .$client()
            .$call(request)
            .await
            .expect("as it was imagined");
        let events = told_after(&$server, revision).await.len();
        assert_eq!(
            sorted(answer.changes),
            changes_after(&$server, revision).await,
            "{}",
            stringify!($Command)
        );
        assert_eq!(
            usize::try_from(answer.event_count),
            Ok(events),
            "{}",
            stringify!($Command)
        );
    }};
}

#[tokio::test]
async fn what_is_simulated_is_what_a_subscriber_sees_when_it_is_really_done() {
    let server = Server::start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    with_objective(&server, "other", |it| it.aligned_to = acme("objectives/win")).await;
    let (win, other) = (acme("objectives/win"), acme("objectives/other"));
    let roll_up = api::ScoringPolicy {
        name: acme("scoringPolicy"),
        roll_up: api::scoring_policy::RollUp::OwnAndAligned.into(),
        ..Default::default()
    };
    let moved = api::UpdateKeyResultRequest {
        key_result: Some(api::KeyResult {
            name: key_result_name("win/deals"),
            kind: Some(metric(0.0, 20.0)),
            ..Default::default()
        }),
        reason: "Too low.".to_owned(),
        ..Default::default()
    };
    let said = Some(api::Closing {
        explanation: "Rain.".to_owned(),
        ..Default::default()
    });
    same!(
        server,
        CreateCheckIn,
        objectives.create_check_in(value("win/deals", "c", 4.0))
    );
    same!(
        server,
        RecordMeasurement,
        kpis.record_measurement(measure("nps", 1, 60.0))
    );
    same!(
        server,
        SetTarget,
        kpis.set_target(api::SetTargetRequest {
            target: Some(api::Target {
                effective_date: date(2026, 1, 1),
                at_least: Some(70.0),
                ..Default::default()
            }),
            ..new_target("nps")
        })
    );
    same!(server, UpdateKeyResult, objectives.update_key_result(moved));
    same!(
        server,
        UpdateScoringPolicy,
        workspaces.update_scoring_policy(api::UpdateScoringPolicyRequest {
            scoring_policy: Some(roll_up),
            ..Default::default()
        })
    );
    same!(
        server,
        DeleteKeyResult,
        objectives.delete_key_result(named!(DeleteKeyResultRequest, key_result_name("win/nps")))
    );
    same!(
        server,
        UndeleteKeyResult,
        objectives.undelete_key_result(named!(UndeleteKeyResultRequest, key_result_name("win/nps")))
    );
    same!(
        server,
        DeleteObjective,
        objectives.delete_objective(named!(DeleteObjectiveRequest, other))
    );
    same!(
        server,
        UndeleteObjective,
        objectives.undelete_objective(named!(UndeleteObjectiveRequest, other))
    );
    same!(
        server,
        DeleteKpi,
        kpis.delete_kpi(named!(DeleteKpiRequest, acme("kpis/nps")))
    );
    same!(
        server,
        UndeleteKpi,
        kpis.undelete_kpi(named!(UndeleteKpiRequest, acme("kpis/nps")))
    );
    same!(
        server,
        DeleteTeam,
        workspaces.delete_team(named!(DeleteTeamRequest, acme("teams/sales")))
    );
    same!(
        server,
        UndeleteTeam,
        workspaces.undelete_team(named!(UndeleteTeamRequest, acme("teams/sales")))
    );
    same!(
        server,
        CancelObjective,
        objectives.cancel_objective(named!(CancelObjectiveRequest, other))
    );
    same!(
        server,
        ReopenObjective,
        objectives.reopen_objective(named!(ReopenObjectiveRequest, other, reason: "x".to_owned()))
    );
    same!(
        server,
        CloseObjective,
        objectives.close_objective(named!(CloseObjectiveRequest, win, closing: said.clone()))
    );
    same!(
        server,
        ReopenObjective,
        objectives.reopen_objective(named!(ReopenObjectiveRequest, win, reason: "x".to_owned()))
    );
    same!(
        server,
        BeginCycleReview,
        cycles.begin_cycle_review(named!(BeginCycleReviewRequest, acme("cycles/q1")))
    );
    let closings = [&win, &other].map(|objective| api::ObjectiveClosing {
        objective: objective.clone(),
        closing: said.clone(),
    });
    same!(
        server,
        CloseCycle,
        cycles.close_cycle(named!(CloseCycleRequest, acme("cycles/q1"), objectives: closings.to_vec()))
    );
    same!(
        server,
        ReopenCycle,
        cycles.reopen_cycle(named!(ReopenCycleRequest, acme("cycles/q1"), reason: "x".to_owned()))
    );
    same!(
        server,
        CarryOverObjective,
        objectives.carry_over_objective(named!(
            CarryOverObjectiveRequest, win, cycle: acme("cycles/q2"), objective_id: "again".to_owned()
        ))
    );
}

#[tokio::test]
async fn what_is_imagined_of_a_kpi_and_its_alerts_is_what_comes_of_it() {
    let server = Server::start().await;
    with_company(&server).await;
    let (kpi, breach) = (acme("kpis/nps"), alert_name("nps/breach-7"));
    let deals = key_result_name("win/deals");
    let first = acme("kpis/nps/targets/2026-01-01");
    same!(
        server,
        AcknowledgeAlert,
        kpis.acknowledge_alert(named!(AcknowledgeAlertRequest, breach))
    );
    let set = named!(SetActionPlanRequest, breach, action_plan: plan("Call", |_| {}));
    same!(server, SetActionPlan, kpis.set_action_plan(set));
    same!(
        server,
        CompleteActionPlan,
        kpis.complete_action_plan(named!(CompleteActionPlanRequest, breach))
    );
    same!(
        server,
        StartObjectiveFromKpi,
        kpis.start_objective_from_kpi(named!(
            StartObjectiveFromKpiRequest, kpi, cycle: acme("cycles/q1"), objective_id: "back".to_owned()
        ))
    );
    server
        .objectives()
        .create_check_in(value("win/deals", "c", 4.0))
        .await
        .expect("a check-in");
    same!(
        server,
        CreateKpiFromKeyResult,
        kpis.create_kpi_from_key_result(named!(
            CreateKpiFromKeyResultRequest,
            deals,
            kpi_id: "deals".to_owned(),
            cadence: api::Cadence::Daily.into()
        ))
    );
    same!(
        server,
        RecordMeasurement,
        kpis.record_measurement(measure("nps", 1, 60.0))
    );
    same!(
        server,
        CorrectMeasurement,
        kpis.correct_measurement(correction("nps", 1, 45.0))
    );
    same!(
        server,
        CorrectMeasurement,
        kpis.correct_measurement(correction("nps", 1, 55.0))
    );
    same!(
        server,
        RetractMeasurement,
        kpis.retract_measurement(retraction("nps", 1))
    );
    let ramp = target("nps", 1, |it| {
        it.at_least = Some(40.0);
        it.ramp = Some(api::target::Ramp {
            date: date(2026, 1, 31),
            at_least: Some(70.0),
            ..Default::default()
        });
    });
    same!(server, SetTarget, kpis.set_target(ramp));
    same!(
        server,
        DeleteTarget,
        kpis.delete_target(named!(DeleteTargetRequest, first))
    );
    same!(server, SetTarget, kpis.set_target(new_target("nps")));
    same!(
        server,
        ArchiveKpi,
        kpis.archive_kpi(named!(ArchiveKpiRequest, kpi))
    );
    same!(
        server,
        UnarchiveKpi,
        kpis.unarchive_kpi(named!(UnarchiveKpiRequest, kpi))
    );
    let unknown = what_if(vec![
        Command::RetractMeasurement(retraction("nps", 0)),
        Command::RetractMeasurement(retraction("nps", 0)),
        Command::SetActionPlan(named!(SetActionPlanRequest, alert_name("nps/breach-1"))),
    ]);
    assert_eq!(
        server.refusal(server.progress().simulate(unknown)).await,
        refused(NotFound, "MEASUREMENT_NOT_FOUND", &["commands[1]", "commands[2]"])
    );
}

#[tokio::test]
async fn every_bad_command_is_named_by_its_index_and_nothing_else_is_answered() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut elsewhere = new_kpi("x");
    elsewhere.parent = "workspaces/other".to_owned();
    let mut bad = what_if(vec![
        Command::CreateCheckIn(value("win/deals", "a", 1.0)),
        Command::CreateCheckIn(value("win/x", "a", 1.0)),
        Command::CreateCheckIn(value("win/deals", "b", f64::NAN)),
        Command::CreateKpi(elsewhere),
        Command::DeleteObjective(named!(DeleteObjectiveRequest, acme("objectives/win"))),
        Command::CreateCheckIn(value("win/deals", "c", 1.0)),
        Command::CloseCycle(named!(CloseCycleRequest, acme("cycles/q1"), dry_run: true)),
        Command::UpdateMember(api::UpdateMemberRequest::default()),
    ]);
    bad.commands.push(api::SimulatedCommand::default());
    let names = [1, 2, 3, 5, 6, 7, 8].map(|index| format!("commands[{index}]"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(
        server.refusal(server.progress().simulate(bad)).await,
        refused(NotFound, "NOT_FOUND", &names),
        "each on the result of the good ones in front of it"
    );
    let stale = named!(CancelObjectiveRequest, acme("objectives/win"), etag: "r1".to_owned());
    let one = what_if(vec![Command::CancelObjective(stale)]);
    assert_eq!(
        server.refusal(server.progress().simulate(one)).await,
        refused(tonic::Code::Aborted, "ETAG_MISMATCH", &["commands[0]"])
    );
    let wrong = api::SimulateRequest {
        parent: "workspaces/-".to_owned(),
        ..what_if(vec![])
    };
    assert_eq!(
        server.refusal(server.progress().simulate(wrong)).await,
        invalid(&["parent"])
    );
    server
        .workspaces()
        .delete_workspace(named!(DeleteWorkspaceRequest, "workspaces/acme"))
        .await
        .expect("deleted");
    let gone = what_if(vec![Command::CreateKpi(new_kpi("x"))]);
    assert_eq!(
        server.refusal(server.progress().simulate(gone)).await,
        refused(FailedPrecondition, "DELETED", &["commands[0]"])
    );
}

/// Waits until the server is at so many simulations.
async fn until_simulating(server: &Server, count: u64) {
    let simulate = "binnacle.v1.ProgressService/Simulate";
    loop {
        let calls = server.standing.calls().expect("a server that serves");
        let of_them = calls.called().find(|method| method.name() == simulate);
        if of_them.map_or(0, |method| method.in_flight()) == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_commands_are_imagined_one_more_is_refused_and_who_hangs_up_harms_nobody() {
    let server = Server::start().await;
    with_company(&server).await;
    let many = |count: usize| {
        let commands = (0..count).map(|number| Command::CreateKpi(new_kpi(&format!("k{number}"))));
        what_if(commands.collect())
    };
    let refusal = server.refusal(server.progress().simulate(many(10_001))).await;
    assert_eq!(refusal, invalid(&["commands"]));
    // Each of these is dropped while it is being imagined.
    for wait_ms in [0, 1, 5, 20] {
        in_time("the end of the one before", until_simulating(&server, 0)).await;
        let mut client = server.progress();
        let asked = tokio::spawn(async move { client.simulate(many(10_000)).await });
        in_time("a simulation that has begun", until_simulating(&server, 1)).await;
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        asked.abort();
        let _gone = asked.await;
    }
    let answer = simulated(&server, many(10_000)).await;
    assert_eq!(answer.event_count, 10_000);
    assert_eq!(answer.changes.len(), 10_000);
    server
        .objectives()
        .create_check_in(value("win/deals", "c", 1.0))
        .await
        .expect("it lives on");
}
