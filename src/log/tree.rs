//! The hash tree over a log's records: an RFC 6962 Merkle tree, held as its frontier only.
//!
//! Invariant: after `n` pushes `root` is the Merkle Tree Hash (RFC 6962, section 2.1) of those `n` records in that
//! order, and the frontier holds one peak for each set bit of `n`: never more than 64 hashes, however long the log.
//!
//! What it does not know: revisions, workspaces, proofs and signatures.

use std::fmt;

use sha2::{Digest, Sha256};

/// Keeps a leaf from being passed off as an inner node, and the other way round (RFC 6962, section 2.1).
const LEAF_PREFIX: [u8; 1] = [0x00];
const NODE_PREFIX: [u8; 1] = [0x01];

/// The hash of one record: `SHA-256(0x00 || record bytes)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeafHash(pub [u8; 32]);

/// The hash of a whole tree: it changes with every byte and with the order of every record below it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Root(pub [u8; 32]);

/// The right edge of a tree: all that is needed to append to it and to say its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    /// The number of leaves.
    size: u64,
    /// The roots of the perfect subtrees, largest (leftmost) first: one for each set bit of `size`.
    peaks: Vec<[u8; 32]>,
}

impl LeafHash {
    /// Hashes a record's exact stored bytes.
    #[must_use]
    pub fn of(record: &[u8]) -> Self {
        Self(
            Sha256::new()
                .chain_update(LEAF_PREFIX)
                .chain_update(record)
                .finalize()
                .into(),
        )
    }
}

impl Root {
    /// Reads a root as it is written: 64 digits in lower case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut root = [0; 32];
        for (place, byte) in root.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        (Self(root).to_string() == text).then_some(Self(root))
    }
}

impl Frontier {
    /// The tree without leaves.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// The number of leaves; for a log it is the newest revision covered.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf: at most 64 hashes, two on average.
    pub fn push(&mut self, leaf: LeafHash) {
        self.grow(leaf, |_, _| {});
    }

    /// Appends a leaf and tells every perfect subtree that it completes, from below: the level (2^level leaves) and its root.
    pub(super) fn grow(&mut self, leaf: LeafHash, mut completed: impl FnMut(u32, [u8; 32])) {
        // Every trailing one bit of the size is a perfect subtree that the new leaf completes to the next size up.
        let mut subtree = leaf.0;
        for level in 1..=self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            subtree = node_hash(&left, &subtree);
            completed(level, subtree);
        }
        self.peaks.push(subtree);
        self.size += 1;
    }

    /// Appends a leaf and answers the root with it.
    pub fn append(&mut self, leaf: LeafHash) -> Root {
        self.push(leaf);
        self.root()
    }

    /// The root over all leaves pushed so far; of the empty tree it is `SHA-256("")`.
    #[must_use]
    pub fn root(&self) -> Root {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else {
            return Root(Sha256::digest([]).into());
        };
        Root(peaks.fold(*smallest, |right, left| node_hash(left, &right)))
    }
}

pub(super) fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new()
        .chain_update(NODE_PREFIX)
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({self})")
    }
}

impl fmt::Debug for LeafHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LeafHash({})", Root(self.0))
    }
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    use super::*;

    fn frontier_of<'a>(records: impl IntoIterator<Item = &'a [u8]>) -> Frontier {
        let mut frontier = Frontier::empty();
        for record in records {
            frontier.push(LeafHash::of(record));
        }
        frontier
    }

    /// The eight leaves and the roots of their prefixes that certificate-transparency implementations share.
    #[test]
    fn roots_are_the_known_ones_of_certificate_transparency() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, root) in roots.into_iter().enumerate() {
            let frontier = frontier_of(leaves[..size].iter().copied());
            assert_eq!(frontier.root().to_string(), root, "of the first {size} leaves");
        }
    }

    #[test]
    fn roots_agree_with_another_implementation_at_every_size_up_to_200() {
        let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut ours = Frontier::empty();
        for size in 0..=200_u64 {
            assert_eq!(ours.size(), size);
            assert_eq!(
                ours.peaks.len(),
                size.count_ones() as usize,
                "peaks at size {size}"
            );
            assert_eq!(
                &ours.root().0[..],
                &theirs.root().as_bytes()[..],
                "root at size {size}"
            );
            let record = vec![u8::try_from(size).unwrap(); usize::try_from(size).unwrap()];
            ours.push(LeafHash::of(&record));
            theirs.push(record);
        }
    }

    #[test]
    fn the_order_of_records_changes_the_root() {
        assert_ne!(
            frontier_of([&b"a"[..], b"b"]).root(),
            frontier_of([&b"b"[..], b"a"]).root()
        );
    }

    #[test]
    fn a_record_that_looks_like_an_inner_node_does_not_have_its_hash() {
        let pair = frontier_of([&b"a"[..], b"b"]);
        let mut forged = LeafHash::of(b"a").0.to_vec();
        forged.extend(LeafHash::of(b"b").0);
        assert_ne!(frontier_of([&forged[..]]).root(), pair.root());
    }
}
