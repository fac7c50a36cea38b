//! The life of a workspace: whatever its people may do, in an order that follows from a number. Half of it is refused, as in
//! life.

use binnacle::proto::api;
use tonic::{Code, Response, Status};

use crate::common::*;

/// A life that goes on step by step.
pub(crate) struct Life<'a> {
    server: &'a Server,
    dice: Dice,
    /// How many steps it had.
    steps: i64,
    /// The commands that were done, by name.
    pub(crate) done: std::collections::BTreeMap<&'static str, u32>,
}

/// Numbers that follow from a number.
struct Dice(u64);

const TEAMS: u64 = 4;
const OBJECTIVES: u64 = 5;
const KPIS: u64 = 3;

impl Dice {
    /// The next, below `sides`.
    fn throw(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn one(&mut self, kind: &str, letter: char, sides: u64) -> String {
        acme(&format!("{kind}/{letter}{}", self.throw(sides)))
    }

    fn team(&mut self) -> String {
        self.one("teams", 't', TEAMS)
    }

    /// Or none.
    fn some_team(&mut self) -> String {
        match self.throw(4) {
            0 => String::new(),
            _ => self.team(),
        }
    }

    fn cycle(&mut self) -> String {
        self.one("cycles", 'c', 2)
    }

    fn objective(&mut self) -> String {
        self.one("objectives", 'o', OBJECTIVES)
    }

    fn key_result(&mut self) -> String {
        format!("{}/keyResults/r{}", self.objective(), self.throw(2))
    }

    fn initiative(&mut self) -> String {
        format!("{}/initiatives/i{}", self.objective(), self.throw(2))
    }

    fn kpi(&mut self) -> String {
        self.one("kpis", 'k', KPIS)
    }
}

macro_rules! by_name {
    ($Request:ident, $name:expr) => {
        api::$Request {
            name: $name,
            ..Default::default()
        }
    };
}

/// Whatever the people of workspaces/acme begin with: teams t0 to t3, of which t1 lies below t0, the cycles c0 and c1,
/// three objectives of three teams, and two KPIs.
pub(crate) async fn with_people(server: &Server) {
    with_workspace(server).await;
    for (team, above) in [("t0", ""), ("t1", "t0"), ("t2", ""), ("t3", "")] {
        let created = server.workspaces().create_team(new_team(team, above)).await;
        created.expect("a team");
    }
    for cycle in ["c0", "c1"] {
        server
            .cycles()
            .create_cycle(new_cycle(cycle))
            .await
            .expect("a cycle");
        let activate = by_name!(ActivateCycleRequest, acme(&format!("cycles/{cycle}")));
        server.cycles().activate_cycle(activate).await.expect("ACTIVE");
    }
    for (objective, team) in [("o0", "t0"), ("o1", "t1"), ("o2", "t2")] {
        let mut request = new_objective(objective);
        let fields = request.objective.as_mut().expect("an objective");
        (fields.team, fields.cycle) = (acme(&format!("teams/{team}")), acme("cycles/c0"));
        let mut client = server.objectives();
        client.create_objective(request).await.expect("an objective");
        let request = new_key_result(objective, "r0");
        client.create_key_result(request).await.expect("a key result");
        let activate = by_name!(ActivateObjectiveRequest, acme(&format!("objectives/{objective}")));
        client.activate_objective(activate).await.expect("ACTIVE");
    }
    for (kpi, team) in [("k0", "t0"), ("k1", "t2")] {
        let mut request = new_kpi(kpi);
        request.kpi.as_mut().expect("a KPI").team = acme(&format!("teams/{team}"));
        server.kpis().create_kpi(request).await.expect("a KPI");
        server.kpis().set_target(new_target(kpi)).await.expect("a target");
    }
}

impl<'a> Life<'a> {
    pub(crate) fn of(server: &'a Server, number: u64) -> Self {
        Self {
            server,
            dice: Dice(number),
            steps: 0,
            done: Default::default(),
        }
    }

