//! The promises of Subscribe as checks over what subscribers were told: ordered, unique, reliable, atomic, resumable,
//! bookmarkable. They hold without a `min_interval`; with one what remains of each is checked.
//!
//! Each check also fails where it has looked at nothing.

use std::collections::BTreeMap;

use super::history::{Connection, History, Part, Said, What};
use super::kind::{EVERYTHING, Kind};
use super::truth::{Evidence, Truth, Undisturbed};

/// What is violated, as a sentence.
pub(crate) type Verdict = Result<(), String>;

/// One promise, for one subscriber: how much was looked at, or what is violated.
type Check = fn(&History, &Kind, &Truth) -> Result<usize, String>;

/// One promise, for all subscribers.
type Promise = fn(&Evidence) -> Verdict;

/// Every promise, by name.
pub(crate) const PROMISES: [(&str, Promise); 6] = [
    ("ordered", ordered),
    ("unique", unique),
    ("reliable", reliable),
    ("atomic", atomic),
    ("resumable", resumable),
    ("bookmarkable", bookmarkable),
];

/// The revisions of a stream only rise, over all of its connections.
pub(crate) fn ordered(evidence: &Evidence) -> Verdict {
    each(evidence, |history, _, _| {
        let mut seen = 0;
        for connection in &history.connections {
            let mut before: Option<&Said> = None;
            let mut newest = connection.after.unwrap_or(0);
            for said in connection.said() {
                if let Some(revision) = said.revision() {
                    seen += 1;
                    let continues = is_further_part(before, said);
                    let rises = match said.part() {
                        Some(_) => revision > newest || continues,
                        None => revision >= newest,
                    };
                    if !rises {
                        return Err(format!("{:?} came behind revision {newest}", said.what));
                    }
                    newest = revision;
                }
                before = Some(said);
            }
        }
        let kept: Vec<i64> = history.updates().map(|(revision, _)| revision).collect();
        match kept.windows(2).find(|pair| pair[0] >= pair[1]) {
            Some(pair) => Err(format!("{} was kept behind {}", pair[1], pair[0])),
            None => Ok(seen),
        }
    })
}

/// What was kept was told once, and is in the log as it was told.
pub(crate) fn unique(evidence: &Evidence) -> Verdict {
    each(evidence, |history, kind, truth| {
        let mut seen: BTreeMap<i64, ()> = BTreeMap::new();
        let mut covered = 0;
        for (revision, parts) in history.updates() {
            if seen.insert(revision, ()).is_some() {
                return Err(format!("revision {revision} was told twice"));
            }
            if kind.is_coalesced() {
                let from = parts[0].from.ok_or("a net change does not say where it begins")?;
                if from < covered {
                    return Err(format!(
                        "a net change from {from} comes where {covered} is told already"
                    ));
                }
                covered = revision;
            } else if truth.commit(revision).map(|commit| &commit.leaf_hash) != Some(&parts[0].leaf) {
                return Err(format!("revision {revision} is not in the log as it was told"));
            }
        }
        Ok(seen.len())
    })
}

