//! What each team's and each cycle's score is the mean of, kept as sums, so that one objective that moves costs the same in
//! a cycle of ten and of ten thousand.

use imbl::OrdMap;

use super::dirty::Dirty;
use crate::domain::{Id, TeamCycle, WeightedSum, Workspace};

/// Every objective that counts, and the sums that it is in. A function of the objectives' scores, whatever the way to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    parts: OrdMap<Id, Part>,
    teams: OrdMap<TeamCycle, WeightedSum>,
    cycles: OrdMap<Id, WeightedSum>,
}

/// What one objective gives to the scores above it.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    cycle: Id,
    team: Option<Id>,
    weight: f64,
    score: f64,
}

impl Sums {
    /// Puts what an objective gives now in the place of what it gave, and marks the scores that this moves.
    pub(super) fn put(&mut self, workspace: &Workspace, id: &Id, score: Option<f64>, dirty: &mut Dirty) {
        let counting = workspace
            .objectives()
            .get(id)
            .filter(|objective| objective.counts());
        let now = counting.zip(score).map(|(objective, score)| Part {
            cycle: objective.fields.cycle.clone(),
            team: objective.fields.team.clone(),
            weight: objective.fields.weight.get(),
            score,
        });
        if self.parts.get(id) == now.as_ref() {
            return;
        }
        let before = match &now {
            Some(part) => self.parts.insert(id.clone(), part.clone()),
            None => self.parts.remove(id),
        };
        for (part, change) in [
            (before, WeightedSum::remove as fn(&mut WeightedSum, f64, f64)),
            (now, WeightedSum::add),
        ] {
            let Some(part) = part else { continue };
            dirty.cycles.insert(part.cycle.clone());
            if let Some(team) = part.team {
                let id = TeamCycle {
                    team,
                    cycle: part.cycle.clone(),
                };
                edit(&mut self.teams, &id, |sum| change(sum, part.weight, part.score));
                dirty.teams.insert(id);
            }
            edit(&mut self.cycles, &part.cycle, |sum| {
                change(sum, part.weight, part.score)
            });
        }
    }

    pub(super) fn team(&self, id: &TeamCycle) -> Option<f64> {
        self.teams.get(id)?.mean()
    }

    pub(super) fn cycle(&self, id: &Id) -> Option<f64> {
        self.cycles.get(id)?.mean()
    }

    /// The teams that have something counted in a cycle.
    pub(super) fn teams(&self) -> impl Iterator<Item = &TeamCycle> {
        self.teams.keys()
    }
}

/// An empty sum is as good as none: the map is a function of what is counted.
fn edit<K: Ord + Clone>(map: &mut OrdMap<K, WeightedSum>, key: &K, change: impl FnOnce(&mut WeightedSum)) {
    let mut sum = map.get(key).copied().unwrap_or_default();
    change(&mut sum);
    if sum.is_empty() {
        map.remove(key);
    } else {
        map.insert(key.clone(), sum);
    }
}
