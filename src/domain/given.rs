//! Given, when, then: the one helper that the tables of the domain's rules go through.
//!
//! Everything begins with workspaces/acme, made by maria on 1 January 2026 at noon in UTC. What is given has to be
//! allowed; what is asked then is decided and answered as the kinds of its events, or as the reason of its refusal.

use jiff::civil::{Date, date};

use super::{
    Actor, Aggregation, Ambition, Authentication, Cadence, Category, Command, Commit, CreateWorkspace,
    CycleFields, Decision, Direction, Effective, Etag, Event, FirstWeekday, Id, InitiativeFields,
    InitiativeId, InitiativeState, KeyResultFields, KeyResultId, KpiFields, KpiHealth, Labels, MemberFields,
    NewCheckIn, NewMeasurement, ObjectiveFields, Origin, PlacedCheckIn, Preset, Principal, Rejection, Role,
    Roles, Stamp, Target, TeamFields, Text, TimeZoneRules, Timestamp, Title, Unit, Value, Weight, Window,
    Workspace, WorkspaceFields, decide, kpi_health,
};

mod changes;
mod kinds;
mod kpis;

pub(crate) use changes::*;
pub(crate) use kinds::*;
pub(crate) use kpis::*;

/// A workspace with a past.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) workspace: Workspace,
    pub(crate) commits: Vec<Commit>,
    now: Timestamp,
    reason: &'static str,
}

/// What a command came to: the kinds of its events, or the reason of its refusal.
pub(crate) type Outcome = Result<Vec<&'static str>, &'static str>;

/// workspaces/acme in UTC after some commands.
pub(crate) fn given(commands: impl IntoIterator<Item = Command>) -> Given {
    given_in("UTC", 1, commands)
}

/// The same for a workspace of another kind.
pub(crate) fn given_for(preset: Preset, commands: impl IntoIterator<Item = Command>) -> Given {
    beginning("UTC", 1, preset).and(commands)
}

/// The same in another time zone, with a fiscal year that begins in another month.
pub(crate) fn given_in(zone: &str, first_month: i8, commands: impl IntoIterator<Item = Command>) -> Given {
    beginning(zone, first_month, Preset::Full).and(commands)
}

fn beginning(zone: &str, first_month: i8, preset: Preset) -> Given {
    let rules = super::time::tests::zone(zone);
    let create = CreateWorkspace {
        id: id("acme"),
        fields: workspace_fields(&rules, first_month),
        preset,
        rules,
    };
    let nothing = Given {
        workspace: Workspace::empty(),
        commits: Vec::new(),
        now: at(2026, 1, 1, 12),
        reason: "",
    };
    nothing.and([Command::CreateWorkspace(Box::new(create))])
}

fn workspace_fields(rules: &TimeZoneRules, first_month: i8) -> WorkspaceFields {
    WorkspaceFields {
        title: title("Acme"),
        ultimate_goal: Text::empty(),
        time_zone: Text::parse(rules.name()).unwrap(),
        fiscal_year_first_month: first_month,
        first_weekday: FirstWeekday::MONDAY,
    }
}

impl Given {
    /// More of the past.
    pub(crate) fn and(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        for command in commands {
            let events = self
                .decided(&command)
                .unwrap_or_else(|refused| panic!("{refused}: {command:?}"));
            self.fold(events);
        }
        self
    }

    /// Time passes until noon of a day, in UTC.
    pub(crate) fn on(self, month: i8, day: i8) -> Self {
        self.at_hour(month, day, 12)
    }

    /// Time passes until an hour of a day, in UTC.
    pub(crate) fn at_hour(mut self, month: i8, day: i8, hour: i8) -> Self {
        self.now = at(2026, month, day, hour);
        let date = self.workspace.rules().date(self.now);
        self.and([Command::StartDay { date }])
    }

