//! The workspace as a value: everything that is true at one revision. Cheap to copy, and to keep many versions of.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use jiff::civil::{Date, Weekday};
use serde::{Serialize, Serializer};

use super::authored::authored;
use super::{
    Authorship, Calendar, Cycle, Id, Initiative, InitiativeId, KeyResult, KeyResultId, Kpi, Member,
    Objective, Rejection, ResourceName, Revision, ScoringPolicy, Team, Text, TimeZoneRules, Timestamp, Title,
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
/// Maps are ordered and share their structure between versions. The indices below the resources are functions of them.
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

    /// When a commit was recorded; none for one that this value does not know.
    #[must_use]
    pub fn recorded_time(&self, revision: Revision) -> Option<Timestamp> {
        let index = usize::try_from(revision.0.checked_sub(1)?).ok()?;
        self.recorded_times.get(index).copied()
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

    /// One team, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn team(&self, id: &Id) -> Result<&Team, Rejection> {
        self.teams
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::Team(id.clone())))
    }

    /// One member, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn member(&self, id: &Id) -> Result<&Member, Rejection> {
        self.members
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::Member(id.clone())))
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
    /// There is none of that id.
    pub fn objective(&self, id: &Id) -> Result<&Objective, Rejection> {
        self.objectives
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::Objective(id.clone())))
    }

    /// One key result, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn key_result(&self, id: &KeyResultId) -> Result<&KeyResult, Rejection> {
        self.key_results
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::KeyResult(id.clone())))
    }

    /// One initiative, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn initiative(&self, id: &InitiativeId) -> Result<&Initiative, Rejection> {
        self.initiatives
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::Initiative(id.clone())))
    }

    /// One KPI, or a refusal that names it.
    ///
    /// # Errors
    /// There is none of that id.
    pub fn kpi(&self, id: &Id) -> Result<&Kpi, Rejection> {
        self.kpis
            .get(id)
            .map(Arc::as_ref)
            .ok_or_else(|| Rejection::NotFound(ResourceName::Kpi(id.clone())))
    }

    /// An objective's key results, by id.
    pub fn key_results_of(
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

    /// A cycle's objectives, by id.
    pub fn objectives_of_cycle(&self, cycle: &Id) -> impl Iterator<Item = &Id> {
        let cycle = cycle.clone();
        self.objectives_by_cycle
            .range((cycle.clone(), Id::lowest())..)
            .take_while(move |(of, _)| *of == cycle)
            .map(|(_, objective)| objective)
    }

    /// A team's own objectives in a cycle, by id.
    pub fn objectives_of_team(&self, team: &Id, cycle: &Id) -> impl Iterator<Item = &Id> {
        let (team, cycle) = (team.clone(), cycle.clone());
        self.objectives_by_team
            .range((team.clone(), cycle.clone(), Id::lowest())..)
            .take_while(move |(of, within, _)| *of == team && *within == cycle)
            .map(|(_, _, objective)| objective)
    }

    /// The key results that a KPI gives values to.
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

    /// The objectives aligned to one, or to one of its key results.
    pub fn aligned_below(&self, objective: &Id) -> impl Iterator<Item = &Id> {
        let objective = objective.clone();
        self.aligned
            .range((objective.clone(), Id::lowest())..)
            .take_while(move |(above, _)| *above == objective)
            .map(|(_, below)| below)
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
