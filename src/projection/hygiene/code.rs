//! The closed list of what hygiene finds: a stable name, how bad it is, and what to do about it.
//!
//! Invariant: a name never changes and never means something else; `docs/hygiene.md` has a row for each.

use crate::domain::Preset;

/// How bad a finding is, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    #[default]
    Info,
    /// Worth mending.
    Warning,
    /// Something does not work as long as it stays so.
    Error,
}

/// Declares the codes, each with its stable name, its severity and its suggestion.
macro_rules! codes {
    ($( $(#[$doc:meta])* $Code:ident = $name:literal, $Severity:ident, $suggestion:literal; )*) => {
        /// Which rule found something.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FindingCode { $( $(#[$doc])* $Code, )* }

        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$( Self::$Code, )*];

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$Code => $name, )* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $( Self::$Code => Severity::$Severity, )* }
            }

            /// What to do about it, in one sentence.
            #[must_use]
            pub const fn suggestion(self) -> &'static str {
                match self { $( Self::$Code => $suggestion, )* }
            }
        }
    };
}

codes! {
    /// A team, or the company itself, has more objectives in a cycle than the policy allows.
    TooManyObjectives = "TOO_MANY_OBJECTIVES", Warning,
        "Keep the objectives that matter most and move the others to a later cycle, or cancel them.";
    /// An objective has no owner.
    ObjectiveWithoutOwner = "OBJECTIVE_WITHOUT_OWNER", Error,
        "Name the one member who answers for it: without an owner it cannot be activated.";
    /// An objective has no key results.
    ObjectiveWithoutKeyResults = "OBJECTIVE_WITHOUT_KEY_RESULTS", Error,
        "Add key results that say when it is reached: without them it has no score.";
    /// An objective has some key results, and fewer than the policy asks for.
    TooFewKeyResults = "TOO_FEW_KEY_RESULTS", Warning,
        "Add a key result for each part of the objective that nothing measures yet.";
    /// An objective has more key results than the policy allows.
    TooManyKeyResults = "TOO_MANY_KEY_RESULTS", Warning,
        "Keep the key results that say most about the objective, and delete the others or make them initiatives.";
    /// An objective of a team with a parent team is aligned to nothing.
    ObjectiveWithoutAlignment = "OBJECTIVE_WITHOUT_ALIGNMENT", Warning,
        "Align it to the objective or key result of the team above that it helps to reach.";
    /// An objective neither serves a KPI nor measures one.
    ObjectiveWithoutKpi = "OBJECTIVE_WITHOUT_KPI", Warning,
        "Link one of its key results to a KPI, or name the KPIs that it serves.";
    /// An objective is aligned under one of a closed cycle.
    AlignedUnderClosedCycle = "ALIGNED_UNDER_CLOSED_CYCLE", Warning,
        "Align it to an objective of a cycle that still runs, or take the alignment away.";
    /// An objective is aligned under something deleted.
    AlignedUnderDeleted = "ALIGNED_UNDER_DELETED", Warning,
        "Align it to an objective that stands, undelete the one above, or take the alignment away.";
    /// An objective is aligned under a canceled one.
    AlignedUnderCanceled = "ALIGNED_UNDER_CANCELED", Warning,
        "Align it to an objective that is still worked on, or cancel it too.";
    /// The alert that an objective was started from is over.
    StartingAlertRecovered = "STARTING_ALERT_RECOVERED", Info,
        "Look whether it is still worth the work: close it with what was reached, or say what it is for now.";
    /// The KPIs that an objective or a team rests on are in trouble.
    WeakFoundation = "WEAK_FOUNDATION", Warning,
        "Bring the breached KPIs back to their targets first: objectives on poor KPIs are unlikely to be reached.";
    /// A key result has no KPI.
    KeyResultWithoutKpi = "KEY_RESULT_WITHOUT_KPI", Info,
        "Measure it by a KPI, as a METRIC linked to it, where there is or could be one.";
    /// A key result is something to do.
    KeyResultIsActivity = "KEY_RESULT_IS_ACTIVITY", Warning,
        "Make it an initiative, and measure as the key result what shall be better once it is done.";
    /// A key result keeps what is there.
    KeyResultIsKpiTarget = "KEY_RESULT_IS_KPI_TARGET", Warning,
        "Set it as a target of the KPI, which is watched for ever, and let the key result improve something.";
    /// A key result of a COMMITTED objective is not believed in.
    CommittedConfidenceLow = "COMMITTED_CONFIDENCE_LOW", Warning,
        "Talk about what stands in its way now, and get help or lower what was promised with a reason.";
    /// Nothing was heard of a key result for too long.
    KeyResultOutdated = "KEY_RESULT_OUTDATED", Warning,
        "Check in on it, or record the missing values of its KPI.";
    /// A KPI has no owner.
    KpiWithoutOwner = "KPI_WITHOUT_OWNER", Warning,
        "Name the member who answers for the KPI.";
    /// Nobody said where a KPI's values come from.
    KpiWithoutDataSource = "KPI_WITHOUT_DATA_SOURCE", Warning,
        "Write down the system, query or link that its values come from.";
    /// A KPI has no target.
    KpiWithoutTarget = "KPI_WITHOUT_TARGET", Warning,
        "Set a target: without one nobody can say whether it is healthy.";
    /// A KPI stays BREACHED and no objective is about it.
    KpiBreachedWithoutObjective = "KPI_BREACHED_WITHOUT_OBJECTIVE", Error,
        "Start an objective with a key result that brings the KPI back to its target.";
    /// A KPI is BREACHED and nobody has said what is to be done.
    KpiBreachedWithoutPlan = "KPI_BREACHED_WITHOUT_PLAN", Error,
        "Set the action plan of its alert, or start an objective from the KPI: a KPI without action is the classic mistake.";
    /// An area of a team has some KPIs, and fewer than the policy asks for.
    TooFewKpisInArea = "TOO_FEW_KPIS_IN_AREA", Warning,
        "Add the KPIs that the area is run by, or put the ones there are into a larger area.";
    /// An area of a team has more KPIs than the policy allows.
    TooManyKpisInArea = "TOO_MANY_KPIS_IN_AREA", Warning,
        "Keep the KPIs that somebody acts on, and delete the others or part the area.";
    /// Too large a share of the KPIs are key results at once.
    MostKpisAreKeyResults = "MOST_KPIS_ARE_KEY_RESULTS", Warning,
        "Leave most KPIs to be watched, and make a key result only of the few that have to move in this cycle.";
    /// A KPI was not reviewed in its review cadence.
    KpiNotReviewed = "KPI_NOT_REVIEWED", Warning,
        "Look at the KPI in a review of its team or of the company and record it, or change its review cadence.";
    /// No value stands behind a target.
    TargetWithoutHistory = "TARGET_WITHOUT_HISTORY", Info,
        "Record what is known of the KPI's past, then set the target by it.";
    /// A target is far beyond anything that was seen.
    TargetBeyondHistory = "TARGET_BEYOND_HISTORY", Info,
        "Compare it with the KPI's best period, and go there in steps or say why it can be reached this time.";
    /// A running cycle has no date for its review.
    ReviewNotScheduled = "REVIEW_NOT_SCHEDULED", Warning,
        "Give the cycle a review date, or record the review that was held.";
    /// A running cycle is over its review date.
    ReviewNotHeld = "REVIEW_NOT_HELD", Warning,
        "Hold the review and record it, or set a new review date.";
    /// Everything in a cycle is at 1.0.
    AllScoresPerfect = "ALL_SCORES_PERFECT", Warning,
        "Aim higher in the next cycle: where everything is reached in full, nothing was a stretch.";
    /// The owner of something is no longer a member.
    OwnerNotMember = "OWNER_NOT_MEMBER", Error,
        "Name an owner who is a member, or undelete the member.";
    /// Something belongs to a deleted team.
    TeamDeleted = "TEAM_DELETED", Warning,
        "Give it to a team that stands, or undelete the team.";
}

