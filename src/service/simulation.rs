//! `Simulate`: the requests of a what-if become commands, and what would follow becomes an answer.

use std::sync::Arc;

use jiff::civil::Date;
use tonic::{Request, Response, Status};

use super::api::{Api, Write, wire};
use super::caller::Caller;
use super::from_proto::{self, Asked};
use super::{names, pages, principal, to_proto};
use crate::domain::{Id, Invalid, Rejection, Revision, Right};
use crate::engine::Refusal;
use crate::projection::{Imagined, Premise, Simulated, State, simulate};
use crate::proto::api;
use crate::proto::api::simulated_command::Command as Sent;

/// The most commands of one what-if.
const COMMANDS_MAX: usize = 10_000;
/// What is wrong, each with the index of its command.
type Refused = Vec<(usize, Rejection)>;

/// The call, as an origin names it.
const METHOD: &str = "binnacle.v1.ProgressService/Simulate";

impl Api {
    pub(super) async fn simulate_commands(
        &self,
        request: Request<api::SimulateRequest>,
    ) -> Result<Response<api::SimulateResponse>, Status> {
        let (metadata, extensions, request) = request.into_parts();
        let workspace = names::workspace("parent", &request.parent)?;
        if request.commands.len() > COMMANDS_MAX {
            let sentence = format!(
                "there are {}: send {COMMANDS_MAX} at most",
                request.commands.len()
            );
            return Err(Invalid::new(sentence).at("commands").into());
        }
        let origin = principal::origin(&metadata, &extensions, METHOD, None, "", false)?;
        let date = from_proto::optional_date("date", request.date.as_ref())?;
        let (commands, mut refused) = read(&workspace, &request.commands);
        let now = self.engine()?.now();
        // The rules of the days of a workspace that the first command would begin.
        let begun = commands
            .first()
            .filter(|(index, _)| *index == 0)
            .and_then(|(_, first)| first.rules());
        let today_of_new = begun.map(|rules| rules.date(now));
        let (state, today) = self.ground(&workspace, request.min_revision, today_of_new)?;
        if let Some(date) = date
            && date < today
        {
            let sentence =
                format!("it is before the workspace's today, {today}: nothing happens in the past");
            return Err(Invalid::new(sentence).at("date").into());
        }
        let premise = Premise {
            now,
            date,
            principal: origin.actor.principal,
        };
        let waiting = Arc::new(());
        let decide = {
            let (state, waiting) = (Arc::clone(&state), Arc::downgrade(&waiting));
            // A client that hangs up drops this call, and with it what it holds.
            move || simulate(&state, commands, &premise, || waiting.strong_count() > 0)
        };
        // Many commands keep a core busy for a while.
        let simulated = match tokio::task::spawn_blocking(decide).await {
            Ok(Ok(simulated)) if refused.is_empty() => simulated,
            Ok(Ok(_)) => return Err(elements(refused).into()),
            Ok(Err(more)) => {
                refused.extend(more);
                return Err(elements(refused).into());
            }
            Err(_panicked) => return Err(Refusal::Panicked.into()),
        };
        Ok(Response::new(answer(
            &workspace,
            state.workspace().revision(),
            &simulated,
        )))
    }

    /// The state that is imagined on, and its today. What is not there yet can be imagined from its beginning, where a
    /// first command would begin it on the day `today_of_new`.
    fn ground(
        &self,
        workspace: &Id,
        min_revision: i64,
        today_of_new: Option<Date>,
    ) -> Result<(Arc<State>, Date), Status> {
        let caller = Caller::current()?;
        let from_nothing =
            pages::min_revision(min_revision)? == Revision::ZERO && !self.is_visible(&caller, workspace)?;
        match (self.read(workspace, Right::Read, min_revision), today_of_new) {
            (Ok((_, state)), _) => {
                let today = state.workspace().today();
                Ok((state, today))
            }
            (Err(_), Some(today)) if from_nothing => {
                caller.check_operator("create workspaces, also in a simulation")?;
                Ok((Arc::new(State::empty()), today))
            }
            (Err(status), _) => Err(status),
        }
    }
}

fn elements(mut refused: Refused) -> Rejection {
    refused.sort_by_key(|(index, _)| *index);
    Rejection::Elements {
        list: "commands",
        refused,
    }
}

fn answer(workspace: &Id, revision: Revision, simulated: &Simulated) -> api::SimulateResponse {
    let changes = simulated
        .changes
        .iter()
        .map(|change| to_proto::derived_change(workspace, change));
    let mut room = pages::Room::default();
    let changes = room.fill(changes);
    api::SimulateResponse {
        changes,
        revision: wire(revision),
        event_count: i32::try_from(simulated.event_count).unwrap_or(i32::MAX),
        truncated: room.exceeded(),
    }
}

