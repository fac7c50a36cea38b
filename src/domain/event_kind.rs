//! The kinds of events that there are, for who asks for some of them.

/// Every kind that [`Event::kind`](super::Event::kind) gives, by name.
pub const EVENT_KINDS: &[&str] = &[
    "ActionPlanCompleted",
    "ActionPlanOverdue",
    "ActionPlanSet",
    "AlertAcknowledged",
    "AlertClosed",
    "AlertOpened",
    "CheckInCorrected",
    "CheckInRecorded",
    "CheckInRetracted",
    "CycleActivated",
    "CycleClosed",
    "CycleCreated",
    "CycleReopened",
    "CycleReviewBegun",
    "CycleUpdated",
    "DayStarted",
    "EpochStarted",
    "InitiativeCreated",
    "InitiativeDeleted",
    "InitiativeUndeleted",
    "InitiativeUpdated",
    "KeyResultCreated",
    "KeyResultDeleted",
    "KeyResultUndeleted",
    "KeyResultUpdated",
    "KpiArchived",
    "KpiCreated",
    "KpiDeleted",
    "KpiUnarchived",
    "KpiUndeleted",
    "KpiUpdated",
    "MeasurementRecorded",
    "MeasurementRetracted",
    "MemberCreated",
    "MemberDeleted",
    "MemberUndeleted",
    "MemberUpdated",
    "ObjectiveActivated",
    "ObjectiveCanceled",
    "ObjectiveClosed",
    "ObjectiveCreated",
    "ObjectiveDeleted",
    "ObjectiveReopened",
    "ObjectiveUndeleted",
    "ObjectiveUpdated",
    "ReviewRecorded",
    "ScoringPolicyUpdated",
    "TargetDeleted",
    "TargetSet",
    "TeamCreated",
    "TeamDeleted",
    "TeamUndeleted",
    "TeamUpdated",
    "WorkspaceCreated",
    "WorkspaceDeleted",
    "WorkspaceUndeleted",
    "WorkspaceUpdated",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What is never deleted, or has an event of its own for it.
    const NEVER: [&str; 11] = [
        "AlertDeleted",
        "AlertUndeleted",
        "CheckInDeleted",
        "CheckInUndeleted",
        "CycleDeleted",
        "CycleUndeleted",
        "ReviewDeleted",
        "ReviewUndeleted",
        "ScoringPolicyDeleted",
        "ScoringPolicyUndeleted",
        "TargetUndeleted",
    ];

    /// The names stand in the arms of three matches, which the compiler holds complete.
    #[test]
    fn every_kind_of_event_is_listed_once() {
        let mut named: Vec<&str> = include_str!("event.rs")
            .split("=> \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|kind| !NEVER.contains(kind))
            .collect();
        named.sort_unstable();
        named.dedup();
        assert_eq!(EVENT_KINDS, named);
    }
}
