//! What is exported applies to an equal workspace.

use binnacle::proto::api;

use crate::lists::Lists;
use crate::server::Server;

const EVERYTHING: &str = include_str!("everything.yaml");

/// A workspace with something of everything, and with a past: things deleted, corrected, retracted and carried over.
fn with_a_past() -> Server {
    let server = Server::with(EVERYTHING);
    let name = |path: &str| format!("workspaces/acme/{path}");
    server.ask(async {
        let request = api::DeleteTeamRequest {
            name: name("teams/alpha"),
            ..api::DeleteTeamRequest::default()
        };
        server
            .workspaces()
            .delete_team(request)
            .await
            .expect("a deletion");
        let request = api::DeleteKpiRequest {
            name: name("kpis/mood"),
            ..api::DeleteKpiRequest::default()
        };
        server.kpis().delete_kpi(request).await.expect("a deletion");
        let request = api::DeleteKeyResultRequest {
            name: name("objectives/grow/keyResults/kept"),
            ..api::DeleteKeyResultRequest::default()
        };
        server
            .objectives()
            .delete_key_result(request)
            .await
            .expect("a deletion");
        let request = api::RetractCheckInRequest {
            name: name("objectives/grow/keyResults/keep/checkIns/w1"),
            ..api::RetractCheckInRequest::default()
        };
        server
            .objectives()
            .retract_check_in(request)
            .await
            .expect("a retraction");
        let request = api::CorrectCheckInRequest {
            check_in: Some(api::CheckIn {
                name: name("objectives/grow/keyResults/steps/checkIns/w1"),
                confidence: Some(0.25),
                ..api::CheckIn::default()
            }),
            ..api::CorrectCheckInRequest::default()
        };
        server
            .objectives()
            .correct_check_in(request)
            .await
            .expect("a correction");
        let request = api::CarryOverObjectiveRequest {
            name: name("objectives/aligned"),
            cycle: name("cycles/q2"),
            objective_id: "aligned-again".to_owned(),
            ..api::CarryOverObjectiveRequest::default()
        };
        server
            .objectives()
            .carry_over_objective(request)
            .await
            .expect("a new draft");
    });
    server
}

#[test]
fn an_export_applies_to_an_equal_workspace_and_exports_the_same_bytes() {
    let server = with_a_past();
    let exported = server.export();

    let copy = Server::start();
    let applied = copy.apply_text(&exported.stdout, &[]);
    assert_eq!(applied.good().stderr, "", "{}", applied.stderr);

    let (mut before, after) = (Lists::of(&server), Lists::of(&copy));
    // What is deleted is left out where something refers to it, and what was carried over is CANCELED: nobody can be told
    // afterwards that it was POSTPONED. Everything else is equal.
    for objective in &mut before.objectives {
        objective.carried_from.clear();
        objective.serves.retain(|kpi| !kpi.ends_with("kpis/mood"));
        objective
            .contributing_teams
            .retain(|team| !team.ends_with("teams/alpha"));
        if objective.team.ends_with("teams/alpha") {
            objective.team.clear();
        }
        if objective.name.ends_with("/aligned") {
            let result = objective.result.take().expect("it was closed");
            assert_eq!(
                result.grading.expect("a grading").outcome(),
                api::Outcome::Postponed
            );
            objective.state = api::objective::State::Canceled.into();
        }
    }
    assert_eq!(before.objectives, after.objectives);
    assert!(before == after, "{before:#?}\n{after:#?}");
    // It has something of everything, and it was graded as it was.
    assert_eq!(
        (after.teams.len(), after.kpis.len(), after.key_results.len()),
        (2, 3, 8)
    );
    assert_eq!(
        (
            after.check_ins.len(),
            after.measurements.len(),
            after.reviews.len()
        ),
        (5, 6, 1)
    );
    let won = after
        .objectives
        .iter()
        .find(|objective| objective.name.ends_with("/won"))
        .unwrap();
    let result = won.result.as_ref().unwrap();
    assert_eq!((result.score, result.with_cycle), (Some(0.8), true));
    assert_eq!(result.grading.as_ref().unwrap().grade, Some(0.9));

    assert_eq!(copy.export().stdout, exported.stdout);
    let told: Vec<_> = exported.stderr.lines().collect();
    assert_eq!(
        told,
        [
            "objectives/aligned is written without its team: teams/alpha is deleted",
            "objectives/aligned is written without its contributing_teams: teams/alpha is deleted",
            "objectives/aligned is written without its serves: kpis/mood is deleted",
            "objectives/aligned-again is written without its team: teams/alpha is deleted",
            "objectives/aligned-again is written without its contributing_teams: teams/alpha is deleted",
            "objectives/aligned-again is written without its serves: kpis/mood is deleted",
        ]
    );
}

#[test]
fn an_export_applied_to_its_own_workspace_changes_nothing() {
    let server = with_a_past();
    let exported = server.export();
    let revision = server.revision();
    let applied = server.apply_text(&exported.stdout, &[]);
    assert_eq!(applied.good().changes(), [""; 0]);
    assert_eq!(applied.stderr, "");
    assert_eq!(server.revision(), revision);
}

#[test]
fn an_export_goes_into_a_file_that_is_replaced_as_a_whole() {
    let server = Server::with(EVERYTHING);
    server.write("acme.yaml", "what was here before");
    let run = server.run(
        &["export", "--workspace", "workspaces/acme", "-o", "acme.yaml"],
        "",
    );
    assert_eq!(run.good().stdout, "");
    assert_eq!(
        server.read("acme.yaml").trim_end(),
        server.export().stdout.trim_end()
    );
    let run = server.run(&["export", "--workspace", "other"], "");
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            Some(2),
            "binnacle: workspaces/other does not exist: correct the name\n"
        )
    );
    let run = server.run(&["export", "--workspace", "acme", "-o", "nowhere/acme.yaml"], "");
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn the_demos_company_is_applied_once_and_then_unchanged() {
    let server = Server::start();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/manifests");
    let apply = || server.run(&["apply", "-f", folder, "--actor", "maria"], "");
    let first = apply();
    assert_eq!(
        first.good().summary(),
        "64 documents: 64 created, 0 updated, 0 unchanged"
    );
    assert_eq!(first.stderr, "");
    let events = || {
        let request = api::ListEventsRequest {
            parent: "workspaces/meridian".to_owned(),
            page_size: 1000,
            ..api::ListEventsRequest::default()
        };
        let mut audit = api::audit_service_client::AuditServiceClient::new(server.channel.clone());
        server
            .ask(audit.list_events(request))
            .expect("events")
            .into_inner()
            .events
    };
    let after_first = events();
    assert_eq!(
        apply().good().summary(),
        "64 documents: 0 created, 0 updated, 64 unchanged"
    );
    assert_eq!(events(), after_first);
    // Key results that follow a KPI begin where it stands.
    let request = api::GetKeyResultRequest {
        name: "workspaces/meridian/objectives/experience/keyResults/nps".to_owned(),
        min_revision: 0,
        as_of: None,
    };
    let nps = server
        .ask(server.objectives().get_key_result(request))
        .expect("a key result")
        .into_inner();
    let Some(api::key_result::Kind::Metric(metric)) = nps.kind else {
        panic!("{nps:?}")
    };
    assert_eq!((metric.baseline, metric.target), (Some(70.0), Some(80.0)));
    assert_eq!(nps.state, i32::from(api::objective::State::Active));
}
