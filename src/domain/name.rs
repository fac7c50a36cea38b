//! Names of resources after AIP-122: `workspaces/acme/objectives/win-brazil/keyResults/nps`.
//!
//! The domain works inside one workspace, so it names things relative to it; the border adds the workspace.

use std::fmt;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::{Id, Invalid};

/// A resource inside a workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceName {
    /// The workspace itself.
    Workspace,
    /// `teams/{team}`.
    Team(Id),
    /// `members/{member}`.
    Member(Id),
    /// `scoringPolicy`.
    ScoringPolicy,
    /// `cycles/{cycle}`.
    Cycle(Id),
    /// `cycles/{cycle}/reviews/{review}`.
    Review(Id, Id),
    /// `objectives/{objective}`.
    Objective(Id),
    /// `objectives/{objective}/keyResults/{key_result}`.
    KeyResult(KeyResultId),
    /// `objectives/{objective}/initiatives/{initiative}`.
    Initiative(InitiativeId),
    /// `objectives/{objective}/keyResults/{key_result}/checkIns/{check_in}`.
    CheckIn(KeyResultId, Id),
    /// `kpis/{kpi}`.
    Kpi(Id),
    /// `kpis/{kpi}/targets/{date}`.
    Target(Id, Date),
    /// `kpis/{kpi}/alerts/{alert}`.
    Alert(Id, Id),
}

/// Names a key result inside a workspace. Ordered by objective, so that an objective's key results lie together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyResultId {
    /// The objective it belongs to.
    pub objective: Id,
    /// Its own id.
    pub id: Id,
}

/// Names an initiative inside a workspace. Ordered by objective.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InitiativeId {
    /// The objective it belongs to.
    pub objective: Id,
    /// Its own id.
    pub id: Id,
}

impl ResourceName {
    /// Parses a name relative to its workspace; the empty one is the workspace.
    ///
    /// # Errors
    /// It follows none of the patterns, or a part is not an id or a date.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let parts: Vec<&str> = text.split('/').collect();
        Ok(match parts.as_slice() {
            [""] => Self::Workspace,
            ["teams", team] => Self::Team(Id::parse(team)?),
            ["members", member] => Self::Member(Id::parse(member)?),
            ["scoringPolicy"] => Self::ScoringPolicy,
            ["cycles", cycle] => Self::Cycle(Id::parse(cycle)?),
            ["cycles", cycle, "reviews", review] => Self::Review(Id::parse(cycle)?, Id::parse(review)?),
            ["objectives", objective] => Self::Objective(Id::parse(objective)?),
            ["objectives", objective, "keyResults", id] => Self::KeyResult(KeyResultId {
                objective: Id::parse(objective)?,
                id: Id::parse(id)?,
            }),
            ["objectives", objective, "initiatives", id] => Self::Initiative(InitiativeId {
                objective: Id::parse(objective)?,
                id: Id::parse(id)?,
            }),
            ["objectives", objective, "keyResults", id, "checkIns", check_in] => Self::CheckIn(
                KeyResultId {
                    objective: Id::parse(objective)?,
                    id: Id::parse(id)?,
                },
                Id::parse(check_in)?,
            ),
            ["kpis", kpi] => Self::Kpi(Id::parse(kpi)?),
            ["kpis", kpi, "targets", date] => Self::Target(Id::parse(kpi)?, target_date(date)?),
            ["kpis", kpi, "alerts", alert] => Self::Alert(Id::parse(kpi)?, Id::parse(alert)?),
            _ => {
                return Err(Invalid::new(format!(
                    "{text:?} is not the name of a resource: write it as the API answered it, for example \"workspaces/acme/kpis/nps\""
                )));
            }
        })
    }

    /// The resource that this one lies in by its name; the workspace lies in none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Workspace => None,
            Self::Team(_)
            | Self::Member(_)
            | Self::ScoringPolicy
            | Self::Cycle(_)
            | Self::Objective(_)
            | Self::Kpi(_) => Some(Self::Workspace),
            Self::Review(cycle, _) => Some(Self::Cycle(cycle.clone())),
            Self::KeyResult(id) => Some(Self::Objective(id.objective.clone())),
            Self::Initiative(id) => Some(Self::Objective(id.objective.clone())),
            Self::CheckIn(key_result, _) => Some(Self::KeyResult(key_result.clone())),
            Self::Target(kpi, _) | Self::Alert(kpi, _) => Some(Self::Kpi(kpi.clone())),
        }
    }

    /// Whether it is that resource, or lies in it by its name.
    #[must_use]
    pub fn is_or_lies_in(&self, other: &Self) -> bool {
        let mut above = Some(self.clone());
        while let Some(name) = above {
            if name == *other {
                return true;
            }
            above = name.parent();
        }
        false
    }
}

