//! Weighted means that do not depend on the order in which their parts came.
//!
//! Weights and weighted scores are summed as whole multiples of 2⁻⁹⁰. Whole numbers add up exactly, so a sum that had parts
//! added and taken away is bit for bit the sum of what is left: live figures, a replay and a recomputation from nothing
//! agree, and a change costs the same however many parts there are (decision 0006). A part is off by at most 2⁻⁹¹, which
//! even a weight of 1e-9 does not notice.

/// Σ wᵢ sᵢ and Σ wᵢ of what has a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeightedSum {
    weighted: i128,
    weights: i128,
    parts: u32,
}

/// 2⁹⁰. A weight is at most 1000, so a million parts take less than 2¹²⁰ of them.
const UNITS: f64 = (1_u128 << 90) as f64;

impl WeightedSum {
    /// One part more: a weight 0 to 1000 and a score 0 to 1.
    pub fn add(&mut self, weight: f64, score: f64) {
        self.weighted += units(weight * score);
        self.weights += units(weight);
        self.parts = self.parts.saturating_add(1);
    }

    /// One part less, which was added before.
    pub fn remove(&mut self, weight: f64, score: f64) {
        self.weighted -= units(weight * score);
        self.weights -= units(weight);
        self.parts = self.parts.saturating_sub(1);
    }

    /// Whether it has no part.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts == 0
    }

    /// Σ wᵢ sᵢ ÷ Σ wᵢ; none without parts, or when all weights are 0.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.weights > 0).then(|| self.weighted as f64 / self.weights as f64)
    }
}

/// Σ wᵢ sᵢ ÷ Σ wᵢ over what has a score; none when nothing has one or all weights are 0.
#[must_use]
pub fn weighted_mean(scores: impl Iterator<Item = (f64, Option<f64>)>) -> Option<f64> {
    let mut sum = WeightedSum::default();
    for (weight, score) in scores {
        if let Some(score) = score {
            sum.add(weight, score);
        }
    }
    sum.mean()
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "at most 1000 · 2⁹⁰, and a number that is none becomes 0"
)]
fn units(number: f64) -> i128 {
    (number * UNITS).round() as i128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// "Objective score = Σ wᵢ sᵢ ÷ Σ wᵢ …. None, or all weights 0: the score is absent (not 0, not NaN)."
    #[test]
    fn a_mean_of_nothing_is_absent() {
        assert_eq!(weighted_mean([].into_iter()), None);
        assert_eq!(weighted_mean([(0.0, Some(1.0)), (5.0, None)].into_iter()), None);
        for (parts, mean) in [
            (vec![(1.0, 1.0), (3.0, 0.0)], 0.25),
            (vec![(1.0, 0.7), (1.0, 0.7), (1.0, 0.7)], 0.7),
            (vec![(1000.0, 1.0)], 1.0),
            (vec![(1e-9, 0.5), (0.0, 1.0)], 0.5),
            (vec![(1e-12, 1.0), (3e-12, 0.0)], 0.25),
        ] {
            let parts = parts.into_iter().map(|(weight, score)| (weight, Some(score)));
            let found = weighted_mean(parts).expect("a mean");
            assert!((found - mean).abs() < 1e-12, "{found} instead of {mean}");
        }
    }

    proptest! {
        #[test]
        fn a_sum_does_not_remember_what_was_taken_away(
            kept in prop::collection::vec((0.0..1000.0_f64, 0.0..=1.0_f64), 0..40),
            gone in prop::collection::vec((0.0..1000.0_f64, 0.0..=1.0_f64), 0..40),
        ) {
            let mut sum = WeightedSum::default();
            for (weight, score) in gone.iter().chain(&kept) {
                sum.add(*weight, *score);
            }
            for (weight, score) in gone.iter().rev() {
                sum.remove(*weight, *score);
            }
            let mut backwards = WeightedSum::default();
            for (weight, score) in kept.iter().rev() {
                backwards.add(*weight, *score);
            }
            prop_assert_eq!(sum, backwards);
            prop_assert_eq!(sum.is_empty(), kept.is_empty());
            if let Some(mean) = sum.mean() {
                prop_assert!((0.0..=1.0).contains(&mean));
                let (weighted, weights) = kept.iter().fold((0.0, 0.0), |(s, w), (weight, score)| {
                    (s + weight * score, w + weight)
                });
                prop_assert!((mean - weighted / weights).abs() < 1e-9);
            }
        }
    }
}
