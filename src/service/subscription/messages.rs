//! One update as one message, or as several when it is large: none is larger than `MESSAGE_BYTES_MAX`, and only the last
//! has a token. Messages are written as gRPC sends them, each behind its length, and every part of an update goes into its
//! message as it comes: nothing is encoded twice.

use prost::bytes::{BufMut, Bytes, BytesMut};
use prost::{Message, encode_length_delimiter, length_delimiter_len};

use crate::proto::api;
use crate::proto::api::subscribe_response::Event;

/// The largest message of a large commit, in bytes, but for a single part that is larger.
pub(super) const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// What a message has beside its update: the token, and what they are told apart by.
const FRAME_BYTES: usize = 256;
/// What most updates have behind their head, in bytes.
const USUAL_BYTES: usize = 1024;
/// gRPC's head of a message: not compressed, and its length.
const HEAD_BYTES: usize = 5;

/// The messages of one update.
pub(super) struct Messages {
    /// Fields of an `Update`, encoded: what all of its messages begin with, and the parts of the one that is being filled.
    update: Vec<u8>,
    head_bytes: usize,
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
    /// Those that begin with `head`.
    pub(super) fn new(head: &api::Update) -> Self {
        let head_bytes = head.encoded_len();
        let mut update = Vec::with_capacity(head_bytes + USUAL_BYTES);
        let _written = head.encode(&mut update);
        Self { update, head_bytes }
    }

    /// Whether nothing was put into them.
    pub(super) fn is_empty(&self) -> bool {
        self.update.len() == self.head_bytes
    }

    /// Puts a part in. The message in front of it, if that is full, is written to `out`.
    pub(super) fn put(&mut self, part: &Part, out: &mut BytesMut) {
        let full = self.update.len();
        part.write(&mut self.update);
        if full > self.head_bytes && FRAME_BYTES + self.update.len() > MESSAGE_BYTES_MAX {
            write_update(&self.update[..full], "", out);
            self.update.drain(self.head_bytes..full);
        }
    }

    /// Writes the last message.
    pub(super) fn end(self, token: &str, out: &mut BytesMut) {
        write_update(&self.update, token, out);
    }
}

impl Part {
    /// As a field of an `Update`.
    fn write(&self, to: &mut Vec<u8>) {
        // A vector has room for everything.
        let _written = match self {
            Self::Event(event) => {
                to.put_u8(key(2));
                event.encode_length_delimited(to)
            }
            Self::Derived(change) => {
                to.put_u8(key(3));
                change.encode_length_delimited(to)
            }
            Self::Entered(resource) => {
                to.put_u8(key(4));
                resource.encode_length_delimited(to)
            }
            Self::Left(name) => {
                write_field(5, name.as_bytes(), to);
                Ok(())
            }
            Self::Changed(resource) => {
                to.put_u8(key(7));
                resource.encode_length_delimited(to)
            }
        };
    }
}

/// One message of a stream.
pub(super) fn frame(event: Event, resume_token: String) -> Bytes {
    let message = api::SubscribeResponse {
        resume_token,
        event: Some(event),
    };
    let bytes = message.encoded_len();
    let mut framed = BytesMut::with_capacity(HEAD_BYTES + bytes);
    write_head(bytes, &mut framed);
    let _written = message.encode(&mut framed);
    framed.freeze()
}

/// A `SubscribeResponse` with an update that is encoded already. No token: it is not the last one.
fn write_update(update: &[u8], token: &str, out: &mut BytesMut) {
    let field_bytes = |bytes: usize| 1 + length_delimiter_len(bytes) + bytes;
    let token_bytes = if token.is_empty() {
        0
    } else {
        field_bytes(token.len())
    };
    let bytes = token_bytes + field_bytes(update.len());
    out.reserve(HEAD_BYTES + bytes);
    write_head(bytes, out);
    if !token.is_empty() {
        write_field(1, token.as_bytes(), out);
    }
    write_field(5, update, out);
}

