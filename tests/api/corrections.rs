//! Check-ins corrected and retracted, in any state of their objective: what is believed then, and what it was before.

use binnacle::proto::api;
use tonic::Code::AlreadyExists;

use crate::common::*;
use crate::steps::*;

fn correct(name: &str, change: impl FnOnce(&mut api::CheckIn)) -> api::CorrectCheckInRequest {
    let mut check_in = api::CheckIn {
        name: name.to_owned(),
        ..Default::default()
    };
    change(&mut check_in);
    api::CorrectCheckInRequest {
        check_in: Some(check_in),
        ..Default::default()
    }
}

async fn progress(server: &Server, path: &str) -> api::KeyResultProgress {
    key_result_of(server, path)
        .await
        .progress
        .expect("it is ACTIVE or CLOSED")
}

#[tokio::test]
async fn a_correction_changes_what_it_names_and_the_history_keeps_what_was_believed() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    let first = check_in("win/deals", "c", |it| {
        (it.value, it.confidence, it.comment) = (Some(5.0), Some(0.8), "Five.".to_owned());
    });
    let first = objectives
        .create_check_in(first)
        .await
        .expect("a check-in")
        .into_inner();
    server.clock.advance_to(at(60));
    let revision = server.head().await;
    let simulated = api::SimulateRequest {
        parent: "workspaces/acme".to_owned(),
        commands: vec![api::SimulatedCommand {
            command: Some(api::simulated_command::Command::CorrectCheckIn(correct(
                &first.name,
                |it| it.value = Some(4.0),
            ))),
        }],
        ..Default::default()
    };
    let simulated = server
        .progress()
        .simulate(simulated)
        .await
        .expect("an answer")
        .into_inner();
    let corrected = retried!(
        server,
        objectives.correct_check_in(correct(&first.name, |it| it.value = Some(4.0)))
    );
    assert_eq!(
        (corrected.value, corrected.confidence, corrected.comment.as_str()),
        (Some(4.0), Some(0.8), "Five.")
    );
    assert_eq!(
        (corrected.correct_time, corrected.revision),
        (time(60), first.revision)
    );
    assert_eq!(corrected.effective_time, first.effective_time);
    let told = told_after(&server, revision).await;
    assert_eq!(told[0].0, "CheckInCorrected");
    assert_eq!(told[0].1, "objectives/win/keyResults/deals/checkIns/c");
    assert_eq!(told[0].2, [("value".to_owned(), "5".to_owned(), "4".to_owned())]);
    assert_eq!(changes_after(&server, revision).await, sorted(simulated.changes));

    // It was not today but yesterday, so what was said in between is newer.
    objectives
        .create_check_in(value("win/deals", "d", 7.0))
        .await
        .expect("a check-in");
    let later = correct(&first.name, |it| it.effective_time = time(90));
    objectives.correct_check_in(later).await.expect("a correction");
    assert_eq!(
        progress(&server, "win/deals").await.current,
        Some(4.0),
        "newest by effective time"
    );
    let earlier = correct(&first.name, |it| it.effective_date = date(2026, 1, 1));
    objectives.correct_check_in(earlier).await.expect("a correction");
    assert_eq!(progress(&server, "win/deals").await.current, Some(7.0));

    let mut nothing = correct(&first.name, |it| it.value = Some(9.0));
    nothing.update_mask = mask(&["confidence"]);
    let bare = objectives
        .correct_check_in(nothing)
        .await
        .expect("without a confidence")
        .into_inner();
    assert_eq!((bare.value, bare.confidence), (Some(4.0), None));
    let head = server.head().await;
    let same = objectives
        .correct_check_in(correct(&first.name, |it| it.value = Some(4.0)))
        .await;
    let same = same.expect("it is so already");
    assert_eq!(
        same.metadata().get("binnacle-revision").expect("a trailer"),
        &head.to_string()
    );
    assert_eq!(server.head().await, head, "nothing to record");
}

