//! Where in a log the events are that somebody asks for: of each thing that an event can be found by, the revisions of the
//! commits that have one.
//!
//! Invariant: whoever asks for the events of a filter is given every commit that has one of them, and maybe others: it is
//! kept by commit, by hash and by day. Who reads the commits holds each event against the filter. It is derived from the
//! log alone, made anew at every start, and it knows nothing of what an event does.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use roaring::RoaringTreemap;

use self::postings::{Found, Posting, RevisionSet};
use crate::domain::{Commit, ResourceName, Revision, Timestamp};
use crate::projection::{EventFilter, Moments, effective_time};

mod postings;
#[cfg(test)]
mod tests;

/// The index of one log.
#[derive(Debug)]
pub struct EventIndex {
    /// By hash. Many small maps, so that one that grows keeps nobody waiting.
    shards: Vec<HashMap<u64, Posting, BuildHasherDefault<Hashed>>>,
    /// By the days, in UTC, in which events were true.
    days: BTreeMap<i64, Posting>,
    sets: Vec<RevisionSet>,
    /// Nobody can choose names that have one hash.
    seed: RandomState,
}

/// The commits that may have events of a filter.
#[derive(Debug)]
pub enum Candidates {
    /// Every one.
    Every,
    /// These.
    Of(RoaringTreemap),
}

