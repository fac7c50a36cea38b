//! What things are called and in which units they are measured, as far as a stream has told.
//!
//! Invariant: everything has a name to be called by: without a title it is its id.

use std::collections::BTreeMap;

use crate::cli::picture::fields::{Fields, parent};
use crate::cli::text::judged_unit;
use crate::proto::api;
use crate::proto::api::resource::Resource;

/// Titles and units by full name.
#[derive(Debug, Default)]
pub(super) struct Directory {
    titles: BTreeMap<String, String>,
    /// What KPIs' values are and are made into, and nothing else of them.
    kpis: BTreeMap<String, api::Kpi>,
    /// Of key results that have one of their own.
    units: BTreeMap<String, api::Unit>,
    /// The KPI that a key result follows.
    followed: BTreeMap<String, String>,
}

impl Directory {
    /// Takes a resource as it is.
    pub(super) fn resource(&mut self, resource: &api::Resource) {
        let (name, title) = match &resource.resource {
            Some(Resource::Workspace(it)) => (&it.name, &it.title),
            Some(Resource::Team(it)) => (&it.name, &it.title),
            Some(Resource::Member(it)) => (&it.name, &it.title),
            Some(Resource::Cycle(it)) => (&it.name, &it.title),
            Some(Resource::Objective(it)) => (&it.name, &it.title),
            Some(Resource::Initiative(it)) => (&it.name, &it.title),
            Some(Resource::KeyResult(it)) => {
                if let Some(unit) = &it.unit {
                    self.units.insert(it.name.clone(), unit.clone());
                }
                if !it.kpi.is_empty() {
                    self.followed.insert(it.name.clone(), it.kpi.clone());
                }
                (&it.name, &it.title)
            }
            Some(Resource::Kpi(it)) => {
                let measure = api::Kpi {
                    unit: it.unit.clone(),
                    transform: it.transform,
                    aggregation: it.aggregation,
                    ..api::Kpi::default()
                };
                self.kpis.insert(it.name.clone(), measure);
                (&it.name, &it.title)
            }
            // These are called after what they belong to.
            Some(
                Resource::Target(_) | Resource::Review(_) | Resource::ScoringPolicy(_) | Resource::Alert(_),
            )
            | None => return,
        };
        self.titles.insert(name.clone(), title.clone());
    }

    /// Takes what an event says of titles and units.
    pub(super) fn event(&mut self, event: &api::Event) {
        let fields = Fields::of(event);
        let name = event.resource.as_str();
        if let Some(title) = fields.string("title") {
            self.titles.insert(name.to_owned(), title.to_owned());
        }
        match event.r#type.as_str() {
            "KpiCreated" | "KpiUpdated" => {
                let known = self.kpis.remove(name).unwrap_or_default();
                self.kpis.insert(name.to_owned(), fields.measure(known));
            }
            "KeyResultCreated" | "KeyResultUpdated" => {
                if let Some(unit) = fields.unit() {
                    self.units.insert(name.to_owned(), unit);
                }
                if let Some(kpi) = fields.string("kpi") {
                    let workspace = name.split('/').take(2).collect::<Vec<_>>().join("/");
                    self.followed
                        .insert(name.to_owned(), format!("{workspace}/kpis/{kpi}"));
                }
            }
            _ => {}
        }
    }

    /// What a resource is and is called, for example "KPI Average reply time", "check-in of key result Reply time".
    pub(super) fn called(&self, name: &str) -> String {
        match noun(name) {
            noun @ ("workspace" | "scoring policy") => noun.to_owned(),
            noun @ "check-in" => format!("{noun} of {}", self.called(parent(name))),
            noun @ ("target" | "review" | "alert") => {
                format!("{noun} {} of {}", id(name), self.called(parent(name)))
            }
            noun => format!("{noun} {}", self.title(name)),
        }
    }

    /// Its title; its id as long as that is not known.
    pub(super) fn title<'a>(&'a self, name: &'a str) -> &'a str {
        self.titles.get(name).map_or_else(|| id(name), String::as_str)
    }

    /// The unit of a KPI's values, and of a key result's; a plain number as long as that is not known.
    pub(super) fn unit(&self, name: &str) -> api::Unit {
        match self.kpis.get(name) {
            Some(kpi) => kpi.unit.clone().unwrap_or_default(),
            None => self.judged(name),
        }
    }

    /// The unit of what is judged.
    pub(super) fn judged(&self, name: &str) -> api::Unit {
        if let Some(unit) = self.units.get(name) {
            return unit.clone();
        }
        let followed = || self.kpis.get(self.followed.get(name)?);
        let kpi = self.kpis.get(name).or_else(followed);
        kpi.map(judged_unit).unwrap_or_default()
    }
}

