//! What closing an objective freezes: with and without a grade, a score, a word.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, any};
use proptest::sample::select;
use proptest::strategy::Strategy;

use super::{date, id, text};
use crate::domain::{Band, Closing, FrozenKeyResult, Grade, Grading, ObjectiveResult, Outcome, Revision};

pub(super) fn result() -> impl Strategy<Value = ObjectiveResult> {
    let figures = (of(number()), of(number()), of(grading()));
    let log = (any::<bool>(), any::<bool>(), date(), any::<u64>());
    (figures, closing(), log, vec(frozen(), 0..4)).prop_map(
        |((score, expected, grading), closing, (postponed, with_cycle, date, version), key_results)| {
            ObjectiveResult {
                score,
                expected,
                grading,
                postponed,
                closing,
                with_cycle,
                date,
                policy_version: Revision(version),
                key_results,
            }
        },
    )
}

fn grading() -> impl Strategy<Value = Grading> {
    let band = select(vec![Band::Red, Band::Yellow, Band::Green]);
    let outcome = select(vec![
        Outcome::Achieved,
        Outcome::Partial,
        Outcome::Missed,
        Outcome::Postponed,
    ]);
    (grade(), band, outcome, any::<bool>(), any::<bool>()).prop_map(
        |(grade, band, outcome, too_easy, needs_explanation)| Grading {
            grade,
            band,
            outcome,
            too_easy,
            needs_explanation,
        },
    )
}

fn grade() -> impl Strategy<Value = Grade> {
    (0_u8..=10).prop_map(|tenths| Grade::parse(f64::from(tenths) / 10.0).expect("a grade"))
}

fn closing() -> impl Strategy<Value = Closing> {
    (of(grade()), text(), text(), text(), text(), text()).prop_map(
        |(grade, grade_reason, explanation, achieved, learned, next)| Closing {
            grade,
            grade_reason,
            explanation,
            achieved,
            learned,
            next,
        },
    )
}

fn frozen() -> impl Strategy<Value = FrozenKeyResult> {
    let numbers = (of(number()), number(), number(), number());
    let details = (any::<bool>(), vec(id(), 0..3), any::<[u32; 2]>());
    (id(), numbers, details).prop_map(
        |(id, (current, progress, score, expected), (provisional, reached_milestones, periods))| {
            let [periods_held, periods_with_data] = periods;
            FrozenKeyResult {
                id,
                current,
                progress,
                score,
                expected,
                provisional,
                reached_milestones,
                periods_held,
                periods_with_data,
            }
        },
    )
}

/// Any finite number: raw progress has no bounds.
fn number() -> impl Strategy<Value = f64> {
    proptest::prop_oneof![Just(0.0), Just(f64::MAX), -2.0..=2.0, -1e15..=1e15]
}