    /// One command, done or refused.
    pub(crate) async fn step(&mut self) {
        self.steps += 1;
        let (name, answer) = match self.dice.throw(28) {
            0..=2 => self.of_teams().await,
            3..=8 => self.of_objectives().await,
            9..=15 => self.inside_objectives().await,
            16..=19 => self.of_kpis().await,
            20..=23 => self.of_values().await,
            24..=25 => self.of_targets().await,
            _ => self.of_alerts().await,
        };
        match answer {
            Ok(()) => *self.done.entry(name).or_default() += 1,
            Err(status) => assert!(
                matches!(
                    status.code(),
                    Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists | Code::InvalidArgument
                ),
                "{name}: {status}"
            ),
        }
    }

    async fn of_teams(&mut self) -> (&'static str, Result<(), Status>) {
        let mut client = self.server.workspaces();
        let name = self.dice.team();
        match self.dice.throw(5) {
            0 => (
                "delete team",
                done(client.delete_team(by_name!(DeleteTeamRequest, name)).await),
            ),
            1 | 2 => (
                "undelete team",
                done(client.undelete_team(by_name!(UndeleteTeamRequest, name)).await),
            ),
            _ => {
                let request = api::UpdateTeamRequest {
                    team: Some(api::Team {
                        name,
                        parent_team: self.dice.some_team(),
                        ..Default::default()
                    }),
                    update_mask: mask(&["parent_team"]),
                    ..Default::default()
                };
                ("move team", done(client.update_team(request).await))
            }
        }
    }

    async fn of_objectives(&mut self) -> (&'static str, Result<(), Status>) {
        let mut client = self.server.objectives();
        let objective = api::Objective {
            name: self.dice.objective(),
            title: format!("Title {}", self.steps),
            team: self.dice.some_team(),
            cycle: self.dice.cycle(),
            owner: acme("members/anonymous"),
            serves: vec![self.dice.kpi()],
            ..Default::default()
        };
        let name = objective.name.clone();
        let which = self.dice.throw(12);
        if which < 3 {
            let request = api::CreateObjectiveRequest {
                parent: "workspaces/acme".to_owned(),
                objective_id: name.rsplit('/').next().unwrap_or_default().to_owned(),
                objective: Some(api::Objective {
                    name: String::new(),
                    ..objective
                }),
                ..Default::default()
            };
            return ("create objective", done(client.create_objective(request).await));
        }
        let field = match which {
            3 | 4 => "team",
            5 => "cycle",
            6 => ["title", "serves"][usize::from(self.dice.throw(2) == 1)],
            7 => {
                return (
                    "delete objective",
                    done(
                        client
                            .delete_objective(by_name!(DeleteObjectiveRequest, name))
                            .await,
                    ),
                );
            }
            8 => {
                return (
                    "undelete objective",
                    done(
                        client
                            .undelete_objective(by_name!(UndeleteObjectiveRequest, name))
                            .await,
                    ),
                );
            }
            _ => {
                return (
                    "activate",
                    done(
                        client
                            .activate_objective(by_name!(ActivateObjectiveRequest, name))
                            .await,
                    ),
                );
            }
        };
        let request = api::UpdateObjectiveRequest {
            objective: Some(objective),
            update_mask: mask(&[field]),
            ..Default::default()
        };
        let done = done(client.update_objective(request).await);
        (
            match field {
                "title" => "retitle",
                "serves" => "serve",
                _ => "move objective",
            },
            done,
        )
    }

