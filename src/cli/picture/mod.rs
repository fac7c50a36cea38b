//! A subscriber's picture of a workspace, folded from nothing but what the stream delivers: a snapshot, events, and
//! figures with before and after.
//!
//! Invariant: a figure's "before" is what the picture shows; where it is not, `contradiction` says so. What it
//! deliberately does not know: where messages come from, and how the picture is shown.

use std::collections::BTreeMap;

use jiff::civil::Date;

pub(super) use self::notable::Notable;
use self::notable::{health_change, status_change};
use crate::cli::text::judged_unit;
use crate::proto::api;
use crate::proto::api::derived_change::Figure;
use crate::proto::api::resource::Resource;
use fields::{Fields, parent, text_date, wire_date};

pub(super) mod fields;
mod notable;

/// What a subscriber knows. Everything is by full name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Picture {
    pub(super) revision: i64,
    pub(super) today: Option<Date>,
    pub(super) title: String,
    pub(super) ultimate_goal: String,
    pub(super) score: Option<f64>,
    pub(super) cycles: BTreeMap<String, CyclePicture>,
    pub(super) objectives: BTreeMap<String, ObjectivePicture>,
    pub(super) key_results: BTreeMap<String, KeyResultPicture>,
    pub(super) initiatives: BTreeMap<String, InitiativePicture>,
    pub(super) kpis: BTreeMap<String, KpiPicture>,
    pub(super) targets: BTreeMap<String, Bounds>,
    /// The open alerts.
    pub(super) alerts: BTreeMap<String, AlertPicture>,
    /// The first figure that was said to be changed from something that it was not.
    pub(super) contradiction: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CyclePicture {
    pub(super) title: String,
    pub(super) first_date: Option<Date>,
    pub(super) last_date: Option<Date>,
    pub(super) score: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ObjectivePicture {
    pub(super) title: String,
    pub(super) progress: Option<api::ObjectiveProgress>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeyResultPicture {
    pub(super) title: String,
    /// None: the KPI's.
    pub(super) unit: Option<api::Unit>,
    /// The linked KPI's name; empty: none.
    pub(super) kpi: String,
    pub(super) baseline: Option<f64>,
    pub(super) target: Option<f64>,
    pub(super) confidence: Option<f64>,
    pub(super) progress: Option<api::KeyResultProgress>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct InitiativePicture {
    pub(super) title: String,
    pub(super) state: api::initiative::State,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KpiPicture {
    pub(super) title: String,
    /// Of its values.
    pub(super) unit: api::Unit,
    pub(super) transform: api::kpi::Transform,
    pub(super) aggregation: api::Aggregation,
    pub(super) health: Option<api::KpiHealth>,
    /// What was measured since the subscription began, by effective time in seconds and nanoseconds.
    pub(super) series: BTreeMap<(i64, i32), f64>,
    /// It was breached and has not been healthy since.
    pub(super) in_trouble: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AlertPicture {
    pub(super) about: api::alert::Kind,
    /// Nobody has said yet what is to be done.
    pub(super) needs_action: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    pub(super) at_least: Option<f64>,
    pub(super) at_most: Option<f64>,
}

impl Picture {
    /// Takes a resource of a snapshot.
    pub(super) fn resource(&mut self, resource: api::Resource) {
        match resource.resource {
            Some(Resource::Workspace(it)) => {
                self.title = it.title;
                self.ultimate_goal = it.ultimate_goal;
                self.today = it.today.and_then(wire_date);
                self.score = it.score;
            }
            Some(Resource::Cycle(it)) => {
                let cycle = self.cycles.entry(it.name).or_default();
                cycle.title = it.title;
                cycle.first_date = it.first_date.and_then(wire_date);
                cycle.last_date = it.last_date.and_then(wire_date);
                cycle.score = it.score;
            }
            Some(Resource::Objective(it)) => {
                let objective = self.objectives.entry(it.name).or_default();
                objective.title = it.title;
                objective.progress = it.progress;
            }
            Some(Resource::KeyResult(it)) => self.key_result(it),
            Some(Resource::Initiative(it)) => {
                let state = it.state();
                let initiative = self.initiatives.entry(it.name).or_default();
                (initiative.title, initiative.state) = (it.title, state);
            }
            Some(Resource::Kpi(it)) => {
                let kpi = self.kpis.entry(it.name.clone()).or_default();
                kpi.measured_as(&it);
                kpi.title = it.title;
                kpi.in_trouble = it
                    .health
                    .as_ref()
                    .is_some_and(|h| h.health() == api::Health::Breached);
                kpi.health = it.health;
            }
            Some(Resource::Target(it)) => {
                let bounds = Bounds {
                    at_least: it.at_least,
                    at_most: it.at_most,
                };
                self.targets.insert(it.name, bounds);
            }
            Some(Resource::Alert(it)) => self.alert(&it),
            Some(
                Resource::Team(_) | Resource::Member(_) | Resource::Review(_) | Resource::ScoringPolicy(_),
            )
            | None => {}
        }
    }

    fn key_result(&mut self, it: api::KeyResult) {
        let key_result = self.key_results.entry(it.name).or_default();
        key_result.title = it.title;
        key_result.unit = it.unit;
        key_result.kpi = it.kpi;
        key_result.confidence = it.confidence;
        key_result.progress = it.progress;
        if let Some(api::key_result::Kind::Metric(metric)) = it.kind {
            (key_result.baseline, key_result.target) = (metric.baseline, metric.target);
        }
    }

    /// An alert is there as long as it is open.
    fn alert(&mut self, it: &api::Alert) {
        let open = AlertPicture {
            about: it.kind(),
            needs_action: it.needs_action,
        };
        if it.state() == api::alert::State::Open {
            self.alerts.insert(it.name.clone(), open);
        } else {
            self.alerts.remove(&it.name);
        }
    }

    /// Takes a commit, a part of one, or the net change of several; answers what is worth a line.
    pub(super) fn update(&mut self, update: &api::Update) -> Vec<Notable> {
        self.revision = update
            .commit
            .as_ref()
            .map_or(self.revision, |commit| commit.revision);
        let mut notable = Vec::new();
        for event in &update.events {
            notable.extend(self.event(event));
        }
        for change in &update.derived_changes {
            notable.extend(self.derived(change));
        }
        update.left.iter().for_each(|name| self.forget(name));
        // They are as they are behind the commit, so they come behind what leads there.
        let whole = update.entered.iter().chain(&update.changed);
        whole.for_each(|resource| self.resource(resource.clone()));
        notable
    }

    /// Something is deleted, or none of the stream's business any more.
    fn forget(&mut self, name: &str) {
        self.cycles.remove(name);
        self.objectives.remove(name);
        self.key_results.remove(name);
        self.initiatives.remove(name);
        self.kpis.remove(name);
        self.targets.remove(name);
        self.alerts.remove(name);
    }

    fn event(&mut self, event: &api::Event) -> Option<Notable> {
        let fields = Fields::of(event);
        let name = event.resource.as_str();
        match event.r#type.as_str() {
            "WorkspaceCreated" | "WorkspaceUpdated" => {
                fields.text("title", &mut self.title);
                fields.text("ultimate_goal", &mut self.ultimate_goal);
            }
            "DayStarted" => self.today = fields.string("today").and_then(text_date).or(self.today),
            "CycleCreated" | "CycleUpdated" => {
                let cycle = self.cycles.entry(name.to_owned()).or_default();
                fields.text("title", &mut cycle.title);
                let date = |path, old| fields.string(path).and_then(text_date).or(old);
                cycle.first_date = date("first_date", cycle.first_date);
                cycle.last_date = date("last_date", cycle.last_date);
            }
            "ObjectiveCreated" | "ObjectiveUpdated" => {
                let objective = self.objectives.entry(name.to_owned()).or_default();
                fields.text("title", &mut objective.title);
            }
            "ObjectiveActivated" => {
                return Some(Notable::Begun {
                    objective: name.to_owned(),
                });
            }
            "KeyResultCreated" | "KeyResultUpdated" => self.key_result_event(name, &fields),
            "InitiativeCreated" | "InitiativeUpdated" => return self.initiative_event(name, &fields),
            "CheckInRecorded" => {
                let key_result = self.key_results.entry(parent(name).to_owned()).or_default();
                key_result.confidence = fields.number("confidence").or(key_result.confidence);
            }
            "KpiCreated" | "KpiUpdated" => {
                let kpi = self.kpis.entry(name.to_owned()).or_default();
                fields.text("title", &mut kpi.title);
                kpi.measured_as(&fields.measure(kpi.measure()));
            }
            "TargetSet" => {
                let target = self.targets.entry(name.to_owned()).or_default();
                target.at_least = fields.changed("at_least", target.at_least);
                target.at_most = fields.changed("at_most", target.at_most);
            }
            "MeasurementRecorded" => {
                let kpi = self.kpis.entry(name.to_owned()).or_default();
                if let (Some(at), Some(value)) = (&event.effective_time, fields.number("measurement.value")) {
                    kpi.series.insert((at.seconds, at.nanos), value);
                }
            }
            "ActionPlanSet" => {
                if let Some(alert) = self.alerts.get_mut(name) {
                    alert.needs_action = false;
                }
            }
            "AlertOpened" | "AlertClosed" => return Some(self.alert_event(name, &fields)),
            // What it does not know it need not show: a newer server may tell more.
            _ => {}
        }
        None
    }

    fn key_result_event(&mut self, name: &str, fields: &Fields<'_>) {
        let workspace = name.split('/').take(2).collect::<Vec<_>>().join("/");
        let key_result = self.key_results.entry(name.to_owned()).or_default();
        fields.text("title", &mut key_result.title);
        if let Some(kpi) = fields.string("kpi") {
            key_result.kpi = format!("{workspace}/kpis/{kpi}");
        }
        key_result.unit = fields.unit().or_else(|| key_result.unit.take());
        key_result.baseline = fields.changed("metric.baseline.value", key_result.baseline);
        key_result.target = fields.changed("metric.target", key_result.target);
    }

    fn initiative_event(&mut self, name: &str, fields: &Fields<'_>) -> Option<Notable> {
        let initiative = self.initiatives.entry(name.to_owned()).or_default();
        fields.text("title", &mut initiative.title);
        let state = fields.string("state")?;
        initiative.state = api::initiative::State::from_str_name(&format!("STATE_{state}"))?;
        (initiative.state == api::initiative::State::Done).then(|| Notable::Done {
            initiative: name.to_owned(),
        })
    }

    fn alert_event(&mut self, name: &str, fields: &Fields<'_>) -> Notable {
        let kpi = parent(name).to_owned();
        let word = |path: &str| fields.string(path).unwrap_or_default();
        if word("state") == "OPEN" {
            let about = api::alert::Kind::from_str_name(&format!("KIND_{}", word("kind")));
            let about = about.unwrap_or_default();
            let open = AlertPicture {
                about,
                needs_action: true,
            };
            self.alerts.insert(name.to_owned(), open);
            return Notable::Asks { kpi, about };
        }
        let why = format!("CLOSE_REASON_{}", word("close_reason"));
        Notable::Asked {
            kpi,
            about: self.alerts.remove(name).unwrap_or_default().about,
            why: api::alert::CloseReason::from_str_name(&why).unwrap_or_default(),
        }
    }

    fn derived(&mut self, change: &api::DerivedChange) -> Option<Notable> {
        let name = change.resource.as_str();
        let mut agrees = true;
        let mut notable = None;
        match change.figure.as_ref()? {
            Figure::KeyResult(figure) => {
                let key_result = self.key_results.entry(name.to_owned()).or_default();
                agrees = key_result.progress == figure.before;
                key_result.progress.clone_from(&figure.after);
            }
            Figure::Objective(figure) => {
                let objective = self.objectives.entry(name.to_owned()).or_default();
                agrees = objective.progress == figure.before;
                objective.progress.clone_from(&figure.after);
                notable = status_change(name, figure);
            }
            Figure::Kpi(figure) => {
                let kpi = self.kpis.entry(name.to_owned()).or_default();
                agrees = kpi.health == figure.before;
                kpi.health.clone_from(&figure.after);
                notable = health_change(name, figure, &mut kpi.in_trouble);
            }
            Figure::Score(figure) => {
                let score = match self.cycles.get_mut(name) {
                    Some(cycle) => &mut cycle.score,
                    None => &mut self.score,
                };
                agrees = *score == figure.before;
                *score = figure.after;
            }
            Figure::Alert(figure) => {
                if let Some(alert) = &figure.after {
                    self.alert(alert);
                }
            }
            // Teams and foundations are not shown.
            Figure::TeamScore(_) | Figure::Foundation(_) => {}
        }
        if !agrees {
            let revision = self.revision;
            self.contradiction.get_or_insert_with(|| {
                format!("revision {revision} changes {name} from something that it was not: {change:?}")
            });
        }
        notable
    }
}

impl KpiPicture {
    /// The unit of what is judged of it.
    pub(super) fn judged(&self) -> api::Unit {
        judged_unit(&self.measure())
    }

    /// What its values are and are made into.
    fn measure(&self) -> api::Kpi {
        api::Kpi {
            unit: Some(self.unit.clone()),
            transform: self.transform.into(),
            aggregation: self.aggregation.into(),
            ..api::Kpi::default()
        }
    }

    fn measured_as(&mut self, kpi: &api::Kpi) {
        self.unit = kpi.unit.clone().unwrap_or_default();
        (self.transform, self.aggregation) = (kpi.transform(), kpi.aggregation());
    }
}

#[cfg(test)]
mod tests;
