//! Every call that names one resource: names that are no names, that name nothing, or something elsewhere; an etag that
//! is not the newest; a workspace that is deleted; revisions that are not there yet.

use binnacle::proto::api;
use tonic::Code::{Aborted, OutOfRange};

use crate::common::*;
use crate::steps::*;

/// Every write about one resource that has an etag: whose client, the call, its request, and a resource of its kind in
/// the company, with what the request needs beside.
macro_rules! with_each_write {
    ($one:ident) => {
        $one!(workspaces.delete_team(DeleteTeamRequest, "teams/sales"));
        $one!(workspaces.undelete_team(UndeleteTeamRequest, "teams/sales"));
        $one!(workspaces.delete_member(DeleteMemberRequest, "members/anonymous"));
        $one!(workspaces.undelete_member(UndeleteMemberRequest, "members/anonymous"));
        $one!(objectives.delete_objective(DeleteObjectiveRequest, "objectives/win"));
        $one!(objectives.undelete_objective(UndeleteObjectiveRequest, "objectives/win"));
        $one!(objectives.delete_key_result(DeleteKeyResultRequest, "objectives/win/keyResults/deals"));
        $one!(objectives.undelete_key_result(UndeleteKeyResultRequest, "objectives/win/keyResults/deals"));
        $one!(objectives.delete_initiative(DeleteInitiativeRequest, "objectives/win/initiatives/demos"));
        $one!(objectives.undelete_initiative(UndeleteInitiativeRequest, "objectives/win/initiatives/demos"));
        $one!(kpis.delete_kpi(DeleteKpiRequest, "kpis/nps"));
        $one!(kpis.undelete_kpi(UndeleteKpiRequest, "kpis/nps"));
        $one!(cycles.begin_cycle_review(BeginCycleReviewRequest, "cycles/q1"));
        $one!(cycles.close_cycle(CloseCycleRequest, "cycles/q1"));
        $one!(cycles.close_cycle(CloseCycleRequest, "cycles/q1", dry_run: true));
        $one!(cycles.reopen_cycle(ReopenCycleRequest, "cycles/q1", reason: "It was wrong.".to_owned()));
        $one!(objectives.close_objective(CloseObjectiveRequest, "objectives/win"));
        $one!(objectives.reopen_objective(
            ReopenObjectiveRequest,
            "objectives/win",
            reason: "It was wrong.".to_owned()
        ));
        $one!(objectives.cancel_objective(CancelObjectiveRequest, "objectives/win"));
        $one!(objectives.carry_over_objective(
            CarryOverObjectiveRequest,
            "objectives/win",
            cycle: acme("cycles/q1")
        ));
        $one!(objectives.cascade_objective(
            CascadeObjectiveRequest,
            "objectives/win",
            teams: vec![api::CascadeTeam {
                team: acme("teams/sales"),
                ..Default::default()
            }]
        ));
    };
}

#[tokio::test]
async fn a_name_that_is_none_or_of_another_kind_is_refused_by_its_field() {
    let server = Server::start().await;
    with_company(&server).await;
    let (long, foreign) = (acme(&"x/".repeat(50_000)), acme("objectives/größer\u{202e}\r\n"));
    let names_of_nothing = [
        long.as_str(),
        foreign.as_str(),
        "",
        "-",
        "objectives/win",
        "workspaces/acme",
        "workspaces/acme/kpis/NPS",
        "workspaces/acme/cycles/q1/reviews/x",
        "workspaces/acme/events/1.0",
    ];
    macro_rules! one {
        ($client:ident.$call:ident($Request:ident, $name:expr $(, $field:ident: $value:expr)*)) => {
            for name in names_of_nothing {
                let request = named!($Request, name $(, $field: $value)*);
                let refusal = server.refusal(server.$client().$call(request)).await;
                let fields = refusal.about.clone();
                assert!(fields.contains(&"name".to_owned()), "{} {name:.50}: {refusal:?}", stringify!($call));
                assert_eq!(refusal.reason, "INVALID_FIELD", "{} {name:.50}", stringify!($call));
            }
        };
    }
    with_each_write!(one);
    for name in [
        "",
        "workspaces/",
        "workspaces/Acme",
        "workspaces/acme/",
        "acme",
        "workspaces/-",
    ] {
        let delete = named!(DeleteWorkspaceRequest, name);
        let refusal = server.refusal(server.workspaces().delete_workspace(delete)).await;
        assert_eq!(refusal, invalid(&["name"]), "{name:?}");
    }
    let retract = named!(RetractCheckInRequest, acme("objectives/win/keyResults/deals"));
    let refusal = server
        .refusal(server.objectives().retract_check_in(retract))
        .await;
    assert_eq!(refusal, invalid(&["name"]));
}

