//! Drafts become what the API takes: owners and KPIs by name, days by date, numbers in their unit.
//!
//! Everything that is wrong is kept with its line; what is merely missing becomes a thing to do (`Todo`).

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::draft::{Faults, InitiativeDraft, KeyResultDraft, ObjectiveDraft, Place, Stands};
use super::facts::{Facts, last};
use super::kind;
use super::measure::Measure;
use super::unit::{self, Frame};
use crate::cli::text::judged_unit;
use crate::domain::{Id, Title};
use crate::proto::api::key_result::Kind;
use crate::proto::{api, google_type};

/// What a board asks for, in the order in which it can be created.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Objectives, each before its key results, and those before what is done for them.
    pub(super) resources: Vec<Resource>,
    /// What is left to people.
    pub(super) todos: Vec<Todo>,
}

/// One thing that a board asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resource {
    /// Where it stands.
    pub(super) place: Place,
    /// What is to be.
    pub(super) message: Message,
}

/// What is to be; each message has its name.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a board has some dozens of them")]
pub(super) enum Message {
    /// An objective.
    Objective(api::Objective),
    /// A key result.
    KeyResult(api::KeyResult),
    /// An initiative.
    Initiative(api::Initiative),
}

/// Something that is left to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Todo {
    /// What it is about, by name.
    pub(super) about: String,
    /// What to do.
    pub(super) sentence: String,
}

impl Message {
    /// Its name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Objective(objective) => &objective.name,
            Self::KeyResult(key_result) => &key_result.name,
            Self::Initiative(initiative) => &initiative.name,
        }
    }
}

/// Everything that boards ask for.
pub(super) fn of(drafts: Vec<ObjectiveDraft>, facts: &Facts, faults: &mut Faults) -> Wanted {
    let mut asking = Asking {
        facts,
        faults,
        wanted: Wanted::default(),
        places: BTreeMap::new(),
    };
    for draft in drafts {
        asking.objective(draft);
    }
    asking.wanted
}

struct Asking<'a> {
    facts: &'a Facts,
    faults: &'a mut Faults,
    wanted: Wanted,
    /// Where each name was asked for first.
    places: BTreeMap<String, Place>,
}

