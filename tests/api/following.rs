//! Who follows every change sees what is there, and who repeats a request after a restart is answered what it answered.

use binnacle::engine::EngineConfig;
use binnacle::log::SledLog;
use binnacle::proto::api;
use binnacle::service::ServerConfig;

use crate::closing::{close, explained};
use crate::common::view::{fold, view_of};
use crate::common::*;
use crate::steps::*;

#[tokio::test]
async fn a_view_folded_from_every_change_is_the_snapshot_after_each_of_them() {
    let server = Server::start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    with_objective(&server, "child", |it| {
        it.aligned_to = acme("objectives/win");
        it.team = acme("teams/sales");
    })
    .await;
    let mut view = view_of(&resources(&server).await);
    let mut revision = server.head().await;
    let roll_up = api::ScoringPolicy {
        name: acme("scoringPolicy"),
        roll_up: api::scoring_policy::RollUp::OwnAndAligned.into(),
        ..Default::default()
    };
    macro_rules! then {
        ($client:ident.$call:ident($request:expr)) => {{
            server.$client().$call($request).await.expect(stringify!($call));
            for (_, update) in messages_after(&server, revision).await {
                for change in &update.derived_changes {
                    fold(&mut view, change);
                }
            }
            revision = server.head().await;
            assert_eq!(
                view,
                view_of(&resources(&server).await),
                "after {}",
                stringify!($call)
            );
        }};
    }
    let name = |path: &str| acme(path);
    let because = || "Because.".to_owned();
    then!(objectives.create_check_in(value("win/deals", "c", 4.0)));
    then!(objectives.create_check_in(value("child/number", "c", 8.0)));
    then!(workspaces.update_scoring_policy(api::UpdateScoringPolicyRequest {
        scoring_policy: Some(roll_up),
        ..Default::default()
    }));
    then!(objectives.delete_key_result(named!(
        DeleteKeyResultRequest,
        name("objectives/win/keyResults/deals")
    )));
    then!(objectives.delete_objective(named!(DeleteObjectiveRequest, name("objectives/child"))));
    then!(objectives.undelete_objective(named!(UndeleteObjectiveRequest, name("objectives/child"))));
    then!(objectives.delete_objective(named!(DeleteObjectiveRequest, name("objectives/win"))));
    then!(objectives.create_check_in(value("child/number", "d", 9.0)));
    then!(objectives.undelete_objective(named!(UndeleteObjectiveRequest, name("objectives/win"))));
    then!(objectives.undelete_key_result(named!(
        UndeleteKeyResultRequest,
        name("objectives/win/keyResults/deals")
    )));
    then!(workspaces.delete_team(named!(DeleteTeamRequest, name("teams/sales"))));
    then!(objectives.retract_check_in(named!(
        RetractCheckInRequest,
        name("objectives/child/keyResults/number/checkIns/d")
    )));
    then!(workspaces.undelete_team(named!(UndeleteTeamRequest, name("teams/sales"))));
    then!(kpis.delete_kpi(named!(DeleteKpiRequest, name("kpis/nps"))));
    then!(kpis.undelete_kpi(named!(UndeleteKpiRequest, name("kpis/nps"))));
    then!(objectives.cancel_objective(named!(CancelObjectiveRequest, name("objectives/child"))));
    then!(objectives.reopen_objective(named!(
        ReopenObjectiveRequest,
        name("objectives/child"),
        reason: because()
    )));
    then!(cycles.begin_cycle_review(named!(BeginCycleReviewRequest, name("cycles/q1"))));
    then!(cycles.close_cycle(close(vec![explained("win"), explained("child")])));
    then!(objectives.correct_check_in(api::CorrectCheckInRequest {
        check_in: Some(api::CheckIn {
            name: name("objectives/child/keyResults/number/checkIns/c"),
            value: Some(2.0),
            ..Default::default()
        }),
        ..Default::default()
    }));
    then!(cycles.reopen_cycle(named!(ReopenCycleRequest, name("cycles/q1"), reason: because())));
    then!(objectives.carry_over_objective(named!(
        CarryOverObjectiveRequest,
        name("objectives/win"),
        cycle: name("cycles/q2"),
        objective_id: "again".to_owned()
    )));
    then!(workspaces.delete_workspace(named!(DeleteWorkspaceRequest, "workspaces/acme")));
    then!(workspaces.undelete_workspace(named!(UndeleteWorkspaceRequest, "workspaces/acme")));
    assert!(view.len() > 5, "{view:?} at {revision}");
}

#[tokio::test]
async fn a_retry_after_a_restart_answers_the_ids_that_the_server_chose_and_records_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = async || {
        let log = SledLog::open(folder.path()).expect("a log");
        Server::with(log, EngineConfig::default(), ServerConfig::default()).await
    };
    let mut server = start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    let batch = api::BatchCreateCheckInsRequest {
        parent: "workspaces/acme".to_owned(),
        requests: vec![value("win/deals", "", 1.0), value("win/deals", "", 2.0)],
        request_id: new_request_id(),
        ..Default::default()
    };
    let cascade = named!(
        CascadeObjectiveRequest,
        acme("objectives/win"),
        teams: vec![api::CascadeTeam { team: acme("teams/sales"), ..Default::default() }],
        request_id: new_request_id()
    );
    let carry = named!(
        CarryOverObjectiveRequest,
        acme("objectives/win"),
        cycle: acme("cycles/q2"),
        request_id: new_request_id()
    );
    let review = api::CreateReviewRequest {
        parent: acme("cycles/q1"),
        review: Some(api::Review::default()),
        request_id: new_request_id(),
        ..Default::default()
    };
    let begin = named!(BeginCycleReviewRequest, acme("cycles/q1"), request_id: new_request_id());
    let close = api::CloseCycleRequest {
        request_id: new_request_id(),
        ..close(vec![])
    };
    let delete = named!(DeleteTeamRequest, acme("teams/sales"), request_id: new_request_id());
    macro_rules! all {
        () => {
            (
                server
                    .objectives()
                    .batch_create_check_ins(batch.clone())
                    .await
                    .expect("a batch")
                    .into_inner(),
                server
                    .objectives()
                    .cascade_objective(cascade.clone())
                    .await
                    .expect("a cascade")
                    .into_inner(),
                server
                    .objectives()
                    .carry_over_objective(carry.clone())
                    .await
                    .expect("carried")
                    .into_inner(),
                server
                    .cycles()
                    .create_review(review.clone())
                    .await
                    .expect("a review")
                    .into_inner(),
                server
                    .cycles()
                    .begin_cycle_review(begin.clone())
                    .await
                    .expect("REVIEW")
                    .into_inner(),
                server
                    .cycles()
                    .close_cycle(close.clone())
                    .await
                    .expect("CLOSED")
                    .into_inner(),
                server
                    .workspaces()
                    .delete_team(delete.clone())
                    .await
                    .expect("deleted")
                    .into_inner(),
            )
        };
    }
    let first = all!();
    let heads = server.heads().await;
    server.tell_to_stop();
    server.ended().await.expect("in good order");
    server = start().await;
    assert_eq!(all!(), first);
    assert_eq!(server.heads().await, heads);
}
