//! What happened, in the past tense. Each event carries the before and after of what it changed.

use jiff::civil::Date;
use smol_str::SmolStr;

use super::{
    ActionPlan, AlertOpening, CheckIn, CloseReason, CycleFields, CycleState, Id, InitiativeFields,
    InitiativeId, KeyResultFields, KeyResultId, KpiFields, MemberFields, ObjectiveFields, ObjectiveResult,
    ObjectiveState, Preset, ResourceName, Review, Revision, ScoringPolicy, StartedFrom, Target, TeamFields,
    Text, TimeZoneRules, Timestamp, WorkspaceFields,
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "the fields are the resource's id, its fields, and before and after"
)]
pub enum Event {
    EpochStarted(Box<EpochStarted>),
    WorkspaceCreated(Box<WorkspaceCreated>),
    WorkspaceUpdated {
        before: Box<WorkspaceFields>,
        after: Box<WorkspaceFields>,
        rules: Option<TimeZoneRules>,
    },
    DayStarted {
        before: Option<Date>,
        date: Date,
    },
    ScoringPolicyUpdated {
        before: Box<ScoringPolicy>,
        after: Box<ScoringPolicy>,
    },
    /// Of the resource and of all in it that stands.
    Deleted {
        name: ResourceName,
    },
    /// Of the resource and of all in it that the commit `deletion` deleted.
    Undeleted {
        name: ResourceName,
        deletion: Revision,
    },
    TeamCreated {
        id: Id,
        fields: Box<TeamFields>,
    },
    TeamUpdated {
        id: Id,
        before: Box<TeamFields>,
        after: Box<TeamFields>,
    },
    MemberCreated {
        id: Id,
        fields: Box<MemberFields>,
    },
    MemberUpdated {
        id: Id,
        before: Box<MemberFields>,
        after: Box<MemberFields>,
    },
    CycleCreated {
        id: Id,
        fields: Box<CycleFields>,
    },
    CycleUpdated {
        id: Id,
        before: Box<CycleFields>,
        after: Box<CycleFields>,
    },
    CycleActivated {
        id: Id,
        before: CycleState,
    },
    CycleReviewBegun {
        id: Id,
        before: CycleState,
    },
    CycleClosed {
        id: Id,
        before: CycleState,
    },
    CycleReopened {
        id: Id,
        before: CycleState,
    },
    ReviewRecorded {
        cycle: Id,
        id: Id,
        review: Box<Review>,
    },
    ObjectiveCreated {
        id: Id,
        fields: Box<ObjectiveFields>,
        carried_from: Option<Id>,
        started_from: Option<StartedFrom>,
    },
    ObjectiveUpdated {
        id: Id,
        before: Box<ObjectiveFields>,
        after: Box<ObjectiveFields>,
    },
    ObjectiveActivated {
        id: Id,
        before: ObjectiveState,
        date: Date,
    },
    ObjectiveClosed {
        id: Id,
        before: ObjectiveState,
        result: Box<ObjectiveResult>,
    },
    /// `result` is what closing had come to; none: it was canceled.
    ObjectiveReopened {
        id: Id,
        before: ObjectiveState,
        after: ObjectiveState,
        result: Option<Box<ObjectiveResult>>,
    },
    ObjectiveCanceled {
        id: Id,
        before: ObjectiveState,
    },
    KeyResultCreated {
        id: KeyResultId,
        fields: Box<KeyResultFields>,
        date: Date,
    },
    KeyResultUpdated {
        id: KeyResultId,
        before: Box<KeyResultFields>,
        after: Box<KeyResultFields>,
    },
    InitiativeCreated {
        id: InitiativeId,
        fields: Box<InitiativeFields>,
    },
    InitiativeUpdated {
        id: InitiativeId,
        before: Box<InitiativeFields>,
        after: Box<InitiativeFields>,
    },
    CheckInRecorded {
        key_result: KeyResultId,
        id: Id,
        check_in: Box<CheckIn>,
    },
    CheckInCorrected {
        key_result: KeyResultId,
        id: Id,
        before: Box<CheckIn>,
        after: Box<CheckIn>,
    },
    CheckInRetracted {
        key_result: KeyResultId,
        id: Id,
        before: Box<CheckIn>,
    },
    KpiCreated {
        id: Id,
        fields: Box<KpiFields>,
    },
    KpiUpdated {
        id: Id,
        before: Box<KpiFields>,
        after: Box<KpiFields>,
    },
    TargetSet {
        kpi: Id,
        date: Date,
        before: Option<Target>,
        after: Target,
    },
    MeasurementRecorded(MeasurementRecorded),
    MeasurementRetracted {
        kpi: Id,
        effective_time: Timestamp,
        source_id: SmolStr,
        before: f64,
    },
    TargetDeleted {
        kpi: Id,
        date: Date,
        before: Target,
    },
    KpiArchived {
        id: Id,
    },
    /// `before`: since when it had been archived.
    KpiUnarchived {
        id: Id,
        before: Timestamp,
    },
    AlertOpened {
        kpi: Id,
        id: Id,
        opening: Box<AlertOpening>,
    },
    AlertClosed {
        kpi: Id,
        id: Id,
        reason: CloseReason,
    },
    /// `before`: what was said of it before; none: nobody had seen it.
    AlertAcknowledged {
        kpi: Id,
        id: Id,
        before: Option<Text>,
        note: Text,
    },
    ActionPlanSet {
        kpi: Id,
        id: Id,
        before: Option<Box<ActionPlan>>,
        after: Box<ActionPlan>,
    },
    ActionPlanCompleted {
        kpi: Id,
        id: Id,
        note: Text,
    },
    ActionPlanOverdue {
        kpi: Id,
        id: Id,
        due_date: Date,
    },
}