#[tokio::test]
async fn a_correction_or_a_retraction_that_makes_no_sense_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    objectives
        .create_check_in(value("win/deals", "c", 5.0))
        .await
        .expect("a check-in");
    objectives
        .create_check_in(check_in("win/nps", "n", |it| it.confidence = Some(0.5)))
        .await
        .expect("a check-in");
    let (c, n) = (
        format!("{}/checkIns/c", key_result_name("win/deals")),
        format!("{}/checkIns/n", key_result_name("win/nps")),
    );
    let in_workspace = |name: &str| name.trim_start_matches("workspaces/acme/").to_owned();
    let masked = |paths: &[&str]| api::CorrectCheckInRequest {
        update_mask: mask(paths),
        ..correct(&c, |_| {})
    };
    for (request, expected) in [
        (
            correct(&c, |it| it.value = Some(f64::NAN)),
            invalid(&["check_in.value"]),
        ),
        (
            correct(&c, |it| it.confidence = Some(-0.1)),
            invalid(&["check_in.confidence"]),
        ),
        (
            correct(&c, |it| it.status_override = 99),
            invalid(&["check_in.status_override"]),
        ),
        (
            correct(&c, |it| it.effective_date = date(2026, 1, 2)),
            refused(
                tonic::Code::InvalidArgument,
                "EFFECTIVE_TIME_IN_FUTURE",
                &["effective_time"],
            ),
        ),
        (masked(&["value"]), invalid(&["check_in"])),
        (masked(&["name"]), invalid(&["update_mask"])),
        (masked(&["retract_time"]), invalid(&["update_mask"])),
        (
            correct(&format!("{c}x"), |it| it.value = Some(1.0)),
            missing(&in_workspace(&format!("{c}x"))),
        ),
        (
            correct("", |it| it.value = Some(1.0)),
            invalid(&["check_in.name"]),
        ),
        (api::CorrectCheckInRequest::default(), invalid(&["check_in"])),
        (
            correct(&n, |it| it.value = Some(1.0)),
            rule("VALUE_COMES_FROM_KPI", "objectives/win/keyResults/nps"),
        ),
        (
            correct(&c, |it| {
                it.reached_milestones = Some(api::ReachedMilestones {
                    milestones: vec!["x".to_owned()],
                })
            }),
            invalid(&["check_in.reached_milestones"]),
        ),
    ] {
        assert_eq!(
            server.refusal(objectives.correct_check_in(request.clone())).await,
            expected,
            "{request:?}"
        );
    }
    let revision = server.head().await;
    let retract = || named!(RetractCheckInRequest, c);
    let retracted = retried!(server, objectives.retract_check_in(retract()));
    assert_eq!((retracted.value, retracted.retract_time), (Some(5.0), time(0)));
    let told = told_after(&server, revision).await;
    assert_eq!(
        (told[0].0.as_str(), told[0].1.as_str()),
        ("CheckInRetracted", in_workspace(&c).as_str())
    );
    assert_eq!(
        progress(&server, "win/deals").await.current,
        None,
        "not started again"
    );
    let over = rule("CHECK_IN_RETRACTED", &in_workspace(&c));
    assert_eq!(server.refusal(objectives.retract_check_in(retract())).await, over);
    let correction = correct(&c, |it| it.value = Some(1.0));
    assert_eq!(
        server.refusal(objectives.correct_check_in(correction)).await,
        over
    );
    assert_eq!(
        server
            .refusal(objectives.create_check_in(value("win/deals", "c", 1.0)))
            .await,
        refused(AlreadyExists, "ALREADY_EXISTS", &[&in_workspace(&c)]),
        "its name stays taken"
    );
    let list = async |show_deleted: bool| {
        let request = api::ListCheckInsRequest {
            parent: key_result_name("win/deals"),
            show_deleted,
            ..Default::default()
        };
        server
            .objectives()
            .list_check_ins(request)
            .await
            .expect("check-ins")
            .into_inner()
            .check_ins
            .len()
    };
    assert_eq!((list(false).await, list(true).await), (0, 1));
    let nowhere = named!(
        RetractCheckInRequest,
        acme("objectives/x/keyResults/y/checkIns/z")
    );
    assert_eq!(
        server.refusal(objectives.retract_check_in(nowhere)).await,
        missing("objectives/x/keyResults/y")
    );
}

#[tokio::test]
async fn after_closing_a_check_in_can_be_put_right_and_taken_back_but_no_other_said() {
    let server = Server::start().await;
    with_company(&server).await;
    with_objective(&server, "other", |it| {
        it.ambition = api::objective::Ambition::Aspirational.into()
    })
    .await;
    let mut objectives = server.objectives();
    objectives
        .create_check_in(value("other/number", "c", 8.0))
        .await
        .expect("a check-in");
    let close = named!(CloseObjectiveRequest, acme("objectives/other"));
    let closed = objectives
        .close_objective(close)
        .await
        .expect("closed")
        .into_inner();
    let name = format!("{}/checkIns/c", key_result_name("other/number"));
    let revision = server.head().await;
    let corrected = retried!(
        server,
        objectives.correct_check_in(correct(&name, |it| it.value = Some(5.0)))
    );
    assert_eq!(corrected.value, Some(5.0));
    let after = objective(&server, "other").await;
    let progress = after.progress.expect("CLOSED");
    assert_eq!((progress.score, progress.restated_score), (Some(0.8), Some(0.5)));
    assert_eq!(after.result, closed.result);
    let changes = changes_after(&server, revision).await;
    assert_eq!(
        changes.len(),
        2,
        "the key result and the objective, no score: {changes:?}"
    );
    retried!(
        server,
        objectives.retract_check_in(named!(RetractCheckInRequest, name))
    );
    assert_eq!(
        objective(&server, "other")
            .await
            .progress
            .expect("CLOSED")
            .restated_score,
        Some(0.0)
    );
    assert_eq!(
        server
            .refusal(objectives.create_check_in(value("other/number", "d", 1.0)))
            .await,
        rule("OBJECTIVE_NOT_ACTIVE", "objectives/other")
    );
    let cancel = named!(CancelObjectiveRequest, acme("objectives/win"));
    objectives
        .create_check_in(value("win/deals", "c", 1.0))
        .await
        .expect("a check-in");
    objectives.cancel_objective(cancel).await.expect("canceled");
    let canceled = format!("{}/checkIns/c", key_result_name("win/deals"));
    let not_active = rule("OBJECTIVE_NOT_ACTIVE", "objectives/win");
    let correction = correct(&canceled, |it| it.value = Some(5.0));
    assert_eq!(
        server.refusal(objectives.correct_check_in(correction)).await,
        not_active
    );
    let retraction = named!(RetractCheckInRequest, canceled);
    assert_eq!(
        server.refusal(objectives.retract_check_in(retraction)).await,
        not_active
    );
}
