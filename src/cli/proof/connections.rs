//! Which signed checkpoints have been held against each other: two are connected where one log was read that has the roots of
//! both, or where a proof leads from one to the other.
//!
//! Invariant: what is not connected is never called verified, however many of its neighbours are.

use crate::domain::Revision;
use crate::log::{Checkpoint, LogId, Root};

/// Where a checkpoint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// In a file of its own: whatever else there is of its log has to go as far.
    Alone,
    /// In an archive, in a data directory or with a proof, which may be newer than another one.
    AmongOthers,
}

/// What has been held against what.
#[derive(Debug, Default)]
pub(super) struct Connections {
    said: Vec<Said>,
}

/// What somebody signed, wherever it stands.
#[derive(Debug)]
struct Said {
    checkpoint: Checkpoint,
    place: String,
    stands: Stands,
    /// Another one that it is connected with; itself: there is none, or it stands for all of them.
    with: usize,
    /// Whether anything but another checkpoint was held against it.
    held: bool,
}

impl Connections {
    /// A checkpoint that somebody has, and where.
    pub(super) fn add(&mut self, checkpoint: Checkpoint, place: &str, stands: Stands) -> usize {
        let same = |said: &Said| {
            let (a, b) = (said.checkpoint, checkpoint);
            a.origin.log == b.origin.log && a.revision == b.revision && a.root == b.root
        };
        if let Some(at) = self.said.iter().position(same) {
            if let Some(said) = self.said.get_mut(at).filter(|_| stands == Stands::Alone) {
                said.stands = stands;
            }
            return at;
        }
        let with = self.said.len();
        self.said.push(Said {
            checkpoint,
            place: place.to_owned(),
            stands,
            with,
            held: false,
        });
        with
    }

    /// Something else than a checkpoint was held against it.
    pub(super) fn hold(&mut self, at: usize) {
        let at = self.group(at);
        if let Some(said) = self.said.get_mut(at) {
            said.held = true;
        }
    }

