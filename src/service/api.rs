//! What every call has in common: writing through the engine, and showing a resource. What reads have in common stands in
//! `reads`.

use std::sync::{Arc, OnceLock};

use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status};

use super::caller::Caller;
use super::from_proto::{self, Asked};
use super::load::Load;
use super::pages;
use super::subscription::{SubscriptionLimits, Subscriptions};
use super::trailer::DurableAt;
use super::{principal, status, to_proto};
use crate::access::AccessRecord;
use crate::domain::{Command, Id, Origin, Rejection, RequestKey, ResourceName, Revision, Right};
use crate::engine::{self, Committed, Engine, Hosted, Refusal};
use crate::log::LogId;
use crate::projection::State;
use crate::proto::api;
use crate::proto::api::resource::Resource;

/// The API: every service is this one value.
#[derive(Clone)]
pub struct Api {
    /// Empty until the log is replayed.
    engine: Arc<OnceLock<Engine>>,
    draining: watch::Receiver<bool>,
    record_peer: bool,
    subscriptions: Arc<Subscriptions>,
    access: AccessRecord,
    /// Who may read the access record at once: each holds a part of it in memory.
    access_readers: Arc<Semaphore>,
    load: Arc<Load>,
}

/// How many read the access record at once; who comes then waits.
const ACCESS_READERS_MAX: usize = 4;

/// A request that changes something.
pub(super) trait Write: Message + Default {
    /// The call, as commits name it.
    const METHOD: &'static str;

    /// The list that a batch is about: a refusal names each bad element of it by its index.
    const BATCH: Option<&'static str>;

    /// Parses it.
    fn asked(&self) -> Result<Asked, Rejection>;

    /// Takes its id out: the fingerprint is of the rest.
    fn clear_request_id(&mut self);
}

/// A write that was done.
pub(super) struct Written {
    pub(super) workspace: Id,
    pub(super) log: LogId,
    pub(super) resource: ResourceName,
    pub(super) committed: Committed,
}

/// A message of the API that shows one resource.
pub(super) trait Shown: Sized {
    fn shown(resource: Resource) -> Option<Self>;
}

/// The list that a call is about, if it is a batch.
const fn list_of_batch(call: &str) -> Option<&'static str> {
    match call.as_bytes() {
        b"BatchRecordMeasurements" => Some("measurements"),
        b"BatchCreateCheckIns" => Some("requests"),
        _ => None,
    }
}

/// The core decides one element as it decides a single one; in a batch it has an index all the same.
fn by_index(list: &'static str, refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Rejected(rejection) if !matches!(rejection, Rejection::Elements { .. }) => {
            Refusal::Rejected(Rejection::Elements {
                list,
                refused: vec![(0, rejection)],
            })
        }
        refusal => refusal,
    }
}

macro_rules! writes {
    ($($service:literal: $($Call:ident($Request:ident) => $parse:ident,)*;)*) => {
        $($(
            impl Write for api::$Request {
                const METHOD: &'static str = concat!("binnacle.v1.", $service, "/", stringify!($Call));
                const BATCH: Option<&'static str> = list_of_batch(stringify!($Call));

                fn asked(&self) -> Result<Asked, Rejection> {
                    from_proto::$parse(self)
                }

                fn clear_request_id(&mut self) {
                    self.request_id.clear();
                }
            }
        )*)*

        /// Every call that changes something but the streams of rows, as commits name it.
        pub(super) const WRITES: &[&str] = &[$($(<api::$Request as Write>::METHOD,)*)*];
    };
}

