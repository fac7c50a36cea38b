//! The life of a quarter, from the plan to what is carried over, through the API alone. It can be read as documentation:
//! every step says what people do and what they are answered.

mod common;

use binnacle::proto::api;
use binnacle::proto::api::key_result::Kind;
use binnacle::proto::api::objective::State;
use common::{Refused, Server, acme, date, new_kpi, new_team, new_workspace};
use tonic::Code;

/// Noon in São Paulo, so many days after 1 January 2026.
fn noon(days: i64) -> i64 {
    days * 24 * 3600 + 3 * 3600
}

/// The company and its server.
struct Company {
    server: Server,
}

impl Company {
    /// Time passes until noon of a day, counted from 1 January: 31 is 1 February, 59 is 1 March, 90 is 1 April.
    /// The first command of a day begins it, even one that changes nothing.
    async fn on_day(&self, days: i64) {
        self.server.clock.advance_to(common::at(noon(days)));
        let nothing = api::UpdateWorkspaceRequest {
            workspace: Some(api::Workspace {
                name: "workspaces/acme".to_owned(),
                title: "acme".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.server
            .workspaces()
            .update_workspace(nothing)
            .await
            .expect("a new day");
    }

    async fn objective(&self, id: &str) -> api::Objective {
        let request = api::GetObjectiveRequest {
            name: acme(&format!("objectives/{id}")),
            ..Default::default()
        };
        self.server
            .objectives()
            .get_objective(request)
            .await
            .expect("an objective")
            .into_inner()
    }

    async fn key_result(&self, path: &str) -> api::KeyResult {
        let request = api::GetKeyResultRequest {
            name: key_result_name(path),
            ..Default::default()
        };
        self.server
            .objectives()
            .get_key_result(request)
            .await
            .expect("a key result")
            .into_inner()
    }

    async fn cycle(&self, id: &str) -> api::Cycle {
        let request = api::GetCycleRequest {
            name: acme(&format!("cycles/{id}")),
            ..Default::default()
        };
        self.server
            .cycles()
            .get_cycle(request)
            .await
            .expect("a cycle")
            .into_inner()
    }

    /// The score of a key result; none while it does not count.
    async fn score(&self, path: &str) -> Option<f64> {
        self.key_result(path)
            .await
            .progress
            .map(|progress| progress.score)
    }

    async fn close(
        &self,
        closing: Vec<api::ObjectiveClosing>,
    ) -> Result<api::CloseCycleResponse, tonic::Status> {
        let request = api::CloseCycleRequest {
            name: acme("cycles/q1"),
            objectives: closing,
            ..Default::default()
        };
        Ok(self.server.cycles().close_cycle(request).await?.into_inner())
    }
}

/// `objective/keyResult` as a full name.
fn key_result_name(path: &str) -> String {
    let (objective, key_result) = path.split_once('/').expect("a path");
    acme(&format!("objectives/{objective}/keyResults/{key_result}"))
}

fn cycle(id: &str, first: (i32, i32), last: (i32, i32), parent: &str) -> api::CreateCycleRequest {
    api::CreateCycleRequest {
        parent: "workspaces/acme".to_owned(),
        cycle_id: id.to_owned(),
        cycle: Some(api::Cycle {
            title: id.to_owned(),
            first_date: date(2026, first.0, first.1),
            last_date: date(2026, last.0, last.1),
            parent_cycle: parent.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn objective(
    id: &str,
    title: &str,
    ambition: api::objective::Ambition,
    change: impl FnOnce(&mut api::Objective),
) -> api::CreateObjectiveRequest {
    let mut objective = api::Objective {
        title: title.to_owned(),
        owner: acme("members/anonymous"),
        cycle: acme("cycles/q1"),
        ambition: ambition.into(),
        ..Default::default()
    };
    change(&mut objective);
    api::CreateObjectiveRequest {
        parent: "workspaces/acme".to_owned(),
        objective_id: id.to_owned(),
        objective: Some(objective),
        ..Default::default()
    }
}

fn key_result(path: &str, title: &str, kind: Kind, kpi: &str) -> api::CreateKeyResultRequest {
    let (objective, id) = path.split_once('/').expect("a path");
    api::CreateKeyResultRequest {
        parent: acme(&format!("objectives/{objective}")),
        key_result_id: id.to_owned(),
        key_result: Some(api::KeyResult {
            title: title.to_owned(),
            kind: Some(kind),
            kpi: kpi.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn metric(baseline: Option<f64>, target: f64) -> Kind {
    Kind::Metric(api::Metric {
        baseline,
        target: Some(target),
        ..Default::default()
    })
}

fn check_in(path: &str, change: impl FnOnce(&mut api::CheckIn)) -> api::CreateCheckInRequest {
    let mut check_in = api::CheckIn::default();
    change(&mut check_in);
    api::CreateCheckInRequest {
        parent: key_result_name(path),
        check_in: Some(check_in),
        ..Default::default()
    }
}

fn value(path: &str, value: f64) -> api::CreateCheckInRequest {
    check_in(path, |check_in| check_in.value = Some(value))
}

fn reached(path: &str, milestones: &[&str]) -> api::CreateCheckInRequest {
    check_in(path, |check_in| {
        check_in.reached_milestones = Some(api::ReachedMilestones {
            milestones: milestones.iter().map(|&id| id.to_owned()).collect(),
        });
    })
}

fn close_to(left: Option<f64>, right: f64) -> bool {
    left.is_some_and(|left| (left - right).abs() < 1e-9)
}

/// December: the company writes down what it is about, its year and its first quarter, and what it wants to reach.
async fn planned() -> Company {
    let server = Server::start().await;
    let company = Company { server };
    let server = &company.server;
    let (mut workspaces, mut cycles) = (server.workspaces(), server.cycles());
    workspaces
        .create_workspace(new_workspace("acme"))
        .await
        .expect("acme");
    for team in [new_team("product", ""), new_team("care", "product")] {
        workspaces.create_team(team).await.expect("a team");
    }
    // A quarter lies in its year, so it ends before the year does.
    let year = acme("cycles/y2026");
    for cycle in [
        cycle("y2026", (1, 1), (12, 31), ""),
        cycle("q1", (1, 1), (3, 31), &year),
        cycle("q2", (4, 1), (6, 30), &year),
    ] {
        cycles.create_cycle(cycle).await.expect("a cycle");
    }
    // How long a customer waits is measured anyway: 48 minutes now.
    let mut kpi = new_kpi("reply-time");
    kpi.kpi.as_mut().expect("a KPI").direction = api::Direction::LowerIsBetter.into();
    server.kpis().create_kpi(kpi).await.expect("a KPI");
    server
        .kpis()
        .record_measurement(common::measure("reply-time", -24 * 3600, 48.0))
        .await
        .expect("48 minutes");
    let mut objectives = server.objectives();
    for objective in [
        objective(
            "lead",
            "Lead the market",
            api::objective::Ambition::Aspirational,
            |it| it.cycle = year,
        ),
        objective(
            "support",
            "Support that people come back for",
            api::objective::Ambition::Committed,
            |it| {
                it.team = acme("teams/care");
                it.aligned_to = acme("objectives/lead");
            },
        ),
        objective(
            "shop",
            "A shop that sells by itself",
            api::objective::Ambition::Aspirational,
            |it| {
                it.team = acme("teams/product");
                it.aligned_to = acme("objectives/lead");
            },
        ),
        objective(
            "partners",
            "Partners who bring customers",
            api::objective::Ambition::Aspirational,
            |it| {
                it.aligned_to = acme("objectives/shop");
            },
        ),
    ] {
        let draft = objectives
            .create_objective(objective)
            .await
            .expect("a draft")
            .into_inner();
        assert_eq!(
            (draft.state(), draft.progress),
            (State::Draft, None),
            "a draft counts nowhere"
        );
    }
    // The four kinds: from a baseline to a target, kept where it is, steps on the way, done or not.
    let milestone = |id: &str, weight: f64| api::Milestone {
        id: id.to_owned(),
        title: id.to_owned(),
        weight: Some(weight),
    };
    for key_result in [
        key_result(
            "support/reply",
            "Reply in 30 minutes",
            metric(None, 30.0),
            &acme("kpis/reply-time"),
        ),
        key_result(
            "support/nps",
            "NPS stays at 40",
            Kind::Maintain(api::Maintain {
                at_least: Some(40.0),
                tolerance: Some(10.0),
                ..Default::default()
            }),
            "",
        ),
        key_result(
            "support/articles",
            "Articles that answer by themselves",
            Kind::Milestones(api::Milestones {
                milestones: vec![
                    milestone("plan", 1.0),
                    milestone("write", 2.0),
                    milestone("publish", 1.0),
                ],
            }),
            "",
        ),
        key_result("shop/open", "The shop is open", Kind::Binary(api::Binary {}), ""),
        key_result("shop/orders", "50 orders", metric(Some(0.0), 50.0), ""),
        key_result("partners/signed", "10 partners", metric(Some(0.0), 10.0), ""),
    ] {
        objectives
            .create_key_result(key_result)
            .await
            .expect("a key result");
    }
    // Without a baseline, a key result starts where its KPI stands.
    let Some(Kind::Metric(reply)) = company.key_result("support/reply").await.kind else {
        panic!("no metric");
    };
    assert_eq!(reply.baseline, Some(48.0));
    assert!(matches!(
        reply.baseline_source.expect("a source").source,
        Some(api::baseline_source::Source::KpiRevision(_))
    ));
    company
}

/// 1 January: the cycles begin, and the objectives with them.
async fn activated() -> Company {
    let company = planned().await;
    let activate = |id: &str| api::ActivateObjectiveRequest {
        name: acme(&format!("objectives/{id}")),
        ..Default::default()
    };
    let mut objectives = company.server.objectives();
    let early = company
        .server
        .refusal(objectives.activate_objective(activate("support")))
        .await;
    assert_eq!(
        early,
        Refused::new(Code::FailedPrecondition, "CYCLE_NOT_ACTIVE", &["cycles/q1"])
    );
    for id in ["y2026", "q1"] {
        let request = api::ActivateCycleRequest {
            name: acme(&format!("cycles/{id}")),
            ..Default::default()
        };
        company
            .server
            .cycles()
            .activate_cycle(request)
            .await
            .expect("an active cycle");
    }
    for id in ["lead", "support", "shop", "partners"] {
        objectives
            .activate_objective(activate(id))
            .await
            .expect("an active objective");
    }
    let lead = company.objective("lead").await.progress.expect("it is ACTIVE");
    assert_eq!(
        (lead.score, lead.status()),
        (None, api::Status::Unmeasured),
        "no key result, so no score"
    );
    let support = company.objective("support").await.progress.expect("it is ACTIVE");
    assert_eq!(
        (support.score, support.status()),
        (Some(0.0), api::Status::NotStarted)
    );
    company
}

/// January to March: a check-in a week, some late, some put right.
async fn worked() -> Company {
    let company = activated().await;
    let mut objectives = company.server.objectives();
    company.on_day(14).await;
    // One batch a week: all or none. What is measured comes by itself.
    let batch = |requests: Vec<api::CreateCheckInRequest>| api::BatchCreateCheckInsRequest {
        parent: "workspaces/acme".to_owned(),
        requests,
        ..Default::default()
    };
    let linked = batch(vec![value("support/nps", 42.0), value("support/reply", 39.0)]);
    let refused = company
        .server
        .refusal(objectives.batch_create_check_ins(linked))
        .await;
    let expected = Refused::new(Code::FailedPrecondition, "VALUE_COMES_FROM_KPI", &["requests[1]"]);
    assert_eq!(refused, expected, "and the first one is not recorded either");
    let week = batch(vec![
        value("support/nps", 42.0),
        reached("support/articles", &["plan"]),
        value("shop/orders", 10.0),
        value("shop/open", 0.0),
    ]);
    let answered = objectives
        .batch_create_check_ins(week)
        .await
        .expect("a week")
        .into_inner();
    assert_eq!(answered.check_ins.len(), 4);
    company
        .server
        .kpis()
        .record_measurement(common::measure("reply-time", noon(14), 39.0))
        .await
        .expect("39 minutes");
    assert_eq!(
        company.score("support/reply").await,
        Some(0.5),
        "(39 − 48) ÷ (30 − 48)"
    );
    assert_eq!(company.score("support/nps").await, Some(1.0), "40 holds");
    assert_eq!(company.score("support/articles").await, Some(0.25), "1 of 4");
    let support = company.objective("support").await.progress.expect("it is ACTIVE");
    assert!(close_to(support.score, 1.75 / 3.0), "{support:?}");
    assert_eq!(support.status(), api::Status::OnTrack);
    let shop = company.objective("shop").await.progress.expect("it is ACTIVE");
    assert!(close_to(shop.score, 0.1), "{shop:?}");

    // Somebody knows better than the numbers, until the next check-in.
    company.on_day(45).await;
    let worried = check_in("shop/orders", |it| {
        it.confidence = Some(0.3);
        it.comment = "The supplier is late.".to_owned();
        it.status_override = api::Status::AtRisk.into();
    });
    objectives.create_check_in(worried).await.expect("a check-in");
    let orders = company.key_result("shop/orders").await;
    assert_eq!(orders.confidence, Some(0.3));
    assert_eq!(
        orders.progress.expect("it is ACTIVE").status(),
        api::Status::AtRisk
    );
    // A value of last week, told today: latest is by when it was true, not by when it was told.
    let late = check_in("shop/orders", |it| {
        it.value = Some(20.0);
        it.effective_date = date(2026, 2, 9);
    });
    let late = objectives
        .create_check_in(late)
        .await
        .expect("a check-in")
        .into_inner();
    let orders = company
        .key_result("shop/orders")
        .await
        .progress
        .expect("it is ACTIVE");
    assert_eq!(
        (orders.current, orders.status()),
        (Some(20.0), api::Status::AtRisk),
        "the newest still stands"
    );
    // It was 25. What was believed before stays in the history.
    let correction = api::CorrectCheckInRequest {
        check_in: Some(api::CheckIn {
            name: late.name.clone(),
            value: Some(25.0),
            ..Default::default()
        }),
        reason: "Counted twice.".to_owned(),
        ..Default::default()
    };
    let corrected = objectives
        .correct_check_in(correction)
        .await
        .expect("a correction")
        .into_inner();
    assert!(corrected.correct_time.is_some() && corrected.effective_time == late.effective_time);
    assert_eq!(company.score("shop/orders").await, Some(0.5));

    // What if? Nothing of it is recorded.
    let before = company.server.head().await;
    let what_if = api::SimulateRequest {
        parent: "workspaces/acme".to_owned(),
        commands: vec![api::SimulatedCommand {
            command: Some(api::simulated_command::Command::CreateCheckIn(value(
                "shop/open",
                1.0,
            ))),
        }],
        date: date(2026, 3, 31),
        ..Default::default()
    };
    let answered = company
        .server
        .progress()
        .simulate(what_if)
        .await
        .expect("an answer")
        .into_inner();
    let grade = answered.changes.iter().find_map(|change| match &change.figure {
        Some(api::derived_change::Figure::Objective(shop)) if change.resource == acme("objectives/shop") => {
            Some((
                shop.before.as_ref()?.grading?.grade,
                shop.after.as_ref()?.grading?.grade,
            ))
        }
        _ => None,
    });
    assert_eq!(
        grade,
        Some((Some(0.2), Some(0.7))),
        "(0.5 + 0) ÷ 2 and (0.5 + 1) ÷ 2, cut"
    );
    assert_eq!(company.server.head().await, before);

    // The last week.
    company.on_day(88).await;
    let week = batch(vec![
        value("support/nps", 36.0),
        reached("support/articles", &["plan", "write", "publish"]),
        value("shop/orders", 50.0),
        value("shop/open", 1.0),
        value("partners/signed", 4.0),
    ]);
    objectives.batch_create_check_ins(week).await.expect("a week");
    company
        .server
        .kpis()
        .record_measurement(common::measure("reply-time", noon(88), 30.0))
        .await
        .expect("30 minutes");
    assert!(
        close_to(company.score("support/nps").await, 0.6),
        "4 below 40, of a tolerance of 10"
    );
    company
}

#[tokio::test]
async fn a_quarter_is_planned_worked_reviewed_closed_and_carried_over() {
    let company = worked().await;
    let server = &company.server;
    let (mut cycles, mut objectives) = (server.cycles(), server.objectives());

    // 1 April: partners goes on in the next quarter, from where it stands. It counts nowhere in this one.
    company.on_day(90).await;
    let carry = || api::CarryOverObjectiveRequest {
        name: acme("objectives/partners"),
        cycle: acme("cycles/q2"),
        objective_id: "more-partners".to_owned(),
        ..Default::default()
    };
    let carried = objectives
        .carry_over_objective(carry())
        .await
        .expect("carried over")
        .into_inner();
    let draft = carried.objective.expect("a draft");
    assert_eq!(
        (draft.state(), draft.carried_from),
        (State::Draft, acme("objectives/partners"))
    );
    assert_eq!(
        draft.aligned_to,
        acme("objectives/shop"),
        "its parent stays where it is"
    );
    let Some(Kind::Metric(signed)) = &carried.key_results[0].kind else {
        panic!("no metric");
    };
    assert_eq!((signed.baseline, signed.target), (Some(4.0), Some(10.0)));
    let source = carried.source.expect("the source");
    let grading = source.result.expect("a result").grading.expect("an outcome");
    assert_eq!(
        (source.state, grading.outcome()),
        (State::Closed.into(), api::Outcome::Postponed)
    );
    let again = api::CarryOverObjectiveRequest {
        objective_id: "again".to_owned(),
        ..carry()
    };
    let refused = server.refusal(objectives.carry_over_objective(again)).await;
    let expected = Refused::new(
        Code::AlreadyExists,
        "CARRIED_OVER_ALREADY",
        &["objectives/more-partners"],
    );
    assert_eq!(refused, expected);

    // The review, and a look at what closing would come to.
    let begin = api::BeginCycleReviewRequest {
        name: acme("cycles/q1"),
        ..Default::default()
    };
    cycles.begin_cycle_review(begin).await.expect("a review");
    let review = api::CreateReviewRequest {
        parent: acme("cycles/q1"),
        review: Some(api::Review {
            attendees: vec![acme("members/anonymous")],
            learned: "Ask the supplier earlier.".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let review = cycles.create_review(review).await.expect("a review").into_inner();
    assert_eq!(review.date, date(2026, 4, 1));
    let dry = api::CloseCycleRequest {
        name: acme("cycles/q1"),
        dry_run: true,
        ..Default::default()
    };
    let before = server.head().await;
    let dry = cycles.close_cycle(dry).await.expect("a dry run").into_inner();
    assert_eq!(
        dry.explanations_missing,
        [acme("objectives/support")],
        "COMMITTED and below 1.0"
    );
    assert_eq!(dry.objectives.len(), 2, "shop and support; partners is postponed");
    assert_eq!(server.head().await, before, "a dry run records nothing");
    let refused = server.refusal(cycles.close_cycle(api::CloseCycleRequest {
        name: acme("cycles/q1"),
        ..Default::default()
    }));
    let expected = Refused::new(
        Code::FailedPrecondition,
        "EXPLANATION_MISSING",
        &["objectives/support"],
    );
    assert_eq!(refused.await, expected);

    // Closing grades everything that is open, and freezes it.
    let explained = || {
        vec![api::ObjectiveClosing {
            objective: acme("objectives/support"),
            closing: Some(api::Closing {
                explanation: "The holidays.".to_owned(),
                next: "Hire for December.".to_owned(),
                ..Default::default()
            }),
        }]
    };
    let closed = company.close(explained()).await.expect("closed");
    assert_eq!(closed.cycle.expect("a cycle").state(), api::cycle::State::Closed);
    let support = company.objective("support").await;
    let result = support.result.expect("a result");
    let grading = result.grading.expect("a grade");
    assert!(close_to(result.score, 2.6 / 3.0), "{result:?}");
    assert_eq!(
        (grading.grade, grading.band(), grading.outcome()),
        (Some(0.8), api::Band::Green, api::Outcome::Partial),
        "0.866… is cut to 0.8; a COMMITTED one is achieved at 1.0 only"
    );
    let shop = company
        .objective("shop")
        .await
        .result
        .expect("a result")
        .grading
        .expect("a grade");
    assert_eq!(
        (shop.grade, shop.too_easy),
        (Some(1.0), true),
        "it did not aim high enough"
    );
    let q1 = company.cycle("q1").await;
    assert!(
        close_to(q1.score, (2.6 / 3.0 + 1.0) / 2.0),
        "the mean of the two that were graded"
    );

    // It was 41 after all. The result stays, what is known now stands beside it.
    let nps = api::ListCheckInsRequest {
        parent: key_result_name("support/nps"),
        ..Default::default()
    };
    let nps = objectives
        .list_check_ins(nps)
        .await
        .expect("check-ins")
        .into_inner()
        .check_ins;
    let wrong = nps
        .iter()
        .find(|check_in| check_in.value == Some(36.0))
        .expect("the last one");
    let correction = || api::CorrectCheckInRequest {
        check_in: Some(api::CheckIn {
            name: wrong.name.clone(),
            value: Some(41.0),
            ..Default::default()
        }),
        ..Default::default()
    };
    objectives
        .correct_check_in(correction())
        .await
        .expect("a correction");
    let known = company.objective("support").await;
    let progress = known.progress.expect("it is CLOSED");
    assert!(
        close_to(progress.score, 2.6 / 3.0) && close_to(progress.restated_score, 1.0),
        "{progress:?}"
    );
    assert_eq!(
        (progress.status(), known.result.as_ref()),
        (api::Status::Closed, Some(&result))
    );
    assert_eq!(company.cycle("q1").await.score, q1.score);

    // So the company looks again: reopening needs a reason, and the old grade stays in the history.
    let reopen = |reason: &str| api::ReopenCycleRequest {
        name: acme("cycles/q1"),
        reason: reason.to_owned(),
        ..Default::default()
    };
    let refused = server.refusal(cycles.reopen_cycle(reopen(""))).await;
    assert_eq!(
        refused,
        Refused::new(Code::FailedPrecondition, "REASON_MISSING", &["cycles/q1"])
    );
    let reopened = cycles
        .reopen_cycle(reopen("The NPS was wrong."))
        .await
        .expect("reopened")
        .into_inner();
    assert_eq!(reopened.state(), api::cycle::State::Review);
    assert_eq!(
        company.objective("partners").await.state(),
        State::Closed,
        "that closing had not graded it"
    );
    company
        .close(Vec::new())
        .await
        .expect("closed, with nothing to explain");
    let support = company
        .objective("support")
        .await
        .result
        .expect("a result")
        .grading
        .expect("a grade");
    assert_eq!(
        (support.grade, support.outcome()),
        (Some(1.0), api::Outcome::Achieved)
    );
    let history = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let events = server
        .audit()
        .list_events(history)
        .await
        .expect("events")
        .into_inner()
        .events;
    let of_support: Vec<&str> = events
        .iter()
        .filter(|event| event.resource == acme("objectives/support"))
        .map(|event| event.r#type.as_str())
        .collect();
    assert_eq!(
        of_support,
        [
            "ObjectiveCreated",
            "ObjectiveActivated",
            "ObjectiveClosed",
            "ObjectiveReopened",
            "ObjectiveClosed"
        ]
    );

    // A year does not close before its quarters.
    let begin = api::BeginCycleReviewRequest {
        name: acme("cycles/y2026"),
        ..Default::default()
    };
    cycles.begin_cycle_review(begin).await.expect("a review");
    let close = api::CloseCycleRequest {
        name: acme("cycles/y2026"),
        ..Default::default()
    };
    let refused = server.refusal(cycles.close_cycle(close)).await;
    assert_eq!(
        refused,
        Refused::new(Code::FailedPrecondition, "NESTED_CYCLE_OPEN", &["cycles/q2"])
    );
}

#[tokio::test]
async fn a_quarter_can_be_seen_as_a_tree_and_as_a_history() {
    let company = worked().await;
    let mut objectives = company.server.objectives();
    let tree = |name: String| api::GetObjectiveTreeRequest {
        name,
        ..Default::default()
    };
    let whole = objectives
        .get_objective_tree(tree("workspaces/acme".to_owned()))
        .await
        .expect("a tree")
        .into_inner();
    let shape: Vec<(&str, i32, usize)> = whole
        .nodes
        .iter()
        .map(|node| {
            let id = node.name.rsplit('/').next().expect("an id");
            (id, node.depth, node.key_results.len())
        })
        .collect();
    assert_eq!(
        shape,
        [
            ("lead", 0, 0),
            ("shop", 1, 2),
            ("partners", 2, 1),
            ("support", 1, 3)
        ]
    );
    let shop = &whole.nodes[1];
    assert_eq!(
        (shop.score, shop.status(), shop.aligned_to.as_str()),
        (
            Some(1.0),
            api::Status::Achieved,
            "workspaces/acme/objectives/lead"
        )
    );
    let below = objectives
        .get_objective_tree(tree(acme("objectives/shop")))
        .await
        .expect("a tree")
        .into_inner();
    assert_eq!(below.nodes.len(), 2);
    let unknown = company
        .server
        .refusal(objectives.get_objective_tree(tree(acme("objectives/x"))))
        .await;
    assert_eq!(
        unknown,
        Refused::new(Code::NotFound, "NOT_FOUND", &["objectives/x"])
    );

    // The score of shop as it was known at the end of each month.
    let series = api::GetScoreSeriesRequest {
        name: acme("objectives/shop"),
        bucket: api::Cadence::Monthly.into(),
        ..Default::default()
    };
    let series = objectives
        .get_score_series(series)
        .await
        .expect("a history")
        .into_inner();
    let scores: Vec<Option<f64>> = series.points.iter().map(|point| point.score).collect();
    assert_eq!(
        scores,
        [Some(0.1), Some(0.25), Some(1.0)],
        "10 orders; 25 orders; 50 orders and open"
    );
    assert_eq!(series.points[0].last_date, date(2026, 1, 31));
    let team = |cycle: String| api::GetScoreSeriesRequest {
        name: acme("teams/product"),
        cycle,
        bucket: api::Cadence::Quarterly.into(),
        ..Default::default()
    };
    let product = objectives
        .get_score_series(team(acme("cycles/q1")))
        .await
        .expect("a history")
        .into_inner();
    assert_eq!(product.points.last().expect("a point").score, Some(1.0));
    let refused = company
        .server
        .refusal(objectives.get_score_series(team(String::new())))
        .await;
    assert_eq!(
        refused,
        Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["cycle"])
    );
}