    /// A proof leads from the one to the other.
    pub(super) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.group(one), self.group(other));
        let held = [one, other]
            .iter()
            .any(|at| self.said.get(*at).is_some_and(|said| said.held));
        if let Some(said) = self.said.get_mut(other) {
            said.with = one;
        }
        if let Some(said) = self.said.get_mut(one) {
            said.held = held;
        }
    }

    /// A log was read in which everything agrees that is said of it up to its end.
    pub(super) fn read(&mut self, log: LogId, ends_at: Revision, at: usize) {
        self.hold(at);
        for other in 0..self.said.len() {
            let is_in = self
                .said
                .get(other)
                .is_some_and(|said| said.checkpoint.origin.log == log && said.checkpoint.revision <= ends_at);
            if is_in {
                self.join(at, other);
            }
        }
    }

    /// Two of one revision and log with different roots.
    pub(super) fn forks(&self) -> impl Iterator<Item = (&Checkpoint, &str, &Checkpoint, &str)> {
        self.said.iter().enumerate().flat_map(move |(number, one)| {
            let others = self.said.iter().skip(number + 1);
            others
                .filter(|other| {
                    let (a, b) = (one.checkpoint, other.checkpoint);
                    a.origin == b.origin && a.revision == b.revision
                })
                .map(|other| {
                    (
                        &one.checkpoint,
                        one.place.as_str(),
                        &other.checkpoint,
                        other.place.as_str(),
                    )
                })
        })
    }

    /// What could not be held against anything, or not against each other: where it stands, and a sentence.
    pub(super) fn loose_ends(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut first_of: Vec<&Said> = Vec::new();
        for (at, said) in self.said.iter().enumerate().filter(|(at, said)| said.with == *at) {
            debug_assert_eq!(self.group(at), at);
            let revision = said.checkpoint.revision;
            if !said.held {
                let sentence = format!(
                    "the checkpoint of revision {revision} is signed, but there is nothing to hold it against: add an \
                     archive of that log, or a proof that starts there (binnacle prove --since)"
                );
                found.push((said.place.clone(), sentence));
            } else if let Some(first) = first_of
                .iter()
                .find(|first| first.checkpoint.origin.log == said.checkpoint.origin.log)
            {
                let sentence = format!(
                    "nothing connects what it says of revision {revision} with what {} says of revision {}: add an archive \
                     that has both, or a proof that leads from one to the other (binnacle prove --since)",
                    first.place, first.checkpoint.revision
                );
                found.push((said.place.clone(), sentence));
            } else {
                first_of.push(said);
            }
        }
        found
    }

    /// The checkpoints that a copy of a log up to a revision has to agree with: those up to there, and those that stand alone. That
    /// another archive or directory goes further is no flaw of this one.
    pub(super) fn of_a_copy(&self, log: LogId, ends_at: Revision) -> impl Iterator<Item = &Checkpoint> {
        let of_the_log = self
            .said
            .iter()
            .filter(move |said| said.checkpoint.origin.log == log);
        of_the_log
            .filter(move |said| said.stands == Stands::Alone || said.checkpoint.revision <= ends_at)
            .map(|said| &said.checkpoint)
    }

    /// Every log that something is said of.
    pub(super) fn logs(&self) -> impl Iterator<Item = LogId> {
        self.said.iter().map(|said| said.checkpoint.origin.log)
    }

    /// What is said of one revision of a log: where it is known, its root, and where it stands.
    pub(super) fn at(&self, log: LogId, revision: u64) -> Vec<(usize, Root, String)> {
        let said = self.said.iter().enumerate();
        said.filter(|(_, said)| said.checkpoint.origin.log == log && said.checkpoint.revision.0 == revision)
            .map(|(at, said)| (at, said.checkpoint.root, said.place.clone()))
            .collect()
    }

    fn group(&self, at: usize) -> usize {
        let mut at = at;
        while let Some(said) = self.said.get(at).filter(|said| said.with != at) {
            at = said.with;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Origin;

    fn checkpoint(revision: u64) -> Checkpoint {
        Checkpoint {
            origin: Origin {
                log: LogId([1; 16]),
                epoch: 1,
            },
            revision: Revision(revision),
            root: Root([u8::try_from(revision).unwrap(); 32]),
        }
    }

    fn loose(connections: &Connections) -> Vec<String> {
        let ends = connections.loose_ends().into_iter();
        ends.map(|(place, _)| place).collect()
    }

    #[test]
    fn a_checkpoint_alone_is_a_loose_end_until_something_is_held_against_it() {
        let mut connections = Connections::default();
        let one = connections.add(checkpoint(1), "one", Stands::Alone);
        assert_eq!(loose(&connections), ["one"]);
        connections.hold(one);
        assert!(loose(&connections).is_empty());
        assert_eq!(
            connections.add(checkpoint(1), "again", Stands::Alone),
            one,
            "it says the same"
        );
    }

    #[test]
    fn two_that_nothing_connects_are_said_also_where_each_has_its_own_proof() {
        let mut connections = Connections::default();
        let ends = [1, 2, 3, 4]
            .map(|revision| connections.add(checkpoint(revision), &revision.to_string(), Stands::Alone));
        for end in ends {
            connections.hold(end);
        }
        connections.join(ends[0], ends[1]);
        connections.join(ends[2], ends[3]);
        assert_eq!(loose(&connections), ["3"]);
        connections.join(ends[3], ends[0]);
        assert!(loose(&connections).is_empty());
    }

    #[test]
    fn a_log_that_was_read_connects_all_that_is_said_of_it_up_to_its_end() {
        let mut connections = Connections::default();
        for revision in [1, 2, 9] {
            connections.add(checkpoint(revision), &revision.to_string(), Stands::Alone);
        }
        let end = connections.add(checkpoint(5), "archive", Stands::Alone);
        connections.read(LogId([1; 16]), Revision(5), end);
        assert_eq!(loose(&connections), ["9"]);
    }

    #[test]
    fn an_archive_that_goes_further_makes_no_older_one_wrong() {
        let mut connections = Connections::default();
        connections.add(checkpoint(3), "older", Stands::AmongOthers);
        connections.add(checkpoint(9), "newer", Stands::AmongOthers);
        let of = |connections: &Connections| {
            let log = LogId([1; 16]);
            let checkpoints = connections.of_a_copy(log, Revision(3));
            checkpoints
                .map(|checkpoint| checkpoint.revision.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&connections), [3]);
        connections.add(checkpoint(9), "kept elsewhere", Stands::Alone);
        assert_eq!(of(&connections), [3, 9], "what somebody kept has to be there");
    }
}
