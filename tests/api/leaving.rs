//! Teams and members that are deleted: what they own stays, and nothing new is given to them.

use binnacle::proto::api;
use tonic::Code::AlreadyExists;

use crate::common::*;
use crate::deletion::scored;
use crate::steps::*;

#[tokio::test]
async fn a_team_goes_with_the_teams_below_it_and_what_it_owns_stays() {
    let server = Server::start().await;
    scored(&server).await;
    for (team, parent) in [("south", "sales"), ("rio", "south"), ("north", "sales")] {
        server
            .workspaces()
            .create_team(new_team(team, parent))
            .await
            .expect("a team");
    }
    let mut workspaces = server.workspaces();
    let delete = |team: &str| named!(DeleteTeamRequest, acme(&format!("teams/{team}")));
    let undelete = |team: &str| named!(UndeleteTeamRequest, acme(&format!("teams/{team}")));
    workspaces.delete_team(delete("north")).await.expect("deleted");
    let deleted = retried!(server, workspaces.delete_team(delete("sales")));
    assert_eq!(
        (deleted.delete_time, deleted.scores.len()),
        (time(0), 0),
        "no score of a deleted team"
    );
    assert!(
        !snapshot(&server)
            .await
            .iter()
            .any(|name| name.starts_with("teams/"))
    );
    assert_eq!(
        scores(&server, "win").await,
        [Some(0.2), None, Some(0.6), Some(0.6)],
        "what it owns counts on in the cycle"
    );
    for below in ["south", "rio"] {
        assert_eq!(
            server.refusal(workspaces.delete_team(delete(below))).await,
            rule("DELETED", &format!("teams/{below}"))
        );
    }
    assert_eq!(
        server.refusal(workspaces.undelete_team(undelete("rio"))).await,
        rule("DELETED", "teams/south"),
        "its parent is deleted"
    );
    let mut owned = new_objective("owned");
    owned.objective.as_mut().expect("an objective").team = acme("teams/sales");
    assert_eq!(
        server.refusal(server.objectives().create_objective(owned)).await,
        rule("DELETED", "teams/sales")
    );
    assert_eq!(
        server
            .refusal(workspaces.create_team(new_team("west", "sales")))
            .await,
        rule("DELETED", "teams/sales")
    );
    let back = retried!(server, workspaces.undelete_team(undelete("sales")));
    assert_eq!(back.scores[0].score, Some(0.6));
    let mut teams = snapshot(&server).await;
    teams.retain(|name| name.starts_with("teams/"));
    assert_eq!(
        teams,
        ["teams/rio", "teams/sales", "teams/south"],
        "north went before"
    );
    retried!(server, workspaces.undelete_team(undelete("north")));
}

#[tokio::test]
async fn a_member_leaves_but_not_the_last_owner_and_comes_back_unless_somebody_took_the_principal() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut workspaces = server.workspaces();
    let anonymous = || named!(DeleteMemberRequest, acme("members/anonymous"));
    let last = rule("LAST_OWNER", "members/anonymous");
    assert_eq!(server.refusal(workspaces.delete_member(anonymous())).await, last);
    let mut maria = new_member("maria");
    maria.member.as_mut().expect("a member").roles = vec![api::member::Role::Owner.into()];
    workspaces.create_member(maria).await.expect("a second owner");
    let maria = || named!(DeleteMemberRequest, acme("members/maria"));
    let deleted = retried!(server, workspaces.delete_member(maria()));
    assert_eq!(deleted.delete_time, time(0));
    assert_eq!(
        server.refusal(workspaces.delete_member(anonymous())).await,
        last,
        "who is deleted owns nothing"
    );
    let undelete = || named!(UndeleteMemberRequest, acme("members/maria"));
    retried!(server, workspaces.undelete_member(undelete()));
    retried!(server, workspaces.delete_member(anonymous()));

    // What a deleted member owns stays; nothing new is given to them.
    assert_eq!(objective(&server, "win").await.owner, acme("members/anonymous"));
    let gone = rule("DELETED", "members/anonymous");
    let new = new_objective("new");
    assert_eq!(
        server.refusal(server.objectives().create_objective(new)).await,
        gone
    );
    let mut again = new_member("again");
    again.member.as_mut().expect("a member").principal = "anonymous".to_owned();
    workspaces
        .create_member(again)
        .await
        .expect("the principal is free");
    let back = named!(UndeleteMemberRequest, acme("members/anonymous"));
    assert_eq!(
        server.refusal(workspaces.undelete_member(back)).await,
        refused(AlreadyExists, "PRINCIPAL_TAKEN", &["members/again"])
    );
}
