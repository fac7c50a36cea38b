//! Alerts and their action plans: what happened to them.

use jiff::civil::Date;

use super::fault::{At, Fault};
use super::scalar::{
    date_from_stored, date_to_stored, finite_from_stored, id_from_stored, id_to_stored,
    optional_date_from_stored, optional_id_from_stored, optional_id_to_stored, required, stored_enum,
    timestamp_from_stored,
};
use crate::domain::{ActionPlan, AlertKind, AlertOpening, CloseReason, Event, Id, Period, Text, Timestamp};
use crate::proto::stored;

stored_enum!(kind_to_stored, kind_from_stored:
    AlertKind = stored::alert_opened::Kind { Breach, Stale, AdverseMove });
stored_enum!(reason_to_stored, reason_from_stored:
    CloseReason = stored::alert_closed::Reason { Recovered, Corrected, TargetChanged, Archived });

pub(super) fn opened_to_stored(kpi: &Id, id: &Id, opening: &AlertOpening) -> stored::AlertOpened {
    let AlertOpening {
        kind,
        date,
        period,
        value,
        reference,
        periods,
        newest,
    } = opening;
    stored::AlertOpened {
        kpi: id_to_stored(kpi),
        alert: id_to_stored(id),
        kind: kind_to_stored(*kind),
        date: date_to_stored(*date),
        period_first_date: period.map(|period| date_to_stored(period.first)),
        period_last_date: period.map(|period| date_to_stored(period.last)),
        value: *value,
        reference: *reference,
        period_count: *periods,
        newest_effective_time_us: newest.map(Timestamp::as_micros),
    }
}

pub(super) fn opened_from_stored(stored: stored::AlertOpened) -> Result<Event, Fault> {
    let stored::AlertOpened {
        kpi,
        alert,
        kind,
        date,
        period_first_date,
        period_last_date,
        value,
        reference,
        period_count,
        newest_effective_time_us,
    } = stored;
    let opening = AlertOpening {
        kind: kind_from_stored(kind).at("kind")?,
        date: date_from_stored(date).at("date")?,
        period: period_from_stored(period_first_date, period_last_date)?,
        value: value.map(finite_from_stored).transpose().at("value")?,
        reference: reference.map(finite_from_stored).transpose().at("reference")?,
        periods: period_count,
        newest: newest_effective_time_us
            .map(timestamp_from_stored)
            .transpose()
            .at("newest_effective_time_us")?,
    };
    Ok(Event::AlertOpened {
        kpi: id_from_stored(&kpi).at("kpi")?,
        id: id_from_stored(&alert).at("alert")?,
        opening: Box::new(opening),
    })
}

/// The days of a period, which has both ends or is not there.
fn period_from_stored(first: Option<i32>, last: Option<i32>) -> Result<Option<Period>, Fault> {
    let first = optional_date_from_stored(first).at("period_first_date")?;
    let last = optional_date_from_stored(last).at("period_last_date")?;
    match (first, last) {
        (Some(first), Some(last)) if first <= last => Ok(Some(Period { first, last })),
        (Some(_), Some(_)) => Err(Fault::damaged("it is after period_last_date")).at("period_first_date"),
        (Some(_), None) => Err(Fault::damaged("it is missing")).at("period_last_date"),
        (None, Some(_)) => Err(Fault::damaged("it is missing")).at("period_first_date"),
        (None, None) => Ok(None),
    }
}

pub(super) fn closed_to_stored(kpi: &Id, id: &Id, reason: CloseReason) -> stored::AlertClosed {
    stored::AlertClosed {
        kpi: id_to_stored(kpi),
        alert: id_to_stored(id),
        reason: reason_to_stored(reason),
    }
}

pub(super) fn closed_from_stored(stored: &stored::AlertClosed) -> Result<Event, Fault> {
    let stored::AlertClosed { kpi, alert, reason } = stored;
    Ok(Event::AlertClosed {
        kpi: id_from_stored(kpi).at("kpi")?,
        id: id_from_stored(alert).at("alert")?,
        reason: reason_from_stored(*reason).at("reason")?,
    })
}

pub(super) fn acknowledged_to_stored(
    kpi: &Id,
    id: &Id,
    before: Option<&Text>,
    note: &Text,
) -> stored::AlertAcknowledged {
    stored::AlertAcknowledged {
        kpi: id_to_stored(kpi),
        alert: id_to_stored(id),
        note: note.as_str().to_owned(),
        before: before.map(|before| before.as_str().to_owned()),
    }
}

