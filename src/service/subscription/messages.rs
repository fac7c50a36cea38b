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
