//! What-ifs on another day, and in a workspace that is not there yet.

use binnacle::proto::api;
use binnacle::proto::api::simulated_command::Command;
use tonic::Code::{AlreadyExists, NotFound};

use crate::common::*;
use crate::simulate::{simulated, what_if};
use crate::steps::*;

/// What an objective would be graded, before and after.
fn grades(answer: &api::SimulateResponse, objective: &str) -> Option<(Option<f64>, Option<f64>)> {
    let grade = |progress: Option<&api::ObjectiveProgress>| {
        progress.and_then(|it| it.grading).and_then(|it| it.grade)
    };
    answer.changes.iter().find_map(|change| match &change.figure {
        Some(api::derived_change::Figure::Objective(of)) if change.resource == acme(objective) => {
            Some((grade(of.before.as_ref()), grade(of.after.as_ref())))
        }
        _ => None,
    })
}

#[tokio::test]
async fn a_later_day_begins_first_and_may_have_measurements_that_nobody_could_record_today() {
    let server = Server::start().await;
    with_company(&server).await;
    let march = 80 * DAY_S;
    let commands = || {
        vec![
            Command::RecordMeasurement(measure("nps", march, 65.0)),
            Command::CreateCheckIn(check_in("win/deals", "c", |it| {
                (it.value, it.effective_time) = (Some(5.0), time(march))
            })),
        ]
    };
    let today = what_if(commands());
    let refusal = server.refusal(server.progress().simulate(today)).await;
    assert_eq!(refusal.about, ["commands[0]", "commands[1]"], "{refusal:?}");
    let future = api::SimulateRequest {
        date: date(2026, 3, 31),
        ..what_if(commands())
    };
    let answer = simulated(&server, future).await;
    assert_eq!(
        answer.event_count, 3,
        "two, and the alert that the value closes; the day that begins is none of the commands'"
    );
    assert_eq!(
        grades(&answer, "objectives/win"),
        Some((Some(0.0), Some(0.7))),
        "(0.5 + 1) ÷ 2, cut"
    );
    // What it would be on a day if nothing happened: nothing but what is expected and its status.
    let idle = api::SimulateRequest {
        date: date(2026, 3, 31),
        ..what_if(vec![])
    };
    let idle = simulated(&server, idle).await;
    let status = idle.changes.iter().find_map(|change| match &change.figure {
        Some(api::derived_change::Figure::Objective(of)) => {
            of.after.as_ref().map(|after| (after.status(), after.outdated))
        }
        _ => None,
    });
    assert_eq!(status, Some((api::Status::AtRisk, true)));
    let nothing = simulated(&server, what_if(vec![])).await;
    assert_eq!(
        (nothing.changes.len(), nothing.event_count, nothing.truncated),
        (0, 0, false)
    );
    server.clock.advance_to(at(3 * DAY_S));
    let morning = simulated(&server, what_if(vec![])).await;
    assert!(
        !morning.changes.is_empty() || server.head().await > answer.revision,
        "a day that has begun has begun here too"
    );
    for (wrong, expected) in [
        (date(2025, 12, 31), invalid(&["date"])),
        (date(2026, 2, 30), invalid(&["date"])),
        (date(0, 0, 0), invalid(&["date"])),
    ] {
        let past = api::SimulateRequest {
            date: wrong,
            ..what_if(vec![])
        };
        assert_eq!(
            server.refusal(server.progress().simulate(past)).await,
            expected,
            "{wrong:?}"
        );
    }
    for far in [date(2099, 12, 31), date(9999, 12, 30), date(9999, 12, 31)] {
        let far = api::SimulateRequest {
            date: far,
            ..what_if(vec![])
        };
        simulated(&server, far).await;
    }
}

#[tokio::test]
async fn a_workspace_that_is_not_there_yet_is_imagined_from_its_beginning() {
    let server = Server::start().await;
    for zone in [
        "America/Sao_Paulo",
        "Asia/Tokyo",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
    ] {
        let mut create = new_workspace("acme");
        create.workspace.as_mut().expect("a workspace").time_zone = zone.to_owned();
        let mut cycle = new_cycle("q1");
        cycle.cycle.as_mut().expect("a cycle").first_date = date(2026, 2, 1);
        let commands = || {
            vec![
                Command::CreateWorkspace(create.clone()),
                Command::CreateCycle(cycle.clone()),
                Command::ActivateCycle(named!(ActivateCycleRequest, acme("cycles/q1"))),
                Command::CreateObjective(new_objective("win")),
                Command::CreateKeyResult(key_result("win/deals", metric(0.0, 10.0))),
                Command::ActivateObjective(named!(ActivateObjectiveRequest, acme("objectives/win"))),
                Command::CreateCheckIn(value("win/deals", "c", 5.0)),
                // A review of today can be held, one of tomorrow cannot.
                Command::CreateReview(api::CreateReviewRequest {
                    parent: acme("cycles/q1"),
                    review: Some(api::Review {
                        date: date(2026, 3, 1),
                        ..Default::default()
                    }),
                    ..Default::default()
                }),
            ]
        };
        let request = api::SimulateRequest {
            date: date(2026, 3, 1),
            ..what_if(commands())
        };
        let answer = simulated(&server, request).await;
        assert_eq!((answer.revision, answer.event_count), (0, 10), "{zone}");
        assert_eq!(
            grades(&answer, "objectives/win"),
            Some((None, Some(0.5))),
            "{zone}"
        );
        let mut early = commands();
        let Some(Command::CreateReview(review)) = early.last_mut() else {
            panic!("no review")
        };
        review.review.as_mut().expect("a review").date = date(2026, 3, 2);
        let early = api::SimulateRequest {
            date: date(2026, 3, 1),
            ..what_if(early)
        };
        assert_eq!(
            Refused::of(&server.progress().simulate(early).await.expect_err("tomorrow")).about,
            ["commands[7]"],
            "{zone}"
        );
    }
    assert_eq!(server.heads().await, []);
    let nowhere = refused(NotFound, "NOT_FOUND", &[]);
    for commands in [
        vec![],
        vec![
            Command::CreateCycle(new_cycle("q1")),
            Command::CreateWorkspace(new_workspace("acme")),
        ],
    ] {
        assert_eq!(
            server
                .refusal(server.progress().simulate(what_if(commands)))
                .await,
            nowhere
        );
    }
    let create = || what_if(vec![Command::CreateWorkspace(new_workspace("acme"))]);
    for (request, expected) in [
        (
            api::SimulateRequest {
                min_revision: -1,
                ..create()
            },
            invalid(&["min_revision"]),
        ),
        (
            api::SimulateRequest {
                min_revision: 1,
                ..create()
            },
            nowhere.clone(),
        ),
        (
            api::SimulateRequest {
                date: date(2025, 12, 1),
                ..create()
            },
            invalid(&["date"]),
        ),
    ] {
        assert_eq!(
            server.refusal(server.progress().simulate(request)).await,
            expected
        );
    }
    with_workspace(&server).await;
    assert_eq!(
        server.refusal(server.progress().simulate(create())).await,
        refused(AlreadyExists, "ALREADY_EXISTS", &["commands[0]"])
    );
}
