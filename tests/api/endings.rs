//! Objectives that end by themselves, and very many that end with their cycle.

use binnacle::proto::api;
use binnacle::proto::api::objective::{Ambition, State};
use prost::Message;

use crate::closing::{close, closing, explained};
use crate::common::*;
use crate::steps::*;

#[tokio::test]
async fn an_objective_is_closed_canceled_and_reopened_by_itself() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    objectives
        .create_objective(new_objective("draft"))
        .await
        .expect("a draft");
    let win = acme("objectives/win");
    let close = |closing: Option<api::Closing>| named!(CloseObjectiveRequest, win, closing: closing);
    let reopen =
        |name: &str, reason: &str| named!(ReopenObjectiveRequest, acme(name), reason: reason.to_owned());
    let cancel = |name: &str| named!(CancelObjectiveRequest, acme(name));
    for (closing, expected) in [
        (None, rule("EXPLANATION_MISSING", "objectives/win")),
        (
            Some(api::Closing {
                grade: Some(1.0),
                ..Default::default()
            }),
            rule("GRADE_REASON_MISSING", "objectives/win"),
        ),
        (
            Some(api::Closing {
                grade: Some(-0.1),
                achieved: "x".repeat(10_001),
                ..Default::default()
            }),
            invalid(&["closing.grade", "closing.achieved"]),
        ),
    ] {
        assert_eq!(
            server.refusal(objectives.close_objective(close(closing))).await,
            expected
        );
    }
    assert_eq!(
        server
            .refusal(objectives.close_objective(named!(CloseObjectiveRequest, acme("objectives/draft"))))
            .await,
        rule("OBJECTIVE_NOT_ACTIVE", "objectives/draft")
    );
    let not_over = rule("OBJECTIVE_NOT_OVER", "objectives/win");
    assert_eq!(
        server
            .refusal(objectives.reopen_objective(reopen("objectives/win", "x")))
            .await,
        not_over
    );

    let own = api::Closing {
        grade: Some(1.0),
        grade_reason: "All but the paper.".to_owned(),
        ..Default::default()
    };
    let closed = retried!(server, objectives.close_objective(close(Some(own))));
    let result = closed.result.expect("a result");
    let grading = result.grading.expect("a grade");
    assert_eq!(
        (closed.state, grading.grade, grading.outcome(), result.score),
        (State::Closed.into(), Some(1.0), api::Outcome::Achieved, Some(0.0))
    );
    assert_eq!(
        (result.with_cycle, result.principal.as_str(), result.close_time),
        (false, "anonymous", time(0))
    );
    let over = rule("OBJECTIVE_OVER", "objectives/win");
    assert_eq!(
        server.refusal(objectives.close_objective(close(None))).await,
        rule("OBJECTIVE_NOT_ACTIVE", "objectives/win")
    );
    assert_eq!(
        server
            .refusal(objectives.cancel_objective(cancel("objectives/win")))
            .await,
        over
    );
    let more = new_key_result("win", "more");
    assert_eq!(server.refusal(objectives.create_key_result(more)).await, over);
    let rename = api::UpdateObjectiveRequest {
        objective: Some(api::Objective {
            name: win.clone(),
            title: "Won".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(server.refusal(objectives.update_objective(rename)).await, over);
    assert_eq!(
        server
            .refusal(objectives.reopen_objective(reopen("objectives/win", "")))
            .await,
        rule("REASON_MISSING", "objectives/win")
    );
    let again = retried!(
        server,
        objectives.reopen_objective(reopen("objectives/win", "Too early."))
    );
    assert_eq!(
        (again.state(), again.result, again.progress.map(|it| it.score)),
        (State::Active, None, Some(Some(0.0)))
    );

    let before = scores(&server, "win").await;
    let revision = server.head().await;
    let canceled = retried!(server, objectives.cancel_objective(cancel("objectives/win")));
    assert_eq!((canceled.state(), canceled.progress), (State::Canceled, None));
    assert_eq!(scores(&server, "win").await, [None; 4], "it counts nowhere");
    let told = told_after(&server, revision).await;
    assert_eq!(
        told[0].2,
        [("state".to_owned(), "ACTIVE".to_owned(), "CANCELED".to_owned())]
    );
    retried!(
        server,
        objectives.reopen_objective(reopen("objectives/win", "Not given up."))
    );
    assert_eq!(scores(&server, "win").await, before);
    objectives
        .cancel_objective(cancel("objectives/draft"))
        .await
        .expect("canceled");
    let draft = objectives
        .reopen_objective(reopen("objectives/draft", "x"))
        .await
        .expect("reopened");
    assert_eq!(draft.into_inner().state(), State::Draft, "what it was before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_of_many_objectives_closes_as_one_commit_in_several_messages_and_its_answer_fits() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    let long = "ü".repeat(4000);
    for number in 0..700 {
        let mut request = new_objective(&format!("o{number:03}"));
        let fields = request.objective.as_mut().expect("an objective");
        (fields.ambition, fields.description) = (Ambition::Aspirational.into(), long.clone());
        objectives.create_objective(request).await.expect("an objective");
        activate_objective(&server, &format!("o{number:03}")).await;
    }
    let begin = named!(BeginCycleReviewRequest, acme("cycles/q1"));
    server.cycles().begin_cycle_review(begin).await.expect("a review");
    let revision = server.head().await;
    let said: Vec<_> = (0..200)
        .map(|number| closing(&format!("o{number:03}"), |it| it.learned = "x".repeat(9000)))
        .chain([explained("win")])
        .collect();
    let dry = api::CloseCycleRequest {
        dry_run: true,
        ..close(said.clone())
    };
    let mut cycles = server.cycles().max_decoding_message_size(64 << 20);
    let dry = cycles.close_cycle(dry).await.expect("a dry run").into_inner();
    let closed = cycles
        .close_cycle(close(said))
        .await
        .expect("what is done is answered")
        .into_inner();
    assert!(
        closed.truncated && dry.truncated,
        "700 descriptions of 8 kB do not fit"
    );
    assert!(
        closed.encoded_len() < 3 << 20 && closed.objectives.len() > 100,
        "{}",
        closed.objectives.len()
    );
    assert_eq!(closed.cycle.expect("a cycle").state(), api::cycle::State::Closed);
    let messages = messages_after(&server, revision).await;
    assert!(messages.len() > 1, "1.8 MB of what was learned");
    let (last, parts) = messages.split_last().expect("messages");
    assert!(
        parts.iter().all(|(token, _)| token.is_empty()) && !last.0.is_empty(),
        "only the last can be resumed from"
    );
    let events: usize = messages.iter().map(|(_, part)| part.events.len()).sum();
    assert_eq!(events, 702, "every objective, and the cycle");
    assert!(
        messages
            .iter()
            .all(|(_, part)| part.encoded_len() < (1 << 20) + (64 << 10))
    );
}
