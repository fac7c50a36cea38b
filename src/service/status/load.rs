//! What is refused since there is too much of it, and when to come back.

use std::time::Duration;

use tonic::{Code, Status};

use super::{with_reason, with_retry};
use crate::service::load::Excess;

/// When a server with too many subscriptions may have room.
const CROWD_DELAY: Duration = Duration::from_secs(10);

/// When a caller with too many open calls may have ended some.
const BUSY_DELAY: Duration = Duration::from_millis(100);

/// There are as many subscriptions as there may be.
pub(in crate::service) fn too_many_subscriptions(count_max: usize) -> Status {
    let sentence = format!(
        "the server has {count_max} subscriptions and takes no more: end one that is not needed, or come back later"
    );
    with_retry(
        Code::ResourceExhausted,
        "TOO_MANY_SUBSCRIPTIONS",
        &sentence,
        Some(CROWD_DELAY),
    )
}

/// Somebody makes more calls than they may.
pub(in crate::service) fn too_many_calls(who_make: &str, excess: Excess) -> Status {
    let (reason, sentence, retry_after) = match excess {
        Excess::Rate {
            calls_per_s,
            retry_after,
        } => {
            let sentence = format!(
                "{who_make} more than {calls_per_s} calls a second: make fewer, or send several changes in one call"
            );
            ("RATE_LIMITED", sentence, retry_after)
        }
        Excess::Open { calls_max } => {
            let sentence =
                format!("{who_make} more than {calls_max} calls at once: wait until some have ended");
            ("TOO_MANY_OPEN_CALLS", sentence, BUSY_DELAY)
        }
    };
    with_retry(Code::ResourceExhausted, reason, &sentence, Some(retry_after))
}

impl From<Excess> for Status {
    fn from(excess: Excess) -> Self {
        too_many_calls("all who call about this workspace together make", excess)
    }
}

/// All requests together have more bytes than may be received at once.
pub(in crate::service) fn too_many_bytes(bytes_max: usize) -> Status {
    let sentence = format!(
        "the server receives more than {bytes_max} bytes of requests at once: try again later, in smaller calls"
    );
    with_retry(Code::ResourceExhausted, "OVERLOADED", &sentence, Some(BUSY_DELAY))
}

/// Callers do not read what they have asked for.
pub(in crate::service) fn too_much_unread() -> Status {
    let sentence = "the server has made as many bytes of answers as it keeps for callers who have not read them yet, or for you: read \
                    those before you ask for more, or ask again later; whether the call has changed something is unknown, so send a \
                    change again with the same request_id";
    with_retry(Code::Unavailable, "ANSWERS_UNREAD", sentence, Some(BUSY_DELAY))
}

/// A call had no answer within so many seconds.
pub(in crate::service) fn not_in_time(answer_s_max: u64) -> Status {
    let sentence = format!(
        "the call had no answer within {answer_s_max} s, and the server has given it up: send the whole request at once; \
         whether it has changed something is unknown, so send a change again with the same request_id"
    );
    with_reason(Code::DeadlineExceeded, "NOT_IN_TIME", &sentence)
}

/// A call has more in its headers than it may.
pub(in crate::service) fn headers_too_large(bytes_max: u32) -> Status {
    let sentence =
        format!("the headers of the call have more than {bytes_max} bytes: send fewer, or shorter ones");
    with_reason(Code::ResourceExhausted, "HEADERS_TOO_LARGE", &sentence)
}

/// A subscriber took nothing for too long.
pub(in crate::service) fn slow_consumer() -> Status {
    let sentence = "this stream was not read for too long and has ended: subscribe again with the newest resume token, and \
                    read faster, or ask for less with a filter or min_interval";
    with_reason(Code::ResourceExhausted, "SLOW_CONSUMER", sentence)
}
