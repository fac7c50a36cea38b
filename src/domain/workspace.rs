//! The workspace as a value: everything that is true at one revision. Cheap to copy, and to keep many versions of.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use jiff::civil::{Date, Weekday};
use serde::{Serialize, Serializer};

use smol_str::SmolStr;

use super::authored::authored;
use super::{
    Authorship, Calendar, Cycle, Deletion, Id, Initiative, InitiativeId, KeyResult, KeyResultId, Kpi, Member,
    Objective, PolicyVersion, RecordedReview, Revision, RollUp, ScoringPolicy, Team, Text, TimeZoneRules,
    Timestamp, Title,
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
    /// By principal: several, where all but one are deleted.
    pub(super) members_by_principal: OrdMap<SmolStr, Vec<Id>>,
    /// (cycle, objective).
    pub(super) objectives_by_cycle: OrdSet<(Id, Id)>,
    /// (team, cycle, objective).
    pub(super) objectives_by_team: OrdSet<(Id, Id, Id)>,
    /// (KPI, the objective that serves it).
    pub(super) objectives_by_kpi: OrdSet<(Id, Id)>,
    /// (KPI, key result).
    pub(super) key_results_by_kpi: OrdSet<(Id, KeyResultId)>,
    /// (team, KPI).
    pub(super) kpis_by_team: OrdSet<(Id, Id)>,
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
            members_by_principal: OrdMap::new(),
            objectives_by_cycle: OrdSet::new(),
            objectives_by_team: OrdSet::new(),
            objectives_by_kpi: OrdSet::new(),
            key_results_by_kpi: OrdSet::new(),
            kpis_by_team: OrdSet::new(),
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
