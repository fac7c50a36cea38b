//! Key results of every kind, closings, carrying over, the scoring policy, deletions: what is written to the API and
//! read back is the same.

use super::*;

const SCORE: &str = "workspaces/acme/objectives/win/keyResults/score";

fn create_key_result(running: &mut Running, id: &str, key_result: api::KeyResult) {
    running.run(from_proto::create_key_result(&api::CreateKeyResultRequest {
        parent: WIN.to_owned(),
        key_result_id: id.to_owned(),
        key_result: Some(key_result),
        ..api::CreateKeyResultRequest::default()
    }));
}

fn key_result_of_kind(kind: api::key_result::Kind) -> api::KeyResult {
    api::KeyResult {
        kind: Some(kind),
        unit: None,
        window: api::key_result::Window::Newest.into(),
        ..measure()
    }
}

fn relative(change: api::relative_target::Change) -> Option<api::RelativeTarget> {
    Some(api::RelativeTarget { change: Some(change) })
}

fn milestones() -> api::key_result::Kind {
    let steps = [("plan", "The plan stands", 0.0), ("ship", "It is out", 2.5)];
    api::key_result::Kind::Milestones(api::Milestones {
        milestones: steps
            .map(|(id, title, weight)| api::Milestone {
                id: id.to_owned(),
                title: title.to_owned(),
                weight: Some(weight),
            })
            .to_vec(),
    })
}

fn maintain(at_least: Option<f64>, at_most: Option<f64>, tolerance: Option<f64>) -> api::key_result::Kind {
    let mode = match tolerance {
        Some(_) => api::maintain::Mode::Now,
        None => api::maintain::Mode::Share,
    };
    api::key_result::Kind::Maintain(api::Maintain {
        at_least,
        at_most,
        mode: mode.into(),
        tolerance,
    })
}

/// What is sent, and the target that the server resolves of it.
fn kinds() -> Vec<(api::key_result::Kind, Option<f64>)> {
    use api::key_result::Kind;
    use api::relative_target::Change;
    let metric = |target, relative_target, reference_value| {
        Kind::Metric(api::Metric {
            baseline: Some(40.0),
            target,
            relative_target,
            reference_value,
            baseline_source: None,
        })
    };
    vec![
        (metric(Some(65.0), None, Some(-3.5)), Some(65.0)),
        (metric(None, relative(Change::Percent(-10.0)), None), Some(36.0)),
        (
            metric(None, relative(Change::Amount(15.0)), Some(0.0)),
            Some(55.0),
        ),
        (maintain(Some(0.0), None, Some(0.0)), None),
        (maintain(None, Some(3.0), Some(2.5)), None),
        (maintain(Some(-1.0), Some(1.0), None), None),
        (milestones(), None),
        (Kind::Binary(api::Binary {}), None),
    ]
}

#[test]
fn a_key_result_of_every_kind_is_answered_as_it_was_written_and_can_be_sent_back() {
    for (kind, resolved) in kinds() {
        let mut running = acme();
        let mut asked = key_result_of_kind(kind);
        create_key_result(&mut running, "new", asked.clone());
        let name = format!("{WIN}/keyResults/new");
        let mut answered = read!(running, KeyResult, &name);
        let source = take_baseline_source(&mut answered);
        assert_eq!(source, resolved.map(|_| GIVEN), "{asked:?}");
        if let Some(api::key_result::Kind::Metric(metric)) = &mut asked.kind {
            metric.target = resolved;
        }
        let again = answered.clone();
        authored!(
            answered,
            asked.clone(),
            name,
            state,
            create_time,
            update_time,
            etag
        );
        running.run(from_proto::update_key_result(&api::UpdateKeyResultRequest {
            key_result: Some(again),
            update_mask: all(),
            ..api::UpdateKeyResultRequest::default()
        }));
        assert_eq!(running.commits.last().unwrap().events, [], "{asked:?}");
    }
}

#[test]
fn a_kind_can_be_changed_into_every_other() {
    let names = |kind: &api::key_result::Kind| match kind {
        api::key_result::Kind::Metric(_) => "metric",
        api::key_result::Kind::Maintain(_) => "maintain",
        api::key_result::Kind::Milestones(_) => "milestones",
        api::key_result::Kind::Binary(_) => "binary",
    };
    let mut running = acme();
    create_key_result(&mut running, "new", key_result_of_kind(milestones()));
    let name = format!("{WIN}/keyResults/new");
    for (mut kind, resolved) in kinds() {
        running.run(from_proto::update_key_result(&api::UpdateKeyResultRequest {
            key_result: Some(api::KeyResult {
                name: name.clone(),
                kind: Some(kind.clone()),
                ..api::KeyResult::default()
            }),
            update_mask: Some(FieldMask {
                paths: vec![names(&kind).to_owned()],
            }),
            ..api::UpdateKeyResultRequest::default()
        }));
        let mut answered = read!(running, KeyResult, &name);
        take_baseline_source(&mut answered);
        if let api::key_result::Kind::Metric(metric) = &mut kind {
            metric.target = resolved;
        }
        assert_eq!(answered.kind, Some(kind));
        assert_eq!(answered.title, measure().title, "the mask names the kind alone");
    }
}

