//! Every refusal there is, provoked once: its reason, its kind, and the sentence that says what to do.

use std::collections::BTreeSet;

use jiff::civil::date;

use super::super::given::*;
use super::super::{
    Command, Direction, Effective, Etag, Rejection, RejectionKind, RelativeTarget, Revision, Window,
};
use super::super::{KeyResultKind, KpiPatch, Role};

/// A number of its own for each refusal: a new one does not compile before it has one.
fn number(refused: &Rejection) -> usize {
    match refused {
        Rejection::Invalid(_) => 0,
        Rejection::NotFound(_) => 1,
        Rejection::AlreadyExists(_) => 2,
        Rejection::Deleted(_) => 3,
        Rejection::NotDeleted(_) => 4,
        Rejection::PrincipalTaken { .. } => 5,
        Rejection::EtagMismatch(_) => 6,
        Rejection::LastOwner(_) => 7,
        Rejection::TeamBelowItself(_) => 8,
        Rejection::CycleBelowItself(_) => 9,
        Rejection::CycleOutsideParent { .. } => 10,
        Rejection::CycleNotPlanned(_) => 11,
        Rejection::CycleNotActive(_) => 12,
        Rejection::CycleClosed(_) => 13,
        Rejection::CycleNotInReview(_) => 14,
        Rejection::CycleNotClosed(_) => 15,
        Rejection::NestedCycleOpen { .. } => 16,
        Rejection::ObjectiveNotInCycle { .. } => 17,
        Rejection::ReopeningReasonMissing(_) => 18,
        Rejection::ExplanationMissing(_) => 19,
        Rejection::GradeReasonMissing(_) => 20,
        Rejection::ObjectiveNotOver(_) => 21,
        Rejection::CarriedOverAlready { .. } => 22,
        Rejection::ObjectiveNotDraft(_) => 23,
        Rejection::ObjectiveNotActive(_) => 24,
        Rejection::ObjectiveOver(_) => 25,
        Rejection::OwnerMissing(_) => 26,
        Rejection::BaselineMissing(_) => 27,
        Rejection::DeletedWithoutBaseline(_) => 28,
        Rejection::AlignmentCycle(_) => 29,
        Rejection::AlignmentTooDeep { .. } => 30,
        Rejection::TargetIsBaseline { .. } => 31,
        Rejection::BaselineNotZero(_) => 32,
        Rejection::RelativeToZero => 33,
        Rejection::CheckInRetracted(_) => 34,
        Rejection::WrongDirection { .. } => 35,
        Rejection::ValueComesFromKpi { .. } => 36,
        Rejection::EffectiveTimeInFuture { .. } => 37,
        Rejection::KpiHasMeasurements(_) => 38,
        Rejection::TooManySources(_) => 39,
        Rejection::ReasonMissing(_) => 40,
        Rejection::ConflictingValues { .. } => 41,
        Rejection::Elements { .. } => 42,
        Rejection::KpiArchived(_) => 43,
        Rejection::MeasurementNotFound { .. } => 44,
        Rejection::KpiNotInTrouble(_) => 45,
        Rejection::AlertClosed(..) => 46,
        Rejection::ActionPlanMissing(..) => 47,
        Rejection::ActionPlanCompleted(..) => 48,
        Rejection::KeyResultHasNoValues(_) => 49,
        Rejection::KeyResultHasKpi { .. } => 50,
        Rejection::WindowOverChanges { .. } => 51,
        Rejection::RoleMissing(_) => 52,
        Rejection::OutsideTeams(_) => 53,
        Rejection::NotOwn(_) => 54,
    }
}

const REFUSALS: usize = 55;

/// The only one that no test can afford to provoke: it takes 16 million sources.
const TOO_MANY_SOURCES: usize = 39;

/// Those of who may not ask: `permission` provokes them, they are no matter of a state and a command alone.
const DENIED: [usize; 3] = [52, 53, 54];