/// Nothing between the beginning and the end of what was told is missing.
pub(crate) fn reliable(evidence: &Evidence) -> Verdict {
    each(evidence, |history, kind, truth| {
        let Some(begins) = history.begins() else {
            return Err("it has never come to a token".to_owned());
        };
        if history.ends() < truth.head() {
            return Err(format!("it ends at {} of {}", history.ends(), truth.head()));
        }
        if let Some(jump) = &history.jump {
            return Err(jump.clone());
        }
        if kind.is_coalesced() {
            return net_changes_follow_one_another(history, begins);
        }
        let expected = truth.of(kind).updates.range(begins + 1..);
        let expected: Vec<i64> = expected.map(|(revision, _)| *revision).collect();
        let told: Vec<i64> = history.updates().map(|(revision, _)| revision).collect();
        if told == expected {
            return Ok(expected.len().max(1));
        }
        let odd = expected.iter().find(|revision| !told.contains(revision));
        Err(format!(
            "{} of {} updates were told; the first that is missing is {odd:?}",
            told.len(),
            expected.len()
        ))
    })?;
    for (kind, picture) in &evidence.pictures {
        let shown = &evidence.truth.of(kind).picture;
        if picture != shown {
            let odd = picture
                .iter()
                .find(|(name, figures)| shown.get(*name) != Some(figures));
            let lacks = shown.keys().find(|name| !picture.contains_key(*name));
            return Err(format!(
                "{kind}: what was folded is not what a snapshot shows: {odd:?}, shown {:?}, missing {lacks:?}",
                odd.map(|(name, _)| shown.get(name))
            ));
        }
    }
    for undisturbed in evidence.truth.scopes.values() {
        the_stream_has_every_event(undisturbed, &evidence.truth)?;
    }
    Ok(())
}

/// Each begins where the stream stood, or behind it where what is between came to nothing: then the picture goes on.
fn net_changes_follow_one_another(history: &History, begins: i64) -> Result<usize, String> {
    let (mut place, mut seen) = (begins, 1);
    for said in history.kept().filter_map(|group| group.last()) {
        if let Some(part) = said.part() {
            let (from, to) = (part.from, part.revision);
            if from < Some(place) || from >= Some(to) || !part.events.is_empty() {
                return Err(format!(
                    "behind {place} came the net change from {from:?} to {to}"
                ));
            }
            seen += 1;
        }
        place = said.revision().unwrap_or(place);
    }
    Ok(seen)
}

/// The streams that are held against are themselves what the log has.
fn the_stream_has_every_event(Undisturbed { scope, updates, .. }: &Undisturbed, truth: &Truth) -> Verdict {
    let Some(takes) = scope.takes else {
        return Ok(());
    };
    for (revision, events) in &truth.log {
        let expected = events.iter().filter(|event| takes(&event.resource));
        let expected: Vec<&String> = expected.map(|event| &event.name).collect();
        let told = updates.get(revision).into_iter().flatten();
        let told: Vec<&String> = told.flat_map(|part| &part.events).collect();
        if told != expected {
            return Err(format!(
                "{}: revision {revision} has {} events and the stream {}",
                scope.name,
                expected.len(),
                told.len()
            ));
        }
    }
    Ok(())
}

/// A commit is whole or is not kept: only its last part has a token, and together its parts are the commit.
pub(crate) fn atomic(evidence: &Evidence) -> Verdict {
    each(evidence, |history, kind, truth| {
        let mut seen = 0;
        for group in history.kept() {
            let (last, first) = group.split_last().ok_or("an empty group")?;
            if last.token.is_empty() || first.iter().any(|said| !said.token.is_empty()) {
                return Err("a token in the middle".to_owned());
            }
            let parts: Vec<&Part> = group.iter().filter_map(Said::part).collect();
            let Some(part) = parts.first() else {
                let in_snapshot = |said: &Said| matches!(said.what, What::Started(_) | What::Snapshot);
                if !first.iter().all(in_snapshot) {
                    return Err(format!("{last:?} has something without a token in front of it"));
                }
                continue;
            };
            seen += 1;
            if parts.iter().any(|it| it.revision != part.revision)
                || first
                    .iter()
                    .any(|said| said.part().is_none() && !matches!(said.what, What::Started(_)))
            {
                return Err(format!("revision {} is not told in one piece", part.revision));
            }
            if kind.is_coalesced() {
                continue;
            }
            let whole = truth.of(kind).updates.get(&part.revision);
            if whole.map(|it| it.iter().collect()) != Some(parts.clone()) {
                return Err(format!("revision {} was told in part", part.revision));
            }
            let told: usize = parts.iter().map(|part| part.events.len()).sum();
            if kind.scope.name == EVERYTHING.name && i32::try_from(told) != Ok(part.event_count) {
                return Err(format!(
                    "revision {} has {} events and {told} were told",
                    part.revision, part.event_count
                ));
            }
        }
        Ok(seen)
    })
}