/// A date that is written in one way only, so that a target has one name.
fn target_date(text: &str) -> Result<Date, Invalid> {
    text.parse()
        .ok()
        .filter(|date: &Date| date.to_string() == text)
        .ok_or_else(|| Invalid::new(format!("{text:?} is not a date: write YYYY-MM-DD")))
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace => f.write_str("the workspace"),
            Self::Team(id) => write!(f, "teams/{id}"),
            Self::Member(id) => write!(f, "members/{id}"),
            Self::ScoringPolicy => f.write_str("scoringPolicy"),
            Self::Cycle(id) => write!(f, "cycles/{id}"),
            Self::Review(cycle, id) => write!(f, "cycles/{cycle}/reviews/{id}"),
            Self::Objective(id) => write!(f, "objectives/{id}"),
            Self::KeyResult(id) => id.fmt(f),
            Self::Initiative(id) => id.fmt(f),
            Self::CheckIn(key_result, id) => write!(f, "{key_result}/checkIns/{id}"),
            Self::Kpi(id) => write!(f, "kpis/{id}"),
            Self::Target(kpi, date) => write!(f, "kpis/{kpi}/targets/{date}"),
            Self::Alert(kpi, alert) => write!(f, "kpis/{kpi}/alerts/{alert}"),
        }
    }
}

impl fmt::Display for KeyResultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "objectives/{}/keyResults/{}", self.objective, self.id)
    }
}

impl fmt::Display for InitiativeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "objectives/{}/initiatives/{}", self.objective, self.id)
    }
}

impl Serialize for ResourceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_parsed_as_it_is_written() {
        for name in [
            "teams/sales",
            "members/maria",
            "scoringPolicy",
            "cycles/q3",
            "cycles/q3/reviews/mid-term",
            "objectives/win",
            "objectives/win/keyResults/nps",
            "objectives/win/initiatives/demos",
            "objectives/win/keyResults/nps/checkIns/c1",
            "kpis/nps",
            "kpis/nps/targets/2026-01-01",
            "kpis/nps/alerts/breach-42",
        ] {
            assert_eq!(
                ResourceName::parse(name).map(|n| n.to_string()),
                Ok(name.to_owned())
            );
        }
        for bad in [
            "teams",
            "teams/",
            "teams/A",
            "kpis/nps/targets/soon",
            "kpis/nps/targets/20260101",
            "kpis/nps/targets/2026-01-01T00:00",
            "kpis/nps/targets",
            "x/y",
            "/",
            "kpis/nps/",
        ] {
            assert!(ResourceName::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn what_lies_below_a_resource_is_what_its_name_begins_with() {
        let names = [
            "",
            "teams/sales",
            "members/maria",
            "scoringPolicy",
            "cycles/q3",
            "cycles/q3/reviews/mid-term",
            "objectives/win",
            "objectives/win/keyResults/nps",
            "objectives/win/initiatives/demos",
            "objectives/win/keyResults/nps/checkIns/c1",
            "objectives/win-more",
            "kpis/nps",
            "kpis/nps/targets/2026-01-01",
            "kpis/nps/alerts/breach-42",
        ];
        let parsed = |text| ResourceName::parse(text).unwrap();
        for above in names {
            for name in names {
                let begins = above.is_empty() || name == above || name.starts_with(&format!("{above}/"));
                assert_eq!(
                    parsed(name).is_or_lies_in(&parsed(above)),
                    begins,
                    "{name} in {above}"
                );
            }
        }
    }
}