/// How many bytes the first of some messages takes, with its head; no more than there are.
pub(super) fn first_message_bytes(framed: &[u8]) -> usize {
    let length = framed
        .get(1..HEAD_BYTES)
        .and_then(|length| length.try_into().ok());
    let bytes = length.map_or(0, |length| u32::from_be_bytes(length) as usize);
    (HEAD_BYTES + bytes).min(framed.len())
}

fn write_head(bytes: usize, out: &mut BytesMut) {
    out.put_u8(0);
    // No message is larger than the largest commit.
    out.put_u32(u32::try_from(bytes).unwrap_or(u32::MAX));
}

fn write_field(number: u8, bytes: &[u8], to: &mut impl BufMut) {
    to.put_u8(key(number));
    let _written = encode_length_delimiter(bytes.len(), to);
    to.put_slice(bytes);
}

/// What stands in front of a field that has a length. The numbers are those of the API's definition, and below 16.
const fn key(number: u8) -> u8 {
    number << 3 | 2
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Messages without their heads.
    pub(in super::super) fn one_by_one(mut framed: &[u8]) -> Vec<&[u8]> {
        let mut messages = Vec::new();
        while let Some((head, rest)) = framed.split_first_chunk::<HEAD_BYTES>() {
            let [not_compressed, length @ ..] = *head;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
            assert_eq!(not_compressed, 0);
            let (message, rest) = rest.split_at(length);
            messages.push(message);
            framed = rest;
        }
        assert!(framed.is_empty());
        messages
    }

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
        let mut filling = Messages::new(&api::Update {
            commit: Some(commit.clone()),
            ..api::Update::default()
        });
        let mut out = BytesMut::new();
        for part in parts {
            filling.put(&part, &mut out);
        }
        filling.end(&"token".repeat(17), &mut out);
        let frames = one_by_one(&out);
        let read = frames.iter().map(|frame| {
            let message = api::SubscribeResponse::decode(*frame).unwrap();
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
        let mut messages = Messages::new(&api::Update {
            from_revision: Some(7),
            ..api::Update::default()
        });
        assert!(messages.is_empty());
        let mut out = BytesMut::new();
        messages.put(&left(1), &mut out);
        assert!(!messages.is_empty() && out.is_empty());
    }

    #[test]
    fn what_is_written_part_by_part_is_what_the_api_defines() {
        let resource = |title: &str| api::Resource {
            resource: Some(api::resource::Resource::Team(api::Team {
                title: title.into(),
                ..api::Team::default()
            })),
        };
        let update = api::Update {
            commit: Some(api::Commit {
                revision: 7,
                ..api::Commit::default()
            }),
            events: vec![api::Event::default()],
            derived_changes: vec![api::DerivedChange {
                resource: "workspaces/a".into(),
                figure: None,
            }],
            entered: vec![resource("new")],
            left: vec!["workspaces/a/teams/t".into(), String::new()],
            from_revision: Some(3),
            changed: vec![resource("other")],
        };
        let mut messages = Messages::new(&api::Update {
            commit: update.commit.clone(),
            from_revision: update.from_revision,
            ..api::Update::default()
        });
        let mut out = BytesMut::new();
        let written = update.clone();
        let parts = written
            .events
            .into_iter()
            .map(Part::Event)
            .chain(written.derived_changes.into_iter().map(Part::Derived))
            .chain(written.entered.into_iter().map(Part::Entered))
            .chain(written.left.into_iter().map(Part::Left))
            .chain(written.changed.into_iter().map(Part::Changed));
        for part in parts {
            messages.put(&part, &mut out);
        }
        messages.end("token", &mut out);
        let checkpoint = Event::Checkpoint(api::Checkpoint {
            revision: 7,
            ..api::Checkpoint::default()
        });
        out.put_slice(&frame(checkpoint.clone(), String::new()));
        let read: Vec<_> = one_by_one(&out)
            .into_iter()
            .map(|message| api::SubscribeResponse::decode(message).unwrap())
            .collect();
        let expected = [(Event::Update(update), "token"), (checkpoint, "")];
        let expected = expected.map(|(event, token)| api::SubscribeResponse {
            resume_token: token.into(),
            event: Some(event),
        });
        assert_eq!(read, expected);
    }
}
