//! What a stream's client is told: how far everything is durable, how many rows became what, and what was refused.
//!
//! Invariant: `durable_through` never falls, never runs ahead of what is durable, and never passes a refusal that has a
//! place in the answers and was not told: who resumes behind it has missed none. It does not know how rows become durable.

use std::collections::VecDeque;

use crate::domain::Event;
use crate::engine::Committed;
use crate::proto::api;
use crate::service::api::wire;

/// The counts of one stream.
#[derive(Default)]
pub(super) struct Tally {
    durable_through: i64,
    revision: i64,
    recorded: i64,
    superseded: i64,
    unchanged: i64,
    refused: i64,
    /// How many refusals have a place in an answer.
    named: usize,
    /// Those that have one and were not told yet.
    untold: VecDeque<api::RowRefusal>,
    /// Whether there is something that was not told.
    has_news: bool,
}

/// The most refusals that one answer names.
const REFUSALS_PER_ANSWER_MAX: usize = 100;
/// The most refusals that one stream names.
const REFUSALS_NAMED_MAX: usize = 1000;

impl Tally {
    /// A stream that begins at a revision. Its client is told so, if nothing else.
    pub(super) fn at(revision: i64) -> Self {
        Self {
            revision,
            ..Self::default()
        }
    }

    /// Rows up to a sequence have been refused, by sequence, or are durable: so many of them by this commit.
    pub(super) fn count(
        &mut self,
        through: i64,
        measured: usize,
        committed: Option<&Committed>,
        refused: Vec<api::RowRefusal>,
    ) {
        let (mut recorded, mut superseded) = (0, 0);
        let commit = committed.and_then(|committed| committed.commit.as_ref());
        for event in commit.iter().flat_map(|commit| &commit.events) {
            if let Event::MeasurementRecorded(measurement) = event {
                match measurement.before {
                    Some(_) => superseded += 1,
                    None => recorded += 1,
                }
            }
        }
        let left_out = committed.map_or(0, |committed| committed.refused.len());
        self.recorded += recorded;
        self.superseded += superseded;
        self.unchanged += number(measured.saturating_sub(left_out)) - recorded - superseded;
        self.refused += number(refused.len());
        let room = REFUSALS_NAMED_MAX - self.named;
        let named_before = self.untold.len();
        self.untold.extend(refused.into_iter().take(room));
        self.named += self.untold.len() - named_before;
        self.durable_through = through;
        if let Some(committed) = committed {
            self.revision = self.revision.max(wire(committed.revision));
        }
        self.has_news = true;
    }

    /// What is new since the answer before.
    pub(super) fn news(&mut self) -> Option<api::IngestMeasurementsResponse> {
        self.has_news.then(|| self.answer())
    }

    /// The next answer, whether or not anything is new.
    pub(super) fn answer(&mut self) -> api::IngestMeasurementsResponse {
        let part = self.untold.len().min(REFUSALS_PER_ANSWER_MAX);
        let refusals: Vec<_> = self.untold.drain(..part).collect();
        self.has_news = !self.untold.is_empty();
        // Who has heard a part of the refusals has heard of the rows up to the last of them.
        let told_through = match refusals.last() {
            Some(last) if self.has_news => last.sequence,
            _ => self.durable_through,
        };
        api::IngestMeasurementsResponse {
            durable_through: told_through,
            revision: self.revision,
            recorded_count: self.recorded,
            superseded_count: self.superseded,
            unchanged_count: self.unchanged,
            refused_count: self.refused,
            refusals,
            refusals_left_out_count: self.refused - number(self.named),
        }
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(sequences: std::ops::Range<i64>) -> Vec<api::RowRefusal> {
        sequences
            .map(|sequence| api::RowRefusal {
                sequence,
                ..Default::default()
            })
            .collect()
    }

    #[test]
    fn who_has_heard_a_part_of_the_refusals_resumes_behind_that_part() {
        let mut tally = Tally::at(7);
        assert_eq!(tally.news(), None);
        tally.count(400, 0, None, refusals(1..251));
        let seen: Vec<_> = std::iter::from_fn(|| tally.news())
            .map(|answer| {
                (
                    answer.durable_through,
                    answer.refusals.len(),
                    answer.refused_count,
                )
            })
            .collect();
        assert_eq!(seen, [(100, 100, 250), (200, 100, 250), (400, 50, 250)]);
    }

    #[test]
    fn behind_a_thousand_named_refusals_the_rest_is_counted() {
        let mut tally = Tally::at(7);
        let mut named = Vec::new();
        for part in 0..3 {
            tally.count(
                part * 600 + 600,
                0,
                None,
                refusals(part * 600 + 1..part * 600 + 601),
            );
            while let Some(answer) = tally.news() {
                named.extend(answer.refusals.iter().map(|refusal| refusal.sequence));
                assert!(answer.refusals.len() <= 100);
            }
        }
        assert_eq!(named, (1..=1000).collect::<Vec<_>>());
        let last = tally.answer();
        assert_eq!(
            (
                last.durable_through,
                last.refused_count,
                last.refusals_left_out_count
            ),
            (1800, 1800, 800)
        );
    }
}
