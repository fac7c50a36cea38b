//! The id of a call, by which its caller finds it in the server's logs: the caller's own, or a new one.
//!
//! It says nothing about what is asked: the `request_id` of a request, by which a retry is known, is another.

use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

/// Metadata key: the id of the call, in and out.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// The longest that is taken from a caller, in characters.
const CHARS_MAX: usize = 100;

/// The caller's id where it is a plain text that is not too long, otherwise the fresh one.
pub(super) fn request_id(headers: &HeaderMap, fresh: Uuid) -> HeaderValue {
    let given = headers.get(REQUEST_ID).filter(|id| is_plain(id.as_bytes()));
    given.cloned().unwrap_or_else(|| written(fresh))
}

fn written(id: Uuid) -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// Whether it can be in a line of a log without doing anything to it.
fn is_plain(id: &[u8]) -> bool {
    (1..=CHARS_MAX).contains(&id.len()) && id.iter().all(|c| (b' '..=b'~').contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_of(given: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_bytes(given).expect("a header"));
        let id = request_id(&headers, Uuid::nil());
        id.to_str().expect("plain text").to_owned()
    }

    #[test]
    fn a_plain_id_is_kept_and_every_other_is_replaced_by_a_fresh_uuid() {
        let longest = "x".repeat(100);
        for given in ["7", "order 66/b", longest.as_str()] {
            assert_eq!(id_of(given.as_bytes()), given);
        }
        let too_long = "x".repeat(101);
        for given in [&b""[..], too_long.as_bytes(), b"a\tb", "José".as_bytes(), b"\xff"] {
            assert_eq!(id_of(given), Uuid::nil().to_string());
        }
        let fresh = Uuid::new_v4();
        assert_eq!(request_id(&HeaderMap::new(), fresh), fresh.to_string().as_str());
    }
}