#[test]
fn a_sum_over_the_cycle_begins_at_0_and_says_so() {
    let mut running = acme();
    running.run(from_proto::create_kpi(&api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: "revenue".to_owned(),
        kpi: Some(api::Kpi {
            aggregation: api::Aggregation::Sum.into(),
            ..gauge()
        }),
        ..api::CreateKpiRequest::default()
    }));
    let mut asked = api::KeyResult {
        kpi: "workspaces/acme/kpis/revenue".to_owned(),
        window: api::key_result::Window::Cycle.into(),
        ..key_result_of_kind(api::key_result::Kind::Metric(api::Metric {
            target: Some(1e6),
            reference_value: Some(9e5),
            ..api::Metric::default()
        }))
    };
    create_key_result(&mut running, "new", asked.clone());
    let mut answered = read!(running, KeyResult, &format!("{WIN}/keyResults/new"));
    assert_eq!(take_baseline_source(&mut answered), Some(GIVEN));
    if let Some(api::key_result::Kind::Metric(metric)) = &mut asked.kind {
        metric.baseline = Some(0.0);
    }
    authored!(answered, asked, name, state, create_time, update_time, etag);
}

/// Different from the policy of a new workspace in every number.
fn policy() -> api::ScoringPolicy {
    api::ScoringPolicy {
        name: "workspaces/acme/scoringPolicy".to_owned(),
        committed_bar: Some(0.9),
        aspirational_bar: Some(0.6),
        on_track_gap: Some(0.0),
        behind_gap: Some(0.3),
        achieved_from: Some(0.8),
        partial_from: Some(0.5),
        roll_up: api::scoring_policy::RollUp::OwnAndAligned.into(),
        check_in_cadence_days: Some(14),
        check_in_grace_days: Some(0),
        hygiene: Some(api::HygieneLimits {
            objectives_of_team_max: Some(5),
            key_results_min: Some(0),
            key_results_max: Some(6),
            kpis_of_area_min: Some(1),
            kpis_of_area_max: Some(7),
            confidence_min: Some(0.0),
            linked_kpis_share_max: Some(0.75),
            breached_periods_max: Some(8),
        }),
        alerts: Some(api::AlertRules {
            breach_after: Some(2),
            recover_after: Some(4),
            adverse_move_periods: Some(5),
            adverse_move_percent: Some(0.0),
            healthy_share_periods: Some(6),
        }),
        ..api::ScoringPolicy::default()
    }
}

#[test]
fn a_scoring_policy_is_answered_as_it_was_written_and_can_be_sent_back() {
    let mut running = acme();
    let name = policy().name;
    let first = read!(running, ScoringPolicy, &name);
    running.run(from_proto::update_scoring_policy(
        &api::UpdateScoringPolicyRequest {
            scoring_policy: Some(policy()),
            update_mask: all(),
            reason: "the new year".to_owned(),
            ..api::UpdateScoringPolicyRequest::default()
        },
    ));
    let answered = read!(running, ScoringPolicy, &name);
    assert_eq!((answered.version, answered.etag.as_str()), (12, "r12"));
    assert_eq!(
        (answered.principal.as_str(), answered.reason.as_str()),
        ("binnacle", "the new year")
    );
    assert_eq!(answered.create_time.unwrap().seconds, NOON);
    let again = answered.clone();
    authored!(
        answered,
        policy(),
        version,
        semantics,
        create_time,
        principal,
        reason,
        etag
    );
    let mut send = |scoring_policy: api::ScoringPolicy| {
        running.run(from_proto::update_scoring_policy(
            &api::UpdateScoringPolicyRequest {
                scoring_policy: Some(scoring_policy),
                update_mask: all(),
                ..api::UpdateScoringPolicyRequest::default()
            },
        ));
        running.commits.last().unwrap().events.len()
    };
    assert_eq!(send(again), 0, "nothing changes");
    let unset = api::ScoringPolicy {
        name: name.clone(),
        ..api::ScoringPolicy::default()
    };
    assert_eq!(send(unset), 1);
    let back = read!(running, ScoringPolicy, &name);
    authored!(back, first, version, create_time, reason, etag);
}

