//! A company with more than one of everything, so that a filter has something to find and something to leave out.

use binnacle::proto::api;

use crate::common::*;

const DAY_S: i64 = 86_400;

/// The little company of 1 January, and what came on the next day and on 10 February.
pub(crate) async fn with_larger_company(server: &Server) {
    with_company(server).await;
    check_in(server, "win", "deals", "first", |check_in| {
        check_in.value = Some(1.0)
    })
    .await;
    review(server, "q1", "kick-off", |review| {
        review.attendees = vec![acme("members/anonymous")]
    })
    .await;
    server.clock.advance_to(at(DAY_S));
    server
        .workspaces()
        .create_workspace(new_workspace("other"))
        .await
        .expect("a workspace");
    people(server).await;
    cycles(server).await;
    kpi(server).await;
    plan(server).await;
    drafts(server).await;
    best(server).await;
    closed(server).await;
    carried(server).await;
    initiatives(server).await;
    review(server, "q1", "mid-term", |review| {
        review.team = acme("teams/south");
        review.attendees = vec![acme("members/maria")];
    })
    .await;
    server.clock.advance_to(at(40 * DAY_S));
    check_in(server, "win", "deals", "slow", |check_in| {
        check_in.confidence = Some(0.3);
        check_in.comment = "Slow in Brazil".to_owned();
        check_in.status_override = api::Status::AtRisk.into();
    })
    .await;
    review(server, "year", "first-look", |_| {}).await;
    let archive = api::ArchiveKpiRequest {
        name: acme("kpis/churn"),
        ..Default::default()
    };
    server
        .kpis()
        .archive_kpi(archive)
        .await
        .expect("a KPI that nobody feeds");
}

async fn people(server: &Server) {
    for id in ["maria", "joe"] {
        server
            .workspaces()
            .create_member(new_member(id))
            .await
            .expect("a member");
    }
    let mut south = new_team("south", "sales");
    south.team.as_mut().expect("a team").lead = acme("members/maria");
    server.workspaces().create_team(south).await.expect("a team");
    server
        .workspaces()
        .create_team(new_team("it", ""))
        .await
        .expect("a team");
}

async fn cycles(server: &Server) {
    let mut year = new_cycle("year");
    year.cycle.as_mut().expect("a cycle").last_date = date(2026, 12, 31);
    server.cycles().create_cycle(year).await.expect("a cycle");
    let mut q2 = new_cycle("q2");
    let fields = q2.cycle.as_mut().expect("a cycle");
    (fields.first_date, fields.last_date) = (date(2026, 4, 1), date(2026, 6, 30));
    fields.review_date = date(2026, 6, 29);
    fields.parent_cycle = acme("cycles/year");
    server.cycles().create_cycle(q2).await.expect("a cycle");
}

async fn kpi(server: &Server) {
    let mut churn = new_kpi("churn");
    let fields = churn.kpi.as_mut().expect("a KPI");
    fields.owner = acme("members/maria");
    fields.team = acme("teams/south");
    fields.area = "support".to_owned();
    fields.category = api::kpi::Category::Financial.into();
    fields.labels = [("source".to_owned(), "crm".to_owned())].into();
    server.kpis().create_kpi(churn).await.expect("a KPI");
}

/// What is to be done about the KPI of the little company, and is not.
async fn plan(server: &Server) {
    let request = api::SetActionPlanRequest {
        name: acme("kpis/nps/alerts/breach-7"),
        action_plan: Some(api::ActionPlan {
            text: "Call every customer".to_owned(),
            owner: acme("members/maria"),
            due_date: date(2026, 1, 31),
            ..Default::default()
        }),
        ..Default::default()
    };
    server.kpis().set_action_plan(request).await.expect("a plan");
}

async fn objective(server: &Server, id: &str, change: impl FnOnce(&mut api::Objective)) {
    let mut request = new_objective(id);
    change(request.objective.as_mut().expect("an objective"));
    server
        .objectives()
        .create_objective(request)
        .await
        .expect("an objective");
}

