//! The last scores and values seen, for sparklines.
//!
//! Invariant: a trail has at most so many values, finite ones alone, the newest last. The snapshot's figure is its first.

use std::collections::{BTreeMap, VecDeque};

use crate::cli::picture::Picture;

/// The last figures by name.
#[derive(Debug, Default)]
pub(super) struct Trail {
    seen: BTreeMap<String, VecDeque<f64>>,
}

/// More than the widest sparkline shows.
const VALUES_MAX: usize = 64;

impl Trail {
    /// Takes the figure of each name as it is now, where it is another one than before.
    pub(super) fn take<'a>(&mut self, picture: &Picture, names: impl Iterator<Item = &'a str>) {
        for name in names {
            let objective = picture.objectives.get(name).and_then(|it| it.progress?.score);
            let kpi = || {
                let health = picture.kpis.get(name)?.health.as_ref()?;
                Some(health.period_value.as_ref()?.value)
            };
            if let Some(value) = objective.or_else(kpi) {
                self.put(name, value);
            }
        }
    }

    fn put(&mut self, name: &str, value: f64) {
        let seen = self.seen.entry(name.to_owned()).or_default();
        if !value.is_finite() || seen.back() == Some(&value) {
            return;
        }
        if seen.len() == VALUES_MAX {
            seen.pop_front();
        }
        seen.push_back(value);
    }

    /// What is not shown any more has left no trail.
    pub(super) fn forget(&mut self, names: &[String]) {
        for name in names {
            self.seen.remove(name);
        }
    }

    /// The last figures, the newest last.
    pub(super) fn of(&self, name: &str) -> Vec<f64> {
        self.seen
            .get(name)
            .map(|seen| seen.iter().copied().collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::picture::ObjectivePicture;
    use crate::proto::api;

    fn picture(score: Option<f64>) -> Picture {
        let progress = api::ObjectiveProgress {
            score,
            ..api::ObjectiveProgress::default()
        };
        let objective = ObjectivePicture {
            progress: Some(progress),
            ..ObjectivePicture::default()
        };
        Picture {
            objectives: BTreeMap::from([("o".to_owned(), objective)]),
            ..Picture::default()
        }
    }

    fn trail(scores: impl IntoIterator<Item = Option<f64>>) -> Vec<f64> {
        let mut trail = Trail::default();
        for score in scores {
            trail.take(&picture(score), ["o", "unknown"].into_iter());
        }
        assert_eq!(trail.of("unknown"), [0.0; 0]);
        trail.of("o")
    }

    #[test]
    fn a_trail_has_the_changes_in_order_and_nothing_that_is_no_number() {
        for (scores, left) in [
            (&[][..], &[][..]),
            (&[None], &[]),
            (&[Some(0.5)], &[0.5]),
            (&[Some(0.5), Some(0.5), None, Some(0.6)], &[0.5, 0.6]),
            (&[Some(f64::NAN), Some(0.2), Some(f64::INFINITY)], &[0.2]),
        ] {
            assert_eq!(trail(scores.iter().copied()), left, "{scores:?}");
        }
    }

    #[test]
    fn a_trail_is_never_longer_than_what_can_be_shown() {
        let long = trail((0..1000).map(|step| Some(f64::from(step) / 1000.0)));
        assert_eq!((long.len(), long.last()), (VALUES_MAX, Some(&0.999)));
    }

    #[test]
    fn what_has_left_has_no_trail() {
        let mut trail = Trail::default();
        trail.take(&picture(Some(0.5)), ["o"].into_iter());
        trail.forget(&["o".to_owned()]);
        assert_eq!(trail.of("o"), [0.0; 0]);
    }
}