pub(super) fn acknowledged_from_stored(stored: &stored::AlertAcknowledged) -> Result<Event, Fault> {
    let stored::AlertAcknowledged {
        kpi,
        alert,
        note,
        before,
    } = stored;
    Ok(Event::AlertAcknowledged {
        kpi: id_from_stored(kpi).at("kpi")?,
        id: id_from_stored(alert).at("alert")?,
        before: before.as_deref().map(Text::parse).transpose().at("before")?,
        note: Text::parse(note).at("note")?,
    })
}

fn plan_to_stored(plan: &ActionPlan) -> stored::ActionPlan {
    let ActionPlan {
        cause,
        text,
        owner,
        due_date,
        objective,
    } = plan;
    stored::ActionPlan {
        cause: cause.as_str().to_owned(),
        text: text.as_str().to_owned(),
        owner: optional_id_to_stored(owner.as_ref()),
        due_date: due_date.map(date_to_stored),
        objective: optional_id_to_stored(objective.as_ref()),
    }
}

fn plan_from_stored(stored: stored::ActionPlan) -> Result<ActionPlan, Fault> {
    let stored::ActionPlan {
        cause,
        text,
        owner,
        due_date,
        objective,
    } = stored;
    Ok(ActionPlan {
        cause: Text::parse(&cause).at("cause")?,
        text: Text::parse(&text).at("text")?,
        owner: optional_id_from_stored(owner.as_deref()).at("owner")?,
        due_date: optional_date_from_stored(due_date).at("due_date")?,
        objective: optional_id_from_stored(objective.as_deref()).at("objective")?,
    })
}

pub(super) fn plan_set_to_stored(
    kpi: &Id,
    id: &Id,
    before: Option<&ActionPlan>,
    after: &ActionPlan,
) -> stored::ActionPlanSet {
    stored::ActionPlanSet {
        kpi: id_to_stored(kpi),
        alert: id_to_stored(id),
        before: before.map(plan_to_stored),
        after: Some(plan_to_stored(after)),
    }
}

pub(super) fn plan_set_from_stored(stored: stored::ActionPlanSet) -> Result<Event, Fault> {
    let stored::ActionPlanSet {
        kpi,
        alert,
        before,
        after,
    } = stored;
    Ok(Event::ActionPlanSet {
        kpi: id_from_stored(&kpi).at("kpi")?,
        id: id_from_stored(&alert).at("alert")?,
        before: before
            .map(plan_from_stored)
            .transpose()
            .at("before")?
            .map(Box::new),
        after: required(after)
            .and_then(plan_from_stored)
            .at("after")
            .map(Box::new)?,
    })
}

pub(super) fn plan_completed_to_stored(kpi: &Id, id: &Id, note: &Text) -> stored::ActionPlanCompleted {
    stored::ActionPlanCompleted {
        kpi: id_to_stored(kpi),
        alert: id_to_stored(id),
        note: note.as_str().to_owned(),
    }
}

pub(super) fn plan_completed_from_stored(stored: &stored::ActionPlanCompleted) -> Result<Event, Fault> {
    let stored::ActionPlanCompleted { kpi, alert, note } = stored;
    Ok(Event::ActionPlanCompleted {
        kpi: id_from_stored(kpi).at("kpi")?,
        id: id_from_stored(alert).at("alert")?,
        note: Text::parse(note).at("note")?,
    })
}

pub(super) fn plan_overdue_to_stored(kpi: &Id, id: &Id, due_date: Date) -> stored::ActionPlanOverdue {
    stored::ActionPlanOverdue {
        kpi: id_to_stored(kpi),
        alert: id_to_stored(id),
        due_date: date_to_stored(due_date),
    }
}

pub(super) fn plan_overdue_from_stored(stored: &stored::ActionPlanOverdue) -> Result<Event, Fault> {
    let stored::ActionPlanOverdue { kpi, alert, due_date } = stored;
    Ok(Event::ActionPlanOverdue {
        kpi: id_from_stored(kpi).at("kpi")?,
        id: id_from_stored(alert).at("alert")?,
        due_date: date_from_stored(*due_date).at("due_date")?,
    })
}