#[tokio::test]
async fn what_is_named_and_is_not_there_is_not_found_whether_the_name_or_the_workspace_is_wrong() {
    let server = Server::start().await;
    with_company(&server).await;
    server
        .workspaces()
        .create_workspace(new_workspace("other"))
        .await
        .expect("another workspace");
    macro_rules! one {
        ($client:ident.$call:ident($Request:ident, $name:expr $(, $field:ident: $value:expr)*)) => {
            // members/anonymous is in every workspace.
            let wrong = $name.replace("anonymous", "nobody").replace("q1", "q9").replace("/win", "/x");
            let wrong = wrong.replace("sales", "x").replace("kpis/nps", "kpis/x");
            let request = named!($Request, acme(&wrong) $(, $field: $value)*);
            let refusal = server.refusal(server.$client().$call(request)).await;
            assert_eq!(refusal, missing(&wrong), "{}", stringify!($call));
            let mut request = named!($Request, acme(&wrong).replace("acme", "other") $(, $field: $value)*);
            in_other(&mut request);
            let refusal = server.refusal(server.$client().$call(request)).await;
            assert_eq!(refusal, missing(&wrong), "{} in another workspace", stringify!($call));
            let mut request = named!($Request, acme(&wrong).replace("acme", "nowhere") $(, $field: $value)*);
            in_other(&mut request);
            request.name = request.name.replace("other", "nowhere");
            let refusal = server.refusal(server.$client().$call(request)).await;
            let named = refusal.about.clone();
            assert!(named.is_empty() || refusal.reason == "INVALID_FIELD", "{}: {refusal:?}", stringify!($call));
        };
    }
    with_each_write!(one);
    let delete = named!(DeleteWorkspaceRequest, "workspaces/nowhere");
    let refusal = server.refusal(server.workspaces().delete_workspace(delete)).await;
    assert_eq!(refusal, refused(tonic::Code::NotFound, "NOT_FOUND", &[]));
}

/// A request whose references lie in workspaces/other.
fn in_other<R: InOther>(request: &mut R) {
    request.in_other();
}

trait InOther {
    fn in_other(&mut self) {}
}

macro_rules! without_references {
    ($($Request:ident)*) => {
        $(impl InOther for api::$Request {})*
    };
}

without_references! {
    DeleteTeamRequest UndeleteTeamRequest DeleteMemberRequest UndeleteMemberRequest DeleteObjectiveRequest
    UndeleteObjectiveRequest DeleteKeyResultRequest UndeleteKeyResultRequest DeleteInitiativeRequest
    UndeleteInitiativeRequest DeleteKpiRequest UndeleteKpiRequest BeginCycleReviewRequest CloseCycleRequest
    ReopenCycleRequest CloseObjectiveRequest ReopenObjectiveRequest CancelObjectiveRequest
}

impl InOther for api::CarryOverObjectiveRequest {
    fn in_other(&mut self) {
        self.cycle = self.cycle.replace("acme", "other");
    }
}

impl InOther for api::CascadeObjectiveRequest {
    fn in_other(&mut self) {
        for to in &mut self.teams {
            to.team = to.team.replace("acme", "other");
        }
    }
}

#[tokio::test]
async fn an_etag_that_is_not_the_newest_is_aborted_and_names_what_has_changed() {
    let server = Server::start().await;
    with_company(&server).await;
    macro_rules! one {
        ($client:ident.$call:ident($Request:ident, $name:expr $(, $field:ident: $value:expr)*)) => {
            for etag in ["r1", "r999", "garbage"] {
                let mut request = named!($Request, acme($name) $(, $field: $value)*);
                request.etag = etag.to_owned();
                // The owner was written by the first commit.
                if (etag, $name) == ("r1", "members/anonymous") {
                    continue;
                }
                let refusal = server.refusal(server.$client().$call(request)).await;
                assert_eq!(refusal, refused(Aborted, "ETAG_MISMATCH", &[$name]), "{}", stringify!($call));
            }
        };
    }
    with_each_write!(one);
    let delete = named!(DeleteWorkspaceRequest, "workspaces/acme", etag: "r2".to_owned());
    let refusal = server.refusal(server.workspaces().delete_workspace(delete)).await;
    assert_eq!(refusal, refused(Aborted, "ETAG_MISMATCH", &["the workspace"]));
}

