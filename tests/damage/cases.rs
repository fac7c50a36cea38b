//! The table: damage, and what has to become of it.

use crate::damage::{At, Damage};
use crate::directory::Place;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) damage: Damage,
    pub(crate) then: Then,
}

/// What has to become of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    /// The start refuses it and `verify` finds it, and both say these.
    Found(&'static [&'static str]),
    /// The start refuses it and says these; what the key has signed is all there, so `verify` agrees.
    Refused(&'static [&'static str]),
    /// The start cannot tell, but `verify` can with a checkpoint that was kept elsewhere, and says these.
    Kept(&'static [&'static str]),
    /// Nothing is lost.
    Harmless,
    /// One of the first and the last: refused and found, or harmless.
    Either,
}

/// How many bytes of sled's file are changed, each in a case of its own.
const FLIPS: usize = 48;

/// Bytes of the files that sled writes, at places all over them.
pub(crate) fn of_sleds_files() -> Vec<Case> {
    let mut chance = fastrand::Rng::with_seed(7);
    let mut cases: Vec<_> = (0..FLIPS)
        .map(|number| {
            // Evenly over the file, at another place and in other bits each time.
            let at = At::Share(number * 1000 / FLIPS + chance.usize(0..1000 / FLIPS));
            either(Damage::Flip(Place::Db, at, 1 << chance.u8(0..8)))
        })
        .collect();
    // The beginning is where its first segment says what it is.
    cases.extend((0..8).map(|byte| either(Damage::Flip(Place::Db, At::Byte(byte * 3), 0xff))));
    for place in [Place::Conf, Place::Snapshot] {
        let shares = [0, 130, 250, 400, 550, 700, 850, 1000];
        cases.extend(shares.map(|share| either(Damage::Flip(place, At::Share(share), 0x20))));
        cases.extend([0, 300, 600, 999].map(|share| either(Damage::Cut(place, At::Share(share)))));
    }
    cases.extend(
        [0, 1, 50, 200, 350, 500, 650, 800, 950, 1000]
            .map(|share| either(Damage::Cut(Place::Db, At::Share(share)))),
    );
    cases
}

/// What is in the store, changed through the store.
pub(crate) fn of_blocks() -> Vec<Case> {
    const MISSING: &[&str] = &["revisions 100 to", "are missing"];
    let mut cases = Vec::new();
    // Format, checksum, the length of the first record, and the record.
    for byte in [0, 1, 4, 5, 8, 60] {
        cases.push(found(Damage::FlipBlock(20, byte), &["revision 20", "checksum"]));
    }
    // A part of a large commit, and the newest block, which is read first.
    cases.push(found(Damage::FlipBlock(33, 700), &["revision 33", "checksum"]));
    cases.push(found(Damage::FlipBlock(10_000, 60), &["checksum"]));
    cases.push(found(Damage::SwapBlocks(10, 11), &["revision 10", "checksum"]));
    cases.push(found(Damage::SwapBlocks(50, 90), &["revision 50", "checksum"]));
    cases.push(found(Damage::BlockGone(1), &["expected revision 1"]));
    cases.push(found(
        Damage::BlockGone(40),
        &["expected revision 40, found revision 41"],
    ));
    cases.push(found(Damage::BlockGone(33), &["revision 33"]));
    cases.push(found(Damage::NewestGone(100), MISSING));
    cases.push(found(Damage::LogGone, &["revisions 1 to", "are missing"]));
    cases
}

/// An older part, and another history, beside what speaks against it.
pub(crate) fn of_histories() -> Vec<Case> {
    // Which of the two logs is read first is chance.
    const LESS: &[&str] = &["revisions", "are missing"];
    const OTHER: &[&str] = &["the records up to revision", "are not"];
    let without = |path: &'static str| Damage::Gone(path);
    vec![
        found(Damage::Older("store"), LESS),
        // One of the two is enough.
        found(
            Damage::All(vec![Damage::Older("store"), Damage::Older("heads")]),
            LESS,
        ),
        found(
            Damage::All(vec![Damage::Older("store"), Damage::Older("checkpoints")]),
            LESS,
        ),
        found(Damage::All(vec![Damage::Older("store"), without("heads")]), LESS),
        found(
            Damage::All(vec![Damage::Older("store"), without("checkpoints")]),
            LESS,
        ),
        // An older copy of everything is whole in itself.
        kept(
            Damage::All(vec![
                Damage::Older("store"),
                Damage::Older("heads"),
                Damage::Older("checkpoints"),
            ]),
            LESS,
        ),
        kept(
            Damage::All(vec![
                Damage::NewestGone(100),
                without("heads"),
                without("checkpoints"),
            ]),
            &["revisions 100 to", "are missing", "there is a checkpoint"],
        ),
        found(Damage::Rewritten(50), OTHER),
        found(Damage::All(vec![Damage::Rewritten(50), without("heads")]), OTHER),
        found(
            Damage::All(vec![Damage::Rewritten(50), without("checkpoints")]),
            OTHER,
        ),
        kept(
            Damage::All(vec![
                Damage::Rewritten(50),
                without("heads"),
                without("checkpoints"),
            ]),
            OTHER,
        ),
        found(Damage::Twice, &["workspaces/beta", "logs"]),
        found(without("store"), &["missing"]),
        found(without("store/db"), &["missing"]),
        harmless(without("heads")),
        harmless(without("checkpoints")),
        harmless(Damage::Older("heads")),
        harmless(Damage::Older("checkpoints")),
    ]
}

