//! The end of a cycle: review, dry run, closing, reopening, each refusal, and what subscribers and auditors see.

use binnacle::proto::api;
use binnacle::proto::api::objective::{Ambition, State};

use crate::common::*;
use crate::steps::*;

pub(crate) fn closing(objective: &str, change: impl FnOnce(&mut api::Closing)) -> api::ObjectiveClosing {
    let mut closing = api::Closing::default();
    change(&mut closing);
    api::ObjectiveClosing {
        objective: acme(&format!("objectives/{objective}")),
        closing: Some(closing),
    }
}

pub(crate) fn explained(objective: &str) -> api::ObjectiveClosing {
    closing(objective, |it| it.explanation = "Rain.".to_owned())
}

pub(crate) fn close(objectives: Vec<api::ObjectiveClosing>) -> api::CloseCycleRequest {
    named!(CloseCycleRequest, acme("cycles/q1"), objectives: objectives)
}

/// Cycle q1 in REVIEW with win (COMMITTED, 0.2), stretch (ASPIRATIONAL, 1.0), draft, and early, closed before.
async fn in_review(server: &Server) {
    with_company(server).await;
    with_objective(server, "stretch", |it| {
        it.ambition = Ambition::Aspirational.into()
    })
    .await;
    with_objective(server, "early", |it| it.ambition = Ambition::Aspirational.into()).await;
    let mut objectives = server.objectives();
    objectives
        .create_objective(new_objective("draft"))
        .await
        .expect("a draft");
    for check_in in [value("win/deals", "c", 4.0), value("stretch/number", "c", 10.0)] {
        objectives.create_check_in(check_in).await.expect("a check-in");
    }
    let early = named!(CloseObjectiveRequest, acme("objectives/early"));
    objectives.close_objective(early).await.expect("closed");
    let begun = retried!(
        *server,
        cycles.begin_cycle_review(named!(BeginCycleReviewRequest, acme("cycles/q1")))
    );
    assert_eq!(begun.state(), api::cycle::State::Review);
}