    /// What is asked from now on has a reason.
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    /// What a command would come to.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "a table reads better without borrowing"
    )]
    pub(crate) fn when(&self, command: Command) -> Outcome {
        let before = self.workspace.clone();
        let decided = self.decided(&command);
        assert_eq!(self.workspace, before, "deciding changes nothing");
        match decided {
            Ok(events) => Ok(events.iter().map(Event::kind).collect()),
            Err(rejection) => {
                assert!(rejection.to_string().contains(' '), "a sentence: {rejection}");
                Err(rejection.reason())
            }
        }
    }

    /// Why a command is refused.
    pub(crate) fn refused(&self, command: &Command) -> Rejection {
        match self.decided(command) {
            Err(rejection) => rejection,
            Ok(events) => panic!("not refused: {command:?} came to {events:?}"),
        }
    }

    /// How a KPI stands.
    pub(crate) fn kpi(&self, kpi: &str) -> KpiHealth {
        kpi_health(self.workspace.kpi(&id(kpi)).unwrap(), &self.workspace)
    }

    fn decided(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        let stamp = self.stamp();
        let Decision { events, after } = decide(&self.workspace, command, &stamp)?;
        if let Some(after) = after {
            let mut folded = self.workspace.clone();
            folded.begin(&stamp);
            for event in &events {
                folded.evolve(event, &stamp);
            }
            assert_eq!(after, folded, "a decision's state is what its events lead to");
        }
        Ok(events)
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            revision: self.workspace.revision().next(),
            recorded_time: self.now,
            principal: "maria".into(),
            reason: self.reason.into(),
        }
    }

    fn fold(&mut self, events: Vec<Event>) {
        let stamp = self.stamp();
        self.workspace.begin(&stamp);
        for event in &events {
            self.workspace.evolve(event, &stamp);
        }
        let actor = Actor {
            principal: stamp.principal,
            authentication: Authentication::None,
            on_behalf_of: "".into(),
        };
        self.commits.push(Commit {
            revision: stamp.revision,
            recorded_time: stamp.recorded_time,
            epoch: 1,
            origin: Origin {
                actor,
                ..Origin::system("given")
            },
            events,
        });
    }
}

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

pub(crate) fn title(text: &str) -> Title {
    Title::parse(text).unwrap()
}

pub(crate) fn value(number: f64) -> Value {
    Value::parse(number).unwrap()
}

