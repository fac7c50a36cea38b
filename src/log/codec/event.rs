//! Events: which message each variant is.
//!
//! Invariant: every variant of the domain has one message, and every message of the oneof has one variant. A message
//! that an older release wrote and nobody writes any more is turned into today's variants here.

use super::fault::{At, Fault};
use super::{
    alert, check_in, closing, cycle, deletion, initiative, key_result, kpi, measurement, objective, policy,
    review, target, team, workspace,
};
use crate::domain::Event;
use crate::proto::stored;
use crate::proto::stored::event::Payload;

pub(super) fn event_to_stored(event: &Event) -> stored::Event {
    let payload = match event {
        Event::EpochStarted(epoch) => Payload::EpochStarted(workspace::epoch_started_to_stored(epoch)),
        Event::WorkspaceCreated(created) => {
            Payload::WorkspaceCreated(Box::new(workspace::created_to_stored(created)))
        }
        Event::WorkspaceUpdated { before, after, rules } => Payload::WorkspaceUpdated(Box::new(
            workspace::updated_to_stored(before, after, rules.as_ref()),
        )),
        Event::DayStarted { before, date } => {
            Payload::DayStarted(workspace::day_started_to_stored(*before, *date))
        }
        Event::ScoringPolicyUpdated { before, after } => {
            Payload::ScoringPolicyUpdated(Box::new(policy::updated_to_stored(before, after)))
        }
        Event::Deleted { name } => Payload::ResourceDeleted(Box::new(deletion::deleted_to_stored(name))),
        Event::Undeleted { name, deletion } => {
            Payload::ResourceUndeleted(Box::new(deletion::undeleted_to_stored(name, *deletion)))
        }
        Event::TeamCreated { id, fields } => {
            Payload::TeamCreated(Box::new(team::created_to_stored(id, fields)))
        }
        Event::TeamUpdated { id, before, after } => {
            Payload::TeamUpdated(Box::new(team::updated_to_stored(id, before, after)))
        }
        Event::MemberCreated { id, fields } => {
            Payload::MemberCreated(Box::new(team::member_created_to_stored(id, fields)))
        }
        Event::MemberUpdated { id, before, after } => {
            Payload::MemberUpdated(Box::new(team::member_updated_to_stored(id, before, after)))
        }
        Event::CycleCreated { id, fields } => {
            Payload::CycleCreated(Box::new(cycle::created_to_stored(id, fields)))
        }
        Event::CycleUpdated { id, before, after } => {
            Payload::CycleUpdated(Box::new(cycle::updated_to_stored(id, before, after)))
        }
        Event::CycleActivated { id, before } => {
            Payload::CycleActivated(cycle::activated_to_stored(id, *before))
        }
        Event::CycleReviewBegun { id, before } => {
            Payload::CycleReviewBegun(cycle::review_begun_to_stored(id, *before))
        }
        Event::CycleClosed { id, before } => Payload::CycleClosed(cycle::closed_to_stored(id, *before)),
        Event::CycleReopened { id, before } => Payload::CycleReopened(cycle::reopened_to_stored(id, *before)),
        Event::ReviewRecorded { cycle, id, review } => {
            Payload::ReviewRecorded(Box::new(review::recorded_to_stored(cycle, id, review)))
        }
        Event::ObjectiveCreated {
            id,
            fields,
            carried_from,
            started_from,
        } => Payload::ObjectiveCreated(Box::new(objective::created_to_stored(
            id,
            fields,
            carried_from.as_ref(),
            started_from.as_ref(),
        ))),
        Event::ObjectiveUpdated { id, before, after } => {
            Payload::ObjectiveUpdated(Box::new(objective::updated_to_stored(id, before, after)))
        }
        Event::ObjectiveActivated { id, before, date } => {
            Payload::ObjectiveActivated(objective::activated_to_stored(id, *before, *date))
        }
        Event::ObjectiveClosed { id, before, result } => {
            Payload::ObjectiveClosed(Box::new(closing::closed_to_stored(id, *before, result)))
        }
        Event::ObjectiveReopened {
            id,
            before,
            after,
            result,
        } => Payload::ObjectiveReopened(Box::new(closing::reopened_to_stored(
            id,
            *before,
            *after,
            result.as_deref(),
        ))),
        Event::ObjectiveCanceled { id, before } => {
            Payload::ObjectiveCanceled(closing::canceled_to_stored(id, *before))
        }
        Event::KeyResultCreated { id, fields, date } => {
            Payload::KeyResultCreated(Box::new(key_result::created_to_stored(id, fields, *date)))
        }
        Event::KeyResultUpdated { id, before, after } => {
            Payload::KeyResultUpdated(Box::new(key_result::updated_to_stored(id, before, after)))
        }
        Event::InitiativeCreated { id, fields } => {
            Payload::InitiativeCreated(Box::new(initiative::created_to_stored(id, fields)))
        }
        Event::InitiativeUpdated { id, before, after } => {
            Payload::InitiativeUpdated(Box::new(initiative::updated_to_stored(id, before, after)))
        }
        Event::CheckInRecorded {
            key_result,
            id,
            check_in,
        } => Payload::CheckInRecorded(Box::new(check_in::recorded_to_stored(key_result, id, check_in))),
        Event::CheckInCorrected {
            key_result,
            id,
            before,
            after,
        } => Payload::CheckInCorrected(Box::new(check_in::corrected_to_stored(
            key_result, id, before, after,
        ))),
        Event::CheckInRetracted {
            key_result,
            id,
            before,
        } => Payload::CheckInRetracted(Box::new(check_in::retracted_to_stored(key_result, id, before))),
        Event::KpiCreated { id, fields } => Payload::KpiCreated(Box::new(kpi::created_to_stored(id, fields))),
        Event::KpiUpdated { id, before, after } => {
            Payload::KpiUpdated(Box::new(kpi::updated_to_stored(id, before, after)))
        }
        Event::TargetSet {
            kpi,
            date,
            before,
            after,
        } => Payload::TargetSet(Box::new(target::set_to_stored(
            kpi,
            *date,
            before.as_ref(),
            after,
        ))),
        Event::MeasurementRecorded(recorded) => {
            Payload::MeasurementRecorded(measurement::recorded_to_stored(recorded))
        }
        Event::MeasurementRetracted {
            kpi,
            effective_time,
            source_id,
            before,
        } => Payload::MeasurementRetracted(measurement::retracted_to_stored(
            kpi,
            *effective_time,
            source_id,
            *before,
        )),
        Event::TargetDeleted { kpi, date, before } => {
            Payload::TargetDeleted(Box::new(target::deleted_to_stored(kpi, *date, before)))
        }
        Event::KpiArchived { id } => Payload::KpiArchived(kpi::archived_to_stored(id)),
        Event::KpiUnarchived { id, before } => Payload::KpiUnarchived(kpi::unarchived_to_stored(id, *before)),
        Event::AlertOpened { kpi, id, opening } => {
            Payload::AlertOpened(Box::new(alert::opened_to_stored(kpi, id, opening)))
        }
        Event::AlertClosed { kpi, id, reason } => {
            Payload::AlertClosed(alert::closed_to_stored(kpi, id, *reason))
        }
        Event::AlertAcknowledged {
            kpi,
            id,
            before,
            note,
        } => Payload::AlertAcknowledged(alert::acknowledged_to_stored(kpi, id, before.as_ref(), note)),
        Event::ActionPlanSet {
            kpi,
            id,
            before,
            after,
        } => Payload::ActionPlanSet(Box::new(alert::plan_set_to_stored(
            kpi,
            id,
            before.as_deref(),
            after,
        ))),
        Event::ActionPlanCompleted { kpi, id, note } => {
            Payload::ActionPlanCompleted(alert::plan_completed_to_stored(kpi, id, note))
        }
        Event::ActionPlanOverdue { kpi, id, due_date } => {
            Payload::ActionPlanOverdue(alert::plan_overdue_to_stored(kpi, id, *due_date))
        }
    };
    stored::Event {
        payload: Some(payload),
    }
}

