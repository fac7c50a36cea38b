//! Why a command was refused: a closed list, each with a stable reason code and one sentence that says what to do.

use std::fmt;

use smol_str::SmolStr;
use thiserror::Error;

use super::{Id, KeyResultId, ResourceName, Right, Timestamp};

/// An input that does not parse, in words: "it is empty: write 1 to 200 characters".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Invalid(String);

/// One bad field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in the request, for example `measurements[3].value`.
    pub field: String,
    /// What is wrong and what to do.
    pub sentence: String,
}

/// A refused command. Nothing was recorded.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(
    missing_docs,
    reason = "each variant's sentence says what it is, and its fields are what the sentence names"
)]
pub enum Rejection {
    #[error("{}", sentences(.0))]
    Invalid(Vec<Violation>),
    #[error("{0} does not exist: correct the name, or create it first")]
    NotFound(ResourceName),
    #[error("{0} exists already: choose another id, or update it")]
    AlreadyExists(ResourceName),
    #[error("{0} is deleted: undelete it first, or name another")]
    Deleted(ResourceName),
    #[error("{0} is not deleted: there is nothing to bring back")]
    NotDeleted(ResourceName),
    #[error("the principal {principal:?} is members/{member} already: update that member instead")]
    PrincipalTaken { principal: String, member: Id },
    #[error("{0} has changed since it was read: read it again and repeat the change with its new etag")]
    EtagMismatch(ResourceName),
    #[error("members/{0} is the last owner: make somebody else an owner first")]
    LastOwner(Id),
    #[error("teams/{0} would come to lie below itself: choose another parent team")]
    TeamBelowItself(Id),
    #[error("cycles/{0} would come to lie below itself: choose another parent cycle")]
    CycleBelowItself(Id),
    #[error(
        "the days of cycles/{inner} stick out of cycles/{outer} that it lies in: change the dates of one of them"
    )]
    CycleOutsideParent { inner: Id, outer: Id },
    #[error("cycles/{0} is not PLANNED: only a planned cycle can be activated")]
    CycleNotPlanned(Id),
    #[error("cycles/{0} is not ACTIVE: activate the cycle first")]
    CycleNotActive(Id),
    #[error("cycles/{0} is CLOSED: choose a cycle that is still open, or reopen it")]
    CycleClosed(Id),
    #[error("cycles/{0} is not in REVIEW: begin its review, then close it")]
    CycleNotInReview(Id),
    #[error("cycles/{0} is not CLOSED: only a closed cycle can be reopened")]
    CycleNotClosed(Id),
    #[error("cycles/{nested} lies in cycles/{cycle} and is not CLOSED: close it first")]
    NestedCycleOpen { cycle: Id, nested: Id },
    #[error("objectives/{objective} is not in cycles/{cycle}: leave it out")]
    ObjectiveNotInCycle { objective: Id, cycle: Id },
    #[error("{0} was closed for a reason: reopening it needs one too, so send `reason`")]
    ReopeningReasonMissing(ResourceName),
    #[error(
        "{}: COMMITTED and below 1.0, so closing needs an explanation of each: send closing.explanation",
        objectives_list(.0)
    )]
    ExplanationMissing(Vec<Id>),
    #[error("objectives/{0} is given a grade of its own: say why in closing.grade_reason")]
    GradeReasonMissing(Id),
    #[error("objectives/{0} is neither closed nor canceled: there is nothing to reopen")]
    ObjectiveNotOver(Id),
    #[error(
        "objectives/{objective} was carried into cycles/{cycle} already, as objectives/{carried}: go on with that one"
    )]
    CarriedOverAlready { objective: Id, cycle: Id, carried: Id },
    #[error("objectives/{0} is not a DRAFT: only a draft can be activated or moved to another cycle")]
    ObjectiveNotDraft(Id),
    #[error("objectives/{0} is not ACTIVE: activate it first")]
    ObjectiveNotActive(Id),
    #[error("objectives/{0} is closed or canceled: it changes no more")]
    ObjectiveOver(Id),
    #[error("objectives/{0} has no owner: set the one member who answers for it, then activate")]
    OwnerMissing(Id),
    #[error(
        "{0} has no baseline: set metric.baseline, or record its KPI first and send the key result again"
    )]
    BaselineMissing(KeyResultId),
    #[error(
        "{0} was deleted before it had a baseline, and its objective is ACTIVE by now: create another key result with metric.baseline"
    )]
    DeletedWithoutBaseline(KeyResultId),
    #[error("objectives/{0} would be aligned to itself through others: choose another alignment")]
    AlignmentCycle(Id),
    #[error("the alignment would be more than {depth_max} deep: align to something higher up")]
    AlignmentTooDeep { depth_max: usize },
    #[error(
        "target {target} is the baseline {baseline}: what is reached already is no improvement; to keep a value use a MAINTAIN key result or a KPI target"
    )]
    TargetIsBaseline { baseline: f64, target: f64 },
    #[error(
        "a sum over the cycle begins at 0, not at {0}: leave the baseline out, and send {0} as reference_value"
    )]
    BaselineNotZero(f64),
    #[error("the baseline is 0, and a share of nothing is nothing: send relative_target.amount, or a target")]
    RelativeToZero,
    #[error("{0} is retracted: record a new check-in instead")]
    CheckInRetracted(ResourceName),
    #[error(
        "from {baseline} to {target} goes against the direction of kpis/{kpi}: swap them, or link another KPI"
    )]
    WrongDirection { kpi: Id, baseline: f64, target: f64 },
    #[error(
        "the value of {key_result} comes from kpis/{kpi}: record a measurement there; confidence, comment and status are welcome here"
    )]
    ValueComesFromKpi { key_result: KeyResultId, kpi: Id },
    #[error(
        "{effective} is more than 5 minutes ahead of the server ({now}): what is recorded has to have happened"
    )]
    EffectiveTimeInFuture { effective: Timestamp, now: Timestamp },
    #[error(
        "kpis/{0} has measurements: its unit, direction, cadence, aggregation and transform are fixed; create a successor that replaces it"
    )]
    KpiHasMeasurements(Id),
    #[error("kpis/{0} has {sources_max} different sources: use fewer source ids", sources_max = super::Series::SOURCES_MAX)]
    TooManySources(Id),
    #[error("kpis/{0} is archived: unarchive it first, or name its successor")]
    KpiArchived(Id),
    #[error(
        "kpis/{kpi} has no measurement of {effective_time}{}: correct the time and the source, or record it",
        of_source(.source_id)
    )]
    MeasurementNotFound {
        kpi: Id,
        effective_time: Timestamp,
        source_id: SmolStr,
    },
    #[error(
        "kpis/{0} is neither WATCH nor BREACHED: an objective is started from a KPI that misses its target"
    )]
    KpiNotInTrouble(Id),
    #[error("kpis/{0}/alerts/{1} is closed: it asks for nothing any more")]
    AlertClosed(Id, Id),
    #[error("kpis/{0}/alerts/{1} has no action plan: set one first")]
    ActionPlanMissing(Id, Id),
    #[error(
        "the action plan of kpis/{0}/alerts/{1} is completed already: set a new one if there is more to do"
    )]
    ActionPlanCompleted(Id, Id),
    #[error("{0} is MILESTONES or BINARY: a KPI is made of a METRIC or MAINTAIN, which have values")]
    KeyResultHasNoValues(KeyResultId),
    #[error(
        "{key_result} takes its values from kpis/{kpi} already: set a target there to keep what was reached"
    )]
    KeyResultHasKpi { key_result: KeyResultId, kpi: Id },
    #[error(
        "kpis/{kpi} answers changes from period to period, and {key_result} would add them up over the cycle: use window NEWEST"
    )]
    WindowOverChanges { key_result: KeyResultId, kpi: Id },
    #[error(
        "changing the baseline or the target of {0} while its objective is ACTIVE needs a reason: send one"
    )]
    ReasonMissing(KeyResultId),
    #[error(
        "another value for the same KPI, effective time and source stands at index {first_index}: send one, or tell them apart by source_id"
    )]
    ConflictingValues { first_index: usize },
    #[error("your roles do not allow to {0}: ask an owner of the workspace for one that does")]
    RoleMissing(Right),
    #[error("{} lies outside of the teams that you may change: ask an owner of the workspace to widen them", of_all(.0))]
    OutsideTeams(ResourceName),
    #[error(
        "{0} is not yours, and your roles reach to what you own: ask its owner, or an owner of the workspace"
    )]
    NotOwn(ResourceName),
    /// Some elements of the request's list of this name, each by its index.
    #[error("{}", elements_sentence(list, refused))]
    Elements {
        list: &'static str,
        refused: Vec<(usize, Rejection)>,
    },
}

