//! What must hold between what the clients were told and what is true, whatever the network did.

use std::collections::BTreeMap;

use binnacle::proto::api;
use prost_types::value::Kind;

use super::ingester::source_of_row;
use super::subscriber::promise::{PROMISES, Verdict};
use super::subscriber::truth::{Evidence, Truth};
use super::writer::{Sent, request_id};

/// What the clients have in the end, and what is true.
pub(crate) struct Told {
    pub(crate) sent: Vec<Sent>,
    pub(crate) rows: i64,
    pub(crate) evidence: Evidence,
}

/// All that can be said of it. What is violated is a sentence that begins with the invariant's or the promise's name.
pub(crate) fn check_all(told: &Told) -> Verdict {
    let truth = &told.evidence.truth;
    revisions_have_no_gap(truth)?;
    nothing_acknowledged_is_lost(&told.sent, truth)?;
    no_request_ran_twice(&told.sent, truth)?;
    a_retry_is_answered_as_the_first_time(&told.sent)?;
    every_row_is_recorded_once(told.rows, truth)?;
    for (name, promise) in PROMISES {
        promise(&told.evidence).map_err(|violated| format!("{name}: {violated}"))?;
    }
    Ok(())
}

/// The revisions are 1, 2, 3, … up to the head.
pub(crate) fn revisions_have_no_gap(truth: &Truth) -> Verdict {
    match (1..=truth.head()).find(|revision| !truth.log.contains_key(revision)) {
        Some(revision) => Err(format!(
            "revisions_have_no_gap: there is no revision {revision}, and the head is {}",
            truth.head()
        )),
        None => Ok(()),
    }
}

/// What was answered with a revision stands at that revision.
pub(crate) fn nothing_acknowledged_is_lost(sent: &[Sent], truth: &Truth) -> Verdict {
    let lost = sent.iter().find(|sent| {
        let stored = sent.answers.first().and_then(|revision| truth.commit(*revision));
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
    for commit in truth.log.keys().filter_map(|revision| truth.commit(*revision)) {
        ran.entry(&commit.reason).or_default().push(commit.revision);
    }
    for Sent { name, .. } in sent {
        match ran.get(name.as_str()).map(Vec::as_slice) {
            Some([once])
                if truth
                    .commit(*once)
                    .is_some_and(|it| it.request_id == request_id(name)) => {}
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
    for source in truth.log.values().flatten().filter_map(source_of) {
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

/// The source id of the measurement that an event records.
fn source_of(event: &api::Event) -> Option<&str> {
    event
        .changes
        .iter()
        .find_map(|change| match change.after.as_ref()?.kind.as_ref()? {
            Kind::StringValue(source) if change.path == "measurement.source_id" => Some(source.as_str()),
            _ => None,
        })
}