/// Whoever comes with a token is told what is behind it, from the very next update on.
pub(crate) fn resumable(evidence: &Evidence) -> Verdict {
    let mut count = 0;
    each(evidence, |history, kind, truth| {
        let mut seen = 0;
        for connection in &history.connections {
            let Some(after) = connection.after else { continue };
            seen += 1;
            resumes(connection, after, kind, truth)?;
        }
        Ok(seen.max(1))
    })?;
    for history in &evidence.histories {
        count += history.connections.iter().filter(|it| it.after.is_some()).count();
    }
    if count == 0 {
        return Err("nobody came with a token".to_owned());
    }
    Ok(())
}

fn resumes(connection: &Connection, after: i64, kind: &Kind, truth: &Truth) -> Verdict {
    let told_again = |said: &Said| matches!(said.what, What::Snapshot | What::SnapshotEnd(_));
    if connection.said().any(told_again) {
        return Err(format!("a snapshot behind the token of {after}"));
    }
    let Some(first) = connection.said().find_map(Said::part) else {
        return Ok(());
    };
    if kind.is_coalesced() {
        return match first.from {
            Some(from) if from >= after => Ok(()),
            from => Err(format!(
                "behind the token of {after} comes a net change from {from:?}"
            )),
        };
    }
    let next = truth.of(kind).updates.range(after + 1..).next().map(|it| *it.0);
    if next == Some(first.revision) {
        return Ok(());
    }
    Err(format!(
        "behind the token of {after} comes {} and not {next:?}",
        first.revision
    ))
}

/// No token stands behind an update that was not delivered.
pub(crate) fn bookmarkable(evidence: &Evidence) -> Verdict {
    let mut bookmarks = 0;
    for history in &evidence.histories {
        bookmarks += history
            .kept()
            .flatten()
            .filter(|said| matches!(said.what, What::Checkpoint(_) | What::CaughtUp(_)))
            .count();
    }
    if bookmarks == 0 {
        return Err("there was no bookmark".to_owned());
    }
    each(evidence, |history, kind, truth| {
        let begins = history.begins().ok_or("it has never come to a token")?;
        if kind.is_coalesced() {
            return Ok(1);
        }
        let mut expected = truth
            .of(kind)
            .updates
            .range(begins + 1..)
            .map(|it| *it.0)
            .peekable();
        let mut seen = 0;
        for group in history.kept() {
            let last = group.last().ok_or("an empty group")?;
            let Some(revision) = last.revision() else { continue };
            seen += 1;
            if let Some(part) = last.part()
                && expected.peek() == Some(&part.revision)
            {
                expected.next();
            }
            if let Some(undelivered) = expected.next_if(|next| *next <= revision) {
                return Err(format!(
                    "{:?} has a token and revision {undelivered} was not delivered",
                    last.what
                ));
            }
        }
        Ok(seen)
    })
}

/// Whether a message goes on with the commit of the one before it.
fn is_further_part(before: Option<&Said>, said: &Said) -> bool {
    let (Some(before), Some(part)) = (before, said.part()) else {
        return false;
    };
    before.token.is_empty() && before.part().is_some_and(|it| it.revision == part.revision)
}

fn each(evidence: &Evidence, check: Check) -> Verdict {
    let mut seen = 0;
    for (number, history) in evidence.histories.iter().enumerate() {
        let kind = &history.kind;
        let checked = check(history, kind, &evidence.truth);
        seen += checked.map_err(|violated| format!("subscriber {number} ({kind}): {violated}"))?;
    }
    if seen == 0 {
        return Err("nothing was looked at".to_owned());
    }
    Ok(())
}

/// Panics with what is violated.
pub(crate) fn holds(promise: Promise, evidence: &Evidence) {
    if let Err(violated) = promise(evidence) {
        panic!("{violated}");
    }
}