#[tokio::test]
async fn in_a_deleted_workspace_everything_can_be_read_and_nothing_can_be_written() {
    let server = Server::start().await;
    with_company(&server).await;
    let before = told_after(&server, 0).await;
    let deleted = retried!(
        server,
        workspaces.delete_workspace(named!(DeleteWorkspaceRequest, "workspaces/acme"))
    );
    assert_eq!(deleted.delete_time, time(0));
    let no = rule("DELETED", "the workspace");
    macro_rules! one {
        ($client:ident.$call:ident($Request:ident, $name:expr $(, $field:ident: $value:expr)*)) => {
            let request = named!($Request, acme($name) $(, $field: $value)*);
            assert_eq!(server.refusal(server.$client().$call(request)).await, no, "{}", stringify!($call));
        };
    }
    with_each_write!(one);
    let check_ins = api::BatchCreateCheckInsRequest {
        parent: "workspaces/acme".to_owned(),
        requests: vec![value("win/deals", "c", 1.0)],
        ..Default::default()
    };
    assert_eq!(
        server
            .refusal(server.objectives().batch_create_check_ins(check_ins))
            .await
            .reason,
        "DELETED"
    );
    assert_eq!(
        server
            .refusal(server.workspaces().create_team(new_team("x", "")))
            .await,
        no
    );
    let again = named!(DeleteWorkspaceRequest, "workspaces/acme");
    assert_eq!(
        server.refusal(server.workspaces().delete_workspace(again)).await,
        no
    );
    let taken = server
        .refusal(server.workspaces().create_workspace(new_workspace("acme")))
        .await;
    assert_eq!(taken.reason, "ALREADY_EXISTS", "the name stays taken");

    assert_eq!(objective(&server, "win").await.title, "win");
    assert!(snapshot(&server).await.contains(&"objectives/win".to_owned()));
    let told = told_after(&server, 0).await;
    assert_eq!(told.len(), before.len() + 1);
    assert_eq!(told.last().expect("an event").0, "WorkspaceDeleted");

    let back = retried!(
        server,
        workspaces.undelete_workspace(named!(UndeleteWorkspaceRequest, "workspaces/acme"))
    );
    assert_eq!(back.delete_time, None);
    let again = named!(UndeleteWorkspaceRequest, "workspaces/acme");
    assert_eq!(
        server
            .refusal(server.workspaces().undelete_workspace(again))
            .await,
        rule("NOT_DELETED", "the workspace")
    );
    server
        .objectives()
        .create_check_in(value("win/deals", "c", 1.0))
        .await
        .expect("it lives again");
}

#[tokio::test]
async fn every_new_read_waits_for_no_revision_that_is_not_there_yet() {
    let server = Server::start().await;
    with_company(&server).await;
    let ahead = refused(OutOfRange, "REVISION_IN_FUTURE", &[]);
    let policy = acme("scoringPolicy");
    macro_rules! read {
        ($client:ident.$call:ident($Request:ident, $field:ident: $name:expr)) => {
            for (min_revision, expected) in [
                (999, &ahead),
                (i64::MAX, &ahead),
                (-1, &invalid(&["min_revision"])),
            ] {
                let request = api::$Request {
                    $field: $name.to_owned(),
                    min_revision,
                    ..Default::default()
                };
                let refusal = server.refusal(server.$client().$call(request)).await;
                assert_eq!(
                    refusal,
                    *expected,
                    "{} at {min_revision}",
                    stringify!($call)
                );
            }
        };
    }
    read!(workspaces.get_scoring_policy(GetScoringPolicyRequest, name: policy));
    read!(workspaces.list_scoring_policies(ListScoringPoliciesRequest, parent: "workspaces/acme"));
    for (min_revision, expected) in [(999, &ahead), (-1, &invalid(&["min_revision"]))] {
        let request = api::GetReviewRequest {
            name: acme("cycles/q1/reviews/x"),
            min_revision,
            as_of: None,
        };
        let refusal = server.refusal(server.cycles().get_review(request)).await;
        assert_eq!(refusal, *expected, "at {min_revision}");
    }
    read!(cycles.list_reviews(ListReviewsRequest, parent: acme("cycles/q1")));
    read!(objectives.get_objective_tree(GetObjectiveTreeRequest, name: "workspaces/acme"));
    read!(objectives.get_score_series(GetScoreSeriesRequest, name: "workspaces/acme"));
    read!(progress.simulate(SimulateRequest, parent: "workspaces/acme"));
}