/// What kind of refusal it is; the border makes a status code of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The request makes no sense on any state.
    Malformed,
    /// Something it names does not exist.
    Missing,
    /// Something of that name exists.
    Duplicate,
    /// A rule of the domain says no on this state.
    Rule,
    /// It was made for an older state.
    Outdated,
    /// Who asks may not.
    Denied,
}

impl Invalid {
    /// With what is wrong and what to do.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// As the violation of a field.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Violation {
        Violation {
            field: field.into(),
            sentence: self.0,
        }
    }
}

impl Rejection {
    /// Nothing, or the bad elements of a list, each by its index.
    pub(super) fn unless_empty(list: &'static str, refused: Vec<(usize, Self)>) -> Result<(), Self> {
        if refused.is_empty() {
            Ok(())
        } else {
            Err(Self::Elements { list, refused })
        }
    }

    /// One bad field.
    pub fn invalid(field: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self::Invalid(vec![Violation {
            field: field.into(),
            sentence: sentence.into(),
        }])
    }

    /// The stable code that programs may act on.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELD",
            Self::NotFound(_) => "NOT_FOUND",
            Self::AlreadyExists(_) => "ALREADY_EXISTS",
            Self::Deleted(_) => "DELETED",
            Self::NotDeleted(_) => "NOT_DELETED",
            Self::PrincipalTaken { .. } => "PRINCIPAL_TAKEN",
            Self::EtagMismatch(_) => "ETAG_MISMATCH",
            Self::LastOwner(_) => "LAST_OWNER",
            Self::TeamBelowItself(_) => "TEAM_BELOW_ITSELF",
            Self::CycleBelowItself(_) => "CYCLE_BELOW_ITSELF",
            Self::CycleOutsideParent { .. } => "CYCLE_OUTSIDE_PARENT",
            Self::CycleNotPlanned(_) => "CYCLE_NOT_PLANNED",
            Self::CycleNotActive(_) => "CYCLE_NOT_ACTIVE",
            Self::CycleClosed(_) => "CYCLE_CLOSED",
            Self::CycleNotInReview(_) => "CYCLE_NOT_IN_REVIEW",
            Self::CycleNotClosed(_) => "CYCLE_NOT_CLOSED",
            Self::NestedCycleOpen { .. } => "NESTED_CYCLE_OPEN",
            Self::ObjectiveNotInCycle { .. } => "OBJECTIVE_NOT_IN_CYCLE",
            Self::ExplanationMissing(_) => "EXPLANATION_MISSING",
            Self::GradeReasonMissing(_) => "GRADE_REASON_MISSING",
            Self::ObjectiveNotOver(_) => "OBJECTIVE_NOT_OVER",
            Self::CarriedOverAlready { .. } => "CARRIED_OVER_ALREADY",
            Self::BaselineNotZero(_) => "BASELINE_NOT_ZERO",
            Self::RelativeToZero => "RELATIVE_TO_ZERO",
            Self::CheckInRetracted(_) => "CHECK_IN_RETRACTED",
            Self::ObjectiveNotDraft(_) => "OBJECTIVE_NOT_DRAFT",
            Self::ObjectiveNotActive(_) => "OBJECTIVE_NOT_ACTIVE",
            Self::ObjectiveOver(_) => "OBJECTIVE_OVER",
            Self::OwnerMissing(_) => "OWNER_MISSING",
            Self::BaselineMissing(_) | Self::DeletedWithoutBaseline(_) => "BASELINE_MISSING",
            Self::AlignmentCycle(_) => "ALIGNMENT_CYCLE",
            Self::AlignmentTooDeep { .. } => "ALIGNMENT_TOO_DEEP",
            Self::TargetIsBaseline { .. } => "TARGET_IS_BASELINE",
            Self::WrongDirection { .. } => "WRONG_DIRECTION",
            Self::ValueComesFromKpi { .. } => "VALUE_COMES_FROM_KPI",
            Self::EffectiveTimeInFuture { .. } => "EFFECTIVE_TIME_IN_FUTURE",
            Self::KpiHasMeasurements(_) => "KPI_HAS_MEASUREMENTS",
            Self::TooManySources(_) => "TOO_MANY_SOURCES",
            Self::KpiArchived(_) => "KPI_ARCHIVED",
            Self::MeasurementNotFound { .. } => "MEASUREMENT_NOT_FOUND",
            Self::KpiNotInTrouble(_) => "KPI_NOT_IN_TROUBLE",
            Self::AlertClosed(..) => "ALERT_CLOSED",
            Self::ActionPlanMissing(..) => "ACTION_PLAN_MISSING",
            Self::ActionPlanCompleted(..) => "ACTION_PLAN_COMPLETED",
            Self::KeyResultHasNoValues(_) => "KEY_RESULT_HAS_NO_VALUES",
            Self::KeyResultHasKpi { .. } => "KEY_RESULT_HAS_KPI",
            Self::WindowOverChanges { .. } => "WINDOW_OVER_CHANGES",
            Self::ReasonMissing(_) | Self::ReopeningReasonMissing(_) => "REASON_MISSING",
            Self::ConflictingValues { .. } => "CONFLICTING_VALUES",
            Self::RoleMissing(_) => "ROLE_MISSING",
            Self::OutsideTeams(_) => "OUTSIDE_TEAMS",
            Self::NotOwn(_) => "NOT_OWN",
            Self::Elements { list: _, refused } => refused
                .first()
                .map_or("INVALID_FIELD", |(_, first)| first.reason()),
        }
    }

    /// What kind of refusal it is. A batch is refused as its first bad element is.
    #[must_use]
    pub fn kind(&self) -> RejectionKind {
        match self {
            Self::Invalid(_) | Self::EffectiveTimeInFuture { .. } | Self::ConflictingValues { .. } => {
                RejectionKind::Malformed
            }
            Self::NotFound(_) | Self::MeasurementNotFound { .. } => RejectionKind::Missing,
            Self::AlreadyExists(_) | Self::PrincipalTaken { .. } | Self::CarriedOverAlready { .. } => {
                RejectionKind::Duplicate
            }
            Self::EtagMismatch(_) => RejectionKind::Outdated,
            Self::RoleMissing(_) | Self::OutsideTeams(_) | Self::NotOwn(_) => RejectionKind::Denied,
            Self::Deleted(_)
            | Self::NotDeleted(_)
            | Self::CycleNotInReview(_)
            | Self::CycleNotClosed(_)
            | Self::NestedCycleOpen { .. }
            | Self::ObjectiveNotInCycle { .. }
            | Self::ExplanationMissing(_)
            | Self::GradeReasonMissing(_)
            | Self::ObjectiveNotOver(_)
            | Self::BaselineNotZero(_)
            | Self::RelativeToZero
            | Self::CheckInRetracted(_)
            | Self::ReopeningReasonMissing(_)
            | Self::LastOwner(_)
            | Self::TeamBelowItself(_)
            | Self::CycleBelowItself(_)
            | Self::CycleOutsideParent { .. }
            | Self::CycleNotPlanned(_)
            | Self::CycleNotActive(_)
            | Self::CycleClosed(_)
            | Self::ObjectiveNotDraft(_)
            | Self::ObjectiveNotActive(_)
            | Self::ObjectiveOver(_)
            | Self::OwnerMissing(_)
            | Self::BaselineMissing(_)
            | Self::DeletedWithoutBaseline(_)
            | Self::AlignmentCycle(_)
            | Self::AlignmentTooDeep { .. }
            | Self::TargetIsBaseline { .. }
            | Self::WrongDirection { .. }
            | Self::ValueComesFromKpi { .. }
            | Self::KpiHasMeasurements(_)
            | Self::TooManySources(_)
            | Self::KpiArchived(_)
            | Self::KpiNotInTrouble(_)
            | Self::AlertClosed(..)
            | Self::ActionPlanMissing(..)
            | Self::ActionPlanCompleted(..)
            | Self::KeyResultHasNoValues(_)
            | Self::KeyResultHasKpi { .. }
            | Self::WindowOverChanges { .. }
            | Self::ReasonMissing(_) => RejectionKind::Rule,
            Self::Elements { list: _, refused } => refused
                .first()
                .map_or(RejectionKind::Malformed, |(_, first)| first.kind()),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.sentence)
    }
}

/// Of a right that reaches to some teams, asked for all of the workspace.
fn of_all(name: &ResourceName) -> String {
    match name {
        ResourceName::Workspace => "what concerns the whole workspace".to_owned(),
        name => name.to_string(),
    }
}

fn sentences(violations: &[Violation]) -> String {
    violations
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

fn of_source(source_id: &str) -> String {
    match source_id {
        "" => String::new(),
        source_id => format!(" from the source {source_id:?}"),
    }
}

fn objectives_list(ids: &[Id]) -> String {
    let named: Vec<String> = ids.iter().take(10).map(|id| format!("objectives/{id}")).collect();
    match ids.len() {
        count @ 11.. => format!("{} and {} more", named.join(", "), count - 10),
        _ => named.join(", "),
    }
}

fn elements_sentence(list: &str, refused: &[(usize, Rejection)]) -> String {
    let Some((index, first)) = refused.first() else {
        return String::new();
    };
    match refused.len() {
        1 => format!("{list}[{index}]: {first}"),
        count => format!("{count} of {list} are refused, the first at index {index}: {first}"),
    }
}