impl Asking<'_> {
    fn objective(&mut self, draft: ObjectiveDraft) {
        let ObjectiveDraft {
            place,
            id,
            title,
            description,
            owner,
            team,
            is_aspirational,
            weight,
            labels,
            key_results,
            initiatives,
        } = draft;
        let team = team.or_else(|| self.facts.team.clone());
        let id = id.unwrap_or_else(|| slug(&title, 'o'));
        let name = self.free_name(&id, team.as_ref());
        let Some(name) = self.faults.keep(place, name) else {
            return;
        };
        let owner = self.owner(place, owner.as_deref());
        use api::objective::Ambition;
        let ambition = if is_aspirational {
            Ambition::Aspirational
        } else {
            Ambition::Committed
        };
        let labels = labels
            .iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let objective = api::Objective {
            name: name.clone(),
            title: title.as_str().to_owned(),
            description: description.as_str().to_owned(),
            owner,
            team: team
                .map(|team| format!("{}/teams/{team}", self.facts.workspace))
                .unwrap_or_default(),
            cycle: self.facts.cycle.clone(),
            ambition: ambition.into(),
            weight: Some(weight.get()),
            labels: labels.collect(),
            ..api::Objective::default()
        };
        self.push(place, Message::Objective(objective));
        for key_result in key_results {
            self.key_result(&name, key_result);
        }
        for initiative in initiatives {
            self.initiative(&name, "", initiative);
        }
    }

    /// The name of an objective in this cycle. An id that an objective of another cycle or team has is followed by the
    /// cycle's, and then by the team's.
    fn free_name(&self, id: &Id, team: Option<&Id>) -> Result<String, String> {
        let facts = self.facts;
        let team_name = team
            .map(|team| format!("{}/teams/{team}", facts.workspace))
            .unwrap_or_default();
        let in_cycle = format!("{id}-{}", last(&facts.cycle));
        let in_team = team.map(|team| format!("{in_cycle}-{team}"));
        let ids = [Some(id.to_string()), Some(in_cycle), in_team];
        for id in ids.into_iter().flatten().filter_map(|id| Id::from_text(&id)) {
            let name = format!("{}/objectives/{id}", facts.workspace);
            let is_ours = facts
                .objectives
                .get(&name)
                .is_none_or(|other| other.cycle == facts.cycle && other.team == team_name);
            if is_ours {
                return Ok(name);
            }
        }
        Err(format!(
            "other objectives have taken the id {id:?} and what could stand for it: say another with (id: ID)",
            id = id.as_str()
        ))
    }

    fn key_result(&mut self, objective: &str, draft: KeyResultDraft) {
        let place = draft.place;
        let id = draft.id.clone().unwrap_or_else(|| slug(&draft.title, 'k'));
        let name = format!("{objective}/keyResults/{id}");
        let owner = self.owner(place, draft.owner.as_deref());
        let read = self.measured(&name, &draft);
        let due = draft.due.map(|due| due.date(&self.facts.calendar)).transpose();
        let due = self.faults.keep(place, due).flatten();
        let calendar = self.facts.calendar;
        if let Some(due) = due.filter(|due| *due < calendar.first || *due > calendar.last) {
            let sentence = format!(
                "{due} lies outside of the cycle, {} to {}: correct the day",
                calendar.first, calendar.last
            );
            self.faults.push(place, sentence);
        }
        let Some((kind, unit, kpi)) = self.faults.keep(place, read) else {
            return;
        };
        use api::key_result::Window;
        let window = if draft.over_cycle {
            Window::Cycle
        } else {
            Window::Newest
        };
        let key_result = api::KeyResult {
            name: name.clone(),
            title: draft.title.as_str().to_owned(),
            owner,
            kind: Some(kind),
            unit,
            weight: Some(draft.weight.get()),
            kpi,
            due_date: due.map(wire_date),
            window: window.into(),
            ..api::KeyResult::default()
        };
        self.push(place, Message::KeyResult(key_result));
        self.boxes(&name, &draft);
        for initiative in draft.initiatives {
            self.initiative(objective, &name, initiative);
        }
    }

    /// A key result's kind, its own unit, and its KPI by name.
    fn measured(
        &mut self,
        name: &str,
        draft: &KeyResultDraft,
    ) -> Result<(Kind, Option<api::Unit>, String), String> {
        let own_unit = draft.unit.as_ref().map(unit::message);
        let Some(measure) = &draft.measure else {
            return Ok((
                Kind::Milestones(kind::milestones(draft)?),
                own_unit,
                String::new(),
            ));
        };
        if *measure == Measure::Binary {
            return Ok((Kind::Binary(api::Binary {}), own_unit, String::new()));
        }
        let facts = self.facts;
        let kpi = match &draft.kpi {
            Some(None) => None,
            Some(Some(called)) => {
                let kpi = facts.kpi(called)?;
                if kpi.is_none() {
                    self.todo(name, format!("no KPI is called {called:?}: create it (KpiService.CreateKpi), then set the key result's field kpi"));
                }
                kpi
            }
            None => facts.kpi_named_in(draft.title.as_str())?,
        };
        let kpi_unit = kpi.map(|kpi| {
            let whose = format!("its KPI kpis/{}", last(&kpi.name));
            (judged_unit(kpi), whose)
        });
        let given = own_unit.clone().map(|unit| (unit, "its own unit".to_owned()));
        let frame = Frame::of(measure, given.or(kpi_unit))?;
        let of_kind = match measure {
            Measure::Metric(from, goal) => {
                Kind::Metric(kind::metric(draft, from.as_ref(), goal, &frame, kpi)?)
            }
            Measure::Maintain(least, most) => {
                Kind::Maintain(kind::maintain(draft, least.as_ref(), most.as_ref(), &frame)?)
            }
            Measure::Binary => Kind::Binary(api::Binary {}),
        };
        let unit = match kpi {
            // The KPI's own unit is not repeated.
            Some(_) => own_unit,
            None => frame.unit().cloned(),
        };
        Ok((of_kind, unit, kpi.map(|kpi| kpi.name.clone()).unwrap_or_default()))
    }

    /// What is checked already cannot be recorded in a draft.
    fn boxes(&mut self, name: &str, draft: &KeyResultDraft) {
        let is_milestones = draft.measure.is_none();
        let reached: Vec<_> = draft
            .milestones
            .iter()
            .filter(|milestone| milestone.is_checked)
            .collect();
        if !reached.is_empty() {
            let titles: Vec<_> = reached
                .iter()
                .map(|milestone| format!("{:?}", milestone.title.as_str()))
                .collect();
            self.todo(name, format!("reached already: {}; record it with a check-in once the objective is active (ObjectiveService.CreateCheckIn)", titles.join(", ")));
        } else if draft.is_checked == Some(true) && !is_milestones {
            self.todo(name, "it is checked as reached: record that with a check-in once the objective is active (ObjectiveService.CreateCheckIn)");
        }
    }

    fn initiative(&mut self, objective: &str, key_result: &str, draft: InitiativeDraft) {
        let InitiativeDraft {
            place,
            id,
            title,
            owner,
            due,
            stands,
            planned,
            done,
        } = draft;
        use api::initiative::State;
        let state = match stands {
            Stands::Planned => State::Planned,
            Stands::InProgress => State::InProgress,
            Stands::Done => State::Done,
            Stands::Dropped => State::Dropped,
        };
        let due = due.map(|due| due.date(&self.facts.calendar)).transpose();
        let id = id.unwrap_or_else(|| slug(&title, 'i'));
        let initiative = api::Initiative {
            name: format!("{objective}/initiatives/{id}"),
            title: title.as_str().to_owned(),
            owner: self.owner(place, owner.as_deref()),
            due_date: self.faults.keep(place, due).flatten().map(wire_date),
            state: state.into(),
            planned_count: planned,
            done_count: done,
            key_result: key_result.to_owned(),
            ..api::Initiative::default()
        };
        self.push(place, Message::Initiative(initiative));
    }

    fn owner(&mut self, place: Place, owner: Option<&str>) -> String {
        let found = owner.map(|owner| self.facts.member(owner)).transpose();
        self.faults.keep(place, found).flatten().unwrap_or_default()
    }

    fn push(&mut self, place: Place, message: Message) {
        let name = message.name().to_owned();
        if let Some(first) = self.places.get(&name) {
            let id = last(&name);
            let sentence = format!(
                "it would be called {id:?} like line {} of the boards: give it another title, or say another name with (id: ID)",
                first.line
            );
            return self.faults.push(place, sentence);
        }
        self.places.insert(name, place);
        self.wanted.resources.push(Resource { place, message });
    }

    fn todo(&mut self, about: &str, sentence: impl Into<String>) {
        self.wanted.todos.push(Todo {
            about: about.to_owned(),
            sentence: sentence.into(),
        });
    }
}

/// The id of a title. One without a letter from a to z gets one that follows from it.
pub(super) fn slug(title: &Title, prefix: char) -> Id {
    let of_hash = || {
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, title.as_str().as_bytes())
            .simple()
            .to_string();
        Id::from_text(&format!("{prefix}{hash}"))
    };
    Id::from_text(title.as_str())
        .or_else(of_hash)
        .unwrap_or_else(Id::lowest)
}

/// A date as the API has it.
pub(super) fn wire_date(date: Date) -> google_type::Date {
    google_type::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}
