//! W3C trace context: which trace a call belongs to, as the metadata `traceparent` says it, and the server's own place in it.
//!
//! Invariant: what is read here has ids that are not zero, so that what is written can be read by everybody. A `traceparent` that
//! cannot be read is as none: the standard asks to begin a new trace. It does not know who keeps traces.

use std::fmt::{self, Write};

use uuid::Uuid;

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not zero.
    pub trace_id: [u8; 16],
    /// The span; not zero.
    pub span_id: [u8; 8],
    /// Whether somebody keeps the trace.
    pub is_sampled: bool,
}

/// The length of version 00, in characters.
const LENGTH: usize = 55;
/// The only flag that counts here.
const SAMPLED: u8 = 1;

impl TraceContext {
    /// Reads a `traceparent`; of a later version what the first one has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let [version] = bytes(parts.next()?)?;
        let trace_id = bytes(parts.next()?)?;
        let span_id = bytes(parts.next()?)?;
        let [flags] = bytes(parts.next()?)?;
        let is_whole = match version {
            0xff => false,
            0 => rest.is_empty(),
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let is_read = is_whole && parts.next().is_none() && trace_id != [0; 16] && span_id != [0; 8];
        is_read.then_some(Self {
            trace_id,
            span_id,
            is_sampled: flags & SAMPLED != 0,
        })
    }

    /// The server's own place: below the caller's, or the first of a new trace of that name, which is kept if somebody keeps
    /// traces here.
    pub(super) fn below(caller: Option<&Self>, fresh: Uuid, is_kept: bool) -> Self {
        // The second half of a random UUID begins with a bit that is set, so it is not zero.
        let [_, _, _, _, _, _, _, _, span_id @ ..] = Uuid::new_v4().into_bytes();
        match caller {
            Some(caller) => Self { span_id, ..*caller },
            None => Self {
                trace_id: fresh.into_bytes(),
                span_id,
                is_sampled: is_kept,
            },
        }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("00-")?;
        Hex(&self.trace_id).fmt(f)?;
        f.write_str("-")?;
        Hex(&self.span_id).fmt(f)?;
        f.write_str(if self.is_sampled { "-01" } else { "-00" })
    }
}

/// Bytes in small letters.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every call writes some: formatting each byte as a number is several times as dear.
        let digit = |half: u8| char::from_digit(half.into(), 16).ok_or(fmt::Error);
        self.0.iter().try_for_each(|byte| {
            f.write_char(digit(byte >> 4)?)?;
            f.write_char(digit(byte & 15)?)
        })
    }
}

/// Exactly so many bytes, in small letters.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if text.len() != 2 * N || !text.bytes().all(is_hex) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn parse(text: &str) -> Option<TraceContext> {
        TraceContext::parse(text)
    }

    #[test]
    fn a_traceparent_is_read_and_written_as_the_standard_says() {
        for flags in ["00", "01"] {
            let text = format!("00-{TRACE}-{SPAN}-{flags}");
            assert_eq!(parse(&text).expect("a context").to_string(), text);
        }
        let later = parse(&format!("cc-{TRACE}-{SPAN}-09-what-comes")).expect("a later version");
        assert_eq!(later.to_string(), format!("00-{TRACE}-{SPAN}-01"));
    }

    #[test]
    fn what_is_no_traceparent_is_as_none() {
        for text in [
            String::new(),
            "00-a-b-01".to_owned(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("01-{TRACE}-{SPAN}-01more"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-{TRACE}-{SPAN}+01"),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}é-{SPAN}-01", &TRACE[2..]),
        ] {
            assert_eq!(parse(&text), None, "{text}");
        }
    }

    #[test]
    fn the_servers_place_is_in_the_callers_trace_or_begins_one() {
        let caller = parse(&format!("00-{TRACE}-{SPAN}-00")).expect("a context");
        let own = TraceContext::below(Some(&caller), Uuid::new_v4(), true);
        assert_eq!((own.trace_id, own.is_sampled), (caller.trace_id, false));
        assert_ne!(own.span_id, caller.span_id);
        let new = TraceContext::below(None, Uuid::new_v4(), true);
        assert!(new.is_sampled && new.trace_id != caller.trace_id);
        assert_eq!(parse(&new.to_string()), Some(new));
        assert!(!TraceContext::below(None, Uuid::new_v4(), false).is_sampled);
    }
}
