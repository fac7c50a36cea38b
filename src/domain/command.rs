//! What somebody asks for, in the imperative. Everything in it was parsed once.

use jiff::civil::Date;

use super::{
    ActionPlan, CarryOver, CascadeTo, CheckInPatch, Closing, CycleFields, CyclePatch, Etag, Id,
    InitiativeFields, InitiativeId, InitiativePatch, KeyResultFields, KeyResultId, KeyResultPatch, KpiFields,
    KpiFromKeyResult, KpiPatch, MeasurementIdentity, MemberFields, MemberPatch, NewMeasurement, NewReview,
    ObjectiveFields, ObjectivePatch, PlacedCheckIn, Preset, ResourceName, ScoringPolicyPatch, StartObjective,
    Target, TeamFields, TeamPatch, Text, TimeZoneRules, WorkspaceFields, WorkspacePatch,
};

/// One request to change a workspace.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    missing_docs,
    reason = "the fields are the resource's id, its fields or their change, and the etag that was read"
)]
pub enum Command {
    CreateWorkspace(Box<CreateWorkspace>),
    UpdateWorkspace {
        patch: Box<WorkspacePatch>,
        rules: Option<TimeZoneRules>,
        etag: Etag,
    },
    StartDay {
        date: Date,
    },
    UpdateScoringPolicy {
        patch: Box<ScoringPolicyPatch>,
        etag: Etag,
    },
    Delete {
        name: ResourceName,
        etag: Etag,
    },
    Undelete {
        name: ResourceName,
        etag: Etag,
    },
    CreateTeam {
        id: Id,
        fields: Box<TeamFields>,
    },
    UpdateTeam {
        id: Id,
        patch: Box<TeamPatch>,
        etag: Etag,
    },
    CreateMember {
        id: Id,
        fields: Box<MemberFields>,
    },
    UpdateMember {
        id: Id,
        patch: Box<MemberPatch>,
        etag: Etag,
    },
    CreateCycle {
        id: Id,
        fields: Box<CycleFields>,
    },
    UpdateCycle {
        id: Id,
        patch: Box<CyclePatch>,
        etag: Etag,
    },
    ActivateCycle {
        id: Id,
        etag: Etag,
    },
    BeginCycleReview {
        id: Id,
        etag: Etag,
    },
    CloseCycle {
        id: Id,
        closings: Vec<(Id, Closing)>,
        etag: Etag,
    },
    ReopenCycle {
        id: Id,
        etag: Etag,
    },
    CreateReview {
        cycle: Id,
        id: Id,
        review: Box<NewReview>,
    },
    CreateObjective {
        id: Id,
        fields: Box<ObjectiveFields>,
    },
    UpdateObjective {
        id: Id,
        patch: Box<ObjectivePatch>,
        etag: Etag,
    },
    ActivateObjective {
        id: Id,
        etag: Etag,
    },
    CloseObjective {
        id: Id,
        closing: Box<Closing>,
        etag: Etag,
    },
    ReopenObjective {
        id: Id,
        etag: Etag,
    },
    CancelObjective {
        id: Id,
        etag: Etag,
    },
    CarryOverObjective {
        id: Id,
        to: CarryOver,
        etag: Etag,
    },
    CascadeObjective {
        id: Id,
        teams: Vec<CascadeTo>,
        etag: Etag,
    },
    CreateKeyResult {
        id: KeyResultId,
        fields: Box<KeyResultFields>,
    },
    UpdateKeyResult {
        id: KeyResultId,
        patch: Box<KeyResultPatch>,
        etag: Etag,
    },
    CreateInitiative {
        id: InitiativeId,
        fields: Box<InitiativeFields>,
    },
    UpdateInitiative {
        id: InitiativeId,
        patch: Box<InitiativePatch>,
        etag: Etag,
    },
    CreateCheckIn(Box<PlacedCheckIn>),
    CreateCheckIns(Vec<PlacedCheckIn>),
    CorrectCheckIn {
        key_result: KeyResultId,
        id: Id,
        patch: Box<CheckInPatch>,
    },
    RetractCheckIn {
        key_result: KeyResultId,
        id: Id,
    },
    CreateKpi {
        id: Id,
        fields: Box<KpiFields>,
    },
    UpdateKpi {
        id: Id,
        patch: Box<KpiPatch>,
        etag: Etag,
    },
    SetTarget {
        kpi: Id,
        date: Date,
        target: Target,
    },
    RecordMeasurements(Vec<NewMeasurement>),
    ArchiveKpi {
        id: Id,
        etag: Etag,
    },
    UnarchiveKpi {
        id: Id,
        etag: Etag,
    },
    DeleteTarget {
        kpi: Id,
        date: Date,
    },
    CorrectMeasurement(Box<NewMeasurement>),
    RetractMeasurement(Box<MeasurementIdentity>),
    AcknowledgeAlert {
        kpi: Id,
        id: Id,
        note: Text,
    },
    SetActionPlan {
        kpi: Id,
        id: Id,
        plan: Box<ActionPlan>,
    },
    CompleteActionPlan {
        kpi: Id,
        id: Id,
        note: Text,
    },
    StartObjective(Box<StartObjective>),
    CreateKpiFromKeyResult(Box<KpiFromKeyResult>),
}