/// A restored log goes on from an earlier point.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochStarted {
    /// The revision it was restored to.
    pub restored_revision: Revision,
    /// The tree's root at that revision.
    pub restored_root: [u8; 32],
    /// Why.
    pub reason: SmolStr,
}

/// The first event of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkspaceCreated {
    /// Its id.
    pub id: Id,
    /// Its fields.
    pub fields: WorkspaceFields,
    /// What it is for.
    pub preset: Preset,
    /// The rules of its time zone.
    pub rules: TimeZoneRules,
    /// The scoring policy it begins with.
    pub policy: ScoringPolicy,
}

/// A measurement was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasurementRecorded {
    /// The KPI.
    pub kpi: Id,
    /// When it was true.
    pub effective_time: Timestamp,
    /// The value.
    pub value: f64,
    /// Tells two values of one moment apart; empty: there is one.
    pub source_id: SmolStr,
    /// The value it supersedes.
    pub before: Option<f64>,
    /// For the auditor; empty: none.
    pub note: SmolStr,
}

impl Event {
    /// Its name on the wire.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::EpochStarted(_) => "EpochStarted",
            Self::WorkspaceCreated(_) => "WorkspaceCreated",
            Self::WorkspaceUpdated { .. } => "WorkspaceUpdated",
            Self::DayStarted { .. } => "DayStarted",
            Self::ScoringPolicyUpdated { .. } => "ScoringPolicyUpdated",
            Self::Deleted { name } => deleted_kind(name),
            Self::Undeleted { name, .. } => undeleted_kind(name),
            Self::TeamCreated { .. } => "TeamCreated",
            Self::TeamUpdated { .. } => "TeamUpdated",
            Self::MemberCreated { .. } => "MemberCreated",
            Self::MemberUpdated { .. } => "MemberUpdated",
            Self::CycleCreated { .. } => "CycleCreated",
            Self::CycleUpdated { .. } => "CycleUpdated",
            Self::CycleActivated { .. } => "CycleActivated",
            Self::CycleReviewBegun { .. } => "CycleReviewBegun",
            Self::CycleClosed { .. } => "CycleClosed",
            Self::CycleReopened { .. } => "CycleReopened",
            Self::ReviewRecorded { .. } => "ReviewRecorded",
            Self::ObjectiveClosed { .. } => "ObjectiveClosed",
            Self::ObjectiveReopened { .. } => "ObjectiveReopened",
            Self::ObjectiveCanceled { .. } => "ObjectiveCanceled",
            Self::CheckInCorrected { .. } => "CheckInCorrected",
            Self::CheckInRetracted { .. } => "CheckInRetracted",
            Self::ObjectiveCreated { .. } => "ObjectiveCreated",
            Self::ObjectiveUpdated { .. } => "ObjectiveUpdated",
            Self::ObjectiveActivated { .. } => "ObjectiveActivated",
            Self::KeyResultCreated { .. } => "KeyResultCreated",
            Self::KeyResultUpdated { .. } => "KeyResultUpdated",
            Self::InitiativeCreated { .. } => "InitiativeCreated",
            Self::InitiativeUpdated { .. } => "InitiativeUpdated",
            Self::CheckInRecorded { .. } => "CheckInRecorded",
            Self::KpiCreated { .. } => "KpiCreated",
            Self::KpiUpdated { .. } => "KpiUpdated",
            Self::TargetSet { .. } => "TargetSet",
            Self::MeasurementRecorded(_) => "MeasurementRecorded",
            Self::MeasurementRetracted { .. } => "MeasurementRetracted",
            Self::TargetDeleted { .. } => "TargetDeleted",
            Self::KpiArchived { .. } => "KpiArchived",
            Self::KpiUnarchived { .. } => "KpiUnarchived",
            Self::AlertOpened { .. } => "AlertOpened",
            Self::AlertClosed { .. } => "AlertClosed",
            Self::AlertAcknowledged { .. } => "AlertAcknowledged",
            Self::ActionPlanSet { .. } => "ActionPlanSet",
            Self::ActionPlanCompleted { .. } => "ActionPlanCompleted",
            Self::ActionPlanOverdue { .. } => "ActionPlanOverdue",
        }
    }

    /// What it happened to.
    #[must_use]
    pub fn resource(&self) -> ResourceName {
        match self {
            Self::EpochStarted(_)
            | Self::WorkspaceCreated(_)
            | Self::WorkspaceUpdated { .. }
            | Self::DayStarted { .. } => ResourceName::Workspace,
            Self::ScoringPolicyUpdated { .. } => ResourceName::ScoringPolicy,
            Self::Deleted { name } | Self::Undeleted { name, .. } => name.clone(),
            Self::ReviewRecorded { cycle, id, .. } => ResourceName::Review(cycle.clone(), id.clone()),
            Self::TeamCreated { id, .. } | Self::TeamUpdated { id, .. } => ResourceName::Team(id.clone()),
            Self::MemberCreated { id, .. } | Self::MemberUpdated { id, .. } => {
                ResourceName::Member(id.clone())
            }
            Self::CycleCreated { id, .. }
            | Self::CycleUpdated { id, .. }
            | Self::CycleActivated { id, .. }
            | Self::CycleReviewBegun { id, .. }
            | Self::CycleClosed { id, .. }
            | Self::CycleReopened { id, .. } => ResourceName::Cycle(id.clone()),
            Self::ObjectiveCreated { id, .. }
            | Self::ObjectiveUpdated { id, .. }
            | Self::ObjectiveActivated { id, .. }
            | Self::ObjectiveClosed { id, .. }
            | Self::ObjectiveReopened { id, .. }
            | Self::ObjectiveCanceled { id, .. } => ResourceName::Objective(id.clone()),
            Self::KeyResultCreated { id, .. } | Self::KeyResultUpdated { id, .. } => {
                ResourceName::KeyResult(id.clone())
            }
            Self::InitiativeCreated { id, .. } | Self::InitiativeUpdated { id, .. } => {
                ResourceName::Initiative(id.clone())
            }
            Self::CheckInRecorded { key_result, id, .. }
            | Self::CheckInCorrected { key_result, id, .. }
            | Self::CheckInRetracted { key_result, id, .. } => {
                ResourceName::CheckIn(key_result.clone(), id.clone())
            }
            Self::KpiCreated { id, .. }
            | Self::KpiUpdated { id, .. }
            | Self::KpiArchived { id }
            | Self::KpiUnarchived { id, .. }
            | Self::MeasurementRetracted { kpi: id, .. } => ResourceName::Kpi(id.clone()),
            Self::TargetSet { kpi, date, .. } | Self::TargetDeleted { kpi, date, .. } => {
                ResourceName::Target(kpi.clone(), *date)
            }
            Self::AlertOpened { kpi, id, .. }
            | Self::AlertClosed { kpi, id, .. }
            | Self::AlertAcknowledged { kpi, id, .. }
            | Self::ActionPlanSet { kpi, id, .. }
            | Self::ActionPlanCompleted { kpi, id, .. }
            | Self::ActionPlanOverdue { kpi, id, .. } => ResourceName::Alert(kpi.clone(), id.clone()),
            Self::MeasurementRecorded(measurement) => ResourceName::Kpi(measurement.kpi.clone()),
        }
    }

    /// When it was true, where that may differ from when it was recorded.
    #[must_use]
    pub fn effective_time(&self) -> Option<Timestamp> {
        match self {
            Self::CheckInRecorded { check_in, .. }
            | Self::CheckInCorrected { after: check_in, .. }
            | Self::CheckInRetracted { before: check_in, .. } => Some(check_in.effective_time),
            Self::MeasurementRecorded(measurement) => Some(measurement.effective_time),
            Self::MeasurementRetracted { effective_time, .. } => Some(*effective_time),
            _ => None,
        }
    }
}

