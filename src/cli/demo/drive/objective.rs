//! An objective from draft to active.

use super::{Driver, Failure, broken};
use crate::cli::demo::story::{KeyResultData, ObjectiveData, enum_number};
use crate::proto::api;

fn ambition(objective: &ObjectiveData) -> Result<i32, Failure> {
    let parse = api::objective::Ambition::from_str_name;
    enum_number(&objective.ambition, "AMBITION_", parse).map_err(broken)
}

impl Driver {
    /// An objective with its key results and initiatives, from draft to active.
    pub(super) async fn begin_objective(&mut self, objective: &ObjectiveData) -> Result<(), Failure> {
        let name = self.name("objectives", &objective.id);
        let made = match objective.started_from.is_empty() {
            true => self.create_objective(objective).await.map(|()| 0)?,
            false => self.start_objective(&name, objective).await.map(|()| 1)?,
        };
        for key_result in objective.key_results.iter().skip(made) {
            self.create_key_result(&name, objective, key_result).await?;
        }
        self.create_initiatives(&name, objective).await?;
        let message = api::ActivateObjectiveRequest {
            name,
            ..api::ActivateObjectiveRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.activate_objective(request).await;
        self.done("ActivateObjective", answer).await
    }

    async fn create_objective(&mut self, objective: &ObjectiveData) -> Result<(), Failure> {
        let message = api::CreateObjectiveRequest {
            parent: self.workspace.clone(),
            objective_id: objective.id.clone(),
            objective: Some(api::Objective {
                title: objective.title.clone(),
                owner: self.name("members", &objective.owner),
                team: self.name("teams", &objective.team),
                cycle: self.name("cycles", &self.story.company.cycle.id),
                ambition: ambition(objective)?,
                serves: self.served(objective),
                ..api::Objective::default()
            }),
            reason: objective.reason.clone(),
            ..api::CreateObjectiveRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.create_objective(request).await;
        self.done("CreateObjective", answer).await
    }

    /// The KPI's alert asks for action, and this is it: an objective with a key result from where the KPI stands to its
    /// target.
    async fn start_objective(&mut self, name: &str, objective: &ObjectiveData) -> Result<(), Failure> {
        let key_result = objective.key_results.first();
        let message = api::StartObjectiveFromKpiRequest {
            name: self.name("kpis", &objective.started_from),
            cycle: self.name("cycles", &self.story.company.cycle.id),
            objective_id: objective.id.clone(),
            key_result_id: key_result.map(|it| it.id.clone()).unwrap_or_default(),
            title: objective.title.clone(),
            owner: self.name("members", &objective.owner),
            team: self.name("teams", &objective.team),
            ambition: ambition(objective)?,
            reason: objective.reason.clone(),
            ..api::StartObjectiveFromKpiRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.kpis.start_objective_from_kpi(request).await;
        self.done("StartObjectiveFromKpi", answer).await?;
        let message = api::UpdateObjectiveRequest {
            objective: Some(api::Objective {
                name: name.to_owned(),
                serves: self.served(objective),
                ..api::Objective::default()
            }),
            ..api::UpdateObjectiveRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.update_objective(request).await;
        self.done("UpdateObjective", answer).await
    }

    fn served(&self, objective: &ObjectiveData) -> Vec<String> {
        let kpis = objective.serves.iter();
        kpis.map(|kpi| self.name("kpis", kpi)).collect()
    }

    async fn create_key_result(
        &mut self,
        parent: &str,
        objective: &ObjectiveData,
        key_result: &KeyResultData,
    ) -> Result<(), Failure> {
        let unit = key_result.unit.as_ref().map(|unit| unit.to_api()).transpose();
        let message = api::CreateKeyResultRequest {
            parent: parent.to_owned(),
            key_result_id: key_result.id.clone(),
            key_result: Some(api::KeyResult {
                title: key_result.title.clone(),
                kind: Some(api::key_result::Kind::Metric(api::Metric {
                    baseline: key_result.baseline,
                    target: Some(key_result.target),
                    ..api::Metric::default()
                })),
                unit: unit.map_err(broken)?,
                kpi: self.name("kpis", &key_result.kpi),
                ..api::KeyResult::default()
            }),
            ..api::CreateKeyResultRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.create_key_result(request).await;
        self.done("CreateKeyResult", answer).await
    }

    async fn create_initiatives(&mut self, parent: &str, objective: &ObjectiveData) -> Result<(), Failure> {
        for initiative in &objective.initiatives {
            let message = api::CreateInitiativeRequest {
                parent: parent.to_owned(),
                initiative_id: initiative.id.clone(),
                initiative: Some(api::Initiative {
                    title: initiative.title.clone(),
                    owner: self.name("members", &initiative.owner),
                    planned_count: initiative.planned_count,
                    ..api::Initiative::default()
                }),
                ..api::CreateInitiativeRequest::default()
            };
            let request = self.by(&objective.owner, message);
            let answer = self.objectives.create_initiative(request).await;
            self.done("CreateInitiative", answer).await?;
        }
        Ok(())
    }
}