    async fn inside_objectives(&mut self) -> (&'static str, Result<(), Status>) {
        let mut client = self.server.objectives();
        let name = self.dice.key_result();
        match self.dice.throw(12) {
            0..=2 => {
                let request = new_key_result(
                    &format!("o{}", self.dice.throw(OBJECTIVES)),
                    &format!("r{}", self.dice.throw(2)),
                );
                ("create key result", done(client.create_key_result(request).await))
            }
            3 => (
                "delete key result",
                done(
                    client
                        .delete_key_result(by_name!(DeleteKeyResultRequest, name))
                        .await,
                ),
            ),
            4 => (
                "undelete key result",
                done(
                    client
                        .undelete_key_result(by_name!(UndeleteKeyResultRequest, name))
                        .await,
                ),
            ),
            5 => {
                let request = new_initiative(
                    &format!("o{}", self.dice.throw(OBJECTIVES)),
                    &format!("i{}", self.dice.throw(2)),
                );
                ("create initiative", done(client.create_initiative(request).await))
            }
            6 => {
                let request = by_name!(DeleteInitiativeRequest, self.dice.initiative());
                ("delete initiative", done(client.delete_initiative(request).await))
            }
            7 => {
                let request = by_name!(CancelObjectiveRequest, self.dice.objective());
                ("cancel", done(client.cancel_objective(request).await))
            }
            8 => {
                let request = by_name!(ReopenObjectiveRequest, self.dice.objective());
                ("reopen", done(client.reopen_objective(request).await))
            }
            _ => {
                let request = api::CreateCheckInRequest {
                    parent: name,
                    check_in: Some(api::CheckIn {
                        value: Some(self.dice.throw(12) as f64),
                        confidence: (self.dice.throw(3) == 0).then(|| self.dice.throw(5) as f64 / 10.0),
                        ..Default::default()
                    }),
                    ..Default::default()
                };
                ("check in", done(client.create_check_in(request).await))
            }
        }
    }

    async fn of_kpis(&mut self) -> (&'static str, Result<(), Status>) {
        let mut client = self.server.kpis();
        let name = self.dice.kpi();
        match self.dice.throw(10) {
            0..=3 => {
                let mut request = new_kpi(&format!("k{}", self.dice.throw(KPIS)));
                request.kpi.as_mut().expect("a KPI").team = self.dice.some_team();
                ("create kpi", done(client.create_kpi(request).await))
            }
            4 => (
                "delete kpi",
                done(client.delete_kpi(by_name!(DeleteKpiRequest, name)).await),
            ),
            5 | 6 => (
                "undelete kpi",
                done(client.undelete_kpi(by_name!(UndeleteKpiRequest, name)).await),
            ),
            7 => (
                "archive",
                done(client.archive_kpi(by_name!(ArchiveKpiRequest, name)).await),
            ),
            8 => (
                "unarchive",
                done(client.unarchive_kpi(by_name!(UnarchiveKpiRequest, name)).await),
            ),
            _ => {
                let field = ["team", "title", "unit"][usize::try_from(self.dice.throw(3)).unwrap_or(0)];
                let request = api::UpdateKpiRequest {
                    kpi: Some(api::Kpi {
                        name,
                        title: format!("Title {}", self.steps),
                        team: self.dice.some_team(),
                        unit: Some(api::Unit {
                            symbol: ["%", "pt"][usize::from(self.dice.throw(2) == 1)].to_owned(),
                            ..Default::default()
                        }),
                        ..Default::default()
                    }),
                    update_mask: mask(&[field]),
                    ..Default::default()
                };
                ("write kpi", done(client.update_kpi(request).await))
            }
        }
    }

    async fn of_values(&mut self) -> (&'static str, Result<(), Status>) {
        // Each is newer than those before it, and of the same day.
        let (kpi, second) = (self.dice.throw(KPIS), -20_000 + self.steps);
        let request = measure(&format!("k{kpi}"), second, self.dice.throw(100) as f64);
        (
            "measure",
            done(self.server.kpis().record_measurement(request).await),
        )
    }

    async fn of_targets(&mut self) -> (&'static str, Result<(), Status>) {
        let kpi = format!("k{}", self.dice.throw(KPIS));
        let day = if self.dice.throw(2) == 1 { 2 } else { 1 };
        if self.dice.throw(5) == 0 {
            let name = acme(&format!("kpis/{kpi}/targets/2026-01-0{day}"));
            let mut client = self.server.kpis();
            let deleted = client.delete_target(by_name!(DeleteTargetRequest, name)).await;
            return ("delete target", done(deleted));
        }
        let mut request = new_target(&kpi);
        let target = request.target.as_mut().expect("a target");
        target.effective_date = date(2026, 1, day);
        target.at_least = Some(30.0 + self.dice.throw(40) as f64);
        ("set target", done(self.server.kpis().set_target(request).await))
    }