/// What an event can be found by.
#[derive(Hash)]
enum Key<'a> {
    /// It happened to the resource, or to one below it.
    Resource(&'a ResourceName),
    /// The principal acted, or somebody did on its behalf.
    Principal(&'a str),
    Type(&'a str),
    Request(&'a [u8; 16]),
    Correlation(&'a str),
}

/// A key that is its own hash.
#[derive(Default)]
struct Hashed(u64);

const SHARD_BITS: u32 = 6;
const DAY_MICROS: i64 = 86_400_000_000;

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        // Only u64 are written, below; whatever else is would still be hashed.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Default for EventIndex {
    fn default() -> Self {
        Self {
            shards: (0..1 << SHARD_BITS).map(|_| HashMap::default()).collect(),
            days: BTreeMap::new(),
            sets: Vec::new(),
            seed: RandomState::new(),
        }
    }
}

impl EventIndex {
    /// Adds a commit; they come in the order of the log.
    pub fn add(&mut self, commit: &Commit) {
        if commit.events.is_empty() {
            return;
        }
        let revision = commit.revision.0;
        let origin = &commit.origin;
        self.post(&Key::Principal(&origin.actor.principal), revision);
        if !origin.actor.on_behalf_of.is_empty() {
            self.post(&Key::Principal(&origin.actor.on_behalf_of), revision);
        }
        if let Some(request) = &origin.request {
            self.post(&Key::Request(&request.id), revision);
        }
        if !origin.correlation_id.is_empty() {
            self.post(&Key::Correlation(&origin.correlation_id), revision);
        }
        // The events of a large commit are mostly like the one before: a batch of measurements has one kind and one KPI.
        let (mut last_kind, mut last_resource, mut last_day) = ("", ResourceName::Workspace, None);
        for event in &commit.events {
            let (kind, resource, day) = (event.kind(), event.resource(), day(effective_time(commit, event)));
            if kind != last_kind {
                self.post(&Key::Type(kind), revision);
            }
            if resource != last_resource {
                self.post_resource(&resource, revision);
            }
            if last_day != Some(day) {
                self.post_day(day, revision);
            }
            (last_kind, last_resource, last_day) = (kind, resource, Some(day));
        }
    }

    /// Under its own name and that of all it lies in. In the workspace lies everything: nobody has to look that up.
    fn post_resource(&mut self, resource: &ResourceName, revision: u64) {
        let mut parent = resource.parent();
        if parent.is_some() {
            self.post(&Key::Resource(resource), revision);
        }
        while let Some(name) = parent.filter(|name| *name != ResourceName::Workspace) {
            self.post(&Key::Resource(&name), revision);
            parent = name.parent();
        }
    }

    fn post(&mut self, key: &Key<'_>, revision: u64) {
        let hash = self.seed.hash_one(key);
        let Some(shard) = self.shards.get_mut(shard_of(hash)) else {
            return;
        };
        match shard.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(Posting::one(revision));
            }
            Entry::Occupied(mut found) => found.get_mut().add(revision, &mut self.sets),
        }
    }

    fn post_day(&mut self, day: i64, revision: u64) {
        self.days
            .entry(day)
            .and_modify(|posting| posting.add(revision, &mut self.sets))
            .or_insert(Posting::one(revision));
    }

    /// The commits that may have events of a filter. Of the moments in which they were recorded it knows nothing: in the
    /// order of the log that is a range of revisions.
    #[must_use]
    pub fn candidates(&self, filter: &EventFilter) -> Candidates {
        let resource = filter.resource.as_ref();
        let keys = [
            resource
                .filter(|name| **name != ResourceName::Workspace)
                .map(Key::Resource),
            filter.principal.as_deref().map(Key::Principal),
            filter.request_id.as_ref().map(Key::Request),
            filter.correlation_id.as_deref().map(Key::Correlation),
        ];
        let mut all_of: Vec<Found<'_>> = keys.iter().flatten().map(|key| self.found(key)).collect();
        // The smallest first: what is left of it is what the others are held against.
        all_of.sort_by_key(Found::len);
        let mut left: Option<RoaringTreemap> = None;
        for found in all_of {
            left = Some(found.within(left.as_ref()));
        }
        let types = filter
            .types
            .iter()
            .map(|kind| self.found(&Key::Type(kind)))
            .collect();
        let days = self.found_days(filter.effective);
        let any_of = (!filter.types.is_empty())
            .then_some(types)
            .into_iter()
            .chain(days);
        for alternatives in any_of {
            let mut union = RoaringTreemap::new();
            for found in alternatives {
                union |= found.within(left.as_ref());
            }
            left = Some(union);
        }
        left.map_or(Candidates::Every, Candidates::Of)
    }

    fn found(&self, key: &Key<'_>) -> Found<'_> {
        let hash = self.seed.hash_one(key);
        let shard = self.shards.get(shard_of(hash));
        Found::of(shard.and_then(|shard| shard.get(&hash)), &self.sets)
    }

    /// What was true in some moments, day by day; none: they leave out no day in which something was.
    fn found_days(&self, moments: Moments) -> Option<Vec<Found<'_>>> {
        let first = moments.start.map_or(i64::MIN, day);
        let last = moments.end.map_or(i64::MAX, day);
        let earliest = self.days.first_key_value().map(|(day, _)| *day);
        let latest = self.days.last_key_value().map(|(day, _)| *day);
        if earliest.is_none_or(|earliest| first <= earliest) && latest.is_none_or(|latest| latest <= last) {
            return None;
        }
        let days = (first <= last).then(|| self.days.range(first..=last));
        let postings = days.into_iter().flatten().map(|(_, posting)| posting);
        Some(
            postings
                .map(|posting| Found::of(Some(posting), &self.sets))
                .collect(),
        )
    }
}

impl Candidates {
    /// The next ones between two revisions, both inclusive, at most so many: from the first one up, or from the last one down.
    #[must_use]
    pub fn next(
        &self,
        first: Revision,
        last: Revision,
        newest_first: bool,
        count_max: usize,
    ) -> Vec<Revision> {
        let (first, last) = (first.0, last.0);
        if first > last {
            return Vec::new();
        }
        let found: Vec<u64> = match (self, newest_first) {
            (Self::Every, false) => (first..=last).take(count_max).collect(),
            (Self::Every, true) => (first..=last).rev().take(count_max).collect(),
            (Self::Of(set), false) => {
                let mut found = set.iter();
                found.advance_to(first);
                found
                    .take_while(|revision| *revision <= last)
                    .take(count_max)
                    .collect()
            }
            (Self::Of(set), true) => {
                let mut found = set.iter();
                found.advance_back_to(last);
                let found = found.rev().take_while(|revision| *revision >= first);
                found.take(count_max).collect()
            }
        };
        found.into_iter().map(Revision).collect()
    }
}

fn shard_of(hash: u64) -> usize {
    // A map uses the highest seven bits and the lowest ones.
    usize::try_from((hash >> 48) & ((1 << SHARD_BITS) - 1)).unwrap_or_default()
}

fn day(moment: Timestamp) -> i64 {
    moment.as_micros().div_euclid(DAY_MICROS)
}
