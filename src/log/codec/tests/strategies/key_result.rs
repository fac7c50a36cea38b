//! Key results: every kind, every bound.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, any};
use proptest::sample::select;
use proptest::strategy::Strategy;

use super::{date, id, title, unit, value, weight};
use crate::domain::{
    Baseline, KeyResultFields, KeyResultKind, Maintain, MaintainMode, Metric, Milestone, Milestones,
    RelativeTarget, Revision, Value, Weight, Window,
};

pub(super) fn key_result() -> impl Strategy<Value = KeyResultFields> {
    let window = select(vec![Window::Newest, Window::Cycle]);
    let measured = (kind(), of(unit()), of(id()), window);
    (title(), of(id()), measured, weight(), of(date())).prop_map(
        |(title, owner, (kind, unit, kpi, window), weight, due_date)| KeyResultFields {
            title,
            owner,
            kind,
            unit,
            weight,
            kpi,
            due_date,
            window,
        },
    )
}

fn kind() -> impl Strategy<Value = KeyResultKind> {
    proptest::prop_oneof![
        metric().prop_map(KeyResultKind::Metric),
        maintain().prop_map(KeyResultKind::Maintain),
        milestones().prop_map(KeyResultKind::Milestones),
        Just(KeyResultKind::Binary),
    ]
}

fn metric() -> impl Strategy<Value = Metric> {
    let baseline = (value(), of(any::<u64>().prop_map(Revision)))
        .prop_map(|(value, kpi_revision)| Baseline { value, kpi_revision });
    let relative_target = proptest::prop_oneof![
        value().prop_map(RelativeTarget::Percent),
        value().prop_map(RelativeTarget::Amount),
    ];
    (of(baseline), value(), of(relative_target), of(value())).prop_map(
        |(baseline, target, relative_target, reference_value)| Metric {
            baseline,
            target,
            relative_target,
            reference_value,
        },
    )
}

/// At least one bound, in order; a tolerance for NOW alone.
fn maintain() -> impl Strategy<Value = Maintain> {
    let bounds = proptest::prop_oneof![
        value().prop_map(|least| (Some(least), None)),
        value().prop_map(|most| (None, Some(most))),
        (value(), value()).prop_map(|(one, other)| {
            if one <= other {
                (Some(one), Some(other))
            } else {
                (Some(other), Some(one))
            }
        }),
    ];
    let mode = proptest::prop_oneof![
        (0.0..=Value::MAX).prop_map(|tolerance| (MaintainMode::Now, tolerance)),
        Just((MaintainMode::Now, 0.0)),
        Just((MaintainMode::Share, 0.0)),
    ];
    (bounds, mode).prop_map(|((at_least, at_most), (mode, tolerance))| {
        let tolerance = Value::parse(tolerance).expect("a value");
        Maintain::parse(at_least, at_most, mode, tolerance).expect("bounds")
    })
}

/// The first weighs something, and each has an id of its own.
fn milestones() -> impl Strategy<Value = Milestones> {
    vec((id(), title(), weight()), 1..5).prop_map(|steps| {
        let mut all: Vec<Milestone> = Vec::new();
        for (id, title, weight) in steps {
            if all.iter().all(|other| other.id != id) {
                all.push(Milestone { id, title, weight });
            }
        }
        if let Some(first) = all.first_mut() {
            first.weight = Weight::ONE;
        }
        Milestones::parse(all).expect("milestones")
    })
}
