//! Checkpoints on demand, and proofs of what is in a log. Whatever is answered speaks of durable commits alone: a proof is
//! made of the tree that was published.

use std::ops::Range;
use std::sync::Arc;

use super::hosted::{Hosted, Published};
use super::{Engine, Refusal};
use crate::domain::Revision;
use crate::log::codec::RecordHead;
use crate::log::{
    Checkpoint, EventLog, Hash, LeafHash, LogError, LogErrorKind, LogId, Origin, PublicKey, Record, Root,
    TILE_LEAVES,
};

/// A checkpoint and its signature.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
    /// The key that verifies it.
    pub key: PublicKey,
}

/// That a commit is in the log of a checkpoint.
#[derive(Clone, Debug)]
pub struct Inclusion {
    /// The commit's stored bytes.
    pub record: Vec<u8>,
    /// Its leaf.
    pub leaf: LeafHash,
    /// The path from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The log that it is in.
    pub signed: Signed,
}

/// That an earlier log is the beginning of the log of a checkpoint.
#[derive(Clone, Debug)]
pub struct Consistency {
    /// The earlier log's root.
    pub first_root: Root,
    /// What leads from it to the later one's.
    pub hashes: Vec<Hash>,
    /// The later log.
    pub signed: Signed,
}

impl Engine {
    /// A signed checkpoint of a workspace's log up to a revision, which must be there.
    ///
    /// # Errors
    /// The revision is not there yet, or it is 0; the log cannot be read; this engine signs nothing.
    pub async fn checkpoint(&self, hosted: &Arc<Hosted>, revision: Revision) -> Result<Signed, Refusal> {
        self.prove(hosted, revision, Proof::signed).await
    }

    /// The proof that the commit of a revision is in the log of a size.
    ///
    /// # Errors
    /// As [`Engine::checkpoint`]; the revision is 0 or more than the size.
    pub async fn inclusion(
        &self,
        hosted: &Arc<Hosted>,
        revision: Revision,
        size: Revision,
    ) -> Result<Inclusion, Refusal> {
        self.prove(hosted, size, move |proof| {
            let index = revision.0.checked_sub(1);
            let (tree, tiles) = (&proof.published.tree, &mut proof.tiles);
            let path = index
                .map(|index| tree.inclusion(index, size.0, &mut |leaves| tiles.read(leaves)))
                .transpose()?
                .flatten();
            let hashes = path.ok_or(Refusal::RevisionInFuture {
                asked: revision,
                head: size,
            })?;
            let record = proof.tiles.record(revision)?;
            Ok(Inclusion {
                leaf: LeafHash::of(&record.bytes),
                record: record.bytes,
                hashes,
                signed: proof.signed()?,
            })
        })
        .await
    }

    /// The proof that the log of one size is the beginning of the log of another.
    ///
    /// # Errors
    /// As [`Engine::checkpoint`]; the first size is 0 or more than the second.
    pub async fn consistency(
        &self,
        hosted: &Arc<Hosted>,
        first: Revision,
        second: Revision,
    ) -> Result<Consistency, Refusal> {
        self.prove(hosted, second, move |proof| {
            let (tree, tiles) = (&proof.published.tree, &mut proof.tiles);
            let mut read = |leaves| tiles.read(leaves);
            let path = tree.consistency(first.0, second.0, &mut read)?;
            let root = tree.root_at(first.0, &mut read)?;
            let (hashes, first_root) = path.zip(root).ok_or(Refusal::RevisionInFuture {
                asked: first,
                head: second,
            })?;
            Ok(Consistency {
                first_root,
                hashes,
                signed: proof.signed()?,
            })
        })
        .await
    }

    async fn prove<T: Send + 'static>(
        &self,
        hosted: &Arc<Hosted>,
        size: Revision,
        make: impl FnOnce(&mut Proof) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let published = hosted.published();
        let head = published.state.workspace().revision();
        if size > head || size == Revision::ZERO {
            return Err(Refusal::RevisionInFuture { asked: size, head });
        }
        let mut proof = Proof {
            engine: self.clone(),
            tiles: Tiles {
                log: Arc::clone(&self.inner.log),
                id: hosted.log(),
                read: Vec::new(),
            },
            published,
            size,
        };
        self.aside(move || make(&mut proof)).await?
    }
}

/// What a proof is made from.
struct Proof {
    engine: Engine,
    tiles: Tiles,
    published: Arc<Published>,
    /// The log that it is about.
    size: Revision,
}

impl Proof {
    fn signed(&mut self) -> Result<Signed, Refusal> {
        let signer = self.engine.inner.signer.as_ref().ok_or(Refusal::SignsNothing)?;
        let (tree, tiles) = (&self.published.tree, &mut self.tiles);
        let root = tree.root_at(self.size.0, &mut |leaves| tiles.read(leaves))?;
        let head = self.published.state.workspace().revision();
        let root = root.ok_or(Refusal::RevisionInFuture {
            asked: self.size,
            head,
        })?;
        let epoch = match self.size == head {
            true => self.published.epoch,
            false => self.tiles.epoch(self.size)?,
        };
        let checkpoint = Checkpoint {
            origin: Origin {
                log: self.tiles.id,
                epoch,
            },
            revision: self.size,
            root,
        };
        Ok(Signed {
            note: signer.key().sign(&checkpoint),
            key: signer.key().public(),
            checkpoint,
        })
    }
}

/// Stretches of leaves, each read once for a proof.
struct Tiles {
    log: Arc<dyn EventLog>,
    id: LogId,
    read: Vec<(Range<u64>, Vec<LeafHash>)>,
}

impl Tiles {
    fn read(&mut self, leaves: Range<u64>) -> Result<Vec<LeafHash>, LogError> {
        if let Some((_, hashes)) = self.read.iter().find(|(range, _)| *range == leaves) {
            return Ok(hashes.clone());
        }
        let count = leaves.end.saturating_sub(leaves.start).min(TILE_LEAVES);
        let records = self.log.read(self.id, Revision(leaves.start + 1));
        let hashes = records
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .map(|record| Ok(LeafHash::of(&record?.bytes)))
            .collect::<Result<Vec<_>, LogError>>()?;
        self.read.push((leaves, hashes.clone()));
        Ok(hashes)
    }

    /// The commit of a revision that is there.
    fn record(&self, revision: Revision) -> Result<Record, LogError> {
        let mut records = self.log.read(self.id, revision);
        // What is published is in the log.
        records
            .next()
            .unwrap_or_else(|| self.damaged(revision, "is missing"))
    }

    /// The epoch that a commit is in.
    fn epoch(&self, revision: Revision) -> Result<u32, LogError> {
        let record = self.record(revision)?;
        match RecordHead::of(&record.bytes) {
            Some(head) if head.log == self.id && head.revision == revision => Ok(head.epoch),
            Some(_) | None => self.damaged(revision, "is not the commit of that place"),
        }
    }

    fn damaged<T>(&self, revision: Revision, how: &str) -> Result<T, LogError> {
        let context = format!("workspace log {}: revision {revision} {how}", self.id);
        Err(LogError::new(LogErrorKind::Damaged, context))
    }
}