writes! {
    "WorkspaceService":
        CreateWorkspace(CreateWorkspaceRequest) => create_workspace,
        UpdateWorkspace(UpdateWorkspaceRequest) => update_workspace,
        CreateTeam(CreateTeamRequest) => create_team,
        UpdateTeam(UpdateTeamRequest) => update_team,
        CreateMember(CreateMemberRequest) => create_member,
        UpdateMember(UpdateMemberRequest) => update_member,
        DeleteWorkspace(DeleteWorkspaceRequest) => delete_workspace,
        UndeleteWorkspace(UndeleteWorkspaceRequest) => undelete_workspace,
        DeleteTeam(DeleteTeamRequest) => delete_team,
        UndeleteTeam(UndeleteTeamRequest) => undelete_team,
        DeleteMember(DeleteMemberRequest) => delete_member,
        UndeleteMember(UndeleteMemberRequest) => undelete_member,
        UpdateScoringPolicy(UpdateScoringPolicyRequest) => update_scoring_policy,;
    "CycleService":
        CreateCycle(CreateCycleRequest) => create_cycle,
        UpdateCycle(UpdateCycleRequest) => update_cycle,
        ActivateCycle(ActivateCycleRequest) => activate_cycle,
        BeginCycleReview(BeginCycleReviewRequest) => begin_cycle_review,
        CloseCycle(CloseCycleRequest) => close_cycle,
        ReopenCycle(ReopenCycleRequest) => reopen_cycle,
        CreateReview(CreateReviewRequest) => create_review,;
    "ObjectiveService":
        CreateObjective(CreateObjectiveRequest) => create_objective,
        UpdateObjective(UpdateObjectiveRequest) => update_objective,
        ActivateObjective(ActivateObjectiveRequest) => activate_objective,
        CreateKeyResult(CreateKeyResultRequest) => create_key_result,
        UpdateKeyResult(UpdateKeyResultRequest) => update_key_result,
        CreateInitiative(CreateInitiativeRequest) => create_initiative,
        UpdateInitiative(UpdateInitiativeRequest) => update_initiative,
        CreateCheckIn(CreateCheckInRequest) => create_check_in,
        BatchCreateCheckIns(BatchCreateCheckInsRequest) => batch_create_check_ins,
        CorrectCheckIn(CorrectCheckInRequest) => correct_check_in,
        RetractCheckIn(RetractCheckInRequest) => retract_check_in,
        CloseObjective(CloseObjectiveRequest) => close_objective,
        ReopenObjective(ReopenObjectiveRequest) => reopen_objective,
        CancelObjective(CancelObjectiveRequest) => cancel_objective,
        CarryOverObjective(CarryOverObjectiveRequest) => carry_over_objective,
        CascadeObjective(CascadeObjectiveRequest) => cascade_objective,
        DeleteObjective(DeleteObjectiveRequest) => delete_objective,
        UndeleteObjective(UndeleteObjectiveRequest) => undelete_objective,
        DeleteKeyResult(DeleteKeyResultRequest) => delete_key_result,
        UndeleteKeyResult(UndeleteKeyResultRequest) => undelete_key_result,
        DeleteInitiative(DeleteInitiativeRequest) => delete_initiative,
        UndeleteInitiative(UndeleteInitiativeRequest) => undelete_initiative,;
    "KpiService":
        CreateKpi(CreateKpiRequest) => create_kpi,
        UpdateKpi(UpdateKpiRequest) => update_kpi,
        DeleteKpi(DeleteKpiRequest) => delete_kpi,
        UndeleteKpi(UndeleteKpiRequest) => undelete_kpi,
        SetTarget(SetTargetRequest) => set_target,
        RecordMeasurement(RecordMeasurementRequest) => record_measurement,
        BatchRecordMeasurements(BatchRecordMeasurementsRequest) => batch_record_measurements,
        ArchiveKpi(ArchiveKpiRequest) => archive_kpi,
        UnarchiveKpi(UnarchiveKpiRequest) => unarchive_kpi,
        DeleteTarget(DeleteTargetRequest) => delete_target,
        CorrectMeasurement(CorrectMeasurementRequest) => correct_measurement,
        RetractMeasurement(RetractMeasurementRequest) => retract_measurement,
        AcknowledgeAlert(AcknowledgeAlertRequest) => acknowledge_alert,
        SetActionPlan(SetActionPlanRequest) => set_action_plan,
        CompleteActionPlan(CompleteActionPlanRequest) => complete_action_plan,
        StartObjectiveFromKpi(StartObjectiveFromKpiRequest) => start_objective_from_kpi,
        CreateKpiFromKeyResult(CreateKpiFromKeyResultRequest) => create_kpi_from_key_result,;
}

macro_rules! shown {
    ($($Message:ident),*) => {
        $(
            impl Shown for api::$Message {
                fn shown(resource: Resource) -> Option<Self> {
                    match resource {
                        Resource::$Message(message) => Some(message),
                        _ => None,
                    }
                }
            }
        )*
    };
}

shown!(
    Workspace,
    Team,
    Member,
    Cycle,
    Objective,
    KeyResult,
    Initiative,
    Kpi,
    Target,
    Review,
    ScoringPolicy,
    Alert
);

impl Api {
    pub(super) fn new(
        engine: Arc<OnceLock<Engine>>,
        draining: watch::Receiver<bool>,
        record_peer: bool,
        limits: SubscriptionLimits,
        access: AccessRecord,
        load: Arc<Load>,
    ) -> Self {
        Self {
            engine,
            draining,
            record_peer,
            subscriptions: Arc::new(Subscriptions::new(limits)),
            access,
            access_readers: Arc::new(Semaphore::new(ACCESS_READERS_MAX)),
            load,
        }
    }

    /// Who is at their limits.
    pub(super) fn load(&self) -> &Arc<Load> {
        &self.load
    }

    /// The access record, and who may read it at once.
    pub(super) fn access(&self) -> (&AccessRecord, &Semaphore) {
        (&self.access, &self.access_readers)
    }

    /// Every subscription of this server.
    pub(super) fn subscriptions(&self) -> &Arc<Subscriptions> {
        &self.subscriptions
    }

    /// The engine, once the log is replayed.
    pub(super) fn engine(&self) -> Result<&Engine, Status> {
        self.engine.get().ok_or_else(status::starting)
    }

