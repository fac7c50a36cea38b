//! The story as data: the manifests of `examples/demo`, which are part of the program.
//!
//! What it knows: their shape, and that they fit together. What it deliberately does not know: how they are told.

use serde::Deserialize;

use crate::proto::api;

/// Who, what and when.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) company: Company,
    pub(super) kpis: Vec<KpiData>,
    pub(super) objectives: Vec<ObjectiveData>,
    pub(super) weeks: Vec<Week>,
}

/// The workspace, its people and its cycle.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Company {
    pub(super) workspace: WorkspaceData,
    pub(super) cycle: CycleData,
    pub(super) alerts: AlertsData,
    #[serde(rename = "team")]
    pub(super) teams: Vec<TeamData>,
    #[serde(rename = "member")]
    pub(super) members: Vec<MemberData>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkspaceData {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) ultimate_goal: String,
    pub(super) time_zone: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CycleData {
    pub(super) id: String,
    pub(super) title: String,
    /// How long it is.
    pub(super) weeks: u16,
}

/// What of the scoring policy is another than at first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsData {
    pub(super) adverse_move_percent: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamData {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) lead: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberData {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) principal: String,
    pub(super) role: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitData {
    pub(super) kind: String,
    #[serde(default)]
    pub(super) currency: String,
    #[serde(default)]
    pub(super) symbol: String,
    pub(super) decimals: Option<u32>,
}

/// A gauge and its values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KpiData {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) owner: String,
    #[serde(default)]
    pub(super) team: String,
    pub(super) area: String,
    pub(super) category: String,
    pub(super) unit: UnitData,
    pub(super) direction: String,
    pub(super) cadence: String,
    pub(super) review: String,
    pub(super) target: f64,
    /// Worse than this is BREACHED; none: worse than the target.
    pub(super) critical: Option<f64>,
    /// One value a week until the cycle begins; the last is of its first day.
    pub(super) before: Vec<f64>,
    /// One value every so many weeks since.
    #[serde(default = "one")]
    pub(super) every_weeks: usize,
    pub(super) weeks: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectiveData {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) owner: String,
    #[serde(default)]
    pub(super) team: String,
    pub(super) ambition: String,
    /// The week at whose end it is made; 0: with the cycle.
    #[serde(default)]
    pub(super) begins_in_week: usize,
    /// The KPI in trouble that it is started from, with its first key result; empty: none.
    #[serde(default)]
    pub(super) started_from: String,
    #[serde(default)]
    pub(super) serves: Vec<String>,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(rename = "key_result")]
    pub(super) key_results: Vec<KeyResultData>,
    #[serde(default, rename = "initiative")]
    pub(super) initiatives: Vec<InitiativeData>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyResultData {
    pub(super) id: String,
    pub(super) title: String,
    /// None: the KPI's.
    pub(super) unit: Option<UnitData>,
    /// Empty: check-ins give its values.
    #[serde(default)]
    pub(super) kpi: String,
    /// None: the KPI's newest value.
    pub(super) baseline: Option<f64>,
    pub(super) target: f64,
    /// One a week from the week after the objective begins; empty where a KPI gives the values.
    #[serde(default)]
    pub(super) check_ins: Vec<f64>,
    /// How sure its owner is, a week each.
    pub(super) confidence: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InitiativeData {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) owner: String,
    pub(super) planned_count: Option<i64>,
}

/// What happens in one week beside measurements and check-ins.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Week {
    /// For the reader.
    pub(super) says: String,
    /// The subscriber's connection is cut before this week's news and resumed after it.
    #[serde(default)]
    pub(super) subscriber_is_away: bool,
    #[serde(default)]
    pub(super) initiatives: Vec<InitiativeStep>,
}