/// Something in every state.
fn everything() -> Given {
    let year = (date(2026, 1, 1), date(2026, 12, 31));
    let linked = |f: &mut super::super::KeyResultFields| f.kpi = Some(id("nps"));
    let chain = (1..16).map(|n| {
        let above = if n == 1 {
            "draft".to_owned()
        } else {
            format!("deep{}", n - 1)
        };
        objective(&format!("deep{n}"), move |f| {
            f.aligned_to = Some(alignment(&above))
        })
    });
    given(q1())
        .and([
            team("sales", None),
            team("south", Some("sales")),
            member("jo", "jo@acme", Role::Lead),
            cycle("year", year.0, year.1, None),
            cycle("half", year.0, date(2026, 6, 30), Some("year")),
            activate_cycle("year"),
            begin_review("year"),
            cycle("past", year.0, year.0, None),
            activate_cycle("past"),
            objective("stuck", |f| f.cycle = id("past")),
            begin_review("past"),
            close_cycle("past", vec![]),
            cycle("planned", year.0, year.1, None),
            objective("later", |f| f.cycle = id("planned")),
            cycle("review", year.0, year.1, None),
            activate_cycle("review"),
            objective("judged", |f| f.cycle = id("review")),
            key_result("judged/k", |_| {}),
            activate("judged"),
            begin_review("review"),
        ])
        .and([
            kpi("nps", |_| {}),
            kpi("sum", |f| f.aggregation = super::super::Aggregation::Sum),
            kpi("churn", |f| f.direction = Direction::LowerIsBetter),
            measured("nps", 1, 1, 5.0),
            objective("draft", |_| {}),
            key_result("draft/open", |f| f.kind = metric(None, 5.0)),
            objective("nobodys", |f| f.owner = None),
            objective("active", |_| {}),
            key_result("active/k", |_| {}),
            key_result("active/nps", linked),
            key_result("active/gone", |f| f.kind = metric(None, 5.0)),
            delete("keyResults/active/gone"),
            activate("active"),
            saw("active/k", "c", 1.0),
            saw("active/k", "retracted", 1.0),
            retract("active/k", "retracted"),
            objective("over", |_| {}),
            cancel("over"),
            objective("carried", |_| {}),
            carry_over("carried", "carried-on", "planned"),
            objective("lost", |_| {}),
            delete("objectives/lost"),
        ])
        .and(chain)
        .and(troubled())
}

/// A KPI in trouble with an alert that nobody has done anything about, one whose plan is done, one that is closed, and what
/// else comes of KPIs.
fn troubled() -> Vec<Command> {
    let mut commands = vec![
        kpi("archived", |_| {}),
        archive("archived"),
        kpi("changes", |f| {
            f.transform = Some(super::super::Transform::ChangePercent)
        }),
        key_result("draft/steps", |f| f.kind = KeyResultKind::Binary),
    ];
    for name in ["asking", "done", "calm"] {
        commands.extend(aimed(name, at_least(5.0), |_| {}));
        commands.push(measured(name, 1, 1, 1.0));
    }
    commands.push(correct_measured("calm", 1, 1, 9.0));
    commands
}

/// The BREACH of a KPI of [`troubled`].
fn breach(given: &Given, kpi: &str) -> String {
    given.alert_id(kpi, super::super::AlertKind::Breach)
}

fn provoked_by_kpis(given: &Given) -> Vec<(Command, &'static str, RejectionKind, &'static str)> {
    use RejectionKind::{Missing, Rule};
    let changing = |fields: &mut super::super::KeyResultFields| {
        fields.kpi = Some(id("changes"));
        fields.window = Window::Cycle;
        fields.kind = maintain(Some(1.0), None, 0.0);
    };
    let keep = |path: &str| keep(path, "kept", super::super::Cadence::Daily);
    vec![
        (
            measured("archived", 1, 1, 1.0),
            "KPI_ARCHIVED",
            Rule,
            "unarchive it first",
        ),
        (
            retract_at("asking", at(2025, 12, 31, 12), ""),
            "MEASUREMENT_NOT_FOUND",
            Missing,
            "correct the time and the source",
        ),
        (
            start_objective("nps", "new", |_| {}),
            "KPI_NOT_IN_TROUBLE",
            Rule,
            "misses its target",
        ),
        (
            acknowledge("calm", &breach(given, "calm"), ""),
            "ALERT_CLOSED",
            Rule,
            "asks for nothing any more",
        ),
        (
            complete_plan("asking", &breach(given, "asking")),
            "ACTION_PLAN_MISSING",
            Rule,
            "set one first",
        ),
        (
            complete_plan("done", &breach(given, "done")),
            "ACTION_PLAN_COMPLETED",
            Rule,
            "set a new one",
        ),
        (
            keep("draft/steps"),
            "KEY_RESULT_HAS_NO_VALUES",
            Rule,
            "METRIC or MAINTAIN",
        ),
        (
            keep("active/nps"),
            "KEY_RESULT_HAS_KPI",
            Rule,
            "set a target there",
        ),
        (
            key_result("draft/new", changing),
            "WINDOW_OVER_CHANGES",
            Rule,
            "use window NEWEST",
        ),
    ]
}

