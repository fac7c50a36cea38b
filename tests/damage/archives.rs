//! An archive as a file of parts, taken apart by its format (docs/format.md) and put together again in another way.

use std::fs;
use std::path::Path;

/// Kind, length, checksum.
const HEAD_BYTES: usize = 9;
const MAGIC_BYTES: usize = 12;

/// The parts of an archive, each with its head.
#[derive(Clone)]
pub(crate) struct Parts {
    magic: Vec<u8>,
    pub(crate) frames: Vec<Vec<u8>>,
}

impl Parts {
    pub(crate) fn of(path: &Path) -> Self {
        let bytes = fs::read(path).expect("an archive");
        let (magic, mut rest) = bytes.split_at(MAGIC_BYTES);
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[1..5].try_into().expect("four bytes"));
            let (frame, behind) = rest.split_at(HEAD_BYTES + length as usize);
            frames.push(frame.to_vec());
            rest = behind;
        }
        Self {
            magic: magic.to_vec(),
            frames,
        }
    }

    pub(crate) fn write(&self, path: &Path) {
        fs::write(path, [self.magic.clone(), self.frames.concat()].concat()).expect("an archive");
    }

    /// Where the frames of a kind are.
    pub(crate) fn places(&self, kind: u8) -> Vec<usize> {
        let frames = self.frames.iter().enumerate();
        frames
            .filter(|(_, frame)| frame[0] == kind)
            .map(|(place, _)| place)
            .collect()
    }

    /// Where a frame begins in the file.
    pub(crate) fn at(&self, place: usize) -> usize {
        self.magic.len() + self.frames[..place].iter().map(Vec::len).sum::<usize>()
    }

    /// The content of a frame.
    pub(crate) fn content(&self, place: usize) -> &[u8] {
        &self.frames[place][HEAD_BYTES..]
    }
}

/// A frame whose checksum fits: what somebody writes who knows the format.
pub(crate) fn frame(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("a length").to_be_bytes();
    let covered = [&[kind], length.as_slice(), content].concat();
    let checksum = crc32c::crc32c(&covered).to_be_bytes();
    [&[kind], length.as_slice(), &checksum, content].concat()
}
