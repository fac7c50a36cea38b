//! Alerts and their action plans: every event of them.

use proptest::option::of;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::{boxed, date, id, text, timestamp};
use crate::domain::{ActionPlan, AlertKind, AlertOpening, CloseReason, Event, Period};

/// One strategy for each variant.
pub(super) fn events() -> Vec<BoxedStrategy<Event>> {
    let reason = select(vec![
        CloseReason::Recovered,
        CloseReason::Corrected,
        CloseReason::TargetChanged,
        CloseReason::Archived,
    ]);
    vec![
        (id(), id(), boxed(opening()))
            .prop_map(|(kpi, id, opening)| Event::AlertOpened { kpi, id, opening })
            .boxed(),
        (id(), id(), reason)
            .prop_map(|(kpi, id, reason)| Event::AlertClosed { kpi, id, reason })
            .boxed(),
        (id(), id(), of(text()), text())
            .prop_map(|(kpi, id, before, note)| Event::AlertAcknowledged {
                kpi,
                id,
                before,
                note,
            })
            .boxed(),
        (id(), id(), of(boxed(plan())), boxed(plan()))
            .prop_map(|(kpi, id, before, after)| Event::ActionPlanSet {
                kpi,
                id,
                before,
                after,
            })
            .boxed(),
        (id(), id(), text())
            .prop_map(|(kpi, id, note)| Event::ActionPlanCompleted { kpi, id, note })
            .boxed(),
        (id(), id(), date())
            .prop_map(|(kpi, id, due_date)| Event::ActionPlanOverdue { kpi, id, due_date })
            .boxed(),
    ]
}

fn opening() -> impl Strategy<Value = AlertOpening> {
    let kind = select(AlertKind::ALL.to_vec());
    let period = (date(), date()).prop_map(|(one, other)| Period {
        first: one.min(other),
        last: one.max(other),
    });
    // What is judged may be larger than any value that is recorded.
    let judged = || -1e30..1e30;
    let numbers = (of(judged()), of(judged()), any::<u32>());
    (kind, date(), of(period), numbers, of(timestamp())).prop_map(
        |(kind, date, period, (value, reference, periods), newest)| AlertOpening {
            kind,
            date,
            period,
            value,
            reference,
            periods,
            newest,
        },
    )
}

fn plan() -> impl Strategy<Value = ActionPlan> {
    (text(), text(), of(id()), of(date()), of(id())).prop_map(|(cause, text, owner, due_date, objective)| {
        ActionPlan {
            cause,
            text,
            owner,
            due_date,
            objective,
        }
    })
}
