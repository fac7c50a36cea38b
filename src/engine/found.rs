//! The commits that somebody asks for, found by the index and read one by one: the work follows what is read, not the length
//! of the log.

use std::sync::Arc;

use super::history::StoredCommit;
use super::{Candidates, Engine, Hosted, Refusal};
use crate::domain::Revision;
use crate::log::{EventLog, LogError, LogId};
use crate::projection::EventFilter;

/// Commits that lie so close together are read in one go, with what is between them: jumping costs as much.
const GAP_MAX: u64 = 8;
/// What is read in one go, in revisions: then it is seen whether there is room for more.
const SPAN_MAX: u64 = 32;
/// The same in bytes, by what the commits before took: large ones are read one by one.
const SPAN_BYTES: u64 = 1024 * 1024;
/// As long as nothing is known of how large they are.
const SPAN_FIRST: u64 = 4;

impl Engine {
    /// The commits of a workspace that may have events of a filter: at least up to the newest published revision none is
    /// missing. Each event of them is to be held against the filter.
    ///
    /// # Errors
    /// The engine is stopping.
    pub async fn candidates(
        &self,
        hosted: &Arc<Hosted>,
        filter: &Arc<EventFilter>,
    ) -> Result<Candidates, Refusal> {
        let (hosted, filter) = (Arc::clone(hosted), Arc::clone(filter));
        self.aside(move || hosted.candidates(&filter)).await
    }

    /// The commits of these revisions, which ascend or descend, in that order. Fewer, but at least one, where they come to
    /// `bytes_max`. What the log does not have is left out.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn commits_at(
        &self,
        hosted: &Hosted,
        revisions: Vec<Revision>,
        bytes_max: usize,
    ) -> Result<Vec<StoredCommit>, Refusal> {
        let (log, id) = (Arc::clone(&self.inner.log), hosted.log());
        self.fold(move || read_each(&*log, id, &revisions, bytes_max))
            .await
    }
}

fn read_each(
    log: &dyn EventLog,
    id: LogId,
    revisions: &[Revision],
    bytes_max: usize,
) -> Result<Vec<StoredCommit>, LogError> {
    let mut commits = Vec::with_capacity(revisions.len());
    let mut bytes = 0;
    let mut left = revisions;
    while !left.is_empty() && bytes < bytes_max {
        let span = match (bytes as u64).checked_div(commits.len() as u64) {
            None => SPAN_FIRST,
            Some(a_commit) => (SPAN_BYTES / a_commit.max(1)).clamp(1, SPAN_MAX),
        };
        let (piece, rest) = left.split_at(piece_len(left, span));
        left = rest;
        let mut read = read_piece(log, id, piece)?;
        if piece.first() > piece.last() {
            read.reverse();
        }
        for commit in read {
            if bytes >= bytes_max {
                break;
            }
            bytes += commit.record.len();
            commits.push(commit);
        }
    }
    Ok(commits)
}

/// How many of the first of these lie so close together that they are read in one go, within a span of revisions.
fn piece_len(revisions: &[Revision], span: u64) -> usize {
    let Some(first) = revisions.first() else {
        return 0;
    };
    let near = revisions.windows(2).take_while(|pair| match pair {
        [one, next] => next.0.abs_diff(one.0) <= GAP_MAX && next.0.abs_diff(first.0) < span,
        _ => false,
    });
    near.count() + 1
}

/// Commits that lie close together, in the order of the log.
fn read_piece(log: &dyn EventLog, id: LogId, piece: &[Revision]) -> Result<Vec<StoredCommit>, LogError> {
    let (Some(first), Some(last)) = (piece.iter().min(), piece.iter().max()) else {
        return Ok(Vec::new());
    };
    let count = usize::try_from(last.0 - first.0 + 1).unwrap_or(usize::MAX);
    let mut commits = Vec::with_capacity(piece.len());
    for record in log.read(id, *first).take(count) {
        let record = record?;
        if piece.contains(&record.revision) {
            commits.push(StoredCommit::read(id, record)?);
        }
    }
    Ok(commits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_close_together_is_read_in_one_go() {
        let revisions = |numbers: &[u64]| numbers.iter().copied().map(Revision).collect::<Vec<_>>();
        for (numbers, length) in [
            (&[][..], 0),
            (&[7], 1),
            (&[7, 8, 9], 3),
            (&[9, 8, 7], 3),
            (&[1, 9, 17, 26], 3),
            (&[26, 17, 9, 1], 1),
            (&[100, 1], 1),
        ] {
            assert_eq!(piece_len(&revisions(numbers), SPAN_MAX), length, "{numbers:?}");
            assert_eq!(piece_len(&revisions(numbers), 1), length.min(1), "{numbers:?}");
        }
        let run: Vec<u64> = (1..=100).collect();
        assert_eq!(piece_len(&revisions(&run), SPAN_MAX), 32);
    }
}