fn deleted_kind(name: &ResourceName) -> &'static str {
    match name {
        ResourceName::Workspace => "WorkspaceDeleted",
        ResourceName::Team(_) => "TeamDeleted",
        ResourceName::Member(_) => "MemberDeleted",
        ResourceName::Objective(_) => "ObjectiveDeleted",
        ResourceName::KeyResult(_) => "KeyResultDeleted",
        ResourceName::Initiative(_) => "InitiativeDeleted",
        ResourceName::Kpi(_) => "KpiDeleted",
        ResourceName::ScoringPolicy => "ScoringPolicyDeleted",
        ResourceName::Cycle(_) => "CycleDeleted",
        ResourceName::Review(..) => "ReviewDeleted",
        ResourceName::CheckIn(..) => "CheckInDeleted",
        ResourceName::Target(..) => "TargetDeleted",
        ResourceName::Alert(..) => "AlertDeleted",
    }
}

fn undeleted_kind(name: &ResourceName) -> &'static str {
    match name {
        ResourceName::Workspace => "WorkspaceUndeleted",
        ResourceName::Team(_) => "TeamUndeleted",
        ResourceName::Member(_) => "MemberUndeleted",
        ResourceName::Objective(_) => "ObjectiveUndeleted",
        ResourceName::KeyResult(_) => "KeyResultUndeleted",
        ResourceName::Initiative(_) => "InitiativeUndeleted",
        ResourceName::Kpi(_) => "KpiUndeleted",
        ResourceName::ScoringPolicy => "ScoringPolicyUndeleted",
        ResourceName::Cycle(_) => "CycleUndeleted",
        ResourceName::Review(..) => "ReviewUndeleted",
        ResourceName::CheckIn(..) => "CheckInUndeleted",
        ResourceName::Target(..) => "TargetUndeleted",
        ResourceName::Alert(..) => "AlertUndeleted",
    }
}
