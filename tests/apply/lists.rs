//! Everything that lists answer of a workspace, without what the server alone says: times, revisions, figures.

use binnacle::proto::api;

use crate::server::Server;

const WORKSPACE: &str = "workspaces/acme";

/// All of a workspace.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Lists {
    pub(crate) workspace: api::Workspace,
    pub(crate) policy: api::ScoringPolicy,
    pub(crate) members: Vec<api::Member>,
    pub(crate) teams: Vec<api::Team>,
    pub(crate) cycles: Vec<api::Cycle>,
    pub(crate) kpis: Vec<api::Kpi>,
    pub(crate) targets: Vec<api::Target>,
    pub(crate) measurements: Vec<api::Measurement>,
    pub(crate) objectives: Vec<api::Objective>,
    pub(crate) key_results: Vec<api::KeyResult>,
    pub(crate) initiatives: Vec<api::Initiative>,
    pub(crate) check_ins: Vec<api::CheckIn>,
    pub(crate) reviews: Vec<api::Review>,
}

/// One page of a list; the tests have no more.
macro_rules! page {
    ($server:expr, $client:ident, $call:ident, $request:ident, $parent:expr, $field:ident) => {{
        let request = api::$request {
            parent: $parent.to_owned(),
            page_size: 1000,
            ..api::$request::default()
        };
        let answer = $server
            .ask($server.$client().$call(request))
            .expect("a list")
            .into_inner();
        assert_eq!(answer.next_page_token, "", "the test needs pages");
        answer.$field
    }};
}

impl Lists {
    pub(crate) fn of(server: &Server) -> Self {
        let request = api::GetWorkspaceRequest {
            name: WORKSPACE.to_owned(),
            min_revision: 0,
            as_of: None,
        };
        let workspace = server
            .ask(server.workspaces().get_workspace(request))
            .expect("a workspace");
        let request = api::GetScoringPolicyRequest {
            name: format!("{WORKSPACE}/scoringPolicy"),
            ..api::GetScoringPolicyRequest::default()
        };
        let policy = server
            .ask(server.workspaces().get_scoring_policy(request))
            .expect("a policy");
        let below = |path: &str| format!("{WORKSPACE}/{path}");
        let kpis: Vec<api::Kpi> = page!(server, kpis, list_kpis, ListKpisRequest, WORKSPACE, kpis);
        let measurements = kpis.iter().flat_map(|kpi| -> Vec<api::Measurement> {
            page!(
                server,
                kpis,
                list_measurements,
                ListMeasurementsRequest,
                kpi.name,
                measurements
            )
        });
        let measurements = measurements.collect();
        let mut lists = Self {
            workspace: workspace.into_inner(),
            policy: policy.into_inner(),
            members: page!(
                server,
                workspaces,
                list_members,
                ListMembersRequest,
                WORKSPACE,
                members
            ),
            teams: page!(server, workspaces, list_teams, ListTeamsRequest, WORKSPACE, teams),
            cycles: page!(server, cycles, list_cycles, ListCyclesRequest, WORKSPACE, cycles),
            kpis,
            targets: page!(
                server,
                kpis,
                list_targets,
                ListTargetsRequest,
                below("kpis/-"),
                targets
            ),
            measurements,
            objectives: page!(
                server,
                objectives,
                list_objectives,
                ListObjectivesRequest,
                WORKSPACE,
                objectives
            ),
            key_results: page!(
                server,
                objectives,
                list_key_results,
                ListKeyResultsRequest,
                below("objectives/-"),
                key_results
            ),
            initiatives: page!(
                server,
                objectives,
                list_initiatives,
                ListInitiativesRequest,
                below("objectives/-"),
                initiatives
            ),
            check_ins: page!(
                server,
                objectives,
                list_check_ins,
                ListCheckInsRequest,
                below("objectives/-/keyResults/-"),
                check_ins
            ),
            reviews: page!(
                server,
                cycles,
                list_reviews,
                ListReviewsRequest,
                below("cycles/-"),
                reviews
            ),
        };
        lists.forget();
        lists
    }

    /// Takes out what only the server says.
    fn forget(&mut self) {
        let workspace = &mut self.workspace;
        (workspace.revision, workspace.score, workspace.today) = (0, None, None);
        (workspace.create_time, workspace.update_time) = (None, None);
        workspace.log_id.clear();
        workspace.etag.clear();
        let policy = &mut self.policy;
        (policy.version, policy.create_time) = (0, None);
        policy.principal.clear();
        policy.reason.clear();
        policy.etag.clear();
        for member in &mut self.members {
            (member.create_time, member.update_time, member.etag) = (None, None, String::new());
        }
        for team in &mut self.teams {
            (team.create_time, team.update_time, team.etag) = (None, None, String::new());
            team.scores.clear();
        }
        for cycle in &mut self.cycles {
            (cycle.create_time, cycle.update_time, cycle.etag) = (None, None, String::new());
            cycle.score = None;
        }
        for kpi in &mut self.kpis {
            (kpi.create_time, kpi.update_time, kpi.etag) = (None, None, String::new());
            kpi.health = None;
            // When it was archived is the log's; that it is stays here.
            kpi.archive_time = kpi.archive_time.map(|_| prost_types::Timestamp::default());
            // Alerts and their plans are not exported.
            kpi.open_alerts.clear();
            kpi.needs_action = false;
            kpi.period_value_text.clear();
            kpi.latest_value_text.clear();
        }
        for target in &mut self.targets {
            (target.update_time, target.revision) = (None, 0);
            target.text.clear();
        }
        for measurement in &mut self.measurements {
            (measurement.recorded_time, measurement.revision) = (None, 0);
        }
        for objective in &mut self.objectives {
            (objective.create_time, objective.update_time, objective.etag) = (None, None, String::new());
            (objective.activation_date, objective.progress) = (None, None);
            if let Some(result) = &mut objective.result {
                (result.close_date, result.close_time, result.policy_version) = (None, None, 0);
                result.principal.clear();
            }
        }
        for key_result in &mut self.key_results {
            (key_result.create_time, key_result.update_time, key_result.etag) = (None, None, String::new());
            key_result.progress = None;
            if let Some(api::key_result::Kind::Metric(metric)) = &mut key_result.kind {
                metric.baseline_source = None;
            }
        }
        for initiative in &mut self.initiatives {
            (initiative.create_time, initiative.update_time, initiative.etag) = (None, None, String::new());
        }
        for check_in in &mut self.check_ins {
            (check_in.recorded_time, check_in.revision, check_in.correct_time) = (None, 0, None);
            check_in.principal.clear();
        }
        for review in &mut self.reviews {
            (review.create_time, review.revision) = (None, 0);
            review.principal.clear();
        }
    }
}
