//! Revisions under one key of the index. Most keys have one, some have many: each is kept in the room that it needs.
//!
//! Invariant: revisions are added in the order of the log, and each once, however often it is said.

use roaring::RoaringTreemap;

/// One revision, or the place of a set of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting(u64);

/// Two revisions or more, ascending.
#[derive(Debug)]
pub(super) enum RevisionSet {
    Few(Vec<u64>),
    Many(RoaringTreemap),
}

/// What is under a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    Nothing,
    One(u64),
    Few(&'a [u64]),
    Many(&'a RoaringTreemap),
}

/// Says that a posting is the place of a set. No log has so many commits.
const IS_PLACE: u64 = 1 << 63;
/// A bitmap takes some hundred bytes before it has anything in it.
const FEW_MAX: usize = 32;

impl Posting {
    pub(super) fn one(revision: u64) -> Self {
        Self(revision)
    }

    fn place(self) -> Option<usize> {
        let is_place = self.0 & IS_PLACE != 0;
        is_place.then(|| usize::try_from(self.0 & !IS_PLACE).unwrap_or(usize::MAX))
    }

    pub(super) fn add(&mut self, revision: u64, sets: &mut Vec<RevisionSet>) {
        match self.place() {
            Some(place) => {
                if let Some(set) = sets.get_mut(place) {
                    set.add(revision);
                }
            }
            None if self.0 == revision => {}
            None => {
                let place = sets.len() as u64;
                sets.push(RevisionSet::Few(vec![self.0, revision]));
                self.0 = IS_PLACE | place;
            }
        }
    }
}

impl RevisionSet {
    fn add(&mut self, revision: u64) {
        match self {
            Self::Few(few) if few.last() == Some(&revision) => {}
            Self::Few(few) if few.len() < FEW_MAX => few.push(revision),
            Self::Few(few) => {
                let mut many: RoaringTreemap = few.iter().copied().collect();
                many.insert(revision);
                *self = Self::Many(many);
            }
            Self::Many(many) => {
                // It is the newest, or the newest said again.
                let _there = many.try_push(revision);
            }
        }
    }
}

impl<'a> Found<'a> {
    pub(super) fn of(posting: Option<&Posting>, sets: &'a [RevisionSet]) -> Self {
        let Some(posting) = posting else {
            return Self::Nothing;
        };
        match posting.place() {
            None => Self::One(posting.0),
            Some(place) => match sets.get(place) {
                None => Self::Nothing,
                Some(RevisionSet::Few(few)) => Self::Few(few),
                Some(RevisionSet::Many(many)) => Self::Many(many),
            },
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::One(_) => 1,
            Self::Few(few) => few.len() as u64,
            Self::Many(many) => many.len(),
        }
    }

    /// Those of them that are among `others`; none: all of them.
    pub(super) fn within(&self, others: Option<&RoaringTreemap>) -> RoaringTreemap {
        let among = |revision: &u64| others.is_none_or(|others| others.contains(*revision));
        match self {
            Self::Nothing => RoaringTreemap::new(),
            Self::One(revision) => Some(*revision).filter(among).into_iter().collect(),
            Self::Few(few) => few.iter().copied().filter(among).collect(),
            Self::Many(many) => match others {
                None => (*many).clone(),
                Some(others) => *many & others,
            },
        }
    }
}