fn check_in_score(running: &mut Running, value: f64) {
    running.run(from_proto::create_check_in(&api::CreateCheckInRequest {
        parent: SCORE.to_owned(),
        check_in: Some(api::CheckIn {
            value: Some(value),
            ..api::CheckIn::default()
        }),
        ..api::CreateCheckInRequest::default()
    }));
}

fn said() -> api::Closing {
    api::Closing {
        grade: Some(0.7),
        grade_reason: "The survey came a day late.".to_owned(),
        explanation: "One customer left.".to_owned(),
        achieved: "NPS of 52.5.".to_owned(),
        learned: "Call before you write.".to_owned(),
        next: "Keep it there.".to_owned(),
    }
}

fn close(running: &mut Running, closing: Option<api::Closing>) -> api::ObjectiveResult {
    running.run(from_proto::close_objective(&api::CloseObjectiveRequest {
        name: WIN.to_owned(),
        closing,
        ..api::CloseObjectiveRequest::default()
    }));
    let closed = read!(running, Objective, WIN);
    assert_eq!(closed.state(), api::objective::State::Closed);
    closed.result.unwrap()
}

#[test]
fn a_closing_is_answered_as_it_was_said_with_what_it_froze() {
    let mut running = acme();
    activate(&mut running);
    check_in_score(&mut running, 52.5);
    let result = close(&mut running, Some(said()));
    let expected = api::ObjectiveResult {
        grading: Some(api::Grading {
            grade: Some(0.7),
            band: api::Band::Green.into(),
            outcome: api::Outcome::Achieved.into(),
            too_easy: false,
            needs_explanation: false,
        }),
        closing: Some(said()),
        score: Some(0.5),
        close_date: day(2026, 7, 1),
        with_cycle: false,
        policy_version: 1,
        principal: "binnacle".to_owned(),
        close_time: Some(prost_types::Timestamp {
            seconds: NOON,
            nanos: 0,
        }),
    };
    assert_eq!(result, expected);
    let frozen = read!(running, KeyResult, SCORE);
    assert_eq!(frozen.state(), api::objective::State::Closed);
    let progress = frozen.progress.unwrap();
    assert_eq!(
        (
            progress.current,
            progress.progress,
            progress.score,
            progress.status()
        ),
        (Some(52.5), 0.5, 0.5, api::Status::Closed)
    );
    running.run(from_proto::reopen_objective(&api::ReopenObjectiveRequest {
        name: WIN.to_owned(),
        reason: "one more week".to_owned(),
        ..api::ReopenObjectiveRequest::default()
    }));
    let reopened = read!(running, Objective, WIN);
    assert_eq!(
        (reopened.state(), reopened.result),
        (api::objective::State::Active, None)
    );
    let result = close(&mut running, None);
    assert_eq!(result.closing, Some(api::Closing::default()), "nothing was said");
    let grading = result.grading.unwrap();
    assert_eq!(
        (grading.grade, grading.band(), grading.outcome()),
        (Some(0.5), api::Band::Yellow, api::Outcome::Partial)
    );
}

#[test]
fn what_a_cycle_closed_says_so_and_what_was_said_of_it() {
    let mut running = acme();
    activate(&mut running);
    check_in_score(&mut running, 52.5);
    let name = "workspaces/acme/cycles/q3";
    running.run(from_proto::begin_cycle_review(&api::BeginCycleReviewRequest {
        name: name.to_owned(),
        ..api::BeginCycleReviewRequest::default()
    }));
    assert_eq!(read!(running, Cycle, name).state(), api::cycle::State::Review);
    running.run(from_proto::close_cycle(&api::CloseCycleRequest {
        name: name.to_owned(),
        objectives: vec![api::ObjectiveClosing {
            objective: WIN.to_owned(),
            closing: Some(said()),
        }],
        ..api::CloseCycleRequest::default()
    }));
    assert_eq!(read!(running, Cycle, name).state(), api::cycle::State::Closed);
    let result = read!(running, Objective, WIN).result.unwrap();
    assert_eq!((result.with_cycle, result.closing), (true, Some(said())));
    running.run(from_proto::reopen_cycle(&api::ReopenCycleRequest {
        name: name.to_owned(),
        reason: "a late survey".to_owned(),
        ..api::ReopenCycleRequest::default()
    }));
    assert_eq!(read!(running, Cycle, name).state(), api::cycle::State::Review);
    let reopened = read!(running, Objective, WIN);
    assert_eq!(
        (reopened.state(), reopened.result),
        (api::objective::State::Active, None)
    );
}