    async fn of_alerts(&mut self) -> (&'static str, Result<(), Status>) {
        let mut client = self.server.kpis();
        let list = api::ListAlertsRequest {
            parent: acme("kpis/-"),
            filter: "state = OPEN".to_owned(),
            ..Default::default()
        };
        let open = client
            .list_alerts(list)
            .await
            .expect("alerts")
            .into_inner()
            .alerts;
        let Some(alert) = open.first() else {
            return ("nothing", Ok(()));
        };
        let name = alert.name.clone();
        if self.dice.throw(2) == 0 {
            let request = api::AcknowledgeAlertRequest {
                note: format!("Seen {}", self.steps),
                ..by_name!(AcknowledgeAlertRequest, name)
            };
            return ("acknowledge", done(client.acknowledge_alert(request).await));
        }
        let request = api::SetActionPlanRequest {
            action_plan: Some(api::ActionPlan {
                text: format!("Call {}", self.steps),
                ..Default::default()
            }),
            ..by_name!(SetActionPlanRequest, name)
        };
        ("plan", done(client.set_action_plan(request).await))
    }
}

fn done<T>(answer: Result<Response<T>, Status>) -> Result<(), Status> {
    answer.map(|_| ())
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| acme(name)).collect()
}

/// Each criterion by itself, and some of them together, with a name each.
pub(crate) fn criteria() -> Vec<(&'static str, api::SubscriptionFilter)> {
    use api::subscription_filter::{ChangeKind, ResourceKind};
    let of = |change: &dyn Fn(&mut api::SubscriptionFilter)| {
        let mut filter = api::SubscriptionFilter::default();
        change(&mut filter);
        filter
    };
    let kinds = |kinds: &[ResourceKind]| kinds.iter().map(|kind| i32::from(*kind)).collect::<Vec<_>>();
    let changes = |kind: ChangeKind| of(&|f| f.change_kinds = vec![kind.into()]);
    vec![
        ("everything", crate::reader::everything()),
        ("team t0", of(&|f| f.teams = names(&["teams/t0"]))),
        ("team t1", of(&|f| f.teams = names(&["teams/t1"]))),
        (
            "teams t2 and t3",
            of(&|f| f.teams = names(&["teams/t2", "teams/t3"])),
        ),
        ("cycle c0", of(&|f| f.cycles = names(&["cycles/c0"]))),
        ("objective o1 alone", of(&|f| f.names = names(&["objectives/o1"]))),
        (
            "all below o1, and k0",
            of(&|f| f.names = names(&["objectives/o1*", "kpis/k0"])),
        ),
        (
            "the workspace",
            of(&|f| f.names = vec!["workspaces/acme".to_owned()]),
        ),
        (
            "gauges",
            of(&|f| {
                f.resource_kinds = kinds(&[ResourceKind::Kpi, ResourceKind::Alert, ResourceKind::Target])
            }),
        ),
        (
            "check-ins",
            of(&|f| f.resource_kinds = kinds(&[ResourceKind::CheckIn])),
        ),
        (
            "goals of t0 in c0",
            of(&|f| {
                f.teams = names(&["teams/t0"]);
                f.cycles = names(&["cycles/c0"]);
                f.resource_kinds = kinds(&[ResourceKind::Objective, ResourceKind::KeyResult]);
            }),
        ),
        (
            "figures of t0",
            of(&|f| {
                f.teams = names(&["teams/t0"]);
                f.change_kinds = vec![ChangeKind::FigureChanged.into()];
            }),
        ),
        ("creations", changes(ChangeKind::Created)),
        ("writing", changes(ChangeKind::Updated)),
        ("deletions", changes(ChangeKind::Deleted)),
        ("steps", changes(ChangeKind::StateChanged)),
        ("values", changes(ChangeKind::ValueChanged)),
        ("figures", changes(ChangeKind::FigureChanged)),
        ("nothing", of(&|f| f.names = names(&["kpis/nowhere*"]))),
    ]
}
