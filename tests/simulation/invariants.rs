//! What must hold between what the clients were told and what is true, whatever the network did.

use std::collections::BTreeMap;

use super::auditor::Truth;
use super::ingester::source_of_row;
use super::subscriber::Kept;
use super::writer::{Sent, request_id};

/// What is violated, as a sentence that begins with the invariant's name.
pub(crate) type Verdict = Result<(), String>;

/// What the clients have in the end.
pub(crate) struct Told {
    pub(crate) sent: Vec<Sent>,
    /// By name.
    pub(crate) subscribers: Vec<(String, Kept)>,
    pub(crate) rows: i64,
}

/// All that can be said of what was told and what is true.
pub(crate) fn check_all(told: &Told, truth: &Truth) -> Verdict {
    revisions_have_no_gap(truth)?;
    nothing_acknowledged_is_lost(&told.sent, truth)?;
    no_request_ran_twice(&told.sent, truth)?;
    a_retry_is_answered_as_the_first_time(&told.sent)?;
    every_row_is_recorded_once(told.rows, truth)?;
    for (name, kept) in &told.subscribers {
        let of = |violated: String| format!("{violated} ({name})");
        every_revision_is_seen_once_in_order_without_a_gap(kept, truth).map_err(of)?;
        no_commit_is_split_over_a_stored_token(kept).map_err(of)?;
        no_checkpoint_precedes_an_undelivered_commit(kept, truth).map_err(of)?;
        a_snapshot_and_its_updates_are_the_state(kept, truth).map_err(of)?;
    }
    Ok(())
}

/// The revisions are 1, 2, 3, … up to the head.
pub(crate) fn revisions_have_no_gap(truth: &Truth) -> Verdict {
    match (1..=truth.head).find(|revision| !truth.commits.contains_key(revision)) {
        Some(revision) => Err(format!(
            "revisions_have_no_gap: there is no revision {revision}, and the head is {}",
            truth.head
        )),
        None => Ok(()),
    }
}

/// What was answered with a revision stands at that revision.
pub(crate) fn nothing_acknowledged_is_lost(sent: &[Sent], truth: &Truth) -> Verdict {
    let lost = sent.iter().find(|sent| {
        let stored = sent
            .answers
            .first()
            .and_then(|revision| truth.commits.get(revision));
        stored.is_none_or(|stored| stored.reason != sent.name)
    });
    match lost {
        Some(Sent { name, answers }) => Err(format!(
            "nothing_acknowledged_is_lost: {name} was answered with {answers:?} and is not there"
        )),
        None => Ok(()),
    }
}

/// A command is in one commit, however often it was sent.
pub(crate) fn no_request_ran_twice(sent: &[Sent], truth: &Truth) -> Verdict {
    let mut ran: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (revision, stored) in &truth.commits {
        ran.entry(stored.reason.as_str()).or_default().push(*revision);
    }
    for Sent { name, .. } in sent {
        match ran.get(name.as_str()).map(Vec::as_slice) {
            Some([once]) if truth.commits[once].request_id == request_id(name) => {}
            ran => return Err(format!("no_request_ran_twice: {name} ran at {ran:?}")),
        }
    }
    Ok(())
}

/// The same request is answered with the same revision for ever.
pub(crate) fn a_retry_is_answered_as_the_first_time(sent: &[Sent]) -> Verdict {
    let differing = sent.iter().find(|sent| {
        let first = sent.answers.first();
        sent.answers.len() < 2 || sent.answers.iter().any(|answer| Some(answer) != first)
    });
    match differing {
        Some(Sent { name, answers }) => Err(format!(
            "a_retry_is_answered_as_the_first_time: {name} was answered with {answers:?}"
        )),
        None => Ok(()),
    }
}

/// Every row that was streamed is recorded by one event.
pub(crate) fn every_row_is_recorded_once(rows: i64, truth: &Truth) -> Verdict {
    let mut recorded: BTreeMap<&str, usize> = BTreeMap::new();
    for source in truth.commits.values().flat_map(|stored| &stored.sources) {
        *recorded.entry(source).or_default() += 1;
    }
    for number in 1..=rows {
        let times = recorded
            .get(source_of_row(number).as_str())
            .copied()
            .unwrap_or_default();
        if times != 1 {
            return Err(format!(
                "every_row_is_recorded_once: row {number} is recorded {times} times"
            ));
        }
    }
    Ok(())
}

/// A subscriber has every revision behind the one it began at, once, in order, and each is the one that the log has.
pub(crate) fn every_revision_is_seen_once_in_order_without_a_gap(kept: &Kept, truth: &Truth) -> Verdict {
    let base = kept.base.unwrap_or_default();
    let mut expected = truth.commits.range(base + 1..);
    for applied in &kept.applied {
        match expected.next() {
            Some((revision, stored)) if *revision == applied.revision && stored.leaf == applied.leaf => {}
            expected => {
                let (expected, seen) = (expected.map(|(revision, _)| revision), applied.revision);
                return Err(format!(
                    "every_revision_is_seen_once_in_order_without_a_gap: {seen} came where {expected:?} was to come"
                ));
            }
        }
    }
    match expected.next() {
        Some((missing, _)) => Err(format!(
            "every_revision_is_seen_once_in_order_without_a_gap: {missing} never came"
        )),
        None => Ok(()),
    }
}

/// Where there is a token to go on from, the commit in front of it is whole.
pub(crate) fn no_commit_is_split_over_a_stored_token(kept: &Kept) -> Verdict {
    if let Some(torn) = kept.torn.first() {
        return Err(format!("no_commit_is_split_over_a_stored_token: {torn}"));
    }
    let split = kept
        .applied
        .iter()
        .find(|applied| usize::try_from(applied.events_said) != Ok(applied.events));
    match split {
        Some(applied) => Err(format!(
            "no_commit_is_split_over_a_stored_token: revision {} came with {} of its {} events",
            applied.revision, applied.events, applied.events_said
        )),
        None => Ok(()),
    }
}

/// Where the server said that everything was delivered up to a revision, it was.
pub(crate) fn no_checkpoint_precedes_an_undelivered_commit(kept: &Kept, truth: &Truth) -> Verdict {
    let base = kept.base.unwrap_or_default();
    for &(revision, applied) in &kept.said_to_be_at {
        let due = truth.commits.range(base + 1..=revision.max(base)).count();
        if due != applied {
            return Err(format!(
                "no_checkpoint_precedes_an_undelivered_commit: at checkpoint {revision} there were {applied} of {due}"
            ));
        }
    }
    Ok(())
}

/// A view that is folded from a snapshot and the updates behind it shows what the server shows.
pub(crate) fn a_snapshot_and_its_updates_are_the_state(kept: &Kept, truth: &Truth) -> Verdict {
    match &kept.view {
        Some(view) if *view != truth.view => {
            let differs = |name: &&String| view.get(*name) != truth.view.get(*name);
            let first = view.keys().chain(truth.view.keys()).find(differs);
            Err(format!(
                "a_snapshot_and_its_updates_are_the_state: {first:?} differs"
            ))
        }
        _ => Ok(()),
    }
}
