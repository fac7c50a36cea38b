//! Deletion and undeletion: what goes with it, what the scores were before, during and after, what comes back, and what
//! subscribers and auditors see.

use binnacle::proto::api;
use tonic::Code::AlreadyExists;

use crate::common::*;
use crate::steps::*;

/// The company with a second ACTIVE objective beside win: deals at 0.4 of win, other at 1.0.
pub(crate) async fn scored(server: &Server) {
    with_company(server).await;
    with_objective(server, "other", |other| other.team = acme("teams/sales")).await;
    let mut objectives = server.objectives();
    for check_in in [value("win/deals", "c", 4.0), value("other/number", "c", 10.0)] {
        objectives.create_check_in(check_in).await.expect("a check-in");
    }
}

#[tokio::test]
async fn an_objective_goes_with_all_below_it_and_comes_back_as_it_was() {
    let server = Server::start().await;
    scored(&server).await;
    let before = scores(&server, "win").await;
    assert_eq!(before, [Some(0.2), Some(0.6), Some(0.6), Some(0.6)]);
    let names_before = snapshot(&server).await;
    // What was deleted for itself does not come back with the whole.
    let mut objectives = server.objectives();
    let demos = named!(DeleteInitiativeRequest, acme("objectives/win/initiatives/demos"));
    objectives.delete_initiative(demos).await.expect("deleted");
    let revision = server.head().await;

    let etag = objective(&server, "win").await.etag;
    let deleted = retried!(
        server,
        objectives.delete_objective(named!(DeleteObjectiveRequest, acme("objectives/win"), etag: etag))
    );
    assert_eq!((deleted.delete_time, deleted.progress), (time(0), None));
    assert_eq!(
        scores(&server, "win").await,
        [None, Some(1.0), Some(1.0), Some(1.0)]
    );
    let deals = key_result_of(&server, "win/deals").await;
    assert_eq!((deals.delete_time, deals.progress), (time(0), None));
    let names = snapshot(&server).await;
    assert!(
        !names.iter().any(|name| name.starts_with("objectives/win")),
        "{names:?}"
    );

    let told = told_after(&server, revision).await;
    let deletion = ("deleted".to_owned(), String::new(), "true".to_owned());
    assert_eq!(
        (told[0].0.as_str(), told[0].1.as_str()),
        ("ObjectiveDeleted", "objectives/win")
    );
    assert!(
        told[0]
            .2
            .iter()
            .any(|(path, _, after)| (path, after) == (&deletion.0, &deletion.2)),
        "{told:?}"
    );
    let (_, update) = &messages_after(&server, revision).await[0];
    let whose: Vec<&str> = update
        .derived_changes
        .iter()
        .map(|change| change.resource.trim_start_matches("workspaces/acme/"))
        .collect();
    assert_eq!(
        whose,
        [
            "objectives/win/keyResults/deals",
            "objectives/win/keyResults/nps",
            "objectives/win",
            "teams/sales",
            "cycles/q1",
            "workspaces/acme"
        ]
    );
    let Some(api::derived_change::Figure::Objective(win)) = &update.derived_changes[2].figure else {
        panic!("{update:?}");
    };
    assert_eq!(win.before.as_ref().and_then(|before| before.score), Some(0.2));
    assert_eq!(win.after, None);

    let back = retried!(
        server,
        objectives.undelete_objective(named!(UndeleteObjectiveRequest, acme("objectives/win")))
    );
    assert_eq!(back.delete_time, None);
    assert_ne!(back.etag, deleted.etag, "who read it deleted is out of date");
    assert_eq!(scores(&server, "win").await, before);
    let demos = "objectives/win/initiatives/demos";
    let mut expected = names_before;
    expected.retain(|name| name != demos);
    let mut names = snapshot(&server).await;
    names.retain(|name| !name.starts_with("members/other-"));
    assert_eq!(names, expected, "exactly what that deletion removed");
    let demos = named!(UndeleteInitiativeRequest, acme(demos));
    let demos = retried!(server, objectives.undelete_initiative(demos));
    assert_eq!(demos.delete_time, None);
}

