//! A series against an ordered map, whichever way it grew.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

type Model = BTreeMap<(i64, String), f64>;

fn source(number: u8) -> String {
    // Not in the order of their numbers, nor of their coming.
    ["", "zeta", "alpha"][usize::from(number)].to_owned()
}

fn everything(series: &Series) -> Vec<((i64, String), f64)> {
    series
        .points()
        .map(|point| {
            let source = series.source_id(point).to_owned();
            ((point.effective_time().as_micros(), source), point.value())
        })
        .collect()
}

fn invariant_runs_hold_points_and_do_not_overlap(series: &Series) -> Result<(), TestCaseError> {
    let mut runs: Vec<(Key, Key)> = Vec::new();
    for (first, packed) in &series.packed {
        let run = Run::Packed(packed);
        prop_assert!((1..=RUN_POINTS_MAX).contains(&run.len()));
        prop_assert_eq!(first, &series.key(run.point(0)));
        runs.push((first.clone(), series.key(run.last().expect("a point"))));
    }
    if let (Some(first), Some(last)) = (series.open.first(), series.open.last()) {
        prop_assert!(series.open.len() <= RUN_POINTS_MAX);
        runs.push((series.key(*first), series.key(*last)));
    }
    runs.sort();
    prop_assert!(runs.iter().all(|(first, last)| first <= last));
    prop_assert!(runs.windows(2).all(|two| two[0].1 < two[1].0));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_series_is_an_ordered_map_from_identity_to_the_newest_value(
        // One in four takes out instead of recording.
        changes in prop::collection::vec((0i64..900, 0u8..3, -5i32..5, 0u8..4), 0..1200),
        start in 0i64..900, length in 0i64..900,
    ) {
        let mut series = Series::default();
        let mut model = Model::new();
        let mut older = Vec::new();
        for (index, (time, number, value, kind)) in changes.iter().enumerate() {
            let source = source(*number);
            if *kind == 0 {
                series.remove(at(*time), &source);
                model.remove(&(*time, source));
            } else {
                series.record(at(*time), &source, f64::from(*value), Revision(index as u64));
                model.insert((*time, source), f64::from(*value));
                prop_assert!(series.has_begun());
            }
            if index % 300 == 100 {
                invariant_runs_hold_points_and_do_not_overlap(&series)?;
                older.push((series.clone(), model.clone()));
            }
        }
        invariant_runs_hold_points_and_do_not_overlap(&series)?;
        older.push((series, model));
        for (series, model) in &older {
            prop_assert_eq!(series.len(), model.len());
            for ((time, source), value) in model {
                prop_assert_eq!(series.get(at(*time), source).map(Point::value), Some(*value));
            }
            let expected: Vec<_> = model.iter().map(|(key, value)| (key.clone(), *value)).collect();
            prop_assert_eq!(everything(series), expected);
            prop_assert_eq!(series.latest().map(|p| p.effective_time().as_micros()), model.keys().map(|(t, _)| *t).max());
            let (from, to) = (at(start), at(start + length));
            let expected: Vec<f64> = model.range((start, String::new())..(start + length, String::new()))
                .map(|(_, value)| *value).collect();
            prop_assert_eq!(series.range_from(from, to).map(Point::value).collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(series.range_from(from, to).rev().count(), expected.len());
            prop_assert_eq!(series.count_from(from, to), expected.len());
            let newest = model.keys().map(|(t, _)| *t).filter(|t| *t < start).max();
            prop_assert_eq!(series.latest_before(at(start)).map(|p| p.effective_time().as_micros()), newest);
            for (index, point) in series.range_from(from, to).enumerate().step_by(97) {
                let rest = series.range_behind(from, to, Some(series.place(point))).count();
                prop_assert_eq!(rest, expected.len() - index - 1);
            }
        }
    }

    #[test]
    fn the_order_in_which_points_come_makes_no_difference(
        shuffled in prop::collection::btree_map((0i64..9000, 0u8..3), -5i32..5, 0..1200)
            .prop_map(|points| points.into_iter().collect::<Vec<_>>())
            .prop_shuffle(),
    ) {
        let record = |points: &[((i64, u8), i32)]| {
            let mut series = Series::default();
            for ((time, number), value) in points {
                series.record(at(*time), &source(*number), f64::from(*value), Revision(7));
            }
            series
        };
        let mut sorted = shuffled.clone();
        sorted.sort_by_key(|(key, _)| *key);
        let (in_order, series) = (record(&sorted), record(&shuffled));
        invariant_runs_hold_points_and_do_not_overlap(&series)?;
        prop_assert_eq!(everything(&series), everything(&in_order));
        prop_assert!(series == in_order);
        let mut other = series.clone();
        other.record(at(1), "", 99.0, Revision(7));
        prop_assert!(series != other);
    }
}

#[test]
fn runs_are_dense_whichever_way_a_series_grows() {
    const DENSE: usize = 2000 / RUN_POINTS_MAX;
    // In the middle of a run that was there before, what fills it is put away half full.
    const HALF: usize = 2 * DENSE;
    let hole = || (0..500).chain(1500..2000);
    let ways: [(&str, Vec<i64>, usize); 4] = [
        ("forwards", (0..2000).collect(), DENSE),
        ("backwards", (0..2000).rev().collect(), DENSE),
        ("a hole, forwards", hole().chain(500..1500).collect(), HALF),
        (
            "a hole, backwards",
            hole().chain((500..1500).rev()).collect(),
            HALF,
        ),
    ];
    for (way, times, runs_max) in ways {
        let mut series = Series::default();
        for time in times {
            series.record(at(time), "", 1.0, Revision(1));
        }
        assert_eq!(series.len(), 2000, "{way}");
        assert!(
            series.packed.len() <= runs_max,
            "{way}: {} runs",
            series.packed.len()
        );
    }
}

#[test]
fn a_series_that_lost_all_its_points_has_begun_all_the_same() {
    let mut series = Series::default();
    series.remove(at(1), "");
    assert!(!series.has_begun());
    for time in 0..1000 {
        series.record(at(time), "", 1.0, Revision(1));
    }
    for time in (0..1000).rev() {
        series.remove(at(time), "");
        series.remove(at(time), "unknown");
    }
    assert!(series.is_empty() && series.has_begun());
    assert_eq!(series.latest(), None);
    assert_eq!(series.packed.len(), 0);
    series.record(at(5), "", 2.0, Revision(2));
    assert_eq!(series.latest().map(Point::value), Some(2.0));
}

#[test]
fn a_point_takes_24_bytes_and_knows_its_revision_and_source() {
    assert_eq!(size_of::<Point>(), 24);
    let mut series = Series::default();
    series.record(at(1), "deal-7", 1.0, Revision((1 << 40) - 1));
    let point = series.latest().expect("a point");
    assert_eq!(point.revision(), Revision((1 << 40) - 1));
    assert_eq!(series.source_id(point), "deal-7");
}
