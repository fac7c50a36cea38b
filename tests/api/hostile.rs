//! Much of everything at once: refusals that still fit into their headers, one request sent many times over, and what-ifs
//! that would keep a core busy for ever.

use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::simulated_command::Command;

use crate::closing::{close, explained};
use crate::common::*;
use crate::simulate::{simulated, what_if};
use crate::steps::*;

/// The `number`th of many ids, each as long as an id can be.
fn long_id(number: usize) -> String {
    format!("{}{number:05}", "x".repeat(58))
}

#[tokio::test]
async fn however_much_is_wrong_the_refusal_reaches_the_client() {
    let server = Server::start().await;
    with_company(&server).await;
    let begin = named!(BeginCycleReviewRequest, acme("cycles/q1"));
    server.cycles().begin_cycle_review(begin).await.expect("a review");
    let unknown = (0..1000).map(|number| explained(&long_id(number)));
    let refusal = server
        .refusal(server.cycles().close_cycle(close(unknown.collect())))
        .await;
    assert_eq!(refusal.reason, "NOT_FOUND");
    assert!(
        (10..=100).contains(&refusal.about.len()),
        "{}",
        refusal.about.len()
    );
    let bad = (0..10_000).map(|number| {
        let name = acme(&format!("objectives/{}", long_id(number)));
        Command::CancelObjective(named!(CancelObjectiveRequest, name))
    });
    let refusal = server
        .refusal(server.progress().simulate(what_if(bad.collect())))
        .await;
    assert_eq!(refusal.reason, "NOT_FOUND");
    assert!(
        (10..=100).contains(&refusal.about.len()),
        "{}",
        refusal.about.len()
    );
}

#[tokio::test]
async fn very_many_objectives_that_lack_an_explanation_are_said_in_one_sentence() {
    let server = Server::start().await;
    with_company(&server).await;
    for number in 0..40 {
        with_objective(&server, &long_id(number), |_| {}).await;
    }
    let begin = named!(BeginCycleReviewRequest, acme("cycles/q1"));
    server.cycles().begin_cycle_review(begin).await.expect("a review");
    let refusal = server.refusal(server.cycles().close_cycle(close(vec![]))).await;
    assert_eq!(refusal, rule("EXPLANATION_MISSING", "objectives/win"));
    let dry = api::CloseCycleRequest {
        dry_run: true,
        ..close(vec![])
    };
    let dry = server
        .cycles()
        .close_cycle(dry)
        .await
        .expect("a dry run")
        .into_inner();
    assert_eq!(dry.explanations_missing.len(), 41, "the dry run names all");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_that_is_sent_many_times_at_once_runs_once() {
    let server = Server::start().await;
    with_company(&server).await;
    let cascade = named!(
        CascadeObjectiveRequest,
        acme("objectives/win"),
        teams: vec![api::CascadeTeam {
            team: acme("teams/sales"),
            ..Default::default()
        }],
        request_id: new_request_id()
    );
    let before = server.head().await;
    let sent: Vec<_> = (0..16)
        .map(|_| {
            let (mut client, request) = (server.objectives(), cascade.clone());
            tokio::spawn(async move { client.cascade_objective(request).await })
        })
        .collect();
    let mut answers = Vec::new();
    for sent in sent {
        let answer = sent.await.expect("no panic").expect("an answer");
        answers.push(answer.into_inner());
    }
    answers.dedup();
    assert_eq!((answers.len(), answers[0].objectives.len()), (1, 1));
    assert_eq!(server.head().await, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_chain_of_teams_that_comes_and_goes_is_imagined_in_time() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let mut commands = Vec::new();
    for number in 0..3000 {
        let parent = match number {
            0 => String::new(),
            _ => format!("t{}", number - 1),
        };
        commands.push(Command::CreateTeam(new_team(&format!("t{number}"), &parent)));
    }
    for _ in 0..100 {
        commands.push(Command::DeleteTeam(named!(DeleteTeamRequest, acme("teams/t0"))));
        commands.push(Command::UndeleteTeam(named!(
            UndeleteTeamRequest,
            acme("teams/t0")
        )));
    }
    let asked = simulated(&server, what_if(commands));
    let answer = tokio::time::timeout(Duration::from_secs(60), asked)
        .await
        .expect("in time");
    assert_eq!(answer.event_count, 3200);
}
