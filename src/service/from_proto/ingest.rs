//! Rows of a stream of measurements: what its first message says of all of them, and each row by itself.
//!
//! What is wrong with a row is the row's refusal; what is wrong with the stream is the stream's end. It does not know in
//! which order rows come, nor whether their KPIs exist.

use jiff::civil::Date;
use smol_str::SmolStr;

use super::findings::Findings;
use super::measurement::{self, Parent, Place};
use super::scalar::text_of_event;
use crate::domain::{Effective, Id, Invalid, NewMeasurement, Rejection, Timestamp};
use crate::proto::api;
use crate::service::names;

/// What the first message of a stream says of every row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowStream {
    /// The workspace.
    pub workspace: Id,
    /// The KPI; none: every row names its own.
    pub kpi: Option<Id>,
    /// Why; empty: no reason given.
    pub reason: SmolStr,
    parent: String,
}

/// A row that was read. A day is resolved, so that two rows of one identity are seen to be so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Its effective time.
    pub at: Timestamp,
    /// The measurement, at that time.
    pub measurement: NewMeasurement,
}

impl RowStream {
    /// Reads the first message of a stream.
    ///
    /// # Errors
    /// Everything that is wrong with it but for its rows.
    pub(crate) fn begin(first: &api::IngestMeasurementsRequest) -> Result<Self, Rejection> {
        let api::IngestMeasurementsRequest {
            parent,
            reason,
            rows: _,
        } = first;
        let mut findings = Findings::default();
        let named = findings.keep(names::kpi_or_all("parent", parent));
        let reason = findings.field("reason", text_of_event(reason));
        let begun = named.zip(reason).map(|((workspace, kpi), reason)| Self {
            workspace,
            kpi,
            reason,
            parent: parent.clone(),
        });
        findings.end(begun)
    }

    /// Whether a later message is of the same stream.
    ///
    /// # Errors
    /// It names another parent, or another reason.
    pub(crate) fn check_continued(&self, later: &api::IngestMeasurementsRequest) -> Result<(), Rejection> {
        let api::IngestMeasurementsRequest {
            parent,
            reason,
            rows: _,
        } = later;
        let mut findings = Findings::default();
        for (field, first, text) in [
            ("parent", self.parent.as_str(), parent),
            ("reason", self.reason.as_str(), reason),
        ] {
            if !text.is_empty() && text != first {
                let sentence =
                    "it is another than in the first message: leave it out, or open another stream";
                findings.push(Invalid::new(sentence).at(field));
            }
        }
        findings.end(Some(()))
    }

    /// Reads a row's measurement; `start_of` says when a day begins.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn row(
        &self,
        message: Option<&api::Measurement>,
        start_of: impl FnOnce(Date) -> Timestamp,
    ) -> Result<Row, Rejection> {
        let mut findings = Findings::default();
        let parent = Parent {
            text: &self.parent,
            workspace: Some(&self.workspace),
            kpi: self.kpi.as_ref(),
        };
        let Some(message) = findings.message("measurement", message) else {
            return Err(findings.refused());
        };
        if message.effective_time.is_none() && message.effective_date.is_none() {
            let sentence = "it is missing: in a row send it, or effective_date, as \"now\" is another time when the row is sent again";
            findings.push(Invalid::new(sentence).at("measurement.effective_time"));
        }
        let read = measurement::read(Place::Single, message, &parent, &mut findings);
        let row = read.and_then(|measurement| {
            let at = match measurement.effective {
                Effective::At(at) => at,
                Effective::On(date) => start_of(date),
                // It was found already.
                Effective::Now => return None,
            };
            let effective = Effective::At(at);
            Some(Row {
                at,
                measurement: NewMeasurement {
                    effective,
                    ..measurement
                },
            })
        });
        findings.end(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::google_type;

    fn stream(parent: &str) -> RowStream {
        RowStream::begin(&api::IngestMeasurementsRequest {
            parent: parent.to_owned(),
            reason: "nightly".to_owned(),
            rows: Vec::new(),
        })
        .expect("a stream")
    }

    fn fields<T: std::fmt::Debug>(read: Result<T, Rejection>) -> Vec<String> {
        match read {
            Err(Rejection::Invalid(violations)) => violations.into_iter().map(|v| v.field).collect(),
            other => panic!("not refused: {other:?}"),
        }
    }

    fn noon(_: Date) -> Timestamp {
        Timestamp::from_micros(12)
    }

    fn at(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    }

    #[test]
    fn a_row_says_when_it_was_true_and_a_day_is_resolved() {
        let stream = stream("workspaces/acme/kpis/nps");
        let date = Some(google_type::Date {
            year: 2026,
            month: 1,
            day: 2,
        });
        for (effective_time, effective_date, micros) in [(at(3), None, 3_000_000), (None, date, 12)] {
            let message = api::Measurement {
                effective_time,
                effective_date,
                value: Some(1.0),
                ..Default::default()
            };
            let row = stream.row(Some(&message), noon).expect("a row");
            assert_eq!(row.at, Timestamp::from_micros(micros));
            assert_eq!(row.measurement.effective, Effective::At(row.at));
        }
    }

    #[test]
    fn everything_that_is_wrong_with_a_row_is_said_at_once() {
        let stream = stream("workspaces/acme/kpis/-");
        let now = api::Measurement {
            value: None,
            source_id: "x".repeat(129),
            ..Default::default()
        };
        for (message, expected) in [
            (None, &["measurement"][..]),
            (
                Some(&now),
                &[
                    "measurement.effective_time",
                    "measurement.kpi",
                    "measurement.value",
                    "measurement.source_id",
                ],
            ),
            (
                Some(&api::Measurement {
                    kpi: "workspaces/acme/kpis/nps".to_owned(),
                    value: Some(1.0),
                    ..Default::default()
                }),
                &["measurement.effective_time"],
            ),
        ] {
            assert_eq!(fields(stream.row(message, noon)), expected);
        }
    }

    #[test]
    fn a_later_message_repeats_the_first_or_says_nothing() {
        let stream = stream("workspaces/acme/kpis/-");
        for (parent, reason, wrong) in [
            ("", "", &[][..]),
            ("workspaces/acme/kpis/-", "nightly", &[]),
            ("workspaces/acme/kpis/nps", "", &["parent"]),
            ("workspaces/other/kpis/-", "monthly", &["parent", "reason"]),
        ] {
            let later = api::IngestMeasurementsRequest {
                parent: parent.to_owned(),
                reason: reason.to_owned(),
                rows: Vec::new(),
            };
            match stream.check_continued(&later) {
                Ok(()) => assert!(wrong.is_empty(), "{parent:?} {reason:?} was taken"),
                refused => assert_eq!(fields(refused), wrong),
            }
        }
    }

    #[test]
    fn a_stream_without_a_parent_does_not_begin() {
        let first = api::IngestMeasurementsRequest {
            reason: "x".repeat(10_001),
            ..Default::default()
        };
        assert_eq!(fields(RowStream::begin(&first)), ["parent", "reason"]);
    }
}