pub(super) fn event_from_stored(stored: stored::Event) -> Result<Event, Fault> {
    let stored::Event { payload } = stored;
    let Some(payload) = payload else {
        return Err(Fault::newer("it is no event that this release knows"));
    };
    match payload {
        Payload::EpochStarted(message) => workspace::epoch_started_from_stored(message).at("epoch_started"),
        Payload::WorkspaceCreated(message) => {
            workspace::created_from_stored(*message).at("workspace_created")
        }
        Payload::WorkspaceUpdated(message) => {
            workspace::updated_from_stored(*message).at("workspace_updated")
        }
        Payload::DayStarted(message) => workspace::day_started_from_stored(message).at("day_started"),
        Payload::ScoringPolicyUpdated(message) => {
            policy::updated_from_stored(*message).at("scoring_policy_updated")
        }
        Payload::ResourceDeleted(message) => deletion::deleted_from_stored(*message).at("resource_deleted"),
        Payload::ResourceUndeleted(message) => {
            deletion::undeleted_from_stored(*message).at("resource_undeleted")
        }
        Payload::TeamCreated(message) => team::created_from_stored(*message).at("team_created"),
        Payload::TeamUpdated(message) => team::updated_from_stored(*message).at("team_updated"),
        Payload::MemberCreated(message) => team::member_created_from_stored(*message).at("member_created"),
        Payload::MemberUpdated(message) => team::member_updated_from_stored(*message).at("member_updated"),
        Payload::CycleCreated(message) => cycle::created_from_stored(*message).at("cycle_created"),
        Payload::CycleUpdated(message) => cycle::updated_from_stored(*message).at("cycle_updated"),
        Payload::CycleActivated(message) => cycle::activated_from_stored(message).at("cycle_activated"),
        Payload::CycleReviewBegun(message) => {
            cycle::review_begun_from_stored(message).at("cycle_review_begun")
        }
        Payload::CycleClosed(message) => cycle::closed_from_stored(message).at("cycle_closed"),
        Payload::CycleReopened(message) => cycle::reopened_from_stored(message).at("cycle_reopened"),
        Payload::ReviewRecorded(message) => review::recorded_from_stored(*message).at("review_recorded"),
        Payload::ObjectiveCreated(message) => {
            objective::created_from_stored(*message).at("objective_created")
        }
        Payload::ObjectiveUpdated(message) => {
            objective::updated_from_stored(*message).at("objective_updated")
        }
        Payload::ObjectiveActivated(message) => {
            objective::activated_from_stored(message).at("objective_activated")
        }
        Payload::ObjectiveClosed(message) => closing::closed_from_stored(*message).at("objective_closed"),
        Payload::ObjectiveReopened(message) => {
            closing::reopened_from_stored(*message).at("objective_reopened")
        }
        Payload::ObjectiveCanceled(message) => {
            closing::canceled_from_stored(message).at("objective_canceled")
        }
        Payload::KeyResultCreated(message) => {
            key_result::created_from_stored(*message).at("key_result_created")
        }
        Payload::KeyResultUpdated(message) => {
            key_result::updated_from_stored(*message).at("key_result_updated")
        }
        Payload::InitiativeCreated(message) => {
            initiative::created_from_stored(*message).at("initiative_created")
        }
        Payload::InitiativeUpdated(message) => {
            initiative::updated_from_stored(*message).at("initiative_updated")
        }
        Payload::CheckInRecorded(message) => check_in::recorded_from_stored(*message).at("check_in_recorded"),
        Payload::CheckInCorrected(message) => {
            check_in::corrected_from_stored(*message).at("check_in_corrected")
        }
        Payload::CheckInRetracted(message) => {
            check_in::retracted_from_stored(*message).at("check_in_retracted")
        }
        Payload::KpiCreated(message) => kpi::created_from_stored(*message).at("kpi_created"),
        Payload::KpiUpdated(message) => kpi::updated_from_stored(*message).at("kpi_updated"),
        Payload::TargetSet(message) => target::set_from_stored(*message).at("target_set"),
        Payload::MeasurementRecorded(message) => {
            measurement::recorded_from_stored(message).at("measurement_recorded")
        }
        Payload::MeasurementRetracted(message) => {
            measurement::retracted_from_stored(message).at("measurement_retracted")
        }
        Payload::TargetDeleted(message) => target::deleted_from_stored(*message).at("target_deleted"),
        Payload::KpiArchived(message) => kpi::archived_from_stored(&message).at("kpi_archived"),
        Payload::KpiUnarchived(message) => kpi::unarchived_from_stored(&message).at("kpi_unarchived"),
        Payload::AlertOpened(message) => alert::opened_from_stored(*message).at("alert_opened"),
        Payload::AlertClosed(message) => alert::closed_from_stored(&message).at("alert_closed"),
        Payload::AlertAcknowledged(message) => {
            alert::acknowledged_from_stored(&message).at("alert_acknowledged")
        }
        Payload::ActionPlanSet(message) => alert::plan_set_from_stored(*message).at("action_plan_set"),
        Payload::ActionPlanCompleted(message) => {
            alert::plan_completed_from_stored(&message).at("action_plan_completed")
        }
        Payload::ActionPlanOverdue(message) => {
            alert::plan_overdue_from_stored(&message).at("action_plan_overdue")
        }
    }
}
