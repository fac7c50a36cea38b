//! Just enough of the wire format to see what a message says without decoding it: a thousand clients that decode
//! everything would measure themselves. What is seen is held against the full decode of a sample.

use binnacle::proto::api;
use binnacle::proto::api::subscribe_response::Event;
use prost::Message;

/// What the benchmark looks at in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The field number of its event.
    pub(crate) kind: u64,
    pub(crate) has_token: bool,
    /// Where it stands: of an update, its commit's.
    pub(crate) revision: u64,
    /// Of a coalesced update.
    pub(crate) from_revision: Option<u64>,
    pub(crate) events: u64,
    /// When the first event was true, in milliseconds since 1970.
    pub(crate) effective_ms: Option<u64>,
}

pub(crate) const STARTED: u64 = 2;
pub(crate) const UPDATE: u64 = 5;
pub(crate) const CHECKPOINT: u64 = 6;
pub(crate) const CAUGHT_UP: u64 = 7;
pub(crate) const FELL_BEHIND: u64 = 8;

/// A field's value.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a fixed size; nothing here has one.
    Skipped,
}

/// The fields of one message, in the order they are written.
struct Fields<'a>(&'a [u8]);

impl Seen {
    pub(crate) fn in_message(message: &[u8]) -> Self {
        let mut seen = Self::default();
        for field in Fields(message) {
            match field {
                (1, Value::Bytes(token)) => seen.has_token = !token.is_empty(),
                (UPDATE, Value::Bytes(update)) => seen.look_at_update(update),
                (kind, Value::Bytes(event)) => {
                    seen.kind = kind;
                    seen.revision = first_number(event);
                }
                _ => {}
            }
        }
        seen
    }

    fn look_at_update(&mut self, update: &[u8]) {
        self.kind = UPDATE;
        for field in Fields(update) {
            match field {
                (1, Value::Bytes(commit)) => self.revision = first_number(commit),
                (2, Value::Bytes(event)) => {
                    if self.events == 0 {
                        self.effective_ms = effective_ms(event);
                    }
                    self.events += 1;
                }
                (6, Value::Number(revision)) => self.from_revision = Some(revision),
                _ => {}
            }
        }
    }

    /// The same by the full decode.
    pub(crate) fn decoded(message: &[u8]) -> Self {
        let message = api::SubscribeResponse::decode(message).expect("a message of the API");
        let has_token = !message.resume_token.is_empty();
        let number = |revision: i64| u64::try_from(revision).expect("a revision");
        let place = |kind, revision| Self {
            kind,
            has_token,
            revision: number(revision),
            ..Self::default()
        };
        match message.event.expect("an event") {
            Event::Started(started) => place(STARTED, started.head_revision),
            Event::Checkpoint(checkpoint) => place(CHECKPOINT, checkpoint.revision),
            Event::CaughtUp(caught_up) => place(CAUGHT_UP, caught_up.revision),
            Event::FellBehind(fell_behind) => place(FELL_BEHIND, fell_behind.revision),
            Event::Update(update) => Self {
                from_revision: update.from_revision.map(number),
                events: update.events.len() as u64,
                effective_ms: update
                    .events
                    .first()
                    .and_then(|event| event.effective_time.as_ref())
                    .map(|time| number(time.seconds) * 1000 + number(i64::from(time.nanos)) / 1_000_000),
                ..place(UPDATE, update.commit.expect("a commit").revision)
            },
            other => panic!("nobody asked for {other:?}"),
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let key = self.number();
        let value = match key & 7 {
            0 => Value::Number(self.number()),
            1 => self.skip(8),
            2 => {
                let length = usize::try_from(self.number()).expect("a length");
                let (bytes, rest) = self.0.split_at(length);
                self.0 = rest;
                Value::Bytes(bytes)
            }
            5 => self.skip(4),
            other => panic!("no field is of wire type {other}"),
        };
        Some((key >> 3, value))
    }
}

impl<'a> Fields<'a> {
    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.0.split_first().expect("a whole number");
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return number;
            }
            shift += 7;
        }
    }

    fn skip(&mut self, bytes: usize) -> Value<'a> {
        self.0 = &self.0[bytes..];
        Value::Skipped
    }
}

/// Field 1 of a message, 0 where it is left out: a commit's revision, and that of everything else that has one.
fn first_number(message: &[u8]) -> u64 {
    match Fields(message).next() {
        Some((1, Value::Number(number))) => number,
        _ => 0,
    }
}

/// When an event was true.
fn effective_ms(event: &[u8]) -> Option<u64> {
    let time = Fields(event).find_map(|field| match field {
        (4, Value::Bytes(time)) => Some(time),
        _ => None,
    })?;
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields(time) {
        match field {
            (1, Value::Number(number)) => seconds = number,
            (2, Value::Number(number)) => nanos = number,
            _ => {}
        }
    }
    Some(seconds * 1000 + nanos / 1_000_000)
}