/// The commands that could be read, and what is wrong with the others; each with its index.
fn read(workspace: &Id, commands: &[api::SimulatedCommand]) -> (Vec<(usize, Imagined)>, Refused) {
    let mut read = Vec::with_capacity(commands.len());
    let mut refused = Vec::new();
    for (index, sent) in commands.iter().enumerate() {
        match asked(sent) {
            Ok(Asked {
                workspace: of,
                command,
                request_id: _,
                reason,
            }) if of == *workspace => read.push((index, Imagined { command, reason })),
            Ok(_) => {
                let sentence = "it is about another workspace: imagine one workspace at a time";
                refused.push((index, Rejection::invalid("command", sentence)));
            }
            Err(rejection) => refused.push((index, rejection)),
        }
    }
    (read, refused)
}

fn asked(sent: &api::SimulatedCommand) -> Result<Asked, Rejection> {
    let Some(command) = &sent.command else {
        return Err(Rejection::invalid(
            "command",
            "it is missing: send one of the requests",
        ));
    };
    match command {
        Sent::UpdateWorkspace(request) => request.asked(),
        Sent::CreateTeam(request) => request.asked(),
        Sent::UpdateTeam(request) => request.asked(),
        Sent::DeleteTeam(request) => request.asked(),
        Sent::UndeleteTeam(request) => request.asked(),
        Sent::CreateMember(request) => request.asked(),
        Sent::UpdateMember(request) => request.asked(),
        Sent::DeleteMember(request) => request.asked(),
        Sent::UndeleteMember(request) => request.asked(),
        Sent::UpdateScoringPolicy(request) => request.asked(),
        Sent::CreateWorkspace(request) => request.asked(),
        Sent::CreateCycle(request) => request.asked(),
        Sent::UpdateCycle(request) => request.asked(),
        Sent::ActivateCycle(request) => request.asked(),
        Sent::BeginCycleReview(request) => request.asked(),
        Sent::CloseCycle(request) => request.asked(),
        Sent::ReopenCycle(request) => request.asked(),
        Sent::CreateReview(request) => request.asked(),
        Sent::CreateObjective(request) => request.asked(),
        Sent::UpdateObjective(request) => request.asked(),
        Sent::DeleteObjective(request) => request.asked(),
        Sent::UndeleteObjective(request) => request.asked(),
        Sent::ActivateObjective(request) => request.asked(),
        Sent::CloseObjective(request) => request.asked(),
        Sent::ReopenObjective(request) => request.asked(),
        Sent::CancelObjective(request) => request.asked(),
        Sent::CarryOverObjective(request) => request.asked(),
        Sent::CascadeObjective(request) => request.asked(),
        Sent::CreateKeyResult(request) => request.asked(),
        Sent::UpdateKeyResult(request) => request.asked(),
        Sent::DeleteKeyResult(request) => request.asked(),
        Sent::UndeleteKeyResult(request) => request.asked(),
        Sent::CreateInitiative(request) => request.asked(),
        Sent::UpdateInitiative(request) => request.asked(),
        Sent::DeleteInitiative(request) => request.asked(),
        Sent::UndeleteInitiative(request) => request.asked(),
        Sent::CreateCheckIn(request) => request.asked(),
        Sent::BatchCreateCheckIns(request) => request.asked(),
        Sent::CorrectCheckIn(request) => request.asked(),
        Sent::RetractCheckIn(request) => request.asked(),
        Sent::CreateKpi(request) => request.asked(),
        Sent::UpdateKpi(request) => request.asked(),
        Sent::DeleteKpi(request) => request.asked(),
        Sent::UndeleteKpi(request) => request.asked(),
        Sent::SetTarget(request) => request.asked(),
        Sent::RecordMeasurement(request) => request.asked(),
        Sent::BatchRecordMeasurements(request) => request.asked(),
        Sent::ArchiveKpi(request) => request.asked(),
        Sent::UnarchiveKpi(request) => request.asked(),
        Sent::DeleteTarget(request) => request.asked(),
        Sent::CorrectMeasurement(request) => request.asked(),
        Sent::RetractMeasurement(request) => request.asked(),
        Sent::AcknowledgeAlert(request) => request.asked(),
        Sent::SetActionPlan(request) => request.asked(),
        Sent::CompleteActionPlan(request) => request.asked(),
        Sent::StartObjectiveFromKpi(request) => request.asked(),
        Sent::CreateKpiFromKeyResult(request) => request.asked(),
    }
}