#[test]
fn what_was_carried_over_names_its_source_and_the_source_is_postponed() {
    let mut running = acme();
    activate(&mut running);
    check_in_score(&mut running, 52.5);
    running.run(from_proto::create_cycle(&api::CreateCycleRequest {
        parent: "workspaces/acme".to_owned(),
        cycle_id: "q4".to_owned(),
        cycle: Some(api::Cycle {
            title: "Q4".to_owned(),
            first_date: day(2026, 10, 1),
            last_date: day(2026, 12, 31),
            ..api::Cycle::default()
        }),
        ..api::CreateCycleRequest::default()
    }));
    running.run(from_proto::carry_over_objective(
        &api::CarryOverObjectiveRequest {
            name: WIN.to_owned(),
            cycle: "workspaces/acme/cycles/q4".to_owned(),
            objective_id: "win-q4".to_owned(),
            ..api::CarryOverObjectiveRequest::default()
        },
    ));
    let carried = read!(running, Objective, "workspaces/acme/objectives/win-q4");
    assert_eq!(
        (carried.carried_from.as_str(), carried.cycle.as_str()),
        (WIN, "workspaces/acme/cycles/q4")
    );
    let mut key_result = read!(
        running,
        KeyResult,
        "workspaces/acme/objectives/win-q4/keyResults/score"
    );
    assert_eq!(take_baseline_source(&mut key_result), Some(GIVEN));
    let expected = api::Metric {
        baseline: Some(52.5),
        target: Some(65.0),
        ..api::Metric::default()
    };
    assert_eq!(key_result.kind, Some(api::key_result::Kind::Metric(expected)));
    let source = read!(running, Objective, WIN);
    assert_eq!(source.state(), api::objective::State::Closed);
    let result = source.result.unwrap();
    let postponed = api::Grading {
        outcome: api::Outcome::Postponed.into(),
        ..api::Grading::default()
    };
    assert_eq!(
        (result.grading, result.score, result.with_cycle),
        (Some(postponed), Some(0.5), false)
    );
}

#[test]
fn a_check_in_is_answered_as_it_was_corrected_and_says_when_it_was_taken_back() {
    let mut running = acme();
    create_key_result(&mut running, "steps", key_result_of_kind(milestones()));
    activate(&mut running);
    let parent = format!("{WIN}/keyResults/steps");
    let name = format!("{parent}/checkIns/c1");
    let reached = |ids: &[&str]| {
        Some(api::ReachedMilestones {
            milestones: ids.iter().map(ToString::to_string).collect(),
        })
    };
    let asked = api::CheckIn {
        name: name.clone(),
        reached_milestones: reached(&["plan", "ship"]),
        comment: "out".to_owned(),
        ..api::CheckIn::default()
    };
    running.run(from_proto::create_check_in(&api::CreateCheckInRequest {
        parent,
        check_in_id: "c1".to_owned(),
        check_in: Some(asked.clone()),
        ..api::CreateCheckInRequest::default()
    }));
    let (_, (key_result, id)) = names::check_in("name", &name).unwrap();
    let answer = |running: &Running| {
        let held = running.state.workspace().key_result(&key_result).unwrap();
        super::super::check_in(
            &Id::parse("acme").unwrap(),
            &key_result,
            held.check_in(&id).unwrap(),
        )
    };
    let answered = answer(&running);
    assert_eq!((answered.correct_time, answered.retract_time), (None, None));
    authored!(
        answered,
        asked.clone(),
        effective_time,
        principal,
        recorded_time,
        revision
    );
    // None reached is said; it is not the same as saying nothing of them.
    let corrected = api::CheckIn {
        reached_milestones: reached(&[]),
        ..asked
    };
    running.run(from_proto::correct_check_in(&api::CorrectCheckInRequest {
        check_in: Some(corrected.clone()),
        update_mask: Some(FieldMask {
            paths: vec!["reached_milestones".to_owned()],
        }),
        ..api::CorrectCheckInRequest::default()
    }));
    let answered = answer(&running);
    assert_eq!(answered.correct_time.unwrap().seconds, NOON);
    authored!(
        answered,
        corrected.clone(),
        effective_time,
        principal,
        recorded_time,
        revision,
        correct_time
    );
    running.run(from_proto::retract_check_in(&api::RetractCheckInRequest {
        name,
        ..api::RetractCheckInRequest::default()
    }));
    let answered = answer(&running);
    assert_eq!(answered.retract_time.unwrap().seconds, NOON);
    assert_eq!(
        answered.comment, corrected.comment,
        "what was said stays readable"
    );
}