fn of_kpi(of: &'static str, kind: KeyResultKind, window: Window) -> Command {
    key_result("draft/new", move |f| {
        f.kpi = Some(id(of));
        f.kind = kind;
        f.window = window;
    })
}

fn relative_to_0() -> KeyResultKind {
    let KeyResultKind::Metric(mut kind) = metric(Some(0.0), 5.0) else {
        unreachable!()
    };
    kind.relative_target = Some(RelativeTarget::Percent(value(10.0)));
    KeyResultKind::Metric(kind)
}

fn new_cadence(of: &str) -> Command {
    Command::UpdateKpi {
        id: id(of),
        patch: Box::new(KpiPatch {
            cadence: Some(super::super::Cadence::Weekly),
            ..KpiPatch::default()
        }),
        etag: Etag::Any,
    }
}

fn below_itself() -> Command {
    Command::UpdateTeam {
        id: id("sales"),
        patch: Box::new(super::super::TeamPatch {
            parent_team: Some(Some(id("south"))),
            ..super::super::TeamPatch::default()
        }),
        etag: Etag::Any,
    }
}

fn twice_otherwise() -> Command {
    let measured = |number| measurement("nps", Effective::At(at(2026, 1, 1, 9)), number);
    Command::RecordMeasurements(vec![measured(1.0), measured(2.0)])
}

fn graded_without_a_word() -> super::super::Closing {
    closing(|said| said.grade = Some(super::super::Grade::BEST))
}

