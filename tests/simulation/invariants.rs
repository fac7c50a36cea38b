//! What must hold between what the clients were told and what is true, whatever the network did.

use std::collections::BTreeMap;

use super::auditor::Truth;
use super::ingester::source_of_row;
use super::subscriber::{Applied, Kept, Scope};
use super::writer::{Sent, request_id};

/// What is violated, as a sentence that begins with the invariant's name.
pub(crate) type Verdict = Result<(), String>;

/// What the clients have in the end.
pub(crate) struct Told {
    pub(crate) sent: Vec<Sent>,
    /// Each with its name and what it wanted to hear.
    pub(crate) subscribers: Vec<(String, Scope, Kept)>,
    pub(crate) rows: i64,
}

/// All that can be said of what was told and what is true.
pub(crate) fn check_all(told: &Told, truth: &Truth) -> Verdict {
    revisions_have_no_gap(truth)?;
    nothing_acknowledged_is_lost(&told.sent, truth)?;
    no_request_ran_twice(&told.sent, truth)?;
    a_retry_is_answered_as_the_first_time(&told.sent)?;
    every_row_is_recorded_once(told.rows, truth)?;
    let everything = &truth.of(Scope::Everything).from_beginning;
    an_undisturbed_subscriber_sees_the_log(everything, truth)?;
    for (name, scope, kept) in &told.subscribers {
        let of = |violated: String| format!("{violated} ({name})");
        match scope {
            Scope::Coalesced { .. } => net_changes_have_no_gap(kept, truth),
            _ => every_revision_is_seen_once_in_order_without_a_gap(kept, *scope, truth),
        }
        .map_err(of)?;
        no_commit_is_split_over_a_stored_token(kept).map_err(of)?;
        no_checkpoint_precedes_an_undelivered_match(kept, *scope, truth).map_err(of)?;
        a_snapshot_and_its_updates_are_the_state(kept, *scope, truth).map_err(of)?;
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

/// Who follows everything from the beginning sees every commit of the log, whole, and as the log has it.
pub(crate) fn an_undisturbed_subscriber_sees_the_log(kept: &Kept, truth: &Truth) -> Verdict {
    let seen = kept.applied.iter().map(|applied| {
        let whole = usize::try_from(applied.events_said) == Ok(applied.events);
        (applied.revision, &applied.leaf, applied.events, whole)
    });
    let stored = truth
        .commits
        .iter()
        .map(|(revision, stored)| (*revision, &stored.leaf, stored.events, true));
    match seen.eq(stored) {
        true => Ok(()),
        false => Err("an_undisturbed_subscriber_sees_the_log: it saw another one".to_owned()),
    }
}

/// The commits of its scope that a subscriber is to see behind where it began.
fn due<'a>(kept: &Kept, scope: Scope, truth: &'a Truth) -> impl Iterator<Item = &'a Applied> {
    let base = kept.base.unwrap_or_default();
    let all = &truth.of(scope).from_beginning.applied;
    all.iter().filter(move |applied| applied.revision > base)
}

/// A subscriber has every revision of its scope behind the one it began at, once, in order, and each as an undisturbed
/// subscriber has it.
pub(crate) fn every_revision_is_seen_once_in_order_without_a_gap(
    kept: &Kept,
    scope: Scope,
    truth: &Truth,
) -> Verdict {
    let invariant = "every_revision_is_seen_once_in_order_without_a_gap";
    let mut due = due(kept, scope, truth);
    for applied in &kept.applied {
        match due.next() {
            Some(expected) if expected == applied => {}
            expected => {
                let seen = applied.revision;
                let expected = expected.map(|expected| expected.revision);
                return Err(format!("{invariant}: {seen} came where {expected:?} was to come"));
            }
        }
    }
    match due.next() {
        Some(missing) => Err(format!("{invariant}: {} never came", missing.revision)),
        None => Ok(()),
    }
}

/// Each net change begins where the one before ended, and the last one ends at the head.
pub(crate) fn net_changes_have_no_gap(kept: &Kept, truth: &Truth) -> Verdict {
    let invariant = "net_changes_have_no_gap";
    let mut place = kept.base;
    for applied in &kept.applied {
        let (from, to) = (applied.from, applied.revision);
        if from != place || from >= Some(to) || applied.events > 0 {
            return Err(format!("{invariant}: behind {place:?} came {from:?} to {to}"));
        }
        place = Some(to);
    }
    match place == Some(truth.head) {
        true => Ok(()),
        false => Err(format!(
            "{invariant}: they end at {place:?}, not at {}",
            truth.head
        )),
    }
}

/// Where there is a token to go on from, everything in front of it is whole.
pub(crate) fn no_commit_is_split_over_a_stored_token(kept: &Kept) -> Verdict {
    match kept.torn.first() {
        Some(torn) => Err(format!("no_commit_is_split_over_a_stored_token: {torn}")),
        None => Ok(()),
    }
}

/// Where the server said that everything up to a revision was delivered or did not concern the stream, it was so.
pub(crate) fn no_checkpoint_precedes_an_undelivered_match(
    kept: &Kept,
    scope: Scope,
    truth: &Truth,
) -> Verdict {
    for &(said, count) in &kept.said_to_be_at {
        let delivered = &kept.applied[..count];
        let is_all = match scope {
            Scope::Coalesced { .. } => {
                let newest = delivered.last().map(|applied| applied.revision);
                newest.or(kept.base) == Some(said)
            }
            _ => {
                let due = due(kept, scope, truth).filter(|due| due.revision <= said);
                due.count() == count
            }
        };
        if !is_all {
            return Err(format!(
                "no_checkpoint_precedes_an_undelivered_match: at checkpoint {said} there were {count} updates"
            ));
        }
    }
    Ok(())
}

/// What is folded from a snapshot and the updates behind it is the next snapshot: every figure, and what is there.
pub(crate) fn a_snapshot_and_its_updates_are_the_state(kept: &Kept, scope: Scope, truth: &Truth) -> Verdict {
    let invariant = "a_snapshot_and_its_updates_are_the_state";
    let Some(view) = &kept.view else {
        return Ok(());
    };
    let snapshot = &truth.of(scope).snapshot;
    let shown = snapshot.view.clone().unwrap_or_default();
    let differs = |name: &&String| view.get(*name) != shown.get(*name);
    if let Some(figure) = view.keys().chain(shown.keys()).find(differs) {
        return Err(format!("{invariant}: the figure of {figure} differs"));
    }
    match kept.names.symmetric_difference(&snapshot.names).next() {
        Some(name) => Err(format!("{invariant}: {name} is on one side alone")),
        None => Ok(()),
    }
}