type Reader = fn(&str) -> Result<Asked, crate::domain::Rejection>;

/// Requests that delete and bring back, by name.
macro_rules! deletion {
    ($delete:ident, $Delete:ident, $undelete:ident, $Undelete:ident) => {
        (
            (|name: &str| {
                from_proto::$delete(&api::$Delete {
                    name: name.to_owned(),
                    ..api::$Delete::default()
                })
            }) as Reader,
            (|name: &str| {
                from_proto::$undelete(&api::$Undelete {
                    name: name.to_owned(),
                    ..api::$Undelete::default()
                })
            }) as Reader,
        )
    };
}

/// Whether a resource is deleted, and the resource without what a deletion writes.
fn deletion_of(resource: Resource) -> (bool, Resource) {
    macro_rules! strip {
        ($($Kind:ident),+) => {
            match resource {
                $(Resource::$Kind(mut it) => {
                    let deleted = it.delete_time.take().is_some();
                    it.update_time = None;
                    it.etag.clear();
                    (deleted, Resource::$Kind(it))
                })+
                other => panic!("{other:?} is never deleted"),
            }
        };
    }
    let (deleted, mut resource) = strip!(Workspace, Team, Member, Objective, KeyResult, Initiative, Kpi);
    if let Resource::Workspace(workspace) = &mut resource {
        workspace.revision = 0;
    }
    (deleted, resource)
}

#[test]
fn what_was_deleted_says_so_leaves_the_snapshot_with_all_in_it_and_comes_back_the_same() {
    let initiative = format!("{WIN}/initiatives/demos");
    for (name, kind, gone, (delete, undelete)) in [
        (
            "workspaces/acme",
            "Workspace",
            0,
            deletion!(
                delete_workspace,
                DeleteWorkspaceRequest,
                undelete_workspace,
                UndeleteWorkspaceRequest
            ),
        ),
        (
            "workspaces/acme/teams/commerce",
            "Team",
            2,
            deletion!(delete_team, DeleteTeamRequest, undelete_team, UndeleteTeamRequest),
        ),
        (
            "workspaces/acme/members/maria",
            "Member",
            1,
            deletion!(
                delete_member,
                DeleteMemberRequest,
                undelete_member,
                UndeleteMemberRequest
            ),
        ),
        (
            WIN,
            "Objective",
            3,
            deletion!(
                delete_objective,
                DeleteObjectiveRequest,
                undelete_objective,
                UndeleteObjectiveRequest
            ),
        ),
        (
            SCORE,
            "KeyResult",
            1,
            deletion!(
                delete_key_result,
                DeleteKeyResultRequest,
                undelete_key_result,
                UndeleteKeyResultRequest
            ),
        ),
        (
            &initiative,
            "Initiative",
            1,
            deletion!(
                delete_initiative,
                DeleteInitiativeRequest,
                undelete_initiative,
                UndeleteInitiativeRequest
            ),
        ),
        (
            "workspaces/acme/kpis/nps",
            "Kpi",
            2,
            deletion!(delete_kpi, DeleteKpiRequest, undelete_kpi, UndeleteKpiRequest),
        ),
    ] {
        let mut running = acme();
        let count = |running: &Running| resource_names(&running.state).count();
        let (before, there) = (deletion_of(running.answer(name)), count(&running));
        assert!(!before.0, "{name} stands");
        running.run(delete(name));
        let (deleted, mut without) = (deletion_of(running.answer(name)), before.1.clone());
        if let Resource::Kpi(kpi) = &mut without {
            // What is deleted has no figures.
            kpi.health = None;
        }
        assert_eq!(deleted, (true, without));
        assert_eq!(there - count(&running), gone, "{name}");
        let acme = Id::parse("acme").unwrap();
        let shown = event(&acme, running.commits.last().unwrap(), 0, None).unwrap();
        assert_eq!(
            (shown.r#type, shown.resource.as_str()),
            (format!("{kind}Deleted"), name)
        );
        running.run(undelete(name));
        assert_eq!(deletion_of(running.answer(name)), before);
        assert_eq!(count(&running), there, "{name}");
        let shown = event(&acme, running.commits.last().unwrap(), 0, None).unwrap();
        assert_eq!(
            (shown.r#type, shown.resource.as_str()),
            (format!("{kind}Undeleted"), name)
        );
    }
}
