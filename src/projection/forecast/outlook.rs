//! Exponential smoothing: a model is fitted to equally spaced values and says what is expected of the next ones, and how
//! far it may be off.
//!
//! The model is chosen by `augurs-ets` among those with additive errors: a level that stays (ETS(A,N,N)) or a trend that goes
//! on (ETS(A,A,N)), by the least AICc. Their intervals have closed forms, so two answers at one revision are the same;
//! multiplicative errors would be simulated. Damped trends are left out: the library's forecasts of them count the first
//! step twice (docs/decisions/0008).
//!
//! Invariant: what is answered is finite. It does not know what the values are of.

use augurs_core::{Fit, Predict};
use augurs_ets::AutoETS;
use augurs_ets::model::TrendComponent;
use distrs::Normal;

use crate::domain::TOLERANCE;

/// The method in words.
pub const METHOD: &str =
    "exponential smoothing with additive errors, level or trend by the least AICc (AutoETS of augurs-ets)";

/// Where a probability comes from, in words.
pub const PROBABILITY_METHOD: &str =
    "normal distribution around the expected value, as wide as the intervals";

/// The level of the interval from which the library's standard deviations are read.
const LEVEL_READ: f64 = 0.95;

/// What is expected of the steps behind the last value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outlook {
    /// The model as the literature writes it.
    pub(super) model: &'static str,
    /// Expected values of step 1, 2, …
    expected: Vec<f64>,
    /// Variances of what the steps are off by.
    variances: Vec<f64>,
}

/// A number that is not known yet: normal around what is expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Uncertain {
    pub(super) expected: f64,
    deviation: f64,
}

/// From one number to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Outlook {
    /// What values lead one to expect of the next `horizon` steps; none where no model fits them.
    pub(super) fn of(values: &[f64], horizon: usize) -> Option<Self> {
        let lowest = values.iter().copied().reduce(f64::min)?;
        let range = values.iter().copied().reduce(f64::max)? - lowest;
        if range == 0.0 {
            // What never moved has shown no spread, and dividing by it would show rounding as one.
            return Some(Self {
                model: "constant",
                expected: vec![lowest; horizon],
                variances: vec![0.0; horizon],
            });
        }
        // The models do not mind the unit, but the search for one does: between 1 and 2 it takes the same steps for
        // seconds, percents and billions.
        let scaled: Vec<f64> = values
            .iter()
            .map(|value| 1.0 + (value - lowest) / range)
            .collect();
        let fitted = AutoETS::new(1, "AZN")
            .ok()?
            .damped(false)
            .ok()?
            .fit(&scaled)
            .ok()?;
        let forecast = fitted.predict(horizon, LEVEL_READ).ok()?;
        let intervals = forecast.intervals?;
        let widths = intervals.lower.iter().zip(&intervals.upper);
        let quantile = 2.0 * normal_quantile(LEVEL_READ);
        let outlook = Self {
            model: match fitted.model().model_type().trend {
                TrendComponent::None => "ETS(A,N,N)",
                TrendComponent::Additive | TrendComponent::Multiplicative => "ETS(A,A,N)",
            },
            expected: forecast
                .point
                .iter()
                .map(|point| lowest + (point - 1.0) * range)
                .collect(),
            variances: widths
                .map(|(low, high)| (high - low) / quantile * range)
                .map(|deviation| deviation * deviation)
                .collect(),
        };
        let whole = outlook.expected.len() == horizon && outlook.variances.len() == horizon;
        let finite = outlook
            .expected
            .iter()
            .chain(&outlook.variances)
            .all(|number| number.is_finite());
        (whole && finite).then_some(outlook)
    }

    /// What is expected of each step, in order.
    pub(super) fn steps(&self) -> impl Iterator<Item = Uncertain> {
        self.expected
            .iter()
            .zip(&self.variances)
            .map(|(expected, variance)| Uncertain {
                expected: *expected,
                deviation: variance.sqrt(),
            })
    }

    /// The sum of the steps, each times its weight.
    ///
    /// What the steps are off by hangs together: a shock e of step i moves step i + k by c(k) e. So the variance of step h is
    /// v(1) (1 + c(1)² + … + c(h−1)²), which gives the c back, none of which is negative in these models; and the sum's is
    /// v(1) Σᵢ (wᵢ + Σₖ wᵢ₊ₖ c(k))².
    pub(super) fn sum(&self, weights: &[f64]) -> Uncertain {
        let expected = self
            .expected
            .iter()
            .zip(weights)
            .map(|(step, weight)| step * weight);
        let first = self.variances.first().copied().unwrap_or(0.0);
        let carried: Vec<f64> = self
            .variances
            .windows(2)
            .map(|pair| {
                if first > 0.0 {
                    ((pair[1] - pair[0]).max(0.0) / first).sqrt()
                } else {
                    0.0
                }
            })
            .collect();
        let shocks = (0..weights.len().min(self.variances.len())).map(|step| {
            let later = weights[step + 1..].iter().zip(&carried);
            weights[step] + later.map(|(weight, carried)| weight * carried).sum::<f64>()
        });
        let variance = first * shocks.map(|shock| shock * shock).sum::<f64>();
        Uncertain {
            expected: expected.sum(),
            deviation: variance.sqrt(),
        }
    }
}

impl Uncertain {
    /// The same with a known number more.
    pub(super) fn plus(self, known: f64) -> Self {
        Self {
            expected: self.expected + known,
            deviation: self.deviation,
        }
    }

    /// Where it lies with a probability of 80 %.
    pub(super) fn interval_80(self) -> Interval {
        self.interval(0.80)
    }

    /// Where it lies with a probability of 95 %.
    pub(super) fn interval_95(self) -> Interval {
        self.interval(0.95)
    }

    /// The probability that it is within bounds, with 1e-9 in the owner's favour.
    pub(super) fn probability_within(self, at_least: Option<f64>, at_most: Option<f64>) -> f64 {
        let up_to = at_most.map_or(1.0, |most| self.probability_up_to(most + TOLERANCE));
        let below = at_least.map_or(0.0, |least| self.probability_below(least - TOLERANCE));
        (up_to - below).clamp(0.0, 1.0)
    }

    fn probability_up_to(self, number: f64) -> f64 {
        if self.deviation > 0.0 {
            Normal::cdf(number, self.expected, self.deviation)
        } else if self.expected <= number {
            1.0
        } else {
            0.0
        }
    }

    fn probability_below(self, number: f64) -> f64 {
        if self.deviation > 0.0 {
            Normal::cdf(number, self.expected, self.deviation)
        } else if self.expected < number {
            1.0
        } else {
            0.0
        }
    }

    fn interval(self, level: f64) -> Interval {
        let reach = normal_quantile(level) * self.deviation;
        Interval {
            low: self.expected - reach,
            high: self.expected + reach,
        }
    }
}

/// Within how many standard deviations a normal number lies with this probability.
fn normal_quantile(level: f64) -> f64 {
    Normal::ppf(0.5 + level / 2.0, 0.0, 1.0)
}