/// What provokes each, with its reason, its kind, and words of the sentence that say what to do.
fn provoked() -> Vec<(Command, &'static str, RejectionKind, &'static str)> {
    use RejectionKind::{Duplicate, Malformed, Missing, Outdated, Rule};
    let old = Command::ActivateCycle {
        id: id("q1"),
        etag: Etag::Exactly(Revision(1)),
    };
    let future = check_in("active/k", "new", |c| {
        in_words(c);
        c.effective = Effective::On(date(2026, 1, 2));
    });
    let sticks_out = cycle("out", date(2025, 12, 31), date(2026, 1, 2), Some("year"));
    let year_below = update_cycle("year", |p| p.parent_cycle = Some(Some(id("year"))));
    let target = update_key_result("active/k", |p| p.kind = Some(metric(Some(0.0), 20.0)));
    vec![
        (
            check_in("active/k", "new", |_| {}),
            "INVALID_FIELD",
            Malformed,
            "send a value",
        ),
        (activate("x"), "NOT_FOUND", Missing, "correct the name"),
        (
            objective("draft", |_| {}),
            "ALREADY_EXISTS",
            Duplicate,
            "choose another id",
        ),
        (activate("lost"), "DELETED", Rule, "undelete it first"),
        (
            undelete("objectives/draft"),
            "NOT_DELETED",
            Rule,
            "nothing to bring back",
        ),
        (
            member("mary", "maria", Role::Lead),
            "PRINCIPAL_TAKEN",
            Duplicate,
            "update that member",
        ),
        (old, "ETAG_MISMATCH", Outdated, "read it again"),
        (
            delete("members/maria"),
            "LAST_OWNER",
            Rule,
            "make somebody else an owner",
        ),
        (
            below_itself(),
            "TEAM_BELOW_ITSELF",
            Rule,
            "choose another parent team",
        ),
        (
            year_below,
            "CYCLE_BELOW_ITSELF",
            Rule,
            "choose another parent cycle",
        ),
        (sticks_out, "CYCLE_OUTSIDE_PARENT", Rule, "change the dates"),
        (
            activate_cycle("q1"),
            "CYCLE_NOT_PLANNED",
            Rule,
            "only a planned cycle",
        ),
        (
            activate("later"),
            "CYCLE_NOT_ACTIVE",
            Rule,
            "activate the cycle first",
        ),
        (retitle("stuck"), "CYCLE_CLOSED", Rule, "or reopen it"),
        (
            close_cycle("q1", vec![]),
            "CYCLE_NOT_IN_REVIEW",
            Rule,
            "begin its review",
        ),
        (
            reopen_cycle("q1"),
            "CYCLE_NOT_CLOSED",
            Rule,
            "only a closed cycle",
        ),
        (
            close_cycle("year", vec![]),
            "NESTED_CYCLE_OPEN",
            Rule,
            "close it first",
        ),
        (
            close_cycle("review", vec![("active", explained())]),
            "OBJECTIVE_NOT_IN_CYCLE",
            Rule,
            "leave it out",
        ),
        (reopen_cycle("past"), "REASON_MISSING", Rule, "send `reason`"),
        (
            close_cycle("review", vec![]),
            "EXPLANATION_MISSING",
            Rule,
            "send closing.explanation",
        ),
        (
            close("active", graded_without_a_word()),
            "GRADE_REASON_MISSING",
            Rule,
            "say why in closing.grade_reason",
        ),
        (reopen("active"), "OBJECTIVE_NOT_OVER", Rule, "nothing to reopen"),
        (
            carry_over("carried", "again", "planned"),
            "CARRIED_OVER_ALREADY",
            Duplicate,
            "go on with that one",
        ),
        (activate("active"), "OBJECTIVE_NOT_DRAFT", Rule, "only a draft"),
        (
            close("draft", explained()),
            "OBJECTIVE_NOT_ACTIVE",
            Rule,
            "activate it first",
        ),
        (retitle("over"), "OBJECTIVE_OVER", Rule, "it changes no more"),
        (activate("nobodys"), "OWNER_MISSING", Rule, "set the one member"),
        (activate("draft"), "BASELINE_MISSING", Rule, "set metric.baseline"),
        (
            undelete("keyResults/active/gone"),
            "BASELINE_MISSING",
            Rule,
            "create another key result",
        ),
        (
            align("draft", "deep15"),
            "ALIGNMENT_CYCLE",
            Rule,
            "choose another alignment",
        ),
        (
            align("active", "deep15"),
            "ALIGNMENT_TOO_DEEP",
            Rule,
            "align to something higher up",
        ),
        (
            key_result("draft/new", |f| f.kind = metric(Some(5.0), 5.0)),
            "TARGET_IS_BASELINE",
            Rule,
            "use a MAINTAIN key result or a KPI target",
        ),
        (
            of_kpi("sum", metric(Some(4.0), 9.0), Window::Cycle),
            "BASELINE_NOT_ZERO",
            Rule,
            "send 4 as reference_value",
        ),
        (
            key_result("draft/new", |f| f.kind = relative_to_0()),
            "RELATIVE_TO_ZERO",
            Rule,
            "send relative_target.amount",
        ),
        (
            retract("active/k", "retracted"),
            "CHECK_IN_RETRACTED",
            Rule,
            "record a new check-in",
        ),
        (
            of_kpi("churn", metric(Some(4.0), 9.0), Window::Newest),
            "WRONG_DIRECTION",
            Rule,
            "swap them",
        ),
        (
            saw("active/nps", "new", 1.0),
            "VALUE_COMES_FROM_KPI",
            Rule,
            "record a measurement",
        ),
        (
            future,
            "EFFECTIVE_TIME_IN_FUTURE",
            Malformed,
            "has to have happened",
        ),
        (
            new_cadence("nps"),
            "KPI_HAS_MEASUREMENTS",
            Rule,
            "create a successor",
        ),
        (target, "REASON_MISSING", Rule, "send one"),
        (
            twice_otherwise(),
            "CONFLICTING_VALUES",
            Malformed,
            "tell them apart by source_id",
        ),
    ]
}

/// "`domain::Rejection` is a closed enum with a stable reason code"; "The message is one sentence that a person can act on."
#[test]
fn every_refusal_is_provoked_and_says_what_to_do() {
    let given = everything();
    let alert = breach(&given, "done");
    let given = given.and([set_plan("done", &alert, |_| {}), complete_plan("done", &alert)]);
    let mut seen: BTreeSet<usize> = DENIED.into_iter().chain([TOO_MANY_SOURCES]).collect();
    let by_kpis = provoked_by_kpis(&given);
    for (command, reason, kind, words) in provoked().into_iter().chain(by_kpis) {
        let refused = given.refused(&command);
        assert_eq!((refused.reason(), refused.kind()), (reason, kind), "{command:?}");
        assert!(refused.to_string().contains(words), "{words:?} in: {refused}");
        seen.insert(number(&refused));
        if let Rejection::Elements { list: _, refused } = &refused {
            seen.extend(refused.iter().map(|(_, why)| number(why)));
        }
    }
    let missing: Vec<usize> = (0..REFUSALS).filter(|number| !seen.contains(number)).collect();
    assert_eq!(missing, [0; 0], "not provoked");
}
