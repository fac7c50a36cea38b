//! The source ids of a series, numbered as they came; 0 is "no source id".

use std::cmp::Ordering;

use imbl::{OrdMap, Vector};
use smol_str::SmolStr;

/// The numbers of the sources, and their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    numbers: OrdMap<SmolStr, u64>,
    names: Vector<SmolStr>,
}

impl Sources {
    /// The last number that there is.
    pub(super) const LAST: usize = (1 << 24) - 1;

    /// Whether there is no number left.
    pub(super) fn is_full(&self) -> bool {
        self.names.len() >= Self::LAST
    }

    pub(super) fn number(&self, source_id: &str) -> Option<u64> {
        if source_id.is_empty() {
            Some(0)
        } else {
            self.numbers.get(source_id).copied()
        }
    }

    pub(super) fn number_or_add(&mut self, source_id: &str) -> u64 {
        if let Some(number) = self.number(source_id) {
            return number;
        }
        let name = SmolStr::new(source_id);
        self.names.push_back(name.clone());
        // Past the last number history is still taken, as decide refuses more: they share the last one.
        let number = self.names.len().min(Self::LAST) as u64;
        self.numbers.insert(name, number);
        number
    }

    /// The source id of a number; empty: none.
    pub(super) fn name(&self, number: u64) -> &SmolStr {
        const NONE: &SmolStr = &SmolStr::new_static("");
        match usize::try_from(number) {
            Ok(number @ 1..) => self.names.get(number - 1).unwrap_or(NONE),
            _ => NONE,
        }
    }

    /// Which of two sources comes first: by id, so that the order of their coming makes no difference.
    #[inline]
    pub(super) fn order(&self, one: u64, other: u64) -> Ordering {
        match one == other {
            true => Ordering::Equal,
            false => self.name(one).cmp(self.name(other)),
        }
    }
}
