//! What was sent and answered, as lines: for a test whose load runs in another process.

use std::fmt;

use super::load::{Sent, Shape};

/// One line.
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shape {
            measurements,
            note_chars,
            with_request_id,
        } = self.shape;
        let answered = self.answered.unwrap_or(0);
        write!(
            f,
            "{} {measurements} {note_chars} {with_request_id} {answered}",
            self.name
        )
    }
}

impl Sent {
    /// Reads a line.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        let shape = Shape {
            measurements: words.next()?.parse().ok()?,
            note_chars: words.next()?.parse().ok()?,
            with_request_id: words.next()?.parse().ok()?,
        };
        let answered: i64 = words.next()?.parse().ok()?;
        let answered = (answered > 0).then_some(answered);
        words.next().is_none().then_some(Self {
            name,
            shape,
            answered,
        })
    }
}