/// An initiative moves on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InitiativeStep {
    /// `{objective}/{initiative}`.
    pub(super) name: String,
    pub(super) state: String,
    /// Who says so.
    pub(super) by: String,
    pub(super) done_count: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kpis {
    kpi: Vec<KpiData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Objectives {
    objective: Vec<ObjectiveData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Weeks {
    week: Vec<Week>,
}

fn one() -> usize {
    1
}

impl Story {
    /// The manifests that are part of the program.
    ///
    /// # Errors
    /// One of them is no manifest: which, where and why.
    pub(super) fn read() -> Result<Self, String> {
        macro_rules! manifest {
            ($file:literal) => {
                toml::from_str(include_str!(concat!("../../../examples/demo/", $file)))
                    .map_err(|error| format!("examples/demo/{}: {error}", $file))
            };
        }
        let Kpis { kpi: kpis } = manifest!("kpis.toml")?;
        let Objectives {
            objective: objectives,
        } = manifest!("objectives.toml")?;
        let Weeks { week: weeks } = manifest!("weeks.toml")?;
        Ok(Self {
            company: manifest!("workspace.toml")?,
            kpis,
            objectives,
            weeks,
        })
    }

    /// The metadata value by which a member says who they are.
    pub(super) fn principal<'a>(&'a self, member: &'a str) -> &'a str {
        let mut members = self.company.members.iter();
        members
            .find(|data| data.id == member)
            .map_or(member, |data| &data.principal)
    }
}

impl KpiData {
    /// The value measured at the end of a week, counted from 1.
    pub(super) fn value_of_week(&self, week: usize) -> Option<f64> {
        let every = self.every_weeks.max(1);
        let nth = week.is_multiple_of(every).then_some(week / every)?;
        self.weeks.get(nth.checked_sub(1)?).copied()
    }
}

impl ObjectiveData {
    /// How many check-ins came before that of a week; none: it has not begun.
    pub(super) fn check_in_of_week(&self, week: usize) -> Option<usize> {
        week.checked_sub(self.begins_in_week + 1)
    }
}

impl UnitData {
    pub(super) fn to_api(&self) -> Result<api::Unit, String> {
        Ok(api::Unit {
            kind: enum_number(&self.kind, "KIND_", api::unit::Kind::from_str_name)?,
            currency_code: self.currency.clone(),
            symbol: self.symbol.clone(),
            decimals: self.decimals,
            scale_labels: Vec::new(),
        })
    }
}

/// The number of an enum's value from its name without the prefix that all its values have.
pub(super) fn enum_number<E: Into<i32>>(
    name: &str,
    prefix: &str,
    from_str_name: impl Fn(&str) -> Option<E>,
) -> Result<i32, String> {
    from_str_name(&format!("{prefix}{name}"))
        .map(Into::into)
        .ok_or_else(|| format!("examples/demo: {name:?} is no {prefix}…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifests_are_read_and_every_series_has_a_value_a_week() {
        let story = Story::read().expect("a story");
        let weeks = story.weeks.len();
        for kpi in &story.kpis {
            assert_eq!(kpi.weeks.len(), weeks / kpi.every_weeks, "{}", kpi.id);
        }
        for objective in &story.objectives {
            for key_result in &objective.key_results {
                let told = weeks - objective.begins_in_week;
                let name = format!("{}/{}", objective.id, key_result.id);
                assert_eq!(key_result.confidence.len(), told, "{name}");
                let check_ins = if key_result.kpi.is_empty() { told } else { 0 };
                assert_eq!(key_result.check_ins.len(), check_ins, "{name}");
            }
        }
        assert_eq!(
            story.weeks.iter().filter(|week| week.subscriber_is_away).count(),
            1
        );
    }

    #[test]
    fn whoever_is_named_is_a_member() {
        let story = Story::read().expect("a story");
        let owners = story.kpis.iter().map(|kpi| &kpi.owner);
        let owners = owners.chain(story.objectives.iter().map(|objective| &objective.owner));
        for owner in owners.chain(story.company.teams.iter().map(|team| &team.lead)) {
            let members = &story.company.members;
            assert!(
                members.iter().any(|member| member.id == *owner),
                "{owner} is no member"
            );
        }
    }

    #[test]
    fn a_monthly_kpi_is_measured_every_fourth_week() {
        let story = Story::read().expect("a story");
        let churn = story
            .kpis
            .iter()
            .find(|kpi| kpi.id == "product-churn")
            .expect("churn");
        let measured: Vec<usize> = (1..=8)
            .filter(|week| churn.value_of_week(*week).is_some())
            .collect();
        assert_eq!(measured, [4, 8]);
    }
}
