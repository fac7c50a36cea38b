//! How a key result is measured: its kinds, their bounds and their progress. Every formula is from "Progress" of the design:
//! METRIC (c − b) / (t − b), MAINTAIN by its bounds, MILESTONES by the weight reached, BINARY 0 or 1.

use serde::Serialize;

use super::{Id, Invalid, Rejection, Revision, TOLERANCE, Title, Value, Violation, Weight};

/// How a key result is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyResultKind {
    /// From a baseline to a target, rising or falling.
    Metric(Metric),
    /// Kept where it is.
    Maintain(Maintain),
    /// Steps on the way.
    Milestones(Milestones),
    /// Done or not.
    Binary,
}

/// From a baseline to a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    /// Where it starts.
    pub baseline: Option<Baseline>,
    /// Where it shall be.
    pub target: Value,
    /// What the target was defined by, if it was relative: the number above was resolved from it.
    pub relative_target: Option<RelativeTarget>,
    /// An earlier figure to compare with; it counts nowhere.
    pub reference_value: Option<Value>,
}

/// Where a metric starts, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Baseline {
    /// The value.
    pub value: Value,
    /// The revision as of which the linked KPI gave it; none: somebody gave it.
    pub kpi_revision: Option<Revision>,
}

/// A target relative to the baseline b.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelativeTarget {
    /// b + |b| · x / 100: 10 is "+10 %".
    Percent(Value),
    /// b + x.
    Amount(Value),
}

/// Which of a linked KPI's values make the current value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Window {
    /// The newest period value dated within the cycle.
    #[default]
    Newest,
    /// Everything since the cycle began, up to its last day.
    Cycle,
}

/// Kept within bounds, which are inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Maintain {
    /// Not lower than this.
    pub at_least: Option<Value>,
    /// Not higher than this.
    pub at_most: Option<Value>,
    /// How it is judged.
    pub mode: MaintainMode,
    /// NOW: how far outside of the bounds the score is 0; 0: at once.
    pub tolerance: Value,
}

/// How a MAINTAIN is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MaintainMode {
    /// By the current value.
    Now,
    /// By the share of periods that held.
    Share,
}

/// Steps on the way, 1 to 100, their weights above 0 in sum.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Milestones(Vec<Milestone>);

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Milestone {
    /// Its id in the key result.
    pub id: Id,
    /// What people call it.
    pub title: Title,
    /// Its weight among the others.
    pub weight: Weight,
}

impl KeyResultKind {
    /// Whether it is a METRIC that does not know yet where it starts: it cannot be worked on.
    #[must_use]
    pub fn lacks_baseline(&self) -> bool {
        match self {
            Self::Metric(metric) => metric.baseline.is_none(),
            Self::Maintain(_) | Self::Milestones(_) | Self::Binary => false,
        }
    }
}

impl Baseline {
    /// Where a sum begins.
    pub const ZERO: Self = Self {
        value: Value::ZERO,
        kpi_revision: None,
    };
}

impl Metric {
    /// p = (c − b) / (t − b); 0 without a baseline or an observation.
    #[must_use]
    pub fn progress(&self, current: Option<f64>) -> f64 {
        match (self.baseline, current) {
            (Some(baseline), Some(current)) => {
                let baseline = baseline.value.get();
                // Adding 0 turns -0, a falling metric that has not moved, into 0: it would not survive being stored.
                (current - baseline) / (self.target.get() - baseline) + 0.0
            }
            _ => 0.0,
        }
    }
}

impl RelativeTarget {
    /// The target that it means.
    ///
    /// # Errors
    /// It is a share of 0, or beyond what a value may be.
    pub fn resolve(self, baseline: Value) -> Result<Value, Rejection> {
        let b = baseline.get();
        let target = match self {
            Self::Percent(_) if b == 0.0 => return Err(Rejection::RelativeToZero),
            Self::Percent(percent) => b + b.abs() * percent.get() / 100.0,
            Self::Amount(amount) => b + amount.get(),
        };
        Value::parse(target)
            .map_err(|invalid| Rejection::Invalid(vec![invalid.at("key_result.metric.relative_target")]))
    }
}

impl Maintain {
    /// Parses bounds.
    ///
    /// # Errors
    /// There is no bound, they are crossed, or the tolerance is negative.
    pub fn parse(
        at_least: Option<Value>,
        at_most: Option<Value>,
        mode: MaintainMode,
        tolerance: Value,
    ) -> Result<Self, Violation> {
        let refused = |field: &str, sentence: &str| Err(Invalid::new(sentence).at(field));
        match (at_least, at_most) {
            (None, None) => refused("at_least", "there is no bound: send at_least, at_most or both"),
            (Some(least), Some(most)) if least > most => {
                refused("at_least", "it is above at_most: swap them")
            }
            _ if tolerance.get() < 0.0 => refused("tolerance", "it is negative: send 0 or more"),
            _ if mode == MaintainMode::Share && tolerance.get() > 0.0 => refused(
                "tolerance",
                "SHARE counts a period or does not: leave it out, or use mode NOW",
            ),
            _ => Ok(Self {
                at_least,
                at_most,
                mode,
                tolerance,
            }),
        }
    }

