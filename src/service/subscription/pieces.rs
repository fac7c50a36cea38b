//! Messages in pieces: the transport is given so much at a time, so that also who reads slowly is seen to read.
//!
//! Invariant: pieces put together are the messages. A piece holds whole messages, or a part of one that is larger than a piece,
//! so a stream that is cut short can always end behind a whole message.

use std::collections::VecDeque;

use prost::bytes::Bytes;

use super::messages::first_message_bytes;

/// A piece of some messages.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// Whether it ends where a message ends.
    pub(super) ends_message: bool,
}

/// Pieces that are given one by one.
#[derive(Default)]
pub(super) struct Pieces {
    waiting: VecDeque<Piece>,
    /// The last one that was given ended inside of a message.
    is_inside: bool,
}

/// A frame of HTTP/2 holds them, and a third of them is whole: as text they are padded where messages end and nowhere else.
const PIECE_BYTES: usize = 15 * 1024;

/// Cuts messages.
pub(super) fn cut(mut messages: Bytes) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(messages.len() / PIECE_BYTES + 1);
    while !messages.is_empty() {
        let whole = whole_messages_bytes(&messages);
        if whole > 0 {
            pieces.push(Piece {
                bytes: messages.split_to(whole),
                ends_message: true,
            });
            continue;
        }
        let mut message = messages.split_to(first_message_bytes(&messages));
        while !message.is_empty() {
            let bytes = message.split_to(message.len().min(PIECE_BYTES));
            pieces.push(Piece {
                bytes,
                ends_message: message.is_empty(),
            });
        }
    }
    pieces
}

/// How many bytes at the beginning are messages that fit into one piece; 0: the first one does not.
fn whole_messages_bytes(messages: &[u8]) -> usize {
    let mut whole = 0;
    while whole < messages.len() {
        let next = whole + first_message_bytes(&messages[whole..]);
        if next > PIECE_BYTES {
            break;
        }
        whole = next;
    }
    whole
}

impl Pieces {
    pub(super) fn push(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        self.waiting.extend(pieces);
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let piece = self.waiting.pop_front()?;
        self.is_inside = !piece.ends_message;
        Some(piece.bytes)
    }

    /// Lets go what is not needed to end the message that was begun.
    pub(super) fn end_message(&mut self) {
        let needed = if self.is_inside {
            let end = self.waiting.iter().position(|piece| piece.ends_message);
            end.map_or(self.waiting.len(), |end| end + 1)
        } else {
            0
        };
        self.waiting.truncate(needed);
    }
}

#[cfg(test)]
mod tests {
    use prost::bytes::{BufMut, BytesMut};

    use super::*;

    /// Messages of so many bytes, with their heads.
    fn messages(bytes: &[usize]) -> Bytes {
        let mut framed = BytesMut::new();
        for (at, &bytes) in bytes.iter().enumerate() {
            framed.put_u8(0);
            framed.put_u32(u32::try_from(bytes - 5).unwrap());
            framed.put_bytes(u8::try_from(at + 1).unwrap(), bytes - 5);
        }
        framed.freeze()
    }

    fn sizes(pieces: &[Piece]) -> Vec<(usize, bool)> {
        pieces
            .iter()
            .map(|piece| (piece.bytes.len(), piece.ends_message))
            .collect()
    }

    #[test]
    fn a_piece_holds_whole_messages_or_a_part_of_a_large_one() {
        let all = messages(&[5, 6000, 9000, 1000, 40_000, 700, PIECE_BYTES, PIECE_BYTES + 1]);
        let pieces = cut(all.clone());
        assert_eq!(
            sizes(&pieces),
            [
                (15_005, true),
                (1000, true),
                (PIECE_BYTES, false),
                (PIECE_BYTES, false),
                (40_000 - 2 * PIECE_BYTES, true),
                (700, true),
                (PIECE_BYTES, true),
                (PIECE_BYTES, false),
                (1, true),
            ]
        );
        let together: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.to_vec()).collect();
        assert_eq!(together, all);
        assert!(cut(Bytes::new()).is_empty());
    }

    #[test]
    fn whoever_is_cut_short_ends_behind_a_whole_message() {
        let all = [5, 6000, 40_000, 700, 20_000];
        for given in 0..8 {
            let mut pieces = Pieces::default();
            pieces.push(cut(messages(&all)));
            let mut had: Vec<u8> = (0..given).filter_map(|_| pieces.next()).flatten().collect();
            let before = had.len();
            pieces.end_message();
            had.extend(std::iter::from_fn(|| pieces.next()).flatten());
            let ends: Vec<usize> = (0..=all.len()).map(|count| all[..count].iter().sum()).collect();
            assert!(ends.contains(&had.len()), "{} after {given}", had.len());
            assert!(had.len() - before < 40_000 && messages(&all).starts_with(&had));
            assert_eq!(
                ends.contains(&before),
                had.len() == before,
                "and no more than that"
            );
        }
    }
}