#[tokio::test]
async fn a_dry_run_answers_what_closing_then_does_and_records_nothing() {
    let server = Server::start().await;
    in_review(&server).await;
    let mut cycles = server.cycles();
    let heads = server.heads().await;
    let dry = api::CloseCycleRequest {
        dry_run: true,
        request_id: new_request_id(),
        ..close(vec![explained("win")])
    };
    let dry = cycles.close_cycle(dry).await.expect("a dry run").into_inner();
    assert_eq!(server.heads().await, heads);
    assert_eq!(
        (dry.explanations_missing.len(), dry.drafts.as_slice()),
        (0, &[acme("objectives/draft")][..])
    );
    let revision = server.head().await;
    let closed = retried!(server, cycles.close_cycle(close(vec![explained("win")])));
    assert_eq!(closed.drafts, dry.drafts);
    let gist = |closed: &api::CloseCycleResponse| {
        let objectives = closed.objectives.iter().map(|it| {
            let result = it.result.clone().expect("a result");
            (
                it.name.clone(),
                it.state(),
                it.progress,
                (result.grading, result.closing, result.score, result.with_cycle),
            )
        });
        let cycle = closed.cycle.as_ref().expect("a cycle");
        (cycle.state(), cycle.score, objectives.collect::<Vec<_>>())
    };
    assert_eq!(
        gist(&dry),
        gist(&closed),
        "the cycle and its objectives as they would be"
    );
    let outcomes: Vec<_> = closed
        .objectives
        .iter()
        .map(|it| {
            (
                it.name.rsplit('/').next().unwrap_or_default(),
                it.result
                    .as_ref()
                    .and_then(|it| it.grading)
                    .map(|it| it.outcome()),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("stretch", Some(api::Outcome::Achieved)),
            ("win", Some(api::Outcome::Missed))
        ]
    );
    assert_eq!(objective(&server, "draft").await.state(), State::Draft);

    let told = told_after(&server, revision).await;
    assert_eq!(
        heads_of(&told)[..3],
        [
            ("ObjectiveClosed", "objectives/stretch"),
            ("ObjectiveClosed", "objectives/win"),
            ("CycleClosed", "cycles/q1")
        ]
    );
    let said = |path: &str| {
        told[1]
            .2
            .iter()
            .find(|(of, ..)| of == path)
            .map(|(_, before, after)| (before.as_str(), after.as_str()))
    };
    assert_eq!(said("state"), Some(("ACTIVE", "CLOSED")));
    assert_eq!(said("result.grading.grade"), Some(("", "0.2")));
    assert_eq!(said("result.closing.explanation"), Some(("", "Rain.")));
    assert_eq!(said("result.key_results.deals.score"), Some(("", "0.4")));
    let messages = messages_after(&server, revision).await;
    assert_eq!(messages[0].1.events.len(), 3, "one commit");
    assert!(messages[0].1.derived_changes.iter().any(|change| matches!(
        &change.figure,
        Some(api::derived_change::Figure::Objective(it)) if it.after.as_ref().is_some_and(|after| after.status() == api::Status::Closed)
    )));
}

#[tokio::test]
async fn a_cycle_does_not_close_while_something_is_wrong_with_what_is_said_about_it() {
    let server = Server::start().await;
    in_review(&server).await;
    with_quarter(&server, 2).await;
    let mut elsewhere = new_objective("elsewhere");
    elsewhere.objective.as_mut().expect("an objective").cycle = acme("cycles/q2");
    server
        .objectives()
        .create_objective(elsewhere)
        .await
        .expect("a draft");
    let mut cycles = server.cycles();
    let of_elements = |reason: &str, names: &[&str]| refused(tonic::Code::FailedPrecondition, reason, names);
    for (objectives, expected) in [
        (vec![], rule("EXPLANATION_MISSING", "objectives/win")),
        (
            vec![closing("win", |it| it.grade = Some(0.9))],
            of_elements("GRADE_REASON_MISSING", &["objectives[0]"]),
        ),
        (
            vec![closing("win", |it| {
                (it.grade, it.grade_reason) = (Some(0.9), "We know.".to_owned())
            })],
            rule("EXPLANATION_MISSING", "objectives/win"),
        ),
        (
            vec![
                explained("win"),
                explained("elsewhere"),
                explained("early"),
                explained("win"),
            ],
            of_elements(
                "OBJECTIVE_NOT_IN_CYCLE",
                &["objectives[1]", "objectives[2]", "objectives[3]"],
            ),
        ),
        (
            vec![explained("draft")],
            of_elements("OBJECTIVE_NOT_ACTIVE", &["objectives[0]"]),
        ),
        (
            vec![explained("x")],
            refused(tonic::Code::NotFound, "NOT_FOUND", &["objectives[0]"]),
        ),
        (
            vec![
                closing("win", |it| it.grade = Some(0.85)),
                closing("stretch", |it| {
                    (it.grade, it.next) = (Some(f64::NAN), "x".repeat(10_001))
                }),
                closing("A", |_| {}),
            ],
            invalid(&[
                "objectives[0].closing.grade",
                "objectives[1].closing.grade",
                "objectives[1].closing.next",
                "objectives[2].objective",
            ]),
        ),
        (vec![explained("win"); 1001], invalid(&["objectives"])),
    ] {
        let dry = api::CloseCycleRequest {
            dry_run: true,
            ..close(objectives.clone())
        };
        let refusal = server.refusal(cycles.close_cycle(close(objectives))).await;
        assert_eq!(refusal, expected);
        if expected.reason == "EXPLANATION_MISSING" {
            let dry = cycles
                .close_cycle(dry)
                .await
                .expect("a dry run says it otherwise")
                .into_inner();
            assert_eq!(dry.explanations_missing, [acme("objectives/win")]);
        } else {
            assert_eq!(
                server.refusal(cycles.close_cycle(dry)).await,
                expected,
                "as a dry run"
            );
        }
    }
}

#[tokio::test]
async fn a_cycle_goes_through_its_states_one_after_the_other_and_back_for_a_reason() {
    let server = Server::start().await;
    in_review(&server).await;
    let mut cycles = server.cycles();
    let begin = || named!(BeginCycleReviewRequest, acme("cycles/q1"));
    let reopen = |reason: &str| named!(ReopenCycleRequest, acme("cycles/q1"), reason: reason.to_owned());
    assert_eq!(
        server.refusal(cycles.begin_cycle_review(begin())).await,
        rule("CYCLE_NOT_ACTIVE", "cycles/q1")
    );
    assert_eq!(
        server.refusal(cycles.reopen_cycle(reopen("x"))).await,
        rule("CYCLE_NOT_CLOSED", "cycles/q1")
    );
    let mut year = new_cycle("year");
    year.cycle.as_mut().expect("a cycle").last_date = date(2026, 12, 31);
    cycles.create_cycle(year).await.expect("a year");
    let inside = api::UpdateCycleRequest {
        cycle: Some(api::Cycle {
            name: acme("cycles/q1"),
            parent_cycle: acme("cycles/year"),
            ..Default::default()
        }),
        ..Default::default()
    };
    cycles.update_cycle(inside).await.expect("q1 in the year");
    let planned = named!(BeginCycleReviewRequest, acme("cycles/year"));
    assert_eq!(
        server.refusal(cycles.begin_cycle_review(planned.clone())).await,
        rule("CYCLE_NOT_ACTIVE", "cycles/year")
    );
    let close_year = || named!(CloseCycleRequest, acme("cycles/year"));
    assert_eq!(
        server.refusal(cycles.close_cycle(close_year())).await,
        rule("CYCLE_NOT_IN_REVIEW", "cycles/year")
    );
    let activate = named!(ActivateCycleRequest, acme("cycles/year"));
    cycles.activate_cycle(activate).await.expect("ACTIVE");
    cycles.begin_cycle_review(planned).await.expect("REVIEW");
    assert_eq!(
        server.refusal(cycles.close_cycle(close_year())).await,
        rule("NESTED_CYCLE_OPEN", "cycles/q1")
    );
    cycles
        .close_cycle(close(vec![explained("win")]))
        .await
        .expect("closed");
    assert_eq!(
        server.refusal(cycles.close_cycle(close(vec![]))).await,
        rule("CYCLE_NOT_IN_REVIEW", "cycles/q1")
    );
    for refusal in [
        server
            .refusal(server.objectives().create_objective(new_objective("late")))
            .await,
        server
            .refusal(server.objectives().reopen_objective(named!(
                ReopenObjectiveRequest,
                acme("objectives/win"),
                reason: "x".to_owned()
            )))
            .await,
    ] {
        assert_eq!(refusal, rule("CYCLE_CLOSED", "cycles/q1"));
    }
    assert_eq!(
        server.refusal(cycles.reopen_cycle(reopen(""))).await,
        rule("REASON_MISSING", "cycles/q1")
    );
    cycles
        .close_cycle(close_year())
        .await
        .expect("the year is closed");
    assert_eq!(
        server.refusal(cycles.reopen_cycle(reopen("x"))).await,
        rule("CYCLE_CLOSED", "cycles/year"),
        "its parent first"
    );
    let year = named!(ReopenCycleRequest, acme("cycles/year"), reason: "x".to_owned());
    cycles.reopen_cycle(year).await.expect("REVIEW");
    let revision = server.head().await;
    let reopened = retried!(server, cycles.reopen_cycle(reopen("The numbers were wrong.")));
    assert_eq!(reopened.state(), api::cycle::State::Review);
    for (id, state) in [
        ("win", State::Active),
        ("stretch", State::Active),
        ("early", State::Closed),
    ] {
        assert_eq!(
            objective(&server, id).await.state(),
            state,
            "{id}: only what that closing graded"
        );
    }
    let told = told_after(&server, revision).await;
    assert_eq!(
        heads_of(&told)[..3],
        [
            ("CycleReopened", "cycles/q1"),
            ("ObjectiveReopened", "objectives/stretch"),
            ("ObjectiveReopened", "objectives/win")
        ]
    );
    assert!(
        told[2]
            .2
            .iter()
            .any(|(path, before, _)| (path.as_str(), before.as_str()) == ("result.grading.grade", "0.2"))
    );
}
