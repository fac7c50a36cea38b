//! Proofs over a log's hash tree, after RFC 6962: that a commit is in a log (section 2.1.1), and that one log is the
//! beginning of another (section 2.1.2). Made from the roots of subtrees that a [`Tree`] keeps, checked with nothing
//! but hashes.
//!
//! Invariant: a tree of `n` leaves keeps the root of every perfect subtree of 256, 65,536, … leaves: an eighth of a byte a
//! leaf. Whatever a proof needs below that comes from at most two stretches of 256 leaves, whose hashes the caller reads.
//!
//! What it does not know: where the leaves are kept, and who signs a root.

use std::ops::Range;

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use imbl::Vector;
use sha2::Sha256;

use super::tree::node_hash;
use super::{Frontier, LeafHash, Root};

/// Every how many levels the roots of perfect subtrees are kept.
const LEVELS: u32 = 8;
/// The leaves below one root of the lowest level that is kept.
pub const TILE_LEAVES: u64 = 1 << LEVELS;

/// No log has so many leaves. Beyond it the numbers of nodes would overflow.
const LEAVES_MAX: u64 = 1 << 56;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The tree over a log: its right edge, and enough of the rest to prove what is in it. A copy shares what it keeps.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    frontier: Frontier,
    /// The roots of perfect subtrees of 256, 65,536, … leaves, from the left.
    levels: Vec<Vector<Hash>>,
}

impl Tree {
    /// The tree without leaves.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Root {
        self.frontier.root()
    }

    /// Its right edge.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        let Self { frontier, levels } = self;
        frontier.grow(leaf, |level, root| {
            if level % LEVELS == 0 {
                let kept = (level / LEVELS) as usize - 1;
                if levels.len() == kept {
                    levels.push(Vector::new());
                }
                if let Some(roots) = levels.get_mut(kept) {
                    roots.push_back(root);
                }
            }
        });
    }

    /// Appends a leaf and answers the root with it.
    pub fn append(&mut self, leaf: LeafHash) -> Root {
        self.push(leaf);
        self.root()
    }

    /// The root over the first `size` leaves; none: there are not so many.
    ///
    /// # Errors
    /// Those of `leaves`.
    pub fn root_at<E>(&self, size: u64, leaves: &mut impl Leaves<E>) -> Result<Option<Root>, E> {
        match size {
            0 => Ok(Some(Frontier::empty().root())),
            _ if size == self.size() => Ok(Some(self.root())),
            _ if size > self.size() => Ok(None),
            _ => self.hash(0..size, leaves).map(|root| Some(Root(root))),
        }
    }

    /// The hashes that prove that the leaf at `index` is in the tree of the first `size` leaves, from below; none: there is no
    /// such leaf or no such tree.
    ///
    /// # Errors
    /// Those of `leaves`.
    pub fn inclusion<E>(
        &self,
        index: u64,
        size: u64,
        leaves: &mut impl Leaves<E>,
    ) -> Result<Option<Vec<Hash>>, E> {
        if index >= size || size > self.size() {
            return Ok(None);
        }
        let nodes = ct_merkle::indices_for_inclusion_proof(size, index);
        self.hashes(&nodes, size, leaves).map(Some)
    }

    /// The hashes that prove that the tree of the first `first` leaves is the beginning of that of the first `second`; none:
    /// there are no such trees, or `first` is 0 or more than `second`.
    ///
    /// # Errors
    /// Those of `leaves`.
    pub fn consistency<E>(
        &self,
        first: u64,
        second: u64,
        leaves: &mut impl Leaves<E>,
    ) -> Result<Option<Vec<Hash>>, E> {
        if first == 0 || first > second || second > self.size() {
            return Ok(None);
        }
        let nodes = ct_merkle::indices_for_consistency_proof(first, second - first);
        self.hashes(&nodes, second, leaves).map(Some)
    }

    fn hashes<E>(&self, nodes: &[u64], size: u64, leaves: &mut impl Leaves<E>) -> Result<Vec<Hash>, E> {
        nodes
            .iter()
            .map(|node| self.hash(leaves_below(*node, size), leaves))
            .collect()
    }

    /// The Merkle Tree Hash of a range of leaves (RFC 6962, section 2.1), whose first is a multiple of the largest power of
    /// two that is not larger than its length.
    fn hash<E>(&self, range: Range<u64>, leaves: &mut impl Leaves<E>) -> Result<Hash, E> {
        let count = range.end - range.start;
        if count.is_power_of_two() {
            let level = count.trailing_zeros();
            if let Some(kept) = (level / LEVELS).checked_sub(1) {
                return Ok(self.kept(kept, level % LEVELS, range.start >> (level / LEVELS * LEVELS)));
            }
            let tile = range.start / TILE_LEAVES;
            let first = tile * TILE_LEAVES;
            let hashes = leaves.of_tile(first..self.size().min(first + TILE_LEAVES))?;
            let place = |leaf: u64| usize::try_from(leaf - first).unwrap_or(usize::MAX);
            let below = hashes
                .get(place(range.start)..place(range.end))
                .unwrap_or_default();
            return Ok(perfect(below.iter().map(|leaf| leaf.0).collect()));
        }
        let left = range.start + (1 << (u64::BITS - 1 - count.leading_zeros()));
        let right = self.hash(left..range.end, leaves)?;
        Ok(node_hash(&self.hash(range.start..left, leaves)?, &right))
    }

    /// The root of a perfect subtree of 2^`above` roots that are kept, from the `first` on.
    fn kept(&self, level: u32, above: u32, first: u64) -> Hash {
        let roots = self.levels.get(level as usize);
        let of = |place: u64| roots?.get(usize::try_from(place).ok()?).copied();
        perfect((first..first + (1 << above)).filter_map(of).collect())
    }
}

