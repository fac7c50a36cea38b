//! What goes on in other teams: one objective, a draft for each.

use binnacle::proto::api;
use binnacle::proto::api::objective::State;
use tonic::Code::{FailedPrecondition, NotFound};

use crate::common::*;
use crate::steps::*;

fn to_team(team: &str, id: &str) -> api::CascadeTeam {
    api::CascadeTeam {
        team: acme(&format!("teams/{team}")),
        objective_id: id.to_owned(),
        ..Default::default()
    }
}

fn cascade(objective: &str, teams: Vec<api::CascadeTeam>) -> api::CascadeObjectiveRequest {
    named!(CascadeObjectiveRequest, acme(&format!("objectives/{objective}")), teams: teams)
}

#[tokio::test]
async fn a_cascade_is_a_draft_for_each_team_owned_by_its_lead() {
    let server = Server::start().await;
    with_company(&server).await;
    server
        .workspaces()
        .create_member(new_member("maria"))
        .await
        .expect("a member");
    let mut south = new_team("south", "sales");
    south.team.as_mut().expect("a team").lead = acme("members/maria");
    server.workspaces().create_team(south).await.expect("a team");
    let revision = server.head().await;
    let titled = api::CascadeTeam {
        title: "Win the south".to_owned(),
        ..to_team("south", "")
    };
    let drafts = retried!(
        server,
        objectives.cascade_objective(cascade("win", vec![titled, to_team("sales", "")]))
    )
    .objectives;
    let gist: Vec<_> = drafts
        .iter()
        .map(|it| {
            (
                it.title.as_str(),
                it.owner.as_str(),
                it.state(),
                it.aligned_to.clone(),
            )
        })
        .collect();
    assert_eq!(
        gist,
        [
            (
                "Win the south",
                "workspaces/acme/members/maria",
                State::Draft,
                acme("objectives/win")
            ),
            ("win", "", State::Draft, acme("objectives/win"))
        ],
        "in the order of the teams"
    );
    assert_ne!(drafts[0].name, drafts[1].name);
    let told = told_after(&server, revision).await;
    assert_eq!(
        told.iter()
            .filter(|(kind, ..)| kind == "ObjectiveCreated")
            .count(),
        2
    );
    assert_eq!(
        changes_after(&server, revision).await,
        Vec::<String>::new(),
        "drafts count nowhere"
    );
}

#[tokio::test]
async fn a_cascade_that_cannot_be_names_each_bad_team() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut workspaces = server.workspaces();
    for team in ["south", "gone"] {
        workspaces.create_team(new_team(team, "")).await.expect("a team");
    }
    workspaces
        .delete_team(named!(DeleteTeamRequest, acme("teams/gone")))
        .await
        .expect("deleted");
    let mut objectives = server.objectives();
    let of_elements = |code, reason: &str, names: &[&str]| refused(code, reason, names);
    let malformed = vec![
        to_team("A", ""),
        api::CascadeTeam {
            title: "x".repeat(201),
            ..to_team("south", "A")
        },
        api::CascadeTeam::default(),
    ];
    for (teams, expected) in [
        (vec![], invalid(&["teams"])),
        (vec![to_team("south", ""); 101], invalid(&["teams"])),
        (
            malformed,
            invalid(&[
                "teams[0].team",
                "teams[1].objective_id",
                "teams[1].title",
                "teams[2].team",
            ]),
        ),
        (
            vec![
                to_team("south", "a"),
                to_team("x", "b"),
                to_team("gone", "c"),
                to_team("south", "d"),
                to_team("sales", "win"),
            ],
            of_elements(
                NotFound,
                "NOT_FOUND",
                &["teams[1]", "teams[2]", "teams[3]", "teams[4]"],
            ),
        ),
        (
            vec![to_team("gone", "c")],
            of_elements(FailedPrecondition, "DELETED", &["teams[0]"]),
        ),
    ] {
        assert_eq!(
            server
                .refusal(objectives.cascade_objective(cascade("win", teams)))
                .await,
            expected
        );
    }
    let mut above = "win".to_owned();
    for depth in 2..=16 {
        let mut request = new_objective(&format!("d{depth}"));
        request.objective.as_mut().expect("an objective").aligned_to = acme(&format!("objectives/{above}"));
        objectives.create_objective(request).await.expect("an objective");
        above = format!("d{depth}");
    }
    assert_eq!(
        server
            .refusal(objectives.cascade_objective(cascade("d16", vec![to_team("south", "")])))
            .await,
        of_elements(FailedPrecondition, "ALIGNMENT_TOO_DEEP", &["teams[0]"])
    );
    let cancel = named!(CancelObjectiveRequest, acme("objectives/d16"));
    objectives.cancel_objective(cancel).await.expect("canceled");
    assert_eq!(
        server
            .refusal(objectives.cascade_objective(cascade("d16", vec![to_team("south", "")])))
            .await,
        rule("OBJECTIVE_OVER", "objectives/d16")
    );
}

#[tokio::test]
async fn a_cascade_leaves_out_a_served_kpi_that_is_deleted_by_now() {
    let server = Server::start().await;
    with_company(&server).await;
    server.kpis().create_kpi(new_kpi("churn")).await.expect("a KPI");
    let serves = api::UpdateObjectiveRequest {
        objective: Some(api::Objective {
            name: acme("objectives/win"),
            serves: vec![acme("kpis/churn"), acme("kpis/nps")],
            ..Default::default()
        }),
        ..Default::default()
    };
    server
        .objectives()
        .update_objective(serves)
        .await
        .expect("it serves two");
    server
        .kpis()
        .delete_kpi(named!(DeleteKpiRequest, acme("kpis/churn")))
        .await
        .expect("deleted");
    let drafts = server
        .objectives()
        .cascade_objective(cascade("win", vec![to_team("sales", "")]))
        .await;
    let drafts = drafts.expect("a draft").into_inner().objectives;
    assert_eq!(drafts[0].serves, [acme("kpis/nps")]);
}
