//! The model: what it says of series whose future is known.

use proptest::prelude::*;

use super::super::HORIZON_MAX;
use super::super::outlook::{Outlook, Uncertain};
use super::*;

fn steps(values: &[f64], horizon: usize) -> Vec<Uncertain> {
    Outlook::of(values, horizon).expect("a model").steps().collect()
}

/// Numbers that look normal, with mean 0 and deviation 1; always the same for a seed.
fn noise(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..count)
        .map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0)
        .collect()
}

#[test]
fn a_straight_line_goes_on() {
    for (first, slope) in [(0.0, 1.0), (100.0, -2.5), (-3.0, 0.001), (1e12, 1e9), (0.5, 1e-6)] {
        let found = steps(&rising(first, slope, 24), 12);
        for (index, step) in found.iter().enumerate() {
            let expected = first + slope * (24 + index) as f64;
            assert_near(step.expected, expected, "the line");
            let interval = step.interval_95();
            assert!(
                interval.high - interval.low <= 1e-3 * slope.abs(),
                "{interval:?} of {slope}"
            );
        }
    }
}

#[test]
fn what_never_moved_stays_and_shows_no_spread() {
    for number in [0.0, 42.0, -0.1, 1e15] {
        let outlook = Outlook::of(&always(number, 8), 3).unwrap();
        assert_eq!(outlook.model, "constant");
        for step in outlook.steps() {
            let interval = step.interval_95();
            assert_eq!(
                (interval.low, step.expected, interval.high),
                (number, number, number)
            );
            assert_eq!(step.probability_within(Some(number), None), 1.0);
            assert_eq!(step.probability_within(None, Some(number)), 1.0);
            assert_eq!(step.probability_within(Some(number + 1.0), None), 0.0);
        }
    }
    let nearly = [always(42.0, 23), vec![42.1]].concat();
    let interval = steps(&nearly, 1)[0].interval_95();
    assert!(interval.high - interval.low < 0.2, "{interval:?}");
}

#[test]
fn an_interval_holds_about_as_often_as_it_says() {
    let (mut in_80, mut in_95, mut sums_in_80, mut tries) = (0, 0, 0, 0);
    for seed in 0..120 {
        // A level with noise, and a walk, in turn.
        let mut series: Vec<f64> = noise(seed, 34).iter().map(|n| 50.0 + 4.0 * n).collect();
        if seed % 2 == 1 {
            let walked = series.iter().scan(0.0, |at, step| {
                *at += step - 50.0;
                Some(*at)
            });
            series = walked.collect();
        }
        let outlook = Outlook::of(&series[..30], 4).unwrap();
        for (step, came) in outlook.steps().zip(&series[30..]) {
            tries += 1;
            let (eighty, ninety_five) = (step.interval_80(), step.interval_95());
            in_80 += u32::from((eighty.low..=eighty.high).contains(came));
            in_95 += u32::from((ninety_five.low..=ninety_five.high).contains(came));
        }
        let sum = outlook.sum(&[1.0; 4]).interval_80();
        let came: f64 = series[30..].iter().sum();
        sums_in_80 += u32::from((sum.low..=sum.high).contains(&came));
    }
    let share = |hits: u32, of: u32| f64::from(hits) / f64::from(of);
    assert!((0.72..0.88).contains(&share(in_80, tries)), "{in_80} of {tries}");
    assert!((0.90..0.99).contains(&share(in_95, tries)), "{in_95} of {tries}");
    assert!(
        (0.70..0.90).contains(&share(sums_in_80, 120)),
        "{sums_in_80} of 120 sums"
    );
}