/// Who reads the hashes of leaves.
pub trait Leaves<E> {
    /// Those of a stretch of at most [`TILE_LEAVES`] leaves, all of them.
    ///
    /// # Errors
    /// They cannot be read.
    fn of_tile(&mut self, leaves: Range<u64>) -> Result<Vec<LeafHash>, E>;
}

impl<E, F: FnMut(Range<u64>) -> Result<Vec<LeafHash>, E>> Leaves<E> for F {
    fn of_tile(&mut self, leaves: Range<u64>) -> Result<Vec<LeafHash>, E> {
        self(leaves)
    }
}

/// The leaves below a node of a tree of `size` leaves. Nodes are numbered from the left, leaves and inner nodes in turn, as
/// `ct_merkle` does: the node at `place` of a level is ((2 · place + 1) · 2^level) − 1.
fn leaves_below(node: u64, size: u64) -> Range<u64> {
    let level = node.trailing_ones();
    let place = node >> level >> 1;
    (place << level)..((place + 1) << level).min(size)
}

/// The root over the roots of subtrees of one size, as many as a power of two.
fn perfect(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes = hashes
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                pair => pair.first().copied().unwrap_or_default(),
            })
            .collect();
    }
    hashes.first().copied().unwrap_or_default()
}

/// Whether `hashes` prove that `record` is the leaf at `index` of the tree with this root and size.
#[must_use]
pub fn is_included(record: &[u8], index: u64, size: u64, root: Root, hashes: &[Hash]) -> bool {
    if size > LEAVES_MAX || index >= size {
        return false;
    }
    let proof = InclusionProof::<Sha256>::from_bytes(hashes.concat());
    let root = RootHash::<Sha256>::new(root.0.into(), size);
    root.verify_inclusion(&record, index, &proof).is_ok()
}

/// Whether `hashes` prove that the tree of the one size and root is the beginning of that of the other.
#[must_use]
pub fn is_beginning(first: (u64, Root), second: (u64, Root), hashes: &[Hash]) -> bool {
    if first.0 == second.0 {
        return first.1 == second.1 && hashes.is_empty();
    }
    if first.0 == 0 || first.0 > second.0 || second.0 > LEAVES_MAX {
        return false;
    }
    let of = |(size, root): (u64, Root)| RootHash::<Sha256>::new(root.0.into(), size);
    ConsistencyProof::<Sha256>::try_from_bytes(hashes.concat())
        .is_ok_and(|proof| of(second).verify_consistency(&of(first), &proof).is_ok())
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation, reason = "the trees of the tests are small")]
mod tests {
    use std::convert::Infallible;

    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    /// A tree, and the leaves that it reads.
    struct Grown {
        tree: Tree,
        leaves: Vec<LeafHash>,
    }

    impl Grown {
        fn of<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Self {
            let mut grown = Self {
                tree: Tree::empty(),
                leaves: Vec::new(),
            };
            for record in records {
                let leaf = LeafHash::of(record);
                grown.tree.push(leaf);
                grown.leaves.push(leaf);
            }
            grown
        }

        fn leaves(&self) -> impl FnMut(Range<u64>) -> Result<Vec<LeafHash>, Infallible> {
            |range: Range<u64>| {
                assert!(range.end - range.start <= TILE_LEAVES);
                Ok(self.leaves[range.start as usize..range.end as usize].to_vec())
            }
        }

        fn root_at(&self, size: u64) -> Root {
            self.tree.root_at(size, &mut self.leaves()).unwrap().unwrap()
        }

        fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Hash>> {
            self.tree.inclusion(index, size, &mut self.leaves()).unwrap()
        }

        fn consistency(&self, first: u64, second: u64) -> Option<Vec<Hash>> {
            self.tree.consistency(first, second, &mut self.leaves()).unwrap()
        }
    }

    fn hash(hex: &str) -> Hash {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        std::array::from_fn(|place| byte(2 * place))
    }