    /// How far a value is outside of the bounds; 0 inside, with 1e-9 in the owner's favour.
    fn distance(&self, value: f64) -> f64 {
        let below = self.at_least.map_or(0.0, |least| least.get() - value);
        let above = self.at_most.map_or(0.0, |most| value - most.get());
        let distance = below.max(above);
        if distance <= TOLERANCE { 0.0 } else { distance }
    }

    /// Whether a value is within the bounds.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.distance(value) == 0.0
    }

    /// Mode NOW: 1 while the value holds, else falling linearly to 0 over the tolerance outside the bound.
    #[must_use]
    pub fn progress(&self, value: f64) -> f64 {
        let (distance, tolerance) = (self.distance(value), self.tolerance.get());
        if distance == 0.0 {
            1.0
        } else if tolerance > 0.0 {
            (1.0 - distance / tolerance).max(0.0)
        } else {
            0.0
        }
    }
}

impl Milestones {
    /// The most in one key result.
    pub const MAX: usize = 100;

    /// Parses steps.
    ///
    /// # Errors
    /// There are none or more than 100, two have one id, or they weigh nothing.
    pub fn parse(milestones: Vec<Milestone>) -> Result<Self, Invalid> {
        if milestones.is_empty() || milestones.len() > Self::MAX {
            return Err(Invalid::new(format!("send 1 to {} milestones", Self::MAX)));
        }
        for (index, milestone) in milestones.iter().enumerate() {
            if milestones[..index].iter().any(|other| other.id == milestone.id) {
                let sentence = format!(
                    "two milestones are called {:?}: give each its own id",
                    milestone.id.as_str()
                );
                return Err(Invalid::new(sentence));
            }
        }
        let parsed = Self(milestones);
        if parsed.weight() > 0.0 {
            Ok(parsed)
        } else {
            Err(Invalid::new(
                "they weigh nothing: give at least one a weight above 0",
            ))
        }
    }

