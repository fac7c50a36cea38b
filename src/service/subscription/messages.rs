//! One update as one message, or as several when it is large: none is larger than `MESSAGE_BYTES_MAX`, and only the last
//! has a token.

use prost::bytes::Bytes;
use prost::{Message, length_delimiter_len};

use crate::proto::api;
use crate::proto::api::subscribe_response::Event;

/// The largest message of a large commit, in bytes, but for a single part that is larger.
pub(super) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// What a message has beside its update: the token, and what they are told apart by.
const FRAME_BYTES: usize = 256;

/// Messages of one update that are being filled.
pub(super) struct Messages {
    /// What all of them begin with.
    head: api::Update,
    head_bytes: usize,
    filling: api::Update,
    bytes: usize,
    is_begun: bool,
}

/// A part of an update.
pub(super) enum Part {
    Event(api::Event),
    Derived(api::DerivedChange),
    Entered(api::Resource),
    Changed(api::Resource),
    Left(String),
}

impl Messages {
    pub(super) fn new(head: api::Update) -> Self {
        Self {
            filling: head.clone(),
            head_bytes: FRAME_BYTES + head.encoded_len(),
            head,
            bytes: 0,
            is_begun: false,
        }
    }

    /// Whether nothing was put into them.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_begun
    }

    /// Puts a part in; the message in front of it, if that is full.
    pub(super) fn put(&mut self, part: Part) -> Option<Bytes> {
        let more = part.encoded_len();
        let full = self.bytes > 0 && self.head_bytes + self.bytes + more > MESSAGE_BYTES_MAX;
        let sent = full.then(|| {
            self.bytes = 0;
            let next = self.head.clone();
            frame(
                Event::Update(std::mem::replace(&mut self.filling, next)),
                String::new(),
            )
        });
        self.bytes += more;
        self.is_begun = true;
        let to = &mut self.filling;
        match part {
            Part::Event(event) => to.events.push(event),
            Part::Derived(change) => to.derived_changes.push(change),
            Part::Entered(resource) => to.entered.push(resource),
            Part::Changed(resource) => to.changed.push(resource),
            Part::Left(name) => to.left.push(name),
        }
        sent
    }

    /// The last message.
    pub(super) fn end(self, token: String) -> Bytes {
        frame(Event::Update(self.filling), token)
    }
}

impl Part {
    /// In a message, behind its tag and its length.
    fn encoded_len(&self) -> usize {
        let bytes = match self {
            Self::Event(event) => event.encoded_len(),
            Self::Derived(change) => change.encoded_len(),
            Self::Entered(resource) | Self::Changed(resource) => resource.encoded_len(),
            Self::Left(name) => name.len(),
        };
        1 + length_delimiter_len(bytes) + bytes
    }
}

/// One message of a stream, encoded.
pub(super) fn frame(event: Event, resume_token: String) -> Bytes {
    let message = api::SubscribeResponse {
        resume_token,
        event: Some(event),
    };
    message.encode_to_vec().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(bytes: usize) -> Part {
        Part::Left("n".repeat(bytes))
    }

    fn event(bytes: usize) -> Part {
        Part::Event(api::Event {
            name: "e".repeat(bytes),
            ..api::Event::default()
        })
    }

    /// What comes of some parts: of each message its token, its events' and its names' lengths.
    fn messages(parts: Vec<Part>) -> Vec<(String, Vec<usize>, Vec<usize>)> {
        let commit = api::Commit {
            revision: 7,
            ..api::Commit::default()
        };
        let mut filling = Messages::new(api::Update {
            commit: Some(commit.clone()),
            ..api::Update::default()
        });
        let mut frames: Vec<Bytes> = parts.into_iter().filter_map(|part| filling.put(part)).collect();
        frames.push(filling.end("token".repeat(17)));
        let read = frames.iter().map(|frame| {
            let message = api::SubscribeResponse::decode(frame.clone()).unwrap();
            let Some(Event::Update(update)) = message.event else {
                panic!("no update")
            };
            assert_eq!(update.commit, Some(commit.clone()));
            let parts = update.events.len() + update.left.len();
            assert!(
                frame.len() <= MESSAGE_BYTES_MAX || parts == 1,
                "{} bytes",
                frame.len()
            );
            let events = update.events.iter().map(|event| event.name.len()).collect();
            (
                message.resume_token,
                events,
                update.left.iter().map(String::len).collect(),
            )
        });
        read.collect()
    }

    #[test]
    fn a_large_update_is_cut_in_order_into_messages_of_1_mib_and_only_the_last_has_a_token() {
        let cut = messages((1..=12).map(|part| event(part * 60_000)).collect());
        assert!(cut.len() > 4, "{}", cut.len());
        let lengths: Vec<usize> = cut.iter().flat_map(|(_, events, _)| events.clone()).collect();
        assert_eq!(lengths, (1..=12).map(|part| part * 60_000).collect::<Vec<_>>());
        let (last, others) = cut.split_last().unwrap();
        assert!(others.iter().all(|(token, ..)| token.is_empty()));
        assert!(last.0.starts_with("token"));
    }

    #[test]
    fn many_small_parts_are_no_more_than_1_mib_with_all_that_is_around_them() {
        let cut = messages((0..400_000).map(|_| left(9)).collect());
        assert_eq!(cut.iter().map(|(_, _, left)| left.len()).sum::<usize>(), 400_000);
        assert_eq!(cut.len(), 5, "400,000 names of 11 bytes");
    }

    #[test]
    fn a_part_that_is_larger_than_a_message_comes_alone() {
        let cut = messages(vec![event(10), event(MESSAGE_BYTES_MAX + 1), left(10), left(20)]);
        let parts: Vec<_> = cut
            .iter()
            .map(|(_, events, left)| (events.len(), left.len()))
            .collect();
        assert_eq!(parts, [(1, 0), (1, 0), (0, 2)]);
        let alone = messages(vec![event(3 * MESSAGE_BYTES_MAX)]);
        assert_eq!(alone.len(), 1, "and is the only message of its update");
    }

    #[test]
    fn nothing_is_empty_and_something_is_not() {
        let mut messages = Messages::new(api::Update::default());
        assert!(messages.is_empty());
        assert!(messages.put(left(1)).is_none());
        assert!(!messages.is_empty());
    }
}