    /// The inputs of the test vectors that the implementations of RFC 6962 share.
    const RECORDS: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f,
        ],
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn roots_and_proofs_are_those_of_the_test_vectors_of_rfc_6962() {
        let grown = Grown::of(RECORDS);
        for (size, root) in (1..).zip(ROOTS) {
            assert_eq!(grown.root_at(size).to_string(), root);
        }
        let inclusion = |index, size, path: &[&str]| {
            let path: Vec<_> = path.iter().map(|hex| hash(hex)).collect();
            assert_eq!(grown.inclusion(index, size), Some(path), "{index} in {size}");
        };
        inclusion(0, 1, &[]);
        inclusion(
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        );
        inclusion(
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        );
        inclusion(
            2,
            3,
            &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
        );
        let consistency = |first, second, path: &[&str]| {
            let path: Vec<_> = path.iter().map(|hex| hash(hex)).collect();
            assert_eq!(
                grown.consistency(first, second),
                Some(path),
                "{first} to {second}"
            );
        };
        consistency(1, 1, &[]);
        consistency(
            1,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        );
        consistency(
            6,
            8,
            &[
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        );
        consistency(
            2,
            5,
            &[
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        );
    }

    #[test]
    fn what_there_is_not_has_no_proof() {
        let grown = Grown::of(RECORDS);
        for (index, size) in [(0, 0), (1, 1), (8, 8), (0, 9)] {
            assert_eq!(grown.inclusion(index, size), None, "{index} in {size}");
        }
        for (first, second) in [(0, 0), (0, 3), (4, 3), (3, 9)] {
            assert_eq!(grown.consistency(first, second), None, "{first} to {second}");
        }
    }

    /// Large enough that roots of two levels are kept, and read across.
    fn large() -> &'static (Grown, Vec<[u8; 8]>) {
        static LARGE: std::sync::OnceLock<(Grown, Vec<[u8; 8]>)> = std::sync::OnceLock::new();
        LARGE.get_or_init(|| {
            let records: Vec<_> = (0..70_000_u64).map(u64::to_be_bytes).collect();
            (Grown::of(records.iter().map(<[u8; 8]>::as_slice)), records)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_small_tree_proves_what_the_reference_proves(size in 1_u64..700, first in 1_u64..700, index in 0_u64..700) {
            let (first, index) = (1 + (first - 1) % size, index % size);
            let records: Vec<_> = (0..size).map(u64::to_be_bytes).collect();
            let grown = Grown::of(records.iter().map(<[u8; 8]>::as_slice));
            let mut reference = MemoryBackedTree::<Sha256, [u8; 8]>::new();
            records.iter().for_each(|record| reference.push(*record));
            let (ours, theirs) = (grown.tree.root(), reference.root());
            prop_assert_eq!(&ours.0[..], &theirs.as_bytes()[..]);
            let proof = grown.inclusion(index, size).unwrap().concat();
            let theirs = reference.prove_inclusion(index as usize);
            prop_assert_eq!(&proof[..], theirs.as_bytes());
            let proof = grown.consistency(first, size).unwrap().concat();
            let theirs = reference.prove_consistency((size - first) as usize);
            prop_assert_eq!(&proof[..], theirs.as_bytes());
        }

        #[test]
        fn every_proof_holds_and_none_holds_for_anything_else(
            size in 1_u64..70_000, other in 1_u64..70_000, index in 0_u64..70_000, flipped in any::<prop::sample::Index>(),
        ) {
            let (grown, records) = large();
            let (first, index) = (1 + (other - 1) % size, index % size);
            let (root, first_root) = (grown.root_at(size), grown.root_at(first));
            let record = &records[index as usize];
            let proof = grown.inclusion(index, size).unwrap();
            prop_assert!(is_included(record, index, size, root, &proof));
            prop_assert!(!is_included(b"another", index, size, root, &proof));
            prop_assert!(!is_included(record, index, size, first_root, &proof) || first == size);
            let consistency = grown.consistency(first, size).unwrap();
            prop_assert!(is_beginning((first, first_root), (size, root), &consistency));
            prop_assert!(!is_beginning((first, root), (size, root), &consistency) || first == size);
            for (proof, holds) in [(proof, true), (consistency, false)] {
                if proof.is_empty() {
                    continue;
                }
                let mut broken = proof.clone();
                broken[flipped.index(proof.len())][0] ^= 1;
                let held = match holds {
                    true => is_included(record, index, size, root, &broken),
                    false => is_beginning((first, first_root), (size, root), &broken),
                };
                prop_assert!(!held, "a hash was changed");
            }
        }

        #[test]
        fn random_hashes_prove_nothing_and_panic_nothing(
            hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70), first in any::<u64>(), second in any::<u64>(),
        ) {
            let root = Root([7; 32]);
            prop_assert!(!is_included(b"record", first, second, root, &hashes));
            prop_assert!(!is_beginning((first, Root([1; 32])), (second, root), &hashes));
        }
    }
}
