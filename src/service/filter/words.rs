//! How values of enums are written in a filter: as in the protos, without the prefix.

use crate::domain::{
    AlertKind, Ambition, Category, CloseReason, CycleState, Health, InitiativeState, ObjectiveState, Outcome,
    Role, Status, StatusOverride,
};

/// An enum whose values a filter names.
pub(super) trait Word: Copy {
    /// Every value.
    const WORDS: &'static [&'static str];

    /// This value.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($Type:ident { $($Variant:ident => $word:literal),+ $(,)? })+) => {
        $(
            impl Word for $Type {
                const WORDS: &'static [&'static str] = &[$($word),+];

                fn word(self) -> &'static str {
                    match self {
                        $(Self::$Variant => $word,)+
                    }
                }
            }
        )+
    };
}

words! {
    ObjectiveState { Draft => "DRAFT", Active => "ACTIVE", Closed => "CLOSED", Canceled => "CANCELED" }
    Ambition { Committed => "COMMITTED", Aspirational => "ASPIRATIONAL" }
    Outcome { Achieved => "ACHIEVED", Partial => "PARTIAL", Missed => "MISSED", Postponed => "POSTPONED" }
    Status {
        Unmeasured => "UNMEASURED",
        NotStarted => "NOT_STARTED",
        OnTrack => "ON_TRACK",
        Behind => "BEHIND",
        AtRisk => "AT_RISK",
        Achieved => "ACHIEVED",
        Closed => "CLOSED",
    }
    StatusOverride { OnTrack => "ON_TRACK", Behind => "BEHIND", AtRisk => "AT_RISK" }
    CycleState { Planned => "PLANNED", Active => "ACTIVE", Review => "REVIEW", Closed => "CLOSED" }
    InitiativeState { Planned => "PLANNED", InProgress => "IN_PROGRESS", Done => "DONE", Dropped => "DROPPED" }
    Category { Strategic => "STRATEGIC", Operational => "OPERATIONAL", Financial => "FINANCIAL" }
    Health {
        NoData => "NO_DATA",
        NoTarget => "NO_TARGET",
        Healthy => "HEALTHY",
        Watch => "WATCH",
        Breached => "BREACHED",
    }
    AlertKind { Breach => "BREACH", Stale => "STALE", AdverseMove => "ADVERSE_MOVE" }
    CloseReason {
        Recovered => "RECOVERED",
        Corrected => "CORRECTED",
        TargetChanged => "TARGET_CHANGED",
        Archived => "ARCHIVED",
    }
    Role {
        Owner => "OWNER",
        Lead => "LEAD",
        Manager => "MANAGER",
        Contributor => "CONTRIBUTOR",
        Ingest => "INGEST",
        Viewer => "VIEWER",
        Auditor => "AUDITOR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::api;

    #[test]
    fn a_filter_writes_an_enum_as_the_protos_do_without_the_prefix() {
        macro_rules! of_the_protos {
            ($Enum:path, $prefix:literal) => {{
                use $Enum as Api;
                let all = (1..).map_while(|number| Api::try_from(number).ok());
                let mut words: Vec<_> = all
                    .map(|it| it.as_str_name().strip_prefix($prefix).expect("the prefix"))
                    .collect();
                words.sort_unstable();
                words
            }};
        }
        let written = |words: &[&'static str]| {
            let mut words = words.to_vec();
            words.sort_unstable();
            words
        };
        assert_eq!(
            written(ObjectiveState::WORDS),
            of_the_protos!(api::objective::State, "STATE_")
        );
        assert_eq!(
            written(Ambition::WORDS),
            of_the_protos!(api::objective::Ambition, "AMBITION_")
        );
        assert_eq!(written(Outcome::WORDS), of_the_protos!(api::Outcome, "OUTCOME_"));
        assert_eq!(written(Status::WORDS), of_the_protos!(api::Status, "STATUS_"));
        assert_eq!(
            written(CycleState::WORDS),
            of_the_protos!(api::cycle::State, "STATE_")
        );
        assert_eq!(
            written(InitiativeState::WORDS),
            of_the_protos!(api::initiative::State, "STATE_")
        );
        assert_eq!(
            written(Category::WORDS),
            of_the_protos!(api::kpi::Category, "CATEGORY_")
        );
        assert_eq!(written(Health::WORDS), of_the_protos!(api::Health, "HEALTH_"));
        assert_eq!(
            written(AlertKind::WORDS),
            of_the_protos!(api::alert::Kind, "KIND_")
        );
        assert_eq!(
            written(CloseReason::WORDS),
            of_the_protos!(api::alert::CloseReason, "CLOSE_REASON_")
        );
        assert_eq!(written(Role::WORDS), of_the_protos!(api::member::Role, "ROLE_"));
        for word in StatusOverride::WORDS {
            assert!(Status::WORDS.contains(word), "{word}");
        }
    }
}
