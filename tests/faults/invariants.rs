//! What must hold between what was sent and what is stored, whatever happened in between.

use std::collections::{BTreeMap, BTreeSet};

use super::follower::Follower;
use super::load::Sent;
use super::store::Store;

/// What is violated, as a sentence.
pub(crate) type Verdict = Result<(), String>;

/// All that can be said of what was sent and what is stored.
pub(crate) fn check_all(sent: &[Sent], store: &Store) -> Verdict {
    invariant_revisions_have_no_gap(store)?;
    invariant_every_acknowledged_command_is_there(sent, store)?;
    invariant_every_command_is_whole_or_absent(sent, store)?;
    invariant_no_command_ran_twice(store)?;
    invariant_nothing_is_there_that_nobody_sent(sent, store)?;
    invariant_the_state_is_the_log(store)
}

/// The revisions are 1, 2, 3, … up to the head, and each commit has all of its events.
pub(crate) fn invariant_revisions_have_no_gap(store: &Store) -> Verdict {
    let expected: Vec<i64> = (1..=store.head).collect();
    let found: Vec<i64> = store.commits.keys().copied().collect();
    if found != expected {
        let odd = (1..).zip(&found).find(|(expected, found)| expected != *found);
        let (count, head) = (found.len(), store.head);
        return Err(format!(
            "the log has a gap at {odd:?}: {count} commits up to head {head}"
        ));
    }
    match store
        .commits
        .iter()
        .find(|(_, commit)| commit.events_said != commit.events_shown)
    {
        Some((revision, commit)) => Err(format!(
            "revision {revision} has {} of its {} events",
            commit.events_shown, commit.events_said
        )),
        None => Ok(()),
    }
}

/// What was answered with a revision is stored at that revision, and the state shows it.
pub(crate) fn invariant_every_acknowledged_command_is_there(sent: &[Sent], store: &Store) -> Verdict {
    let missing: Vec<String> =
        sent.iter()
            .filter_map(|command| {
                let revision = command.answered?;
                let sources: Vec<String> = command.sources().collect();
                let stored = store.commits.get(&revision).is_some_and(|commit| {
                    commit.sources == sources && commit.request_id == command.request_id()
                });
                let listed = sources.iter().all(|source| store.listed.contains(source));
                (!stored || !listed).then(|| format!("{} at revision {revision}", command.name))
            })
            .collect();
    match missing.first() {
        Some(first) => Err(format!(
            "{} acknowledged commands are not there; the first is {first}; the head is {}",
            missing.len(),
            store.head
        )),
        None => Ok(()),
    }
}

/// A command's measurements are in one commit, all of them, or nowhere.
pub(crate) fn invariant_every_command_is_whole_or_absent(sent: &[Sent], store: &Store) -> Verdict {
    let sizes: BTreeMap<&str, usize> = sent
        .iter()
        .map(|command| (command.name.as_str(), command.shape.measurements))
        .collect();
    for (revision, commit) in &store.commits {
        let names: BTreeSet<&str> = commit.sources.iter().map(|source| name_of(source)).collect();
        for name in names {
            let found = commit
                .sources
                .iter()
                .filter(|source| name_of(source) == name)
                .count();
            let expected = sizes.get(name).copied().unwrap_or_default();
            if found != expected {
                return Err(format!(
                    "revision {revision} has {found} of the {expected} measurements of {name}"
                ));
            }
        }
    }
    Ok(())
}

/// No measurement was recorded by two commits.
pub(crate) fn invariant_no_command_ran_twice(store: &Store) -> Verdict {
    let mut recorded_by = BTreeMap::new();
    for (revision, commit) in &store.commits {
        for source in &commit.sources {
            if let Some(first) = recorded_by.insert(source, revision) {
                return Err(format!(
                    "{source} was recorded by revision {first} and again by {revision}"
                ));
            }
        }
    }
    Ok(())
}

/// Every measurement comes from a command.
pub(crate) fn invariant_nothing_is_there_that_nobody_sent(sent: &[Sent], store: &Store) -> Verdict {
    let asked: BTreeSet<String> = sent.iter().flat_map(Sent::sources).collect();
    match store
        .commits
        .values()
        .flat_map(|commit| &commit.sources)
        .find(|source| !asked.contains(*source))
    {
        Some(source) => Err(format!("{source} is stored and nobody sent it")),
        None => Ok(()),
    }
}

/// The measurements that the state shows are the ones that the log holds.
pub(crate) fn invariant_the_state_is_the_log(store: &Store) -> Verdict {
    let logged: BTreeSet<&String> = store
        .commits
        .values()
        .flat_map(|commit| &commit.sources)
        .collect();
    if store.listed.iter().eq(logged.iter().copied()) {
        return Ok(());
    }
    Err(format!(
        "the log holds {} measurements and the state {}",
        logged.len(),
        store.listed.len()
    ))
}

/// A command that is sent again is answered the revision that it was answered first.
pub(crate) fn invariant_a_retry_answers_its_first_revision(first: &[Sent], again: &[Sent]) -> Verdict {
    for (first, again) in first.iter().zip(again) {
        if first.answered.is_some() && first.answered != again.answered {
            let (name, first, again) = (&first.name, first.answered, again.answered);
            return Err(format!(
                "{name} was answered {first:?} first and {again:?} when it was sent again"
            ));
        }
    }
    Ok(())
}

/// A subscriber has seen the log from its beginning: in order, once, without a gap, and nothing that is gone since.
pub(crate) fn invariant_a_followed_stream_is_the_log(follower: &Follower, store: &Store) -> Verdict {
    for (expected, (revision, leaf_hash)) in (1..).zip(&follower.seen) {
        if *revision != expected {
            return Err(format!(
                "the stream delivered revision {revision} where {expected} belongs"
            ));
        }
        if store.commits.get(revision).map(|commit| &commit.leaf_hash) != Some(leaf_hash) {
            return Err(format!(
                "the stream delivered another revision {revision} than the one that is stored"
            ));
        }
    }
    Ok(())
}

fn name_of(source: &str) -> &str {
    source.split_once('/').map_or(source, |(name, _)| name)
}