/// brazil has everything that an objective can have, loose nothing.
async fn drafts(server: &Server) {
    objective(server, "loose", |loose| loose.owner.clear()).await;
    objective(server, "brazil", |brazil| {
        brazil.title = "Win Brazil".to_owned();
        brazil.owner = acme("members/maria");
        brazil.team = acme("teams/south");
        brazil.contributing_teams = vec![acme("teams/it")];
        brazil.ambition = api::objective::Ambition::Aspirational.into();
        brazil.aligned_to = acme("objectives/win/keyResults/deals");
        brazil.serves = vec![acme("kpis/nps")];
        brazil.labels = [("env".to_owned(), "prod".to_owned())].into();
    })
    .await;
    let mut share = new_key_result("brazil", "share");
    let fields = share.key_result.as_mut().expect("a key result");
    fields.owner = acme("members/maria");
    fields.due_date = date(2026, 3, 1);
    server
        .objectives()
        .create_key_result(share)
        .await
        .expect("a key result");
}

/// An objective that is reached.
async fn best(server: &Server) {
    objective(server, "best", |_| {}).await;
    let calls = new_key_result("best", "calls");
    server
        .objectives()
        .create_key_result(calls)
        .await
        .expect("a key result");
    activate_objective(server, "best").await;
    check_in(server, "best", "calls", "done", |check_in| {
        check_in.value = Some(10.0);
        check_in.confidence = Some(0.9);
    })
    .await;
}

/// An objective that was missed.
async fn closed(server: &Server) {
    objective(server, "old", |_| {}).await;
    let key_result = new_key_result("old", "kr");
    server
        .objectives()
        .create_key_result(key_result)
        .await
        .expect("a key result");
    activate_objective(server, "old").await;
    let close = api::CloseObjectiveRequest {
        name: acme("objectives/old"),
        closing: Some(api::Closing {
            explanation: "Nobody had the time".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    server
        .objectives()
        .close_objective(close)
        .await
        .expect("a closed objective");
}

/// An objective that goes on in the next cycle, with its key result and its initiative.
async fn carried(server: &Server) {
    objective(server, "late", |_| {}).await;
    server
        .objectives()
        .create_initiative(new_initiative("late", "mailing"))
        .await
        .expect("an initiative");
    let meetings = new_key_result("late", "meetings");
    server
        .objectives()
        .create_key_result(meetings)
        .await
        .expect("a key result");
    activate_objective(server, "late").await;
    let carry = api::CarryOverObjectiveRequest {
        name: acme("objectives/late"),
        cycle: acme("cycles/q2"),
        objective_id: "late-again".to_owned(),
        ..Default::default()
    };
    server
        .objectives()
        .carry_over_objective(carry)
        .await
        .expect("a new draft");
}

async fn initiatives(server: &Server) {
    let mut calls = new_initiative("win", "calls");
    calls.initiative.as_mut().expect("an initiative").key_result = acme("objectives/win/keyResults/deals");
    server
        .objectives()
        .create_initiative(calls)
        .await
        .expect("an initiative");
    let mut offsite = new_initiative("brazil", "offsite");
    let fields = offsite.initiative.as_mut().expect("an initiative");
    fields.owner = acme("members/maria");
    fields.state = api::initiative::State::InProgress.into();
    fields.due_date = date(2026, 2, 1);
    server
        .objectives()
        .create_initiative(offsite)
        .await
        .expect("an initiative");
}

async fn check_in(
    server: &Server,
    objective: &str,
    key_result: &str,
    id: &str,
    change: impl FnOnce(&mut api::CheckIn),
) {
    let mut request = new_check_in(
        &format!("objectives/{objective}/keyResults/{key_result}"),
        id,
        0.0,
    );
    let check_in = request.check_in.as_mut().expect("a check-in");
    check_in.value = None;
    change(check_in);
    server
        .objectives()
        .create_check_in(request)
        .await
        .expect("a check-in");
}

async fn review(server: &Server, cycle: &str, id: &str, change: impl FnOnce(&mut api::Review)) {
    let mut review = api::Review {
        achieved: "Something".to_owned(),
        ..Default::default()
    };
    change(&mut review);
    let request = api::CreateReviewRequest {
        parent: acme(&format!("cycles/{cycle}")),
        review_id: id.to_owned(),
        review: Some(review),
        ..Default::default()
    };
    server.cycles().create_review(request).await.expect("a review");
}