#[tokio::test]
async fn what_lies_in_something_deleted_cannot_be_touched_nor_brought_back_alone() {
    let server = Server::start().await;
    scored(&server).await;
    let mut objectives = server.objectives();
    let deals = "objectives/win/keyResults/deals";
    let delete = named!(DeleteKeyResultRequest, acme(deals));
    retried!(server, objectives.delete_key_result(delete.clone()));
    assert_eq!(
        objective(&server, "win")
            .await
            .progress
            .and_then(|progress| progress.score),
        Some(0.0),
        "the other key result stands at its baseline"
    );
    let undelete = || named!(UndeleteKeyResultRequest, acme(deals));
    assert_eq!(
        server.refusal(objectives.delete_key_result(delete)).await,
        rule("DELETED", deals)
    );
    for (refusal, about) in [
        (
            server
                .refusal(objectives.create_check_in(value("win/deals", "x", 1.0)))
                .await,
            deals,
        ),
        (
            server
                .refusal(objectives.correct_check_in(api::CorrectCheckInRequest {
                    check_in: Some(api::CheckIn {
                        name: acme(&format!("{deals}/checkIns/c")),
                        value: Some(1.0),
                        ..Default::default()
                    }),
                    ..Default::default()
                }))
                .await,
            deals,
        ),
        (
            server
                .refusal(objectives.retract_check_in(named!(
                    RetractCheckInRequest,
                    acme(&format!("{deals}/checkIns/c"))
                )))
                .await,
            deals,
        ),
    ] {
        assert_eq!(refusal, rule("DELETED", about));
    }
    let taken = new_key_result("win", "deals");
    assert_eq!(
        server.refusal(objectives.create_key_result(taken)).await,
        refused(AlreadyExists, "ALREADY_EXISTS", &[deals]),
        "its name stays taken"
    );

    let delete = named!(DeleteObjectiveRequest, acme("objectives/win"));
    objectives.delete_objective(delete).await.expect("deleted");
    let gone = rule("DELETED", "objectives/win");
    assert_eq!(
        server.refusal(objectives.undelete_key_result(undelete())).await,
        gone
    );
    assert_eq!(
        server
            .refusal(objectives.create_key_result(new_key_result("win", "more")))
            .await,
        gone
    );
    assert_eq!(
        server
            .refusal(objectives.create_initiative(new_initiative("win", "more")))
            .await,
        gone
    );
    assert_eq!(
        server
            .refusal(objectives.delete_initiative(named!(
                DeleteInitiativeRequest,
                acme("objectives/win/initiatives/demos")
            )))
            .await
            .reason,
        "DELETED"
    );
    for refusal in [
        server
            .refusal(objectives.close_objective(named!(CloseObjectiveRequest, acme("objectives/win"))))
            .await,
        server
            .refusal(objectives.cancel_objective(named!(CancelObjectiveRequest, acme("objectives/win"))))
            .await,
        server
            .refusal(objectives.get_objective_tree(named!(GetObjectiveTreeRequest, acme("objectives/win"))))
            .await,
    ] {
        assert_eq!(refusal, gone);
    }
    objectives
        .undelete_objective(named!(UndeleteObjectiveRequest, acme("objectives/win")))
        .await
        .expect("undeleted");
    assert_ne!(
        key_result_of(&server, "win/deals").await.delete_time,
        None,
        "it went before"
    );
    let back = retried!(server, objectives.undelete_key_result(undelete()));
    assert_eq!(back.progress.map(|progress| progress.score), Some(0.4));
    assert_eq!(
        server.refusal(objectives.undelete_key_result(undelete())).await,
        rule("NOT_DELETED", deals)
    );
}