    /// Becomes true when the server is about to stop.
    pub(super) fn draining(&self) -> watch::Receiver<bool> {
        self.draining.clone()
    }

    /// The origin of what a stream asks for; why it does, its first message says.
    pub(super) fn origin_of_stream(
        &self,
        metadata: &MetadataMap,
        extensions: &Extensions,
        method: &'static str,
    ) -> Result<Origin, Rejection> {
        principal::origin(metadata, extensions, method, None, "", self.record_peer)
    }

    /// Does what a request asks; the answer is durable.
    pub(super) async fn write<R: Write>(&self, request: Request<R>) -> Result<Written, Status> {
        let caller = Caller::current()?;
        caller.check_known()?;
        let engine = self.engine()?;
        let (metadata, extensions, mut message) = request.into_parts();
        let size_bytes = message.encoded_len();
        let Asked {
            workspace,
            command,
            request_id,
            reason,
        } = message.asked()?;
        let key = request_id.map(|id| {
            message.clear_request_id();
            RequestKey {
                id,
                fingerprint: Sha256::digest(message.encode_to_vec()).into(),
            }
        });
        let origin = principal::origin(&metadata, &extensions, R::METHOD, key, &reason, self.record_peer)?;
        if matches!(command, Command::CreateWorkspace(_)) {
            caller.check_operator("create workspaces")?;
        }
        if !matches!(command, Command::CreateWorkspace(_)) {
            // Who does not see it must not take a place of those who do, nor hear how many of these are taken.
            self.check_visible(&caller, &workspace)?;
        }
        let resource = command.resource();
        let request = engine::Request {
            workspace: workspace.clone(),
            command,
            origin,
            size_bytes,
        };
        let committed = engine.execute(request).await.map_err(|refusal| match R::BATCH {
            Some(list) => by_index(list, refusal),
            None => refusal,
        })?;
        let log = engine.hosted(&workspace)?.log();
        Ok(Written {
            workspace,
            log,
            resource,
            committed,
        })
    }

    /// Does what a request asks and answers the resource as of its revision.
    pub(super) async fn write_and_show<R: Write, T: Shown>(
        &self,
        request: Request<R>,
    ) -> Result<Response<T>, Status> {
        let written = self.write(request).await?;
        let Written {
            workspace,
            log,
            resource,
            committed,
        } = &written;
        let shown = show(workspace, &committed.state, *log, resource)?;
        Ok(written.answer(shown))
    }

    /// A workspace, if the caller has a right to it.
    pub(super) fn hosted(&self, workspace: &Id, right: Right) -> Result<Arc<Hosted>, Status> {
        let hosted = self.engine()?.hosted(workspace)?;
        let published = hosted.published();
        Caller::current()?.check(workspace, published.state.workspace(), right)?;
        self.load.of_workspace(workspace)?;
        Ok(hosted)
    }

    /// Whether a workspace is there for somebody.
    pub(super) fn is_visible(&self, caller: &Caller, workspace: &Id) -> Result<bool, Status> {
        let hosted = self.engine()?.hosted(workspace);
        Ok(hosted.is_ok_and(|hosted| caller.sees(hosted.published().state.workspace())))
    }

    /// Counts a call that changes a workspace, if it is there for its caller. The core judges what they may.
    fn check_visible(&self, caller: &Caller, workspace: &Id) -> Result<(), Status> {
        if self.is_visible(caller, workspace)? {
            Ok(self.load.of_workspace(workspace)?)
        } else if caller.is_anybody() {
            // Where nobody is a stranger it may be about to be created.
            Ok(())
        } else {
            Err(Refusal::WorkspaceNotFound(workspace.clone()).into())
        }
    }

    /// The newest state of a workspace, if it has come as far as `min_revision`: for what is about now alone. Calls that read
    /// a moment ask for what is `seen` of it.
    pub(super) fn read(
        &self,
        workspace: &Id,
        right: Right,
        min_revision: i64,
    ) -> Result<(Arc<Hosted>, Arc<State>), Status> {
        let at_least = pages::min_revision(min_revision)?;
        let hosted = self.hosted(workspace, right)?;
        Ok((
            hosted,
            Arc::clone(&self.engine()?.read(workspace, at_least)?.state),
        ))
    }
}

impl Written {
    /// An answer with the revision that made the write durable.
    pub(super) fn answer<T>(&self, message: T) -> Response<T> {
        let mut response = Response::new(message);
        response
            .extensions_mut()
            .insert(DurableAt(self.committed.revision));
        response
    }
}

/// One resource of a state.
pub(super) fn show<T: Shown>(
    workspace: &Id,
    state: &State,
    log: LogId,
    name: &ResourceName,
) -> Result<T, Status> {
    to_proto::resource(workspace, state, log, name)
        .and_then(|shown| shown.resource)
        .and_then(T::shown)
        .ok_or_else(|| Rejection::NotFound(name.clone()).into())
}

/// A revision as the API writes it.
pub(super) fn wire(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}
