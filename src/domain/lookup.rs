//! How things of a workspace are found: one by its name, or those that belong together, by the indices.
//!
//! What names one thing answers only what is not deleted, or a refusal that says so; what names many says which.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    Alignment, Cycle, Deletion, Id, Initiative, InitiativeId, KeyResult, KeyResultId, Kpi, Member, Objective,
    ObjectiveState, RecordedReview, Rejection, ResourceName, Team, Workspace,
};

impl Workspace {
    /// One team, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted.
    pub fn team(&self, id: &Id) -> Result<&Team, Rejection> {
        standing(
            self.teams.get(id),
            |it| it.deleted,
            || ResourceName::Team(id.clone()),
        )
    }

    /// One member, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted.
    pub fn member(&self, id: &Id) -> Result<&Member, Rejection> {
        standing(
            self.members.get(id),
            |it| it.deleted,
            || ResourceName::Member(id.clone()),
        )
    }

    /// One cycle, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn cycle(&self, id: &Id) -> Result<&Cycle, Rejection> {
        self.cycles
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::Cycle(id.clone())))
    }

    /// One objective, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted.
    pub fn objective(&self, id: &Id) -> Result<&Objective, Rejection> {
        standing(
            self.objectives.get(id),
            |it| it.deleted,
            || ResourceName::Objective(id.clone()),
        )
    }

    /// One key result, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted.
    pub fn key_result(&self, id: &KeyResultId) -> Result<&KeyResult, Rejection> {
        standing(
            self.key_results.get(id),
            |it| it.deleted,
            || ResourceName::KeyResult(id.clone()),
        )
    }

    /// One initiative, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted.
    pub fn initiative(&self, id: &InitiativeId) -> Result<&Initiative, Rejection> {
        standing(
            self.initiatives.get(id),
            |it| it.deleted,
            || ResourceName::Initiative(id.clone()),
        )
    }

    /// One KPI, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted.
    pub fn kpi(&self, id: &Id) -> Result<&Kpi, Rejection> {
        standing(
            self.kpis.get(id),
            |it| it.deleted,
            || ResourceName::Kpi(id.clone()),
        )
    }

    /// An objective that still changes, or a refusal.
    ///
    /// # Errors
    /// There is none of that id, or it is deleted, closed or canceled.
    pub(super) fn open_objective(&self, id: &Id) -> Result<ObjectiveState, Rejection> {
        match self.objective(id)?.state {
            state @ (ObjectiveState::Draft | ObjectiveState::Active) => Ok(state),
            ObjectiveState::Closed | ObjectiveState::Canceled => Err(Rejection::ObjectiveOver(id.clone())),
        }
    }

    /// A team and all teams below it, deleted ones too.
    #[must_use]
    pub fn team_and_below(&self, id: &Id) -> Vec<Id> {
        // Who lies below whom is looked at once: a deep chain of teams would be walked anew for each of its levels.
        let mut below: BTreeMap<&Id, Vec<&Id>> = BTreeMap::new();
        for (team, held) in &self.teams {
            if let Some(above) = &held.fields.parent_team {
                below.entry(above).or_default().push(team);
            }
        }
        let mut found = vec![id.clone()];
        let mut next = 0;
        while let Some(above) = found.get(next) {
            // Taken out, so that it is followed once: history cannot be refused, not even one in which a team lies below
            // itself.
            let teams = below.remove(above).unwrap_or_default();
            found.extend(teams.into_iter().filter(|team| *team != id).cloned());
            next += 1;
        }
        found
    }

    /// The cycles that lie directly in one, by id.
    pub fn cycles_in(&self, id: &Id) -> impl Iterator<Item = (&Id, &Cycle)> {
        self.cycles
            .iter()
            .filter(move |(_, cycle)| cycle.fields.parent_cycle.as_ref() == Some(id))
            .map(|(id, cycle)| (id, cycle.as_ref()))
    }

    /// An objective's key results that are not deleted, by id.
    pub fn key_results_of(
        &self,
        objective: &Id,
    ) -> impl Iterator<Item = (&KeyResultId, &Arc<KeyResult>)> + Clone {
        self.all_key_results_of(objective)
            .filter(|(_, key_result)| key_result.deleted.is_none())
    }

    /// An objective's key results, deleted ones too, by id.
    pub fn all_key_results_of(
        &self,
        objective: &Id,
    ) -> impl Iterator<Item = (&KeyResultId, &Arc<KeyResult>)> + Clone {
        self.key_results
            .range(
                KeyResultId {
                    objective: objective.clone(),
                    id: Id::lowest(),
                }..,
            )
            .take_while({
                let objective = objective.clone();
                move |(id, _)| id.objective == objective
            })
    }

    /// An objective's initiatives that are not deleted, by id.
    pub fn initiatives_of(&self, objective: &Id) -> impl Iterator<Item = (&InitiativeId, &Arc<Initiative>)> {
        self.all_initiatives_of(objective)
            .filter(|(_, initiative)| initiative.deleted.is_none())
    }

    /// An objective's initiatives, deleted ones too, by id.
    pub fn all_initiatives_of(
        &self,
        objective: &Id,
    ) -> impl Iterator<Item = (&InitiativeId, &Arc<Initiative>)> {
        let first = InitiativeId {
            objective: objective.clone(),
            id: Id::lowest(),
        };
        let objective = objective.clone();
        self.initiatives
            .range(first..)
            .take_while(move |(id, _)| id.objective == objective)
    }

    /// The reviews of a cycle, by id.
    pub fn reviews_of(&self, cycle: &Id) -> impl Iterator<Item = (&Id, &RecordedReview)> {
        let cycle = cycle.clone();
        self.reviews
            .range((cycle.clone(), Id::lowest())..)
            .take_while(move |((of, _), _)| *of == cycle)
            .map(|((_, id), review)| (id, review.as_ref()))
    }

    /// A cycle's objectives, deleted ones too, by id.
    pub fn objectives_of_cycle(&self, cycle: &Id) -> impl Iterator<Item = &Id> {
        let cycle = cycle.clone();
        self.objectives_by_cycle
            .range((cycle.clone(), Id::lowest())..)
            .take_while(move |(of, _)| *of == cycle)
            .map(|(_, objective)| objective)
    }

    /// A team's own objectives in a cycle, deleted ones too, by id.
    pub fn objectives_of_team(&self, team: &Id, cycle: &Id) -> impl Iterator<Item = &Id> {
        let (team, cycle) = (team.clone(), cycle.clone());
        self.objectives_by_team
            .range((team.clone(), cycle.clone(), Id::lowest())..)
            .take_while(move |(of, within, _)| *of == team && *within == cycle)
            .map(|(_, _, objective)| objective)
    }

    /// A team's own KPIs, deleted ones too, by id.
    pub fn kpis_of_team(&self, team: &Id) -> impl Iterator<Item = &Id> + use<'_> {
        let team = team.clone();
        self.kpis_by_team
            .range((team.clone(), Id::lowest())..)
            .take_while(move |(of, _)| *of == team)
            .map(|(_, kpi)| kpi)
    }

    /// The objectives that serve a KPI, deleted ones too, by id.
    pub fn objectives_serving(&self, kpi: &Id) -> impl Iterator<Item = &Id> {
        let kpi = kpi.clone();
        self.objectives_by_kpi
            .range((kpi.clone(), Id::lowest())..)
            .take_while(move |(of, _)| *of == kpi)
            .map(|(_, objective)| objective)
    }

    /// The key results that a KPI gives values to, deleted ones too.
    pub fn key_results_of_kpi(&self, kpi: &Id) -> impl Iterator<Item = &KeyResultId> {
        let kpi = kpi.clone();
        self.key_results_by_kpi
            .range(
                (
                    kpi.clone(),
                    KeyResultId {
                        objective: Id::lowest(),
                        id: Id::lowest(),
                    },
                )..,
            )
            .take_while(move |(of, _)| *of == kpi)
            .map(|(_, key_result)| key_result)
    }

    /// The objectives aligned to one, or to one of its key results, that count in a score, by id. What is aligned to a
    /// deleted key result is aligned to nothing for the time being.
    pub fn counting_below(&self, objective: &Id) -> impl Iterator<Item = (&Id, &Objective)> {
        self.aligned_below(objective).filter_map(|id| {
            let below = self.objectives.get(id).filter(|below| below.counts())?;
            match &below.fields.aligned_to {
                Some(Alignment::KeyResult(key_result)) => self.key_result(key_result).is_ok(),
                Some(Alignment::Objective(_)) => true,
                None => false,
            }
            .then(|| (id, below.as_ref()))
        })
    }

    /// The objectives aligned to one, or to one of its key results, deleted ones too, by id.
    pub fn aligned_below(&self, objective: &Id) -> impl Iterator<Item = &Id> {
        let objective = objective.clone();
        self.aligned
            .range((objective.clone(), Id::lowest())..)
            .take_while(move |(above, _)| *above == objective)
            .map(|(_, below)| below)
    }
}

/// What stands, or a refusal that says whether it was never there or is deleted.
fn standing<T>(
    found: Option<&Arc<T>>,
    deleted: impl FnOnce(&T) -> Option<Deletion>,
    name: impl FnOnce() -> ResourceName,
) -> Result<&T, Rejection> {
    match found {
        None => Err(Rejection::NotFound(name())),
        Some(it) if deleted(it).is_some() => Err(Rejection::Deleted(name())),
        Some(it) => Ok(it),
    }
}
