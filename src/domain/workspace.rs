//! The workspace as a value: everything that is true at one revision. Cheap to copy, and to keep many versions of.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use jiff::civil::{Date, Weekday};
use serde::{Serialize, Serializer};

use super::authored::authored;
use super::{
    Alignment, Authorship, Calendar, Cycle, Deletion, Id, Initiative, InitiativeId, KeyResult, KeyResultId,
    Kpi, Member, Objective, ObjectiveState, PolicyVersion, RecordedReview, Rejection, ResourceName, Revision,
    RollUp, ScoringPolicy, Team, Text, TimeZoneRules, Timestamp, Title,
};

authored! {
    /// A workspace's own fields.
    pub struct WorkspaceFields,
    /// A change of a workspace's fields.
    WorkspacePatch {
        /// What people call it.
        pub title: Title,
        /// The long-term ambition that every objective serves.
        pub ultimate_goal: Text,
        /// Time zone, IANA name. Its rules are beside it in the log.
        pub time_zone: Text,
        /// A fiscal year's first month, 1 to 12.
        pub fiscal_year_first_month: i8,
        /// A week's first day.
        pub first_weekday: FirstWeekday,
    }
}

/// A week's first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstWeekday(pub Weekday);

/// What a new workspace is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Preset {
    /// Objectives, key results and KPIs.
    Full,
    /// The same for a small team.
    Small,
    /// KPIs alone.
    KpiOnly,
}

/// Everything that is true at one revision.
///
/// Maps are ordered and share their structure between versions; they hold what is deleted too. The indices below the
/// resources are functions of them. What names one resource (`team`, `objective`, …) answers only what is not deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Workspace {
    pub(super) revision: Revision,
    pub(super) root: Arc<WorkspaceRoot>,
    pub(super) today: Date,
    /// When each commit was recorded; the first is revision 1's.
    pub(super) recorded_times: Vector<Timestamp>,
    pub(super) teams: OrdMap<Id, Arc<Team>>,
    pub(super) members: OrdMap<Id, Arc<Member>>,
    pub(super) cycles: OrdMap<Id, Arc<Cycle>>,
    pub(super) objectives: OrdMap<Id, Arc<Objective>>,
    pub(super) key_results: OrdMap<KeyResultId, Arc<KeyResult>>,
    pub(super) initiatives: OrdMap<InitiativeId, Arc<Initiative>>,
    pub(super) kpis: OrdMap<Id, Arc<Kpi>>,
    /// By cycle and id.
    pub(super) reviews: OrdMap<(Id, Id), Arc<RecordedReview>>,
    /// (cycle, objective).
    pub(super) objectives_by_cycle: OrdSet<(Id, Id)>,
    /// (team, cycle, objective).
    pub(super) objectives_by_team: OrdSet<(Id, Id, Id)>,
    /// (KPI, key result).
    pub(super) key_results_by_kpi: OrdSet<(Id, KeyResultId)>,
    /// (objective, the objective aligned to it).
    pub(super) aligned: OrdSet<(Id, Id)>,
}

/// What rarely changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WorkspaceRoot {
    pub(super) id: Option<Id>,
    pub(super) fields: WorkspaceFields,
    pub(super) preset: Preset,
    pub(super) rules: TimeZoneRules,
    pub(super) policy: ScoringPolicy,
    pub(super) policy_version: Revision,
    pub(super) policies: OrdMap<Revision, Arc<PolicyVersion>>,
    pub(super) deleted: Option<Deletion>,
    pub(super) authorship: Authorship,
}

impl Workspace {
    /// Before the first commit.
    #[must_use]
    pub fn empty() -> Self {
        let authorship = Authorship {
            created: Timestamp::default(),
            updated: Timestamp::default(),
            revision: Revision::ZERO,
        };
        let root = WorkspaceRoot {
            id: None,
            fields: WorkspaceFields {
                title: Title::untitled(),
                ultimate_goal: Text::empty(),
                time_zone: Text::empty(),
                fiscal_year_first_month: 1,
                first_weekday: FirstWeekday(Weekday::Monday),
            },
            preset: Preset::Full,
            rules: TimeZoneRules::utc(),
            policy: ScoringPolicy::default(),
            policy_version: Revision::ZERO,
            policies: OrdMap::new(),
            deleted: None,
            authorship,
        };
        Self {
            revision: Revision::ZERO,
            root: Arc::new(root),
            today: Date::ZERO,
            recorded_times: Vector::new(),
            teams: OrdMap::new(),
            members: OrdMap::new(),
            cycles: OrdMap::new(),
            objectives: OrdMap::new(),
            key_results: OrdMap::new(),
            initiatives: OrdMap::new(),
            kpis: OrdMap::new(),
            reviews: OrdMap::new(),
            objectives_by_cycle: OrdSet::new(),
            objectives_by_team: OrdSet::new(),
            key_results_by_kpi: OrdSet::new(),
            aligned: OrdSet::new(),
        }
    }