#[tokio::test]
async fn a_key_result_whose_kpi_is_deleted_keeps_its_last_value_and_says_so() {
    let server = Server::start().await;
    with_company(&server).await;
    server
        .kpis()
        .record_measurement(measure("nps", 1, 52.5))
        .await
        .expect("a value");
    let before = key_result_of(&server, "win/nps")
        .await
        .progress
        .expect("it is ACTIVE");
    assert_eq!((before.score, before.source_deleted), (0.5, false));
    let deleted = retried!(
        server,
        kpis.delete_kpi(named!(DeleteKpiRequest, acme("kpis/nps")))
    );
    assert_eq!(deleted.health, None, "it is judged no more");
    let during = key_result_of(&server, "win/nps")
        .await
        .progress
        .expect("it is ACTIVE");
    assert_eq!((during.score, during.source_deleted), (0.5, true));
    let names = snapshot(&server).await;
    assert!(!names.iter().any(|name| name.starts_with("kpis/")), "{names:?}");
    let gone = rule("DELETED", "kpis/nps");
    let mut kpis = server.kpis();
    assert_eq!(
        server
            .refusal(kpis.record_measurement(measure("nps", 2, 1.0)))
            .await,
        gone
    );
    assert_eq!(server.refusal(kpis.set_target(new_target("nps"))).await, gone);
    let another = key_result_of_kpi("win", "another", "nps");
    assert_eq!(
        server
            .refusal(server.objectives().create_key_result(another))
            .await,
        gone
    );
    let nps = named!(DeleteKpiRequest, acme("kpis/nps"));
    assert_eq!(server.refusal(kpis.delete_kpi(nps)).await, gone);
    // What it is, is still known, and may be changed without naming the KPI anew.
    let retitle = api::UpdateKeyResultRequest {
        key_result: Some(api::KeyResult {
            name: key_result_name("win/nps"),
            title: "NPS of 65".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    server
        .objectives()
        .update_key_result(retitle)
        .await
        .expect("another title");
    let back = retried!(
        server,
        kpis.undelete_kpi(named!(UndeleteKpiRequest, acme("kpis/nps")))
    );
    assert_eq!(
        back.health.map(|health| health.health()),
        Some(api::Health::Healthy)
    );
    let after = key_result_of(&server, "win/nps").await.progress;
    assert_eq!(after, Some(before));
}

#[tokio::test]
async fn what_is_graded_is_not_taken_out_nor_put_back() {
    let server = Server::start().await;
    with_company(&server).await;
    with_objective(&server, "gone", |_| {}).await;
    let mut objectives = server.objectives();
    let delete = |id: &str| named!(DeleteObjectiveRequest, acme(&format!("objectives/{id}")));
    objectives
        .delete_objective(delete("gone"))
        .await
        .expect("deleted");
    let explained = api::Closing {
        explanation: "Rain.".to_owned(),
        ..Default::default()
    };
    let close = named!(CloseObjectiveRequest, acme("objectives/win"), closing: Some(explained));
    objectives.close_objective(close).await.expect("closed");
    let over = rule("OBJECTIVE_OVER", "objectives/win");
    let deals = named!(DeleteKeyResultRequest, acme("objectives/win/keyResults/deals"));
    assert_eq!(server.refusal(objectives.delete_key_result(deals)).await, over);
    let demos = named!(DeleteInitiativeRequest, acme("objectives/win/initiatives/demos"));
    assert_eq!(server.refusal(objectives.delete_initiative(demos)).await, over);
    let mut cycles = server.cycles();
    let begin = named!(BeginCycleReviewRequest, acme("cycles/q1"));
    cycles.begin_cycle_review(begin).await.expect("a review");
    cycles
        .close_cycle(named!(CloseCycleRequest, acme("cycles/q1")))
        .await
        .expect("closed: what is deleted needs no explanation");
    let closed = rule("CYCLE_CLOSED", "cycles/q1");
    assert_eq!(
        server.refusal(objectives.delete_objective(delete("win"))).await,
        closed
    );
    let back = named!(UndeleteObjectiveRequest, acme("objectives/gone"));
    assert_eq!(server.refusal(objectives.undelete_objective(back)).await, closed);
}