/// A moment in UTC.
pub(crate) fn at(year: i16, month: i8, day: i8, hour: i8) -> Timestamp {
    let time = date(year, month, day)
        .at(hour, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap();
    Timestamp::from_micros(time.timestamp().as_microsecond())
}

/// `objective/keyResult`.
pub(crate) fn key_result_id(path: &str) -> KeyResultId {
    let (objective, own) = path.split_once('/').unwrap();
    KeyResultId {
        objective: id(objective),
        id: id(own),
    }
}

pub(crate) fn team(name: &str, parent: Option<&str>) -> Command {
    let fields = TeamFields {
        title: title(name),
        parent_team: parent.map(id),
        lead: None,
    };
    Command::CreateTeam {
        id: id(name),
        fields: Box::new(fields),
    }
}

pub(crate) fn member(name: &str, principal: &str, role: Role) -> Command {
    let fields = MemberFields {
        title: title(name),
        principal: Principal::parse(principal).unwrap(),
        roles: Roles::parse(vec![role]).unwrap(),
        teams: Vec::new(),
    };
    Command::CreateMember {
        id: id(name),
        fields: Box::new(fields),
    }
}

pub(crate) fn cycle(name: &str, first: Date, last: Date, parent: Option<&str>) -> Command {
    let fields = CycleFields {
        title: title(name),
        first_date: first,
        last_date: last,
        review_date: None,
        parent_cycle: parent.map(id),
    };
    Command::CreateCycle {
        id: id(name),
        fields: Box::new(fields),
    }
}

/// cycles/q1, 1 January to 31 March 2026, ACTIVE.
pub(crate) fn q1() -> [Command; 2] {
    [
        cycle("q1", date(2026, 1, 1), date(2026, 3, 31), None),
        activate_cycle("q1"),
    ]
}

pub(crate) fn activate_cycle(name: &str) -> Command {
    Command::ActivateCycle {
        id: id(name),
        etag: Etag::Any,
    }
}

/// Owned by maria, in cycle q1.
pub(crate) fn objective(name: &str, change: impl FnOnce(&mut ObjectiveFields)) -> Command {
    let mut fields = ObjectiveFields {
        title: title(name),
        description: Text::empty(),
        owner: Some(id("maria")),
        team: None,
        contributing_teams: Vec::new(),
        cycle: id("q1"),
        ambition: Ambition::Committed,
        aligned_to: None,
        weight: Weight::ONE,
        labels: Labels::default(),
        serves: Vec::new(),
    };
    change(&mut fields);
    Command::CreateObjective {
        id: id(name),
        fields: Box::new(fields),
    }
}

pub(crate) fn activate(name: &str) -> Command {
    Command::ActivateObjective {
        id: id(name),
        etag: Etag::Any,
    }
}

pub(crate) fn weight(number: f64) -> Weight {
    Weight::parse(number).unwrap()
}

/// From 0 to 10.
pub(crate) fn key_result(path: &str, change: impl FnOnce(&mut KeyResultFields)) -> Command {
    let mut fields = KeyResultFields {
        title: title(path),
        owner: None,
        kind: metric(Some(0.0), 10.0),
        unit: None,
        weight: Weight::ONE,
        kpi: None,
        due_date: None,
        window: Window::Newest,
    };
    change(&mut fields);
    Command::CreateKeyResult {
        id: key_result_id(path),
        fields: Box::new(fields),
    }
}

pub(crate) fn initiative(path: &str, change: impl FnOnce(&mut InitiativeFields)) -> Command {
    let KeyResultId { objective, id } = key_result_id(path);
    let mut fields = InitiativeFields {
        title: title(path),
        owner: None,
        due_date: None,
        state: InitiativeState::Planned,
        planned_count: None,
        done_count: None,
        key_result: None,
    };
    change(&mut fields);
    Command::CreateInitiative {
        id: InitiativeId { objective, id },
        fields: Box::new(fields),
    }
}

/// Says nothing, now, unless `change` says otherwise.
pub(crate) fn check_in(path: &str, name: &str, change: impl FnOnce(&mut NewCheckIn)) -> Command {
    let mut check_in = NewCheckIn {
        effective: Effective::Now,
        value: None,
        reached_milestones: None,
        confidence: None,
        comment: Text::empty(),
        status_override: None,
    };
    change(&mut check_in);
    Command::CreateCheckIn(Box::new(PlacedCheckIn {
        key_result: key_result_id(path),
        id: id(name),
        check_in,
    }))
}

/// Daily, higher is better, the last value counts.
pub(crate) fn kpi(name: &str, change: impl FnOnce(&mut KpiFields)) -> Command {
    let mut fields = KpiFields {
        title: title(name),
        description: Text::empty(),
        owner: None,
        team: None,
        area: Text::empty(),
        category: Category::Operational,
        unit: Unit::number(),
        direction: Direction::HigherIsBetter,
        cadence: Cadence::Daily,
        grace_days: 0,
        review_cadence: None,
        aggregation: Aggregation::Last,
        data_source: Text::empty(),
        replaces: None,
        labels: Labels::default(),
        transform: None,
    };
    change(&mut fields);
    Command::CreateKpi {
        id: id(name),
        fields: Box::new(fields),
    }
}

pub(crate) fn target(name: &str, date: Date, change: impl FnOnce(&mut Target)) -> Command {
    let mut target = Target::default();
    change(&mut target);
    Command::SetTarget {
        kpi: id(name),
        date,
        target,
    }
}

pub(crate) fn measurement(kpi: &str, effective: Effective, number: f64) -> NewMeasurement {
    NewMeasurement {
        kpi: id(kpi),
        effective,
        value: value(number),
        source_id: "".into(),
        note: "".into(),
    }
}

/// A value at noon of a day of 2026, in UTC.
pub(crate) fn measured(kpi: &str, month: i8, day: i8, number: f64) -> Command {
    Command::RecordMeasurements(vec![measurement(
        kpi,
        Effective::At(at(2026, month, day, 12)),
        number,
    )])
}