#[test]
fn a_sum_with_one_weight_is_that_step_and_errors_of_steps_add_up_together() {
    let walk: Vec<f64> = noise(3, 40)
        .iter()
        .scan(0.0, |at, step| {
            *at += step;
            Some(*at)
        })
        .collect();
    let trend: Vec<f64> = (0..40)
        .zip(noise(5, 40))
        .map(|(index, n)| 3.0 * f64::from(index) + n)
        .collect();
    for series in [walk, trend, noise(7, 40)] {
        let outlook = Outlook::of(&series, 6).unwrap();
        let single: Vec<Uncertain> = outlook.steps().collect();
        for (index, step) in single.iter().enumerate() {
            let mut weights = [0.0; 6];
            weights[index] = 1.0;
            let sum = outlook.sum(&weights);
            let (found, expected) = (sum.interval_95(), step.interval_95());
            assert_near(found.low, expected.low, "low");
            assert_near(found.high, expected.high, "high");
        }
        let width = |of: Uncertain| of.interval_95().high - of.interval_95().low;
        let together = width(outlook.sum(&[1.0; 6]));
        let apart = single.iter().map(|step| width(*step).powi(2)).sum::<f64>().sqrt();
        let in_step: f64 = single.iter().map(|step| width(*step)).sum();
        assert!(
            apart <= together * (1.0 + 1e-9),
            "independent errors would be {apart}, they are {together}"
        );
        assert!(
            together <= in_step * (1.0 + 1e-9),
            "{together} is more than all of them, {in_step}"
        );
    }
}

#[test]
fn a_probability_is_read_from_the_normal_distribution() {
    let series: Vec<f64> = noise(11, 60).iter().map(|n| 100.0 + 5.0 * n).collect();
    let step = steps(&series, 1)[0];
    let interval = step.interval_95();
    for (least, most, expected) in [
        (Some(step.expected), None, 0.5),
        (None, Some(step.expected), 0.5),
        (Some(interval.low), Some(interval.high), 0.95),
        (Some(step.interval_80().low), Some(step.interval_80().high), 0.8),
        (Some(interval.high), None, 0.025),
        (None, Some(interval.low), 0.025),
        (None, None, 1.0),
        (Some(1000.0), None, 0.0),
    ] {
        let found = step.probability_within(least, most);
        assert!(
            (found - expected).abs() < 1e-6,
            "{found}, not {expected}: {least:?} to {most:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_was_measured_a_forecast_is_finite_and_its_intervals_contain_each_other(
        values in prop::collection::vec(prop_oneof![
            4 => -100.0..100.0f64,
            1 => -1e15..1e15f64,
            1 => -1e-9..1e-9f64,
            2 => Just(0.0),
        ], 8..40),
        horizon in 1..=HORIZON_MAX,
    ) {
        if let Some(outlook) = Outlook::of(&values, horizon) {
            prop_assert_eq!(outlook.steps().count(), horizon);
            let weights = vec![1.0; horizon];
            for step in outlook.steps().chain([outlook.sum(&weights)]) {
                let (eighty, ninety_five) = (step.interval_80(), step.interval_95());
                let ends = [ninety_five.low, eighty.low, step.expected, eighty.high, ninety_five.high];
                prop_assert!(ends.iter().all(|end| end.is_finite()), "{:?}", ends);
                prop_assert!(ends.is_sorted(), "{:?}", ends);
                let probability = step.probability_within(Some(values[0]), None);
                prop_assert!((0.0..=1.0).contains(&probability), "{}", probability);
            }
        }
    }

    /// Seconds or minutes, more or fewer than zero: the unit changes nothing but the unit.
    #[test]
    fn a_forecast_does_not_depend_on_the_unit(
        values in prop::collection::vec(-10.0..10.0f64, 8..30),
        factor in prop_oneof![Just(0.001), Just(60.0), Just(1e9)],
        offset in prop_oneof![Just(0.0), Just(-500.0), Just(1e3)],
    ) {
        let converted: Vec<f64> = values.iter().map(|value| offset + factor * value).collect();
        let (one, other) = (Outlook::of(&values, 5), Outlook::of(&converted, 5));
        prop_assert_eq!(one.is_some(), other.is_some());
        if let (Some(one), Some(other)) = (one, other) {
            for (one, other) in one.steps().zip(other.steps()) {
                let allowed = 1e-2 * 20.0 * factor;
                prop_assert!((offset + factor * one.expected - other.expected).abs() < allowed);
            }
        }
    }
}
