//! KPIs, their targets and what was measured: every event of them.

use proptest::option::of;
use proptest::prelude::{Just, any};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::{boxed, date, id, labels, small, text, timestamp, title, unit, value};
use crate::domain::{
    Aggregation, Cadence, Category, Direction, Event, KpiFields, MeasurementRecorded, Ramp, Target,
    Transform, Value,
};

/// One strategy for each variant.
pub(super) fn events() -> Vec<BoxedStrategy<Event>> {
    let measurement = (id(), timestamp(), value(), small(), of(value()), small());
    vec![
        (id(), boxed(kpi()))
            .prop_map(|(id, fields)| Event::KpiCreated { id, fields })
            .boxed(),
        (id(), boxed(kpi()), boxed(kpi()))
            .prop_map(|(id, before, after)| Event::KpiUpdated { id, before, after })
            .boxed(),
        (id(), date(), of(target()), target())
            .prop_map(|(kpi, date, before, after)| Event::TargetSet {
                kpi,
                date,
                before,
                after,
            })
            .boxed(),
        measurement
            .prop_map(|(kpi, effective_time, value, source_id, before, note)| {
                Event::MeasurementRecorded(MeasurementRecorded {
                    kpi,
                    effective_time,
                    value: value.get(),
                    source_id,
                    before: before.map(Value::get),
                    note,
                })
            })
            .boxed(),
        (id(), timestamp(), small(), value())
            .prop_map(
                |(kpi, effective_time, source_id, before)| Event::MeasurementRetracted {
                    kpi,
                    effective_time,
                    source_id,
                    before: before.get(),
                },
            )
            .boxed(),
        (id(), date(), target())
            .prop_map(|(kpi, date, before)| Event::TargetDeleted { kpi, date, before })
            .boxed(),
        id().prop_map(|id| Event::KpiArchived { id }).boxed(),
        (id(), timestamp())
            .prop_map(|(id, before)| Event::KpiUnarchived { id, before })
            .boxed(),
    ]
}

fn kpi() -> impl Strategy<Value = KpiFields> {
    let category = select(vec![
        Category::Strategic,
        Category::Operational,
        Category::Financial,
    ]);
    let direction = select(vec![
        Direction::HigherIsBetter,
        Direction::LowerIsBetter,
        Direction::InRange,
    ]);
    let aggregation = select(vec![
        Aggregation::Last,
        Aggregation::Sum,
        Aggregation::Mean,
        Aggregation::Min,
        Aggregation::Max,
        Aggregation::Count,
    ]);
    let first = (
        title(),
        text(),
        of(id()),
        of(id()),
        text(),
        category,
        unit(),
        direction,
    );
    let second = (
        cadence(),
        any::<u32>(),
        of(cadence()),
        aggregation,
        text(),
        of(id()),
        labels(),
        of(Just(Transform::ChangePercent)),
    );
    (first, second).prop_map(|(first, second)| {
        let (title, description, owner, team, area, category, unit, direction) = first;
        let (cadence, grace_days, review_cadence, aggregation, data_source, replaces, labels, transform) =
            second;
        KpiFields {
            title,
            description,
            owner,
            team,
            area,
            category,
            unit,
            direction,
            cadence,
            grace_days,
            review_cadence,
            aggregation,
            data_source,
            replaces,
            labels,
            transform,
        }
    })
}

fn target() -> impl Strategy<Value = Target> {
    (
        of(value()),
        of(value()),
        of(value()),
        of(value()),
        of(value()),
        of(ramp()),
    )
        .prop_map(
            |(at_least, at_most, critical_at_least, critical_at_most, stretch, ramp)| Target {
                at_least,
                at_most,
                critical_at_least,
                critical_at_most,
                stretch,
                ramp,
            },
        )
}

fn ramp() -> impl Strategy<Value = Ramp> {
    (date(), of(value()), of(value()), of(value()), of(value())).prop_map(
        |(date, at_least, at_most, critical_at_least, critical_at_most)| Ramp {
            date,
            at_least,
            at_most,
            critical_at_least,
            critical_at_most,
        },
    )
}

fn cadence() -> impl Strategy<Value = Cadence> {
    select(vec![
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
        Cadence::Quarterly,
        Cadence::Semiannual,
        Cadence::Annual,
        Cadence::Irregular,
    ])
}