/// What kind of thing a name is of.
pub(super) fn noun(name: &str) -> &'static str {
    if name.ends_with("/scoringPolicy") {
        return "scoring policy";
    }
    match name.rsplit('/').nth(1).unwrap_or_default() {
        "workspaces" => "workspace",
        "teams" => "team",
        "members" => "member",
        "cycles" => "cycle",
        "objectives" => "objective",
        "keyResults" => "key result",
        "initiatives" => "initiative",
        "kpis" => "KPI",
        "targets" => "target",
        "reviews" => "review",
        "alerts" => "alert",
        "checkIns" => "check-in",
        // A newer server's.
        _ => "resource",
    }
}

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_name_to_be_called_by() {
        let mut directory = Directory::default();
        directory.resource(&api::Resource {
            resource: Some(Resource::Kpi(api::Kpi {
                name: "workspaces/a/kpis/nps".to_owned(),
                title: "Recommendation".to_owned(),
                ..api::Kpi::default()
            })),
        });
        for (name, called) in [
            ("workspaces/a", "workspace"),
            ("workspaces/a/scoringPolicy", "scoring policy"),
            ("workspaces/a/kpis/nps", "KPI Recommendation"),
            ("workspaces/a/kpis/other", "KPI other"),
            (
                "workspaces/a/kpis/nps/alerts/breach-3",
                "alert breach-3 of KPI Recommendation",
            ),
            (
                "workspaces/a/kpis/nps/targets/2026-01-01",
                "target 2026-01-01 of KPI Recommendation",
            ),
            ("workspaces/a/objectives/o/keyResults/r", "key result r"),
            (
                "workspaces/a/objectives/o/keyResults/r/checkIns/c",
                "check-in of key result r",
            ),
            ("workspaces/a/cycles/q4/reviews/1", "review 1 of cycle q4"),
            ("workspaces/a/somethings/new", "resource new"),
            ("", "resource "),
        ] {
            assert_eq!(directory.called(name), called, "{name}");
        }
    }

    #[test]
    fn a_key_result_has_its_kpis_unit_unless_it_has_its_own() {
        let percent = api::Unit {
            kind: api::unit::Kind::Percent.into(),
            ..api::Unit::default()
        };
        let minutes = api::Unit {
            symbol: "min".to_owned(),
            ..api::Unit::default()
        };
        let key_result = |name: &str, unit| api::Resource {
            resource: Some(Resource::KeyResult(api::KeyResult {
                name: name.to_owned(),
                kpi: "k".to_owned(),
                unit,
                ..api::KeyResult::default()
            })),
        };
        let mut directory = Directory::default();
        directory.resource(&api::Resource {
            resource: Some(Resource::Kpi(api::Kpi {
                name: "k".to_owned(),
                unit: Some(minutes.clone()),
                ..api::Kpi::default()
            })),
        });
        directory.resource(&key_result("follows", None));
        directory.resource(&key_result("own", Some(percent.clone())));
        assert_eq!(directory.unit("k"), minutes);
        assert_eq!(directory.unit("follows"), minutes);
        assert_eq!(directory.unit("own"), percent);
        assert_eq!(directory.unit("unknown"), api::Unit::default());
    }
}