/// A new workspace: the first command of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateWorkspace {
    /// Its id.
    pub id: Id,
    /// Its fields.
    pub fields: WorkspaceFields,
    /// What it is for.
    pub preset: Preset,
    /// The rules of its time zone.
    pub rules: TimeZoneRules,
}

impl Command {
    /// The resource whose state answers the request.
    #[must_use]
    pub fn resource(&self) -> ResourceName {
        match self {
            Self::CreateWorkspace(_) | Self::UpdateWorkspace { .. } | Self::StartDay { .. } => {
                ResourceName::Workspace
            }
            Self::UpdateScoringPolicy { .. } => ResourceName::ScoringPolicy,
            Self::Delete { name, .. } | Self::Undelete { name, .. } => name.clone(),
            Self::CreateReview { cycle, id, .. } => ResourceName::Review(cycle.clone(), id.clone()),
            Self::CreateTeam { id, .. } | Self::UpdateTeam { id, .. } => ResourceName::Team(id.clone()),
            Self::CreateMember { id, .. } | Self::UpdateMember { id, .. } => ResourceName::Member(id.clone()),
            Self::CreateCycle { id, .. }
            | Self::UpdateCycle { id, .. }
            | Self::ActivateCycle { id, .. }
            | Self::BeginCycleReview { id, .. }
            | Self::CloseCycle { id, .. }
            | Self::ReopenCycle { id, .. } => ResourceName::Cycle(id.clone()),
            Self::CreateObjective { id, .. }
            | Self::UpdateObjective { id, .. }
            | Self::ActivateObjective { id, .. }
            | Self::CloseObjective { id, .. }
            | Self::ReopenObjective { id, .. }
            | Self::CancelObjective { id, .. }
            | Self::CascadeObjective { id, .. } => ResourceName::Objective(id.clone()),
            Self::CarryOverObjective { to, .. } => ResourceName::Objective(to.new_id.clone()),
            Self::CreateKeyResult { id, .. } | Self::UpdateKeyResult { id, .. } => {
                ResourceName::KeyResult(id.clone())
            }
            Self::CreateInitiative { id, .. } | Self::UpdateInitiative { id, .. } => {
                ResourceName::Initiative(id.clone())
            }
            Self::CreateCheckIn(placed) => placed.name(),
            Self::CreateCheckIns(placed) => placed
                .first()
                .map_or(ResourceName::Workspace, PlacedCheckIn::name),
            Self::CorrectCheckIn { key_result, id, .. } | Self::RetractCheckIn { key_result, id } => {
                ResourceName::CheckIn(key_result.clone(), id.clone())
            }
            Self::CreateKpi { id, .. }
            | Self::UpdateKpi { id, .. }
            | Self::ArchiveKpi { id, .. }
            | Self::UnarchiveKpi { id, .. } => ResourceName::Kpi(id.clone()),
            Self::SetTarget { kpi, date, .. } | Self::DeleteTarget { kpi, date } => {
                ResourceName::Target(kpi.clone(), *date)
            }
            Self::CorrectMeasurement(measurement) => ResourceName::Kpi(measurement.kpi.clone()),
            Self::RetractMeasurement(identity) => ResourceName::Kpi(identity.kpi.clone()),
            Self::AcknowledgeAlert { kpi, id, .. }
            | Self::SetActionPlan { kpi, id, .. }
            | Self::CompleteActionPlan { kpi, id, .. } => ResourceName::Alert(kpi.clone(), id.clone()),
            Self::StartObjective(new) => ResourceName::Objective(new.objective.clone()),
            Self::CreateKpiFromKeyResult(new) => ResourceName::Kpi(new.kpi.clone()),
            Self::RecordMeasurements(measurements) => {
                measurements.first().map_or(ResourceName::Workspace, |first| {
                    ResourceName::Kpi(first.kpi.clone())
                })
            }
        }
    }
}
