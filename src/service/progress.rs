//! `ProgressService`: the overview, the hygiene report, and the door to a subscription.

use futures_util::stream::Pending;
use tonic::{Request, Response, Status, async_trait};

use super::api::{Api, wire};
use super::{from_proto, names, pages, to_proto};
use crate::domain::{CycleState, Id, Preset, Rejection, Violation};
use crate::engine::Refusal;
use crate::projection::{State, check_hygiene};
use crate::proto::api;
use crate::proto::api::progress_service_server::ProgressService;

/// How many objectives, and how many KPIs, an overview shows.
const SHOWN_MAX: usize = 1000;

#[async_trait]
impl ProgressService for Api {
    type SubscribeStream = Pending<Result<api::SubscribeResponse, Status>>;

    /// Not the way that the call takes: see `subscribe_call`.
    async fn subscribe(
        &self,
        _: Request<api::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        Err(Status::unimplemented(
            "Subscribe is answered in front of this service",
        ))
    }

    async fn get_overview(
        &self,
        request: Request<api::GetOverviewRequest>,
    ) -> Result<Response<api::Overview>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let (hosted, state) = self.seen(&workspace, request).await?;
        let shown = to_proto::workspace(&workspace, &state, hosted.log());
        let chosen = Chosen::parse(&workspace, request)?;
        Ok(Response::new(overview(&workspace, &state, shown, &chosen)?))
    }

    async fn check_hygiene(
        &self,
        request: Request<api::CheckHygieneRequest>,
    ) -> Result<Response<api::HygieneReport>, Status> {
        let request = request.get_ref();
        let (id, scope) = from_proto::hygiene_scope(request)?;
        let (_, state) = self.seen(&id, request).await?;
        // It looks at years of every KPI, which would keep the calls on this thread waiting.
        let report = move || {
            let workspace = state.workspace();
            let found = check_hygiene(workspace, state.figures(), &scope)?;
            Ok::<_, Rejection>(to_proto::hygiene_report(
                &id,
                &found,
                workspace.revision(),
                workspace.policy_version(),
            ))
        };
        let reported = tokio::task::spawn_blocking(report).await;
        Ok(Response::new(reported.map_err(|_panicked| Refusal::Panicked)??))
    }

    async fn simulate(
        &self,
        request: Request<api::SimulateRequest>,
    ) -> Result<Response<api::SimulateResponse>, Status> {
        self.simulate_commands(request).await
    }
}

/// What an overview is narrowed to.
struct Chosen {
    cycle: Option<Id>,
    team: Option<Id>,
    owner: Option<Id>,
}

impl Chosen {
    fn parse(workspace: &Id, request: &api::GetOverviewRequest) -> Result<Self, Violation> {
        let workspace = Some(workspace);
        Ok(Self {
            cycle: names::cycle_reference(workspace, &request.cycle)
                .map_err(|invalid| invalid.at("cycle"))?,
            team: names::team_reference(workspace, &request.team).map_err(|invalid| invalid.at("team"))?,
            owner: names::member_reference(workspace, &request.owner)
                .map_err(|invalid| invalid.at("owner"))?,
        })
    }

    fn takes(&self, team: Option<&Id>, owner: Option<&Id>) -> bool {
        self.team.as_ref().is_none_or(|chosen| team == Some(chosen))
            && self.owner.as_ref().is_none_or(|chosen| owner == Some(chosen))
    }
}

fn overview(
    id: &Id,
    state: &State,
    shown: api::Workspace,
    chosen: &Chosen,
) -> Result<api::Overview, Rejection> {
    let (workspace, figures) = (state.workspace(), state.figures());
    if let Some(team) = &chosen.team {
        workspace.team(team)?;
    }
    if let Some(owner) = &chosen.owner {
        workspace.member(owner)?;
    }
    let cycles: Vec<&Id> = match &chosen.cycle {
        Some(cycle) => {
            workspace.cycle(cycle)?;
            vec![cycle]
        }
        // KPIs alone need no time boxes.
        None if workspace.preset() == Preset::KpiOnly => Vec::new(),
        None => {
            let active = workspace
                .cycles()
                .iter()
                .filter(|(_, cycle)| cycle.state == CycleState::Active);
            active.map(|(id, _)| id).collect()
        }
    };
    let mut objectives: Vec<&Id> = cycles
        .iter()
        .flat_map(|cycle| workspace.objectives_of_cycle(cycle))
        .filter(|id| {
            let fields = workspace.objective(id).map(|objective| &objective.fields);
            fields.is_ok_and(|fields| chosen.takes(fields.team.as_ref(), fields.owner.as_ref()))
        })
        .take(SHOWN_MAX + 1)
        .collect();
    objectives.sort_unstable();
    let kpis: Vec<_> = workspace
        .kpis()
        .iter()
        .filter(|(_, kpi)| {
            kpi.deleted.is_none() && chosen.takes(kpi.fields.team.as_ref(), kpi.fields.owner.as_ref())
        })
        .take(SHOWN_MAX + 1)
        .collect();
    let truncated = objectives.len() > SHOWN_MAX || kpis.len() > SHOWN_MAX;
    let mut room = pages::Room::default();
    Ok(api::Overview {
        workspace: Some(shown),
        cycles: room.fill(cycles.into_iter().filter_map(|cycle| {
            Some(to_proto::cycle(
                id,
                cycle,
                workspace.cycle(cycle).ok()?,
                figures.cycle(cycle),
            ))
        })),
        objectives: room.fill(
            objectives
                .into_iter()
                .take(SHOWN_MAX)
                .filter_map(|objective| objective_overview(id, state, objective)),
        ),
        kpis: room.fill(
            kpis.into_iter()
                .take(SHOWN_MAX)
                .map(|(kpi_id, kpi)| to_proto::kpi(id, kpi_id, kpi, figures.kpi(kpi_id))),
        ),
        revision: wire(workspace.revision()),
        truncated: truncated || room.exceeded(),
    })
}

fn objective_overview(workspace: &Id, state: &State, id: &Id) -> Option<api::ObjectiveOverview> {
    let objective = state.workspace().objective(id).ok()?;
    let key_results = state.workspace().key_results_of(id);
    Some(api::ObjectiveOverview {
        objective: Some(to_proto::objective_of(workspace, state, id, objective)),
        key_results: key_results
            .map(|(id, key_result)| to_proto::key_result_of(workspace, state, id, key_result))
            .collect(),
    })
}