/// The heads.
pub(crate) fn of_heads() -> Vec<Case> {
    const NO_HEADS: &[&str] = &["heads", "is not a heads file"];
    let mut cases = Vec::new();
    // Magic, version, and the checksum of both.
    for byte in [0, 7, 11, 30, 60, 63] {
        cases.push(found(Damage::Flip(Place::Heads, At::Byte(byte), 1), NO_HEADS));
    }
    for length in [0, 1, 64, 127] {
        cases.push(found(Damage::Cut(Place::Heads, At::Byte(length)), NO_HEADS));
    }
    // Each slot of each entry: log, revision, root, what is reserved, checksum. The other slot, or a checkpoint, is as good.
    for slot in 2..6 {
        for byte in [0, 23, 40, 57, 61] {
            let at = At::Byte(slot * 64 + byte);
            cases.push(harmless(Damage::Flip(Place::Heads, at, 0x80)));
        }
    }
    for back in [1, 64, 65, 128, 200] {
        cases.push(harmless(Damage::Cut(Place::Heads, At::End(back))));
    }
    cases
}

/// The checkpoints of one log: three notes of six lines, origin, size, root, nothing, signature, nothing.
pub(crate) fn of_checkpoints() -> Vec<Case> {
    const DAMAGED: &[&str] = &["the checkpoints in", "are damaged", "its checkpoint number"];
    let mut cases = Vec::new();
    for note in 0..3 {
        for line in [0, 1, 2, 4] {
            let (middle, end) = (At::Line(note * 6 + line), At::LineEnd(note * 6 + line));
            cases.push(found(Damage::Flip(Place::Checkpoints, middle, 1), DAMAGED));
            let end = Damage::Flip(Place::Checkpoints, end, 1);
            // Without its empty lines the last one is as one that a crash has cut short.
            cases.push(match (note, line) {
                (2, 2 | 4) => harmless(end),
                _ => found(end, DAMAGED),
            });
        }
    }
    cases.push(found(
        Damage::Flip(Place::Checkpoints, At::Line(7), 0x80),
        &["the checkpoints in", "are damaged", "it is no text"],
    ));
    // Whatever is cut off at the end may have been cut off by a crash, and the log says no less without it.
    for back in [1, 2, 40, 100, 200, 300, 500] {
        cases.push(harmless(Damage::Cut(Place::Checkpoints, At::End(back))));
    }
    cases.push(harmless(Damage::Cut(Place::Checkpoints, At::Byte(0))));
    cases
}

/// The keys.
pub(crate) fn of_keys() -> Vec<Case> {
    const NO_KEY: &[&str] = &["checkpoint.key holds no key", "put back the one that was there"];
    let mut cases = Vec::new();
    for byte in [0, 5, 12, 20, 26, 30, 40, 60, 77] {
        cases.push(refused(Damage::Flip(Place::Key, At::Byte(byte), 1), NO_KEY));
    }
    cases.push(refused(Damage::Flip(Place::Key, At::Byte(40), 0x80), NO_KEY));
    for length in [0, 10, 60] {
        cases.push(refused(Damage::Cut(Place::Key, At::Byte(length)), NO_KEY));
    }
    cases.push(refused(
        Damage::Gone("checkpoint.key"),
        &["checkpoint.key is missing", "put it back", "move"],
    ));
    // The key that verifies follows from the one that signs.
    for byte in [0, 20, 40] {
        cases.push(harmless(Damage::Flip(Place::PublicKey, At::Byte(byte), 1)));
        cases.push(harmless(Damage::Flip(Place::PublicKey, At::Byte(byte), 0x80)));
    }
    cases.push(harmless(Damage::Cut(Place::PublicKey, At::Byte(0))));
    cases.push(harmless(Damage::Gone("checkpoint.pub")));
    cases
}

fn found(damage: Damage, sentences: &'static [&'static str]) -> Case {
    let then = Then::Found(sentences);
    Case { damage, then }
}

fn refused(damage: Damage, sentences: &'static [&'static str]) -> Case {
    let then = Then::Refused(sentences);
    Case { damage, then }
}

fn kept(damage: Damage, sentences: &'static [&'static str]) -> Case {
    let then = Then::Kept(sentences);
    Case { damage, then }
}

fn harmless(damage: Damage) -> Case {
    let then = Then::Harmless;
    Case { damage, then }
}

fn either(damage: Damage) -> Case {
    let then = Then::Either;
    Case { damage, then }
}
