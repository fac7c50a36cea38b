//! The rows of one commit while they are gathered.
//!
//! Invariant: in one commit an identity (KPI, effective time, source) has one value, so that "as known at a revision" has
//! one answer; and a commit has an end in rows and in bytes. It does not know how rows come and what becomes of them.

use std::collections::HashMap;

use smol_str::SmolStr;

use crate::domain::{Effective, Id, NewMeasurement, Rejection, Timestamp};
use crate::proto::api;
use crate::service::from_proto::Row;
use crate::service::to_proto;

/// Rows that belong to one commit, refused ones too.
#[derive(Default)]
pub(super) struct Gathered {
    /// What is to be recorded.
    pub(super) measurements: Vec<NewMeasurement>,
    /// The sequence of each of them.
    pub(super) sequences: Vec<i64>,
    /// What was refused before anybody decided on it.
    pub(super) refused: Vec<api::RowRefusal>,
    /// The sequence of the last row; 0: there is none.
    pub(super) through: i64,
    /// What the measurements take in memory.
    pub(super) bytes: usize,
    identities: Identities,
}

/// Which values the gathered rows have given.
#[derive(Default)]
enum Identities {
    /// Each row is behind the one before by time, KPI and source, as a client sends a series: no two are the same.
    #[default]
    Ascending,
    /// The index of the first row of each identity.
    Known(HashMap<Identity, usize>),
}

type Identity = (Timestamp, Id, SmolStr);

/// The most rows of one commit.
const ROWS_MAX: usize = 1000;
/// The most bytes of one commit: with what a record adds to a row far less than the log takes.
pub(super) const BYTES_MAX: usize = 1024 * 1024;

impl Gathered {
    pub(super) fn is_empty(&self) -> bool {
        self.through == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.sequences.len() + self.refused.len() >= ROWS_MAX || self.bytes >= BYTES_MAX
    }

    /// Takes a row in, or gives it back: it has another value for the identity of a row that is in already, so it
    /// supersedes that one in the next commit.
    pub(super) fn take(&mut self, sequence: i64, row: Row) -> Result<(), Row> {
        if self.contradicts(&row) {
            return Err(row);
        }
        if self.measurements.is_empty() {
            self.measurements.reserve(ROWS_MAX);
            self.sequences.reserve(ROWS_MAX);
        }
        self.bytes += bytes_of(&row.measurement);
        self.measurements.push(row.measurement);
        self.sequences.push(sequence);
        self.through = sequence;
        Ok(())
    }

    /// Leaves a row out.
    pub(super) fn refuse(&mut self, sequence: i64, rejection: &Rejection) {
        self.refused.push(to_proto::row_refusal(sequence, rejection));
        self.through = sequence;
    }

    fn contradicts(&mut self, row: &Row) -> bool {
        let index = self.measurements.len();
        if let Identities::Ascending = self.identities {
            match self.measurements.last() {
                Some(last) if !is_behind(row, last) => {
                    let known = self.measurements.iter().enumerate();
                    self.identities = Identities::Known(known.map(|(at, new)| (identity(new), at)).collect());
                }
                _ => return false,
            }
        }
        let Identities::Known(known) = &mut self.identities else {
            return false;
        };
        let first = *known.entry(identity(&row.measurement)).or_insert(index);
        self.measurements
            .get(first)
            .is_some_and(|first| first.value.get() != row.measurement.value.get())
    }
}

fn is_behind(row: &Row, last: &NewMeasurement) -> bool {
    let new = &row.measurement;
    (row.at, &new.kpi, &new.source_id) > (time_of(last), &last.kpi, &last.source_id)
}

fn identity(new: &NewMeasurement) -> Identity {
    (time_of(new), new.kpi.clone(), new.source_id.clone())
}

/// The time of a row's measurement, which reading has resolved.
fn time_of(new: &NewMeasurement) -> Timestamp {
    match new.effective {
        Effective::At(at) => at,
        Effective::On(_) | Effective::Now => Timestamp::MIN,
    }
}

fn bytes_of(new: &NewMeasurement) -> usize {
    let NewMeasurement {
        kpi,
        effective: _,
        value: _,
        source_id,
        note,
    } = new;
    size_of::<NewMeasurement>() + kpi.as_str().len() + source_id.len() + note.len()
}