    /// The steps, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Milestone] {
        &self.0
    }

    /// The sum of the weights; above 0.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.0.iter().map(|milestone| milestone.weight.get()).sum()
    }

    /// The sum of the weights of the reached; ids that are no milestone of it weigh nothing.
    #[must_use]
    pub fn reached_weight(&self, reached: &[Id]) -> f64 {
        self.0
            .iter()
            .filter(|milestone| reached.contains(&milestone.id))
            // A sum of nothing would be -0, and a value has no such sign.
            .fold(0.0, |sum, milestone| sum + milestone.weight.get())
    }

    /// The steps that are left; all of them where none would be left.
    #[must_use]
    pub fn without(&self, reached: &[Id]) -> Self {
        let left: Vec<Milestone> = self
            .0
            .iter()
            .filter(|milestone| !reached.contains(&milestone.id))
            .cloned()
            .collect();
        Self::parse(left).unwrap_or_else(|_| self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: f64) -> Value {
        Value::parse(number).unwrap()
    }

    /// "METRIC (rise or fall): (c − b) / (t − b)", "A key result of any kind without an observation has p = 0", "A value
    /// beyond target keeps p > 1; one worse than baseline keeps p < 0".
    #[test]
    fn progress_is_the_way_from_baseline_to_target_either_way() {
        for (baseline, target, current, expected) in [
            (40.0, 65.0, Some(52.5), 0.5),
            (48.0, 30.0, Some(39.0), 0.5),
            (48.0, 30.0, Some(57.0), -0.5),
            (0.0, 50.0, Some(75.0), 1.5),
            (-10.0, 10.0, Some(0.0), 0.5),
            (48.0, 30.0, Some(48.0), 0.0),
            (0.0, 50.0, None, 0.0),
        ] {
            let metric = Metric {
                baseline: Some(Baseline {
                    value: value(baseline),
                    kpi_revision: None,
                }),
                target: value(target),
                relative_target: None,
                reference_value: None,
            };
            let progress = metric.progress(current);
            assert_eq!(progress, expected, "{baseline} → {target} at {current:?}");
            assert!(
                progress != 0.0 || progress.is_sign_positive(),
                "-0 is stored as 0"
            );
        }
    }

    /// "A relative target (\"+10 %\", \"+15\") is resolved when defined: b + |b|·x or b + x; b = 0 refuses the relative one."
    #[test]
    fn a_relative_target_is_resolved_from_the_baseline() {
        use RelativeTarget::{Amount, Percent};
        for (relative, baseline, expected) in [
            (Percent(value(10.0)), 20.0, Ok(22.0)),
            (Percent(value(-25.0)), 80.0, Ok(60.0)),
            (Percent(value(10.0)), -20.0, Ok(-18.0)),
            (Percent(value(10.0)), 0.0, Err("RELATIVE_TO_ZERO")),
            (Amount(value(15.0)), 0.0, Ok(15.0)),
            (Amount(value(-5.0)), 3.0, Ok(-2.0)),
            (Amount(value(1e15)), 1e15, Err("INVALID_FIELD")),
        ] {
            let resolved = relative.resolve(value(baseline));
            assert_eq!(
                resolved.map(Value::get).map_err(|refused| refused.reason()),
                expected,
                "{relative:?} of {baseline}"
            );
        }
    }

    /// "bounds inclusive. mode NOW: 1 when c holds, else falls linearly to 0 over `tolerance` outside the bound (tolerance
    /// 0: 0 at once)".
    #[test]
    fn what_is_maintained_falls_linearly_outside_of_its_bounds() {
        let maintain = |least: Option<f64>, most: Option<f64>, tolerance: f64| {
            Maintain::parse(
                least.map(value),
                most.map(value),
                MaintainMode::Now,
                value(tolerance),
            )
            .unwrap()
        };
        for (least, most, tolerance, seen, expected) in [
            (Some(40.0), None, 10.0, 40.0, 1.0),
            (Some(40.0), None, 10.0, 90.0, 1.0),
            (Some(40.0), None, 10.0, 40.0 - 1e-10, 1.0),
            (Some(40.0), None, 10.0, 35.0, 0.5),
            (Some(40.0), None, 10.0, 30.0, 0.0),
            (Some(40.0), None, 10.0, -100.0, 0.0),
            (Some(40.0), None, 0.0, 39.9, 0.0),
            (None, Some(3.0), 2.0, 3.0, 1.0),
            (None, Some(3.0), 2.0, 4.0, 0.5),
            (None, Some(3.0), 0.0, 3.1, 0.0),
            (Some(1.0), Some(2.0), 1.0, 1.0, 1.0),
            (Some(1.0), Some(2.0), 1.0, 2.0, 1.0),
            (Some(1.0), Some(2.0), 1.0, 2.25, 0.75),
            (Some(1.0), Some(2.0), 1.0, 0.75, 0.75),
            (Some(5.0), Some(5.0), 0.0, 5.0, 1.0),
        ] {
            let maintain = maintain(least, most, tolerance);
            assert_eq!(maintain.progress(seen), expected, "{seen} in {maintain:?}");
        }
        for (least, most, mode, tolerance, field) in [
            (None, None, MaintainMode::Now, 0.0, "at_least"),
            (Some(2.0), Some(1.0), MaintainMode::Now, 0.0, "at_least"),
            (Some(2.0), None, MaintainMode::Now, -1.0, "tolerance"),
            (Some(2.0), None, MaintainMode::Share, 1.0, "tolerance"),
        ] {
            let refused = Maintain::parse(least.map(value), most.map(value), mode, value(tolerance));
            assert_eq!(refused.unwrap_err().field, field);
        }
    }

    /// "MILESTONES: Σ weight of the reached ÷ Σ weight (must be above 0)".
    #[test]
    fn milestones_count_by_their_weights() {
        let milestone = |name: &str, weight: f64| Milestone {
            id: Id::parse(name).unwrap(),
            title: Title::parse(name).unwrap(),
            weight: Weight::parse(weight).unwrap(),
        };
        let ids = |names: &[&str]| {
            names
                .iter()
                .map(|name| Id::parse(name).unwrap())
                .collect::<Vec<_>>()
        };
        let steps = Milestones::parse(vec![
            milestone("plan", 1.0),
            milestone("build", 2.0),
            milestone("ship", 1.0),
        ]);
        let steps = steps.unwrap();
        for (reached, weight) in [
            (&[][..], 0.0),
            (&["plan"][..], 1.0),
            (&["plan", "build"][..], 3.0),
            (&["ship", "gone"][..], 1.0),
            (&["plan", "build", "ship"][..], 4.0),
        ] {
            assert_eq!(steps.reached_weight(&ids(reached)), weight, "{reached:?}");
        }
        assert_eq!(steps.weight(), 4.0);
        assert_eq!(steps.without(&ids(&["plan"])).as_slice().len(), 2);
        assert_eq!(steps.without(&ids(&["plan", "build", "ship"])), steps);
        for bad in [
            vec![],
            vec![milestone("a", 0.0), milestone("b", 0.0)],
            vec![milestone("a", 1.0), milestone("a", 1.0)],
            (0..101).map(|n| milestone(&format!("m{n}"), 1.0)).collect(),
        ] {
            assert!(Milestones::parse(bad).is_err());
        }
    }
}