impl FindingCode {
    /// Whether a workspace of this kind wants to hear nothing of it: a small team has few of everything, and one that
    /// has KPIs alone has no objectives.
    #[must_use]
    pub const fn is_silent_in(self, preset: Preset) -> bool {
        match preset {
            Preset::Full => false,
            Preset::Small => matches!(self, Self::TooFewKeyResults | Self::TooFewKpisInArea),
            Preset::KpiOnly => !self.is_about_kpis(),
        }
    }

    /// Whether it makes sense without objectives. What may be about both is found of KPIs alone where there is nothing
    /// else to look at.
    const fn is_about_kpis(self) -> bool {
        match self {
            Self::KpiWithoutOwner
            | Self::KpiWithoutDataSource
            | Self::KpiWithoutTarget
            | Self::KpiBreachedWithoutPlan
            | Self::TooFewKpisInArea
            | Self::TooManyKpisInArea
            | Self::KpiNotReviewed
            | Self::TargetWithoutHistory
            | Self::TargetBeyondHistory
            | Self::OwnerNotMember
            | Self::TeamDeleted => true,
            Self::TooManyObjectives
            | Self::ObjectiveWithoutOwner
            | Self::ObjectiveWithoutKeyResults
            | Self::TooFewKeyResults
            | Self::TooManyKeyResults
            | Self::ObjectiveWithoutAlignment
            | Self::ObjectiveWithoutKpi
            | Self::AlignedUnderClosedCycle
            | Self::AlignedUnderDeleted
            | Self::AlignedUnderCanceled
            | Self::StartingAlertRecovered
            | Self::WeakFoundation
            | Self::KeyResultWithoutKpi
            | Self::KeyResultIsActivity
            | Self::KeyResultIsKpiTarget
            | Self::CommittedConfidenceLow
            | Self::KeyResultOutdated
            | Self::KpiBreachedWithoutObjective
            | Self::MostKpisAreKeyResults
            | Self::ReviewNotScheduled
            | Self::ReviewNotHeld
            | Self::AllScoresPerfect => false,
        }
    }
}
