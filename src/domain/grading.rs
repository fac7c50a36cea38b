//! Grades: a score cut to one decimal, its band, and what came of the objective. Invariant: grade, band and outcome never
//! disagree, because all of them follow from the grade by the same numbers of the policy.

use serde::{Serialize, Serializer};

use super::{Ambition, Invalid, ScoringPolicy, TOLERANCE};

/// A grade in tenths, 0.0 to 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grade(u8);

/// A grade as a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(
    missing_docs,
    reason = "0.0–0.3 red, 0.4–0.6 yellow, 0.7–1.0 green, by the policy"
)]
pub enum Band {
    Red,
    Yellow,
    Green,
}

/// What came of an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// COMMITTED: 1.0; ASPIRATIONAL: `achieved_from` of the policy.
    Achieved,
    /// `partial_from` of the policy.
    Partial,
    /// Below.
    Missed,
    /// Carried over before it was graded; counts nowhere.
    Postponed,
}

/// A grade with all that follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Grading {
    /// The grade.
    pub grade: Grade,
    /// Its colour.
    pub band: Band,
    /// What comes of it.
    pub outcome: Outcome,
    /// An ASPIRATIONAL objective at 1.0.
    pub too_easy: bool,
    /// A COMMITTED objective below 1.0: it needs an explanation.
    pub needs_explanation: bool,
}

impl Grade {
    /// The best.
    pub const BEST: Self = Self(10);

    /// A score, 0 to 1, cut (not rounded up) to one decimal, with 1e-9 in the owner's favour.
    #[must_use]
    pub fn cut(score: f64) -> Self {
        Self::from_tenths((score + TOLERANCE) * 10.0)
    }

    /// Parses the owner's own grade.
    ///
    /// # Errors
    /// It is none of 0.0, 0.1, … 1.0.
    pub fn parse(number: f64) -> Result<Self, Invalid> {
        let tenths = number * 10.0;
        if (0.0..=10.0).contains(&tenths) && (tenths - tenths.round()).abs() < TOLERANCE {
            Ok(Self::from_tenths(tenths.round()))
        } else {
            Err(Invalid::new(format!(
                "{number} is no grade: send one of 0.0, 0.1, … 1.0"
            )))
        }
    }

    /// The grade in tenths, 0 to 10; what is beyond is the nearest.
    #[must_use]
    pub fn from_tenths(tenths: f64) -> Self {
        let reached = (1..=10_u8).take_while(|whole| f64::from(*whole) <= tenths);
        Self(reached.last().unwrap_or(0))
    }

    /// In tenths, 0 to 10.
    #[must_use]
    pub fn tenths(self) -> u8 {
        self.0
    }

    /// As a number, 0.0 to 1.0.
    #[must_use]
    pub fn get(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    fn reaches(self, bound: f64) -> bool {
        self.get() >= bound - TOLERANCE
    }

    /// What follows from it for an objective of some ambition.
    #[must_use]
    pub fn grading(self, ambition: Ambition, policy: &ScoringPolicy) -> Grading {
        let band = if self.reaches(policy.achieved_from) {
            Band::Green
        } else if self.reaches(policy.partial_from) {
            Band::Yellow
        } else {
            Band::Red
        };
        let achieved = match ambition {
            Ambition::Committed => self == Self::BEST,
            Ambition::Aspirational => band == Band::Green,
        };
        let outcome = match band {
            _ if achieved => Outcome::Achieved,
            Band::Green | Band::Yellow => Outcome::Partial,
            Band::Red => Outcome::Missed,
        };
        Grading {
            grade: self,
            band,
            outcome,
            too_easy: ambition == Ambition::Aspirational && self == Self::BEST,
            needs_explanation: ambition == Ambition::Committed && self != Self::BEST,
        }
    }
}

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "grade = s cut (not rounded up) to one decimal", "Every … cut of a grade allows 1e-9 in the owner's favour".
    #[test]
    fn a_grade_is_the_score_cut_to_one_decimal() {
        for (score, grade) in [
            (0.0, 0.0),
            (0.0999, 0.0),
            (0.1, 0.1),
            (0.3, 0.3),
            (0.3999, 0.3),
            (0.69, 0.6),
            ((0.7 + 0.7 + 0.7) / 3.0, 0.7),
            (0.7 - 1e-10, 0.7),
            (0.7 - 1e-8, 0.6),
            (0.1 + 0.2, 0.3),
            (0.99, 0.9),
            (1.0 - 1e-10, 1.0),
            (1.0, 1.0),
        ] {
            assert_eq!(Grade::cut(score).get(), grade, "{score}");
        }
    }

    #[test]
    fn an_owners_grade_is_a_tenth() {
        for tenths in 0..=10_u8 {
            let number = f64::from(tenths) / 10.0;
            assert_eq!(Grade::parse(number).map(Grade::tenths), Ok(tenths));
        }
        for bad in [-0.1, 1.1, 0.75, 0.05, f64::NAN, f64::INFINITY] {
            assert!(Grade::parse(bad).is_err(), "{bad} was taken");
        }
    }

    /// "Bands: 0.0–0.3 red, 0.4–0.6 yellow, 0.7–1.0 green"; "ASPIRATIONAL ≥ 0.7 ACHIEVED, ≥ 0.4 PARTIAL, else MISSED;
    /// COMMITTED 1.0 ACHIEVED, ≥ 0.4 PARTIAL, else MISSED, and below 1.0 it needs an explanation. An ASPIRATIONAL one at
    /// 1.0 is flagged too_easy".
    #[test]
    fn band_and_outcome_follow_from_the_grade() {
        use Ambition::{Aspirational, Committed};
        use Band::{Green, Red, Yellow};
        use Outcome::{Achieved, Missed, Partial};
        for (grade, band, aspirational, committed) in [
            (0.0, Red, Missed, Missed),
            (0.3, Red, Missed, Missed),
            (0.4, Yellow, Partial, Partial),
            (0.6, Yellow, Partial, Partial),
            (0.7, Green, Achieved, Partial),
            (0.9, Green, Achieved, Partial),
            (1.0, Green, Achieved, Achieved),
        ] {
            let policy = ScoringPolicy::default();
            let parsed = Grade::parse(grade).unwrap();
            let (high, sure) = (
                parsed.grading(Aspirational, &policy),
                parsed.grading(Committed, &policy),
            );
            assert_eq!((high.band, high.outcome), (band, aspirational), "{grade}");
            assert_eq!((sure.band, sure.outcome), (band, committed), "{grade}");
            assert_eq!((high.too_easy, sure.too_easy), (grade == 1.0, false), "{grade}");
            assert_eq!(
                (high.needs_explanation, sure.needs_explanation),
                (false, grade < 1.0),
                "{grade}"
            );
        }
    }
}
