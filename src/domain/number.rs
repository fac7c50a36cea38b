//! Numbers that were checked once: a value, a weight, a confidence.

use serde::Serialize;

use super::Invalid;

/// A finite value, |x| ≤ 1e15; −0 is 0. So every sum of as many as fit in memory is finite too.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Value(f64);

/// A weight, 0 to 1000.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Weight(f64);

/// How sure somebody is, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Confidence(f64);

/// What every comparison with a threshold allows in the owner's favour: the mean of three 0.7 is 0.7.
pub const TOLERANCE: f64 = 1e-9;

impl Value {
    /// The largest value either way.
    pub const MAX: f64 = 1e15;
    /// Nothing.
    pub const ZERO: Self = Self(0.0);

    /// Parses a value.
    ///
    /// # Errors
    /// It is not a number, or over 1e15 either way.
    pub fn parse(number: f64) -> Result<Self, Invalid> {
        if number.is_nan() {
            Err(Invalid::new("it is not a number: send a finite one"))
        } else if number.abs() > Self::MAX {
            Err(Invalid::new(format!(
                "{number} is out of bounds: at most 1e15 either way"
            )))
        } else {
            // Adding 0 turns -0 into 0 and leaves everything else as it is.
            Ok(Self(number + 0.0))
        }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Weight {
    /// What a thing weighs unless somebody says otherwise.
    pub const ONE: Self = Self(1.0);

    /// Parses a weight.
    ///
    /// # Errors
    /// It is not within 0 to 1000.
    pub fn parse(number: f64) -> Result<Self, Invalid> {
        if (0.0..=1000.0).contains(&number) {
            Ok(Self(number + 0.0))
        } else {
            Err(Invalid::new(format!("{number} is no weight: 0 to 1000")))
        }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Confidence {
    /// Parses a confidence.
    ///
    /// # Errors
    /// It is not within 0 to 1.
    pub fn parse(number: f64) -> Result<Self, Invalid> {
        if (0.0..=1.0).contains(&number) {
            Ok(Self(number + 0.0))
        } else {
            Err(Invalid::new(format!("{number} is no confidence: 0 to 1")))
        }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_finite_and_zero_has_no_sign() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.1e15, -1.1e15] {
            assert!(Value::parse(bad).is_err(), "{bad} was taken");
        }
        assert!(Value::parse(1e15).is_ok());
        assert!(Value::parse(-0.0).is_ok_and(|value| value.get().is_sign_positive()));
    }

    #[test]
    fn a_weight_and_a_confidence_have_bounds() {
        assert!(Weight::parse(0.0).is_ok() && Weight::parse(1000.0).is_ok());
        for bad in [-0.1, 1000.1, f64::NAN] {
            assert!(Weight::parse(bad).is_err(), "{bad} was taken");
        }
        assert!(Confidence::parse(0.0).is_ok() && Confidence::parse(1.0).is_ok());
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(Confidence::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
