//! Older versions of a workspace, kept so that the past is folded from the nearest one instead of from the beginning.
//!
//! Invariant: there are at most `COUNT_MAX` of them, they pin at most `BYTES_MAX` (by an estimate from above), and no gap
//! between two is wider than about twice the average one. One is kept every `SPACING_COMMITS`; when there are too many, the
//! one goes that leaves the narrowest gap. What a read of the past costs is the gap at most: up to 1,024 commits in a log of a
//! quarter million, up to 6,144 in one of a million. Where bytes are the bound, in a workspace of thousands of resources that
//! all keep changing, gaps are wider.

use std::sync::Arc;

use crate::domain::{Revision, Workspace};
use crate::log::Frontier;
use crate::projection::State;

/// A state kept to fold from, with the tree as it was. Its figures may wait for their `refresh`.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) state: Arc<State>,
    pub(super) frontier: Frontier,
}

/// Versions by revision, ascending; the first is the empty one.
#[derive(Debug)]
pub(super) struct Versions {
    kept: Vec<Version>,
    bytes_max: usize,
}

/// No two are closer to each other.
pub(super) const SPACING_COMMITS: u64 = 1024;
/// The most versions of one workspace.
const COUNT_MAX: usize = 256;
/// The most bytes that the versions of one workspace pin.
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// About what a commit takes that only an older version still holds: the paths to what changed.
const COMMIT_BYTES: u64 = 8 * 1024;
/// About what a resource takes of which nothing is shared, with its figures and the open run of its measurements.
const RESOURCE_BYTES: u64 = 4 * 1024;

impl Version {
    /// Before the first commit.
    pub(super) fn empty() -> Self {
        Self {
            state: Arc::new(State::empty()),
            frontier: Frontier::empty(),
        }
    }

    pub(super) fn revision(&self) -> Revision {
        self.state.workspace().revision()
    }
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            kept: vec![Version::empty()],
            bytes_max: BYTES_MAX,
        }
    }
}

impl Versions {
    /// Whether the newest is old enough.
    pub(super) fn wants(&self, revision: Revision) -> bool {
        let newest = self.kept.last().map_or(Revision::ZERO, Version::revision);
        revision.0 >= newest.0 + SPACING_COMMITS
    }

    /// Keeps one more, if it is wanted, and answers those that had to go for it: to let go of a state takes a while.
    pub(super) fn keep(&mut self, version: Version) -> Vec<Version> {
        if !self.wants(version.revision()) {
            return Vec::new();
        }
        self.kept.push(version);
        let mut gone = Vec::new();
        while self.kept.len() > COUNT_MAX || self.bytes() > self.bytes_max {
            let Some(index) = self.least_missed() else {
                break;
            };
            gone.push(self.kept.remove(index));
        }
        gone
    }

    /// The newest version that is not newer than a revision.
    pub(super) fn at(&self, revision: Revision) -> Version {
        let newer = self
            .kept
            .partition_point(|version| version.revision() <= revision);
        let found = self.kept.get(newer.saturating_sub(1));
        found.cloned().unwrap_or_else(Version::empty)
    }

    /// The one whose neighbours are the nearest to each other; of several the oldest. Neither the first nor the newest.
    fn least_missed(&self) -> Option<usize> {
        let gaps = self.kept.windows(3).enumerate();
        let widths = gaps.filter_map(|(index, gap)| match gap {
            [before, _, after] => Some((after.revision().0 - before.revision().0, index + 1)),
            _ => None,
        });
        widths.min().map(|(_, index)| index)
    }

    /// About how many bytes all pin together: each what the next newer one does not share with it.
    fn bytes(&self) -> usize {
        let pairs = self.kept.windows(2).map(|pair| match pair {
            [older, newer] => pinned_bytes(older.state.workspace(), newer.revision()),
            _ => 0,
        });
        pairs.sum()
    }
}

/// About how many bytes a state pins beside another one of the same workspace: of each commit between them the paths, but
/// never more than there is. From above: commits often change what others have changed already.
pub(super) fn pinned_bytes(workspace: &Workspace, other: Revision) -> usize {
    let commits = workspace.revision().0.abs_diff(other.0);
    let resources = workspace.teams().len()
        + workspace.members().len()
        + workspace.cycles().len()
        + workspace.objectives().len()
        + workspace.key_results().len()
        + workspace.initiatives().len()
        + workspace.kpis().len()
        + workspace.reviews().len();
    let bytes = (commits * COMMIT_BYTES).min(resources as u64 * RESOURCE_BYTES);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::given::*;
    use crate::domain::{Commit, Origin};

    fn version(revision: u64) -> Version {
        let mut state = State::empty();
        state.fold(&Commit {
            revision: Revision(revision),
            recorded_time: at(2026, 1, 1, 12),
            epoch: 1,
            origin: Origin::system("test"),
            events: Vec::new(),
        });
        Version {
            state: Arc::new(state),
            frontier: Frontier::empty(),
        }
    }

    /// The widths of the gaps between those that are kept of a log of so many commits.
    fn gaps(commits: u64) -> Vec<u64> {
        let mut versions = Versions::default();
        for revision in 1..=commits / 64 {
            drop(versions.keep(version(revision * 64)));
        }
        let pairs = versions.kept.windows(2);
        pairs
            .map(|pair| pair[1].revision().0 - pair[0].revision().0)
            .collect()
    }

    #[test]
    fn however_long_a_log_is_its_versions_are_few_and_no_gap_is_wide() {
        for (commits, count, widest) in [
            (1000, 0, 0),
            (100_000, 97, 1024),
            (262_000, 255, 1024),
            (1_000_000, 255, 6144),
            (5_000_000, 255, 28_672),
        ] {
            let gaps = gaps(commits);
            assert_eq!(gaps.len(), count, "{commits}");
            let found = gaps.iter().copied().max().unwrap_or_default();
            assert!(found <= widest, "{commits}: {found}");
        }
    }

    #[test]
    fn bytes_are_a_bound_too_and_the_first_and_the_newest_stay() {
        let teams: Vec<_> = (0..9).map(|number| team(&format!("t{number}"), None)).collect();
        let company = given(teams).workspace;
        let one = pinned_bytes(&company, company.revision());
        assert_eq!(one, 0, "nothing beside itself");
        let all = pinned_bytes(&company, Revision(1_000_000));
        assert!(all >= 9 * 4096, "{all}");
        assert_eq!(
            pinned_bytes(&company, Revision(1_000_000_000)),
            all,
            "never more than there is"
        );

        let mut versions = Versions {
            bytes_max: 0,
            ..Versions::default()
        };
        for revision in 1..=10 {
            let mut state = State::empty();
            for commit in &given([team("sales", None)]).commits {
                state.fold(commit);
            }
            let last = Commit {
                revision: Revision(revision * 1024),
                ..given([]).commits.remove(0)
            };
            state.fold(&Commit {
                events: Vec::new(),
                ..last
            });
            drop(versions.keep(Version {
                state: Arc::new(state),
                frontier: Frontier::empty(),
            }));
        }
        let kept: Vec<u64> = versions.kept.iter().map(|kept| kept.revision().0).collect();
        assert_eq!(kept, [0, 10_240]);
        assert_eq!(versions.at(Revision(10_239)).revision(), Revision::ZERO);
        assert_eq!(versions.at(Revision(99_999)).revision(), Revision(10_240));
    }
}
