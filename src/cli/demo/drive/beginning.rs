//! The beginning: the workspace, its people, the cycle, and the KPIs with their past.

use super::{Driver, Failure, GAUGES, WEEK_S, broken, date, timestamp};
use crate::cli::demo::story::{KpiData, MemberData, Story, enum_number};
use crate::proto::api;

impl Driver {
    pub(super) async fn create_company(&mut self, story: &Story) -> Result<(), Failure> {
        let company = &story.company;
        let owner = company.members.first().map_or("", |member| member.id.as_str());
        let message = api::CreateWorkspaceRequest {
            workspace_id: company.workspace.id.clone(),
            workspace: Some(api::Workspace {
                title: company.workspace.title.clone(),
                ultimate_goal: company.workspace.ultimate_goal.clone(),
                time_zone: company.workspace.time_zone.clone(),
                ..api::Workspace::default()
            }),
            ..api::CreateWorkspaceRequest::default()
        };
        let request = self.by(owner, message);
        let answer = self.workspaces.create_workspace(request).await;
        self.done("CreateWorkspace", answer).await?;
        let message = api::UpdateScoringPolicyRequest {
            scoring_policy: Some(api::ScoringPolicy {
                name: format!("{}/scoringPolicy", self.workspace),
                alerts: Some(api::AlertRules {
                    adverse_move_percent: Some(company.alerts.adverse_move_percent),
                    ..api::AlertRules::default()
                }),
                ..api::ScoringPolicy::default()
            }),
            ..api::UpdateScoringPolicyRequest::default()
        };
        let request = self.by(owner, message);
        let answer = self.workspaces.update_scoring_policy(request).await;
        self.done("UpdateScoringPolicy", answer).await?;
        // Whoever creates a workspace is its first member already.
        for member in company.members.iter().skip(1) {
            self.create_member(owner, member).await?;
        }
        for team in &company.teams {
            let message = api::CreateTeamRequest {
                parent: self.workspace.clone(),
                team_id: team.id.clone(),
                team: Some(api::Team {
                    title: team.title.clone(),
                    lead: self.name("members", &team.lead),
                    ..api::Team::default()
                }),
                ..api::CreateTeamRequest::default()
            };
            let request = self.by(owner, message);
            let answer = self.workspaces.create_team(request).await;
            self.done("CreateTeam", answer).await?;
        }
        self.create_cycle(owner).await
    }

    async fn create_member(&mut self, owner: &str, member: &MemberData) -> Result<(), Failure> {
        let role = enum_number(&member.role, "ROLE_", api::member::Role::from_str_name).map_err(broken)?;
        let message = api::CreateMemberRequest {
            parent: self.workspace.clone(),
            member_id: member.id.clone(),
            member: Some(api::Member {
                title: member.title.clone(),
                principal: member.principal.clone(),
                roles: vec![role],
                ..api::Member::default()
            }),
            ..api::CreateMemberRequest::default()
        };
        let request = self.by(owner, message);
        let answer = self.workspaces.create_member(request).await;
        self.done("CreateMember", answer).await
    }

    async fn create_cycle(&mut self, owner: &str) -> Result<(), Failure> {
        let cycle = &self.story.company.cycle;
        let days = i64::from(cycle.weeks) * 7 - 1;
        let message = api::CreateCycleRequest {
            parent: self.workspace.clone(),
            cycle_id: cycle.id.clone(),
            cycle: Some(api::Cycle {
                title: cycle.title.clone(),
                first_date: Some(date(self.start)),
                last_date: Some(date(self.start.plus_seconds(days * WEEK_S / 7))),
                ..api::Cycle::default()
            }),
            ..api::CreateCycleRequest::default()
        };
        let activate = api::ActivateCycleRequest {
            name: self.name("cycles", &cycle.id),
            ..api::ActivateCycleRequest::default()
        };
        let request = self.by(owner, message);
        let answer = self.cycles.create_cycle(request).await;
        self.done("CreateCycle", answer).await?;
        let request = self.by(owner, activate);
        let answer = self.cycles.activate_cycle(request).await;
        self.done("ActivateCycle", answer).await
    }

    pub(super) async fn create_kpi(&mut self, kpi: &KpiData) -> Result<(), Failure> {
        let message = api::CreateKpiRequest {
            parent: self.workspace.clone(),
            kpi_id: kpi.id.clone(),
            kpi: Some(self.kpi(kpi).map_err(broken)?),
            ..api::CreateKpiRequest::default()
        };
        let request = self.by(&kpi.owner, message);
        let answer = self.kpis.create_kpi(request).await;
        self.done("CreateKpi", answer).await?;

        let is_higher = kpi.direction == "HIGHER_IS_BETTER";
        let if_higher = |value: Option<f64>| value.filter(|_| is_higher);
        let if_lower = |value: Option<f64>| value.filter(|_| !is_higher);
        // From the oldest value on, so that the past is judged by it too.
        let before = i64::try_from(kpi.before.len()).unwrap_or_default();
        let message = api::SetTargetRequest {
            parent: self.name("kpis", &kpi.id),
            target: Some(api::Target {
                effective_date: Some(date(self.start.plus_seconds(-before * WEEK_S))),
                at_least: if_higher(Some(kpi.target)),
                at_most: if_lower(Some(kpi.target)),
                critical_at_least: if_higher(kpi.critical),
                critical_at_most: if_lower(kpi.critical),
                ..api::Target::default()
            }),
            ..api::SetTargetRequest::default()
        };
        let request = self.by(&kpi.owner, message);
        let answer = self.kpis.set_target(request).await;
        self.done("SetTarget", answer).await
    }

    fn kpi(&self, kpi: &KpiData) -> Result<api::Kpi, String> {
        let cadence = |name| enum_number(name, "CADENCE_", api::Cadence::from_str_name);
        Ok(api::Kpi {
            title: kpi.title.clone(),
            owner: self.name("members", &kpi.owner),
            team: self.name("teams", &kpi.team),
            area: kpi.area.clone(),
            category: enum_number(&kpi.category, "CATEGORY_", api::kpi::Category::from_str_name)?,
            unit: Some(kpi.unit.to_api()?),
            direction: enum_number(&kpi.direction, "DIRECTION_", api::Direction::from_str_name)?,
            cadence: cadence(&kpi.cadence)?,
            review_cadence: cadence(&kpi.review)?,
            ..api::Kpi::default()
        })
    }

    /// The values from before the cycle, all at once.
    pub(super) async fn record_past(&mut self, story: &Story) -> Result<(), Failure> {
        let mut measurements = Vec::new();
        for kpi in &story.kpis {
            for (weeks_ago, value) in (0i64..).zip(kpi.before.iter().rev()) {
                measurements.push(api::Measurement {
                    kpi: self.name("kpis", &kpi.id),
                    effective_time: Some(timestamp(self.start.plus_seconds(-weeks_ago * WEEK_S))),
                    value: Some(*value),
                    ..api::Measurement::default()
                });
            }
        }
        let message = api::BatchRecordMeasurementsRequest {
            parent: self.name("kpis", "-"),
            measurements,
            reason: "the weeks before the cycle".to_owned(),
            ..api::BatchRecordMeasurementsRequest::default()
        };
        let request = self.by(GAUGES, message);
        let answer = self.kpis.batch_record_measurements(request).await;
        self.done("BatchRecordMeasurements", answer).await
    }
}
