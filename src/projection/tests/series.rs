//! A KPI's history against a plain list of all that was ever asserted, as known at any revision.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Aggregation, Cadence, Effective, MeasurementIdentity, NewMeasurement, Revision, Timestamp, Workspace,
};
use crate::projection::{KpiSeries, SeriesBuckets, SeriesPoint, SeriesQuery, SeriesRange, kpi_series};

/// One assertion: at a revision, of an identity; no value: it was retracted.
type Assertion = (Revision, (i64, &'static str), Option<f64>);

#[derive(Clone, Debug)]
enum Change {
    Record(Vec<(i64, &'static str, f64)>),
    Retract(i64, &'static str),
}

fn moment(hour: i64) -> Timestamp {
    at(2025, 12, 1, 0).plus_seconds(hour * 3600)
}

fn identity() -> impl Strategy<Value = (i64, &'static str)> {
    (0i64..120, prop::sample::select(vec!["", "zeta", "alpha"]))
}

/// A small set of values, so that a correction back to what was is common.
fn change() -> impl Strategy<Value = Change> {
    let point = (identity(), 0u8..3).prop_map(|((hour, source), value)| (hour, source, f64::from(value)));
    prop_oneof![
        3 => prop::collection::vec(point, 1..12).prop_map(|mut points| {
            points.sort_by_key(|(hour, source, _)| (*hour, *source));
            points.dedup_by_key(|(hour, source, _)| (*hour, *source));
            Change::Record(points)
        }).prop_flat_map(|record| match record {
            Change::Record(points) => Just(points).prop_shuffle().prop_map(Change::Record).boxed(),
            retract @ Change::Retract(..) => Just(retract).boxed(),
        }),
        1 => identity().prop_map(|(hour, source)| Change::Retract(hour, source)),
    ]
}

fn command(change: &Change) -> Command {
    match change {
        Change::Record(points) => {
            let measurement = |(hour, source, number): &(i64, &str, f64)| NewMeasurement {
                kpi: id("sales"),
                effective: Effective::At(moment(*hour)),
                value: value(*number),
                source_id: (*source).into(),
                note: "".into(),
            };
            Command::RecordMeasurements(points.iter().map(measurement).collect())
        }
        Change::Retract(hour, source) => Command::RetractMeasurement(Box::new(MeasurementIdentity {
            kpi: id("sales"),
            effective: Effective::At(moment(*hour)),
            source_id: (*source).into(),
        })),
    }
}

/// What a list of assertions says was known at a revision: of each identity the newest one.
fn known(assertions: &[Assertion], at: Revision) -> BTreeMap<(i64, &'static str), f64> {
    let mut known = BTreeMap::new();
    for (_, identity, value) in assertions.iter().filter(|(revision, ..)| *revision <= at) {
        match value {
            Some(value) => known.insert(*identity, *value),
            None => known.remove(identity),
        };
    }
    known
}

fn series(workspace: &Workspace, buckets: Option<SeriesBuckets>) -> KpiSeries {
    let query = SeriesQuery {
        range: SeriesRange::Moments(None, None),
        buckets,
        points_max: 10_000,
    };
    kpi_series(workspace, &[id("sales")], &query)
        .expect("a series")
        .remove(0)
}

fn measured(series: &KpiSeries) -> Vec<(Timestamp, f64)> {
    let measured = |point: &SeriesPoint| match point {
        SeriesPoint::Measured(point) => (point.effective_time(), point.value()),
        SeriesPoint::Aggregated { .. } => panic!("a bucket"),
    };
    series.points.iter().map(measured).collect()
}

fn by_day(series: &KpiSeries) -> Vec<(i8, f64)> {
    let bucket = |point: &SeriesPoint| match point {
        SeriesPoint::Aggregated { bucket, .. } => Some((bucket.days.first.day(), bucket.value?)),
        SeriesPoint::Measured(_) => panic!("a measurement"),
    };
    series.points.iter().filter_map(bucket).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_series_as_known_at_a_revision_is_the_newest_assertion_of_each_identity(
        changes in prop::collection::vec(change(), 1..60),
        looks in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let mut given = given([kpi("sales", |_| {})]);
        let mut assertions: Vec<Assertion> = Vec::new();
        let mut states = vec![given.workspace.clone()];
        for change in &changes {
            let before = known(&assertions, given.workspace.revision());
            let retracts_nothing = matches!(change, Change::Retract(hour, source) if !before.contains_key(&(*hour, *source)));
            if retracts_nothing {
                prop_assert_eq!(given.when(command(change)), Err("MEASUREMENT_NOT_FOUND"));
                continue;
            }
            given = given.and([command(change)]);
            let revision = given.workspace.revision();
            match change {
                Change::Record(points) => assertions.extend(points.iter().map(|(hour, source, value)| (revision, (*hour, *source), Some(*value)))),
                Change::Retract(hour, source) => assertions.push((revision, (*hour, *source), None)),
            }
            states.push(given.workspace.clone());
        }
        for look in looks {
            let state = &states[look.index(states.len())];
            let known = known(&assertions, state.revision());
            let expected: Vec<_> = known.iter().map(|((hour, _), value)| (moment(*hour), *value)).collect();
            let found = series(state, None);
            prop_assert_eq!(measured(&found), expected);
            prop_assert_eq!(found.total_count, known.len());
            let mut sums: BTreeMap<i8, f64> = BTreeMap::new();
            for ((hour, _), value) in &known {
                *sums.entry(i8::try_from(1 + hour / 24).unwrap()).or_default() += value;
            }
            let daily = SeriesBuckets { length: Cadence::Daily, aggregation: Some(Aggregation::Sum) };
            prop_assert_eq!(by_day(&series(state, Some(daily))), sums.into_iter().collect::<Vec<_>>());
            // As somebody finds it who folds the log up to there.
            let mut folded = State::empty();
            for commit in given.commits.iter().filter(|commit| commit.revision <= state.revision()) {
                folded.fold(commit);
            }
            prop_assert!(folded.workspace() == state);
        }
    }

    #[test]
    fn the_same_data_recorded_in_any_order_is_the_same_series(
        (points, shuffled) in prop::collection::btree_map(identity(), -9i8..9, 1..200)
            .prop_map(|points| points.into_iter().map(|((hour, source), value)| (hour, source, f64::from(value))).collect::<Vec<_>>())
            .prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
        batch in 1usize..40,
    ) {
        let record = |points: &[(i64, &'static str, f64)]| {
            let batches = points.chunks(batch).map(|points| command(&Change::Record(points.to_vec())));
            given([kpi("sales", |_| {})]).and(batches.collect::<Vec<_>>()).workspace
        };
        let (in_order, in_any_order) = (record(&points), record(&shuffled));
        prop_assert_eq!(measured(&series(&in_order, None)), measured(&series(&in_any_order, None)));
        for aggregation in [Aggregation::Last, Aggregation::Mean, Aggregation::Sum] {
            let weekly = Some(SeriesBuckets { length: Cadence::Weekly, aggregation: Some(aggregation) });
            prop_assert_eq!(series(&in_order, weekly).points, series(&in_any_order, weekly).points);
        }
    }
}

#[test]
fn buckets_that_are_left_out_of_a_picture_show_as_gaps() {
    let sales = given([kpi("sales", |_| {})]);
    // Every day of December but the 10th to the 12th.
    let days = (0..31).filter(|day| !(9..12).contains(day));
    let points = days.map(|day| (day * 24, "", day as f64)).collect();
    let given = sales.and([command(&Change::Record(points))]);
    let query = |points_max| SeriesQuery {
        range: SeriesRange::Moments(None, None),
        buckets: Some(SeriesBuckets {
            length: Cadence::Daily,
            aggregation: None,
        }),
        points_max,
    };
    let of = |points_max| {
        let found = kpi_series(&given.workspace, &[id("sales")], &query(points_max))
            .unwrap()
            .remove(0);
        assert_eq!(
            (found.total_count, found.extremes),
            (32, Some((0.0, 30.0))),
            "through today"
        );
        let shown = |point: &SeriesPoint| match point {
            SeriesPoint::Aggregated { bucket, gap_before } => {
                (bucket.days.first.day(), bucket.value.is_some(), *gap_before)
            }
            SeriesPoint::Measured(_) => panic!("a measurement"),
        };
        found.points.iter().map(shown).collect::<Vec<_>>()
    };
    let all = of(32);
    assert_eq!(all.len(), 32, "a gap is a bucket without a value");
    assert_eq!(
        all[8..13],
        [
            (9, true, false),
            (10, false, false),
            (11, false, false),
            (12, false, false),
            (13, true, false)
        ]
    );
    let valued = of(31);
    assert_eq!(valued.len(), 28, "those that have a value fit");
    let gaps: Vec<i8> = valued
        .iter()
        .filter(|(_, _, gap)| *gap)
        .map(|(day, ..)| *day)
        .collect();
    assert_eq!(gaps, [13]);
    for points_max in 2..28 {
        let some = of(points_max);
        assert_eq!(some.len(), points_max);
        assert_eq!((some[0].0, some[points_max - 1].0), (1, 31), "the ends are kept");
        let gaps = some.iter().filter(|(_, valued, gap)| *valued && *gap).count();
        assert_eq!(gaps, 1, "of {points_max} points one comes after the gap");
    }
}