    /// The revision that this value shows.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Its id; none before the first commit.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        self.root.id.as_ref()
    }

    /// Its own fields.
    #[must_use]
    pub fn fields(&self) -> &WorkspaceFields {
        &self.root.fields
    }

    /// What it is for.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.root.preset
    }

    /// When its own fields were written.
    #[must_use]
    pub fn authorship(&self) -> &Authorship {
        &self.root.authorship
    }

    /// The newest date that the log knows of.
    #[must_use]
    pub fn today(&self) -> Date {
        self.today
    }

    /// The rules of its time zone.
    #[must_use]
    pub fn rules(&self) -> &TimeZoneRules {
        &self.root.rules
    }

    /// Where weeks and fiscal years begin.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        Calendar {
            first_weekday: self.root.fields.first_weekday.0,
            fiscal_year_first_month: self.root.fields.fiscal_year_first_month,
        }
    }

    /// When it was deleted.
    #[must_use]
    pub fn deleted(&self) -> Option<Deletion> {
        self.root.deleted
    }

    /// The scoring policy in force.
    #[must_use]
    pub fn policy(&self) -> &ScoringPolicy {
        &self.root.policy
    }

    /// The revision that set the scoring policy.
    #[must_use]
    pub fn policy_version(&self) -> Revision {
        self.root.policy_version
    }

    /// Every version of the scoring policy, by the revision that set it.
    #[must_use]
    pub fn policies(&self) -> &OrdMap<Revision, Arc<PolicyVersion>> {
        &self.root.policies
    }

    /// Whether any version of the policy counts what is aligned: what was closed follows the one that graded it.
    #[must_use]
    pub fn rolls_up(&self) -> bool {
        let mut versions = self.root.policies.values();
        versions.any(|version| version.policy.roll_up != RollUp::Own)
    }

    /// The scoring policy of a version; the one in force where there is none of that version.
    #[must_use]
    pub fn policy_at(&self, version: Revision) -> &ScoringPolicy {
        self.root
            .policies
            .get(&version)
            .map_or(&self.root.policy, |version| &version.policy)
    }

    /// When a commit was recorded; none for one that this value does not know.
    #[must_use]
    pub fn recorded_time(&self, revision: Revision) -> Option<Timestamp> {
        let index = usize::try_from(revision.0.checked_sub(1)?).ok()?;
        self.recorded_times.get(index).copied()
    }

    /// The newest revision that was recorded before a moment; `Revision::ZERO`: none was.
    #[must_use]
    pub fn revision_before(&self, moment: Timestamp) -> Revision {
        // Recorded times never go back, so the first that is not before ends the search.
        let later = |at: &Timestamp| match *at < moment {
            true => std::cmp::Ordering::Less,
            false => std::cmp::Ordering::Greater,
        };
        let found = self.recorded_times.binary_search_by(later);
        Revision(found.unwrap_or_else(|index| index) as u64)
    }

    /// When the newest commit was recorded.
    #[must_use]
    pub fn newest_recorded_time(&self) -> Option<Timestamp> {
        self.recorded_times.last().copied()
    }

    /// Teams by id.
    #[must_use]
    pub fn teams(&self) -> &OrdMap<Id, Arc<Team>> {
        &self.teams
    }

    /// Members by id.
    #[must_use]
    pub fn members(&self) -> &OrdMap<Id, Arc<Member>> {
        &self.members
    }

    /// Cycles by id.
    #[must_use]
    pub fn cycles(&self) -> &OrdMap<Id, Arc<Cycle>> {
        &self.cycles
    }

    /// Objectives by id.
    #[must_use]
    pub fn objectives(&self) -> &OrdMap<Id, Arc<Objective>> {
        &self.objectives
    }

    /// Key results by objective and id.
    #[must_use]
    pub fn key_results(&self) -> &OrdMap<KeyResultId, Arc<KeyResult>> {
        &self.key_results
    }

    /// Initiatives by objective and id.
    #[must_use]
    pub fn initiatives(&self) -> &OrdMap<InitiativeId, Arc<Initiative>> {
        &self.initiatives
    }

    /// KPIs by id.
    #[must_use]
    pub fn kpis(&self) -> &OrdMap<Id, Arc<Kpi>> {
        &self.kpis
    }

    /// Reviews by cycle and id.
    #[must_use]
    pub fn reviews(&self) -> &OrdMap<(Id, Id), Arc<RecordedReview>> {
        &self.reviews
    }

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

impl Serialize for FirstWeekday {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self.0 {
            Weekday::Monday => "MONDAY",
            Weekday::Tuesday => "TUESDAY",
            Weekday::Wednesday => "WEDNESDAY",
            Weekday::Thursday => "THURSDAY",
            Weekday::Friday => "FRIDAY",
            Weekday::Saturday => "SATURDAY",
            Weekday::Sunday => "SUNDAY",
        })
    }
}
