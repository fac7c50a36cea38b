//! A connection to a server, for every command that talks to one: reaching it, saying who asks, and asking again where
//! that may help.
//!
//! A request that writes is repeated as it is, so it has to carry a request id. What is asked is not known here.

use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::{Failure, FailureKind};

/// How long the server may take to be there, and to answer, in seconds.
const CONNECT_TIMEOUT_S: u64 = 5;
const ANSWER_TIMEOUT_S: u64 = 30;
/// How often the server is asked whether it is still there, and how long it may take to say so, in seconds.
const KEEPALIVE_INTERVAL_S: u64 = 30;
const KEEPALIVE_TIMEOUT_S: u64 = 10;
/// How often a request is sent at most.
const ATTEMPTS_MAX: u32 = 8;
/// The first pause before a repeat; each is twice the one before, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// The longest pause that a server may ask for.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(30);

/// Connects.
///
/// # Errors
/// The address is none, or nothing answers there.
pub(super) async fn open(server: &str) -> Result<Channel, Failure> {
    let wrong = |what: String| Failure::new(FailureKind::Usage, format!("--server {server:?} {what}"));
    if !server.starts_with("http://") {
        return Err(wrong(
            "is no address: write it as http://127.0.0.1:7700".to_owned(),
        ));
    }
    let endpoint = Endpoint::from_shared(server.to_owned())
        .map_err(|error| {
            wrong(format!(
                "is no address ({error}): write it as http://127.0.0.1:7700"
            ))
        })?
        .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
        .timeout(Duration::from_secs(ANSWER_TIMEOUT_S))
        // A machine that is gone says nothing: a stream notices by asking.
        .http2_keep_alive_interval(Duration::from_secs(KEEPALIVE_INTERVAL_S))
        .keep_alive_timeout(Duration::from_secs(KEEPALIVE_TIMEOUT_S));
    endpoint.connect().await.map_err(|_| {
        let sentence = format!(
            "nothing answers at {server}: start it with \"binnacle serve\", or name another with --server"
        );
        Failure::new(FailureKind::Failed, sentence)
    })
}

/// Who asks, as the server wants to hear it.
///
/// # Errors
/// It is not plain ASCII text.
pub(super) fn actor(name: &str) -> Result<MetadataValue<Ascii>, Failure> {
    let wrong = || {
        Failure::new(
            FailureKind::Usage,
            format!("--actor {name:?} is not plain ASCII text: write for example an e-mail address"),
        )
    };
    // As metadata it could have other characters, which the server cannot read.
    if !name.is_ascii() {
        return Err(wrong());
    }
    name.parse().map_err(|_| wrong())
}

/// A message on its way, with who asks.
pub(super) fn request<T>(message: T, actor: Option<&MetadataValue<Ascii>>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(actor) = actor {
        request.metadata_mut().insert("binnacle-actor", actor.clone());
    }
    request
}

/// Sends until there is an answer, or no hope of one.
pub(super) async fn patiently<T>(send: impl AsyncFn() -> Result<T, Status>) -> Result<T, Status> {
    let mut attempt = 1;
    loop {
        let status = match send().await {
            Ok(answer) => return Ok(answer),
            Err(status) => status,
        };
        match pause_before_repeat(&status, attempt) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(status),
        }
        attempt += 1;
    }
}

/// How long to wait before the same request again; none: it would not help.
fn pause_before_repeat(status: &Status, attempts: u32) -> Option<Duration> {
    let busy = matches!(status.code(), Code::Unavailable | Code::ResourceExhausted);
    // A connection that breaks while an answer is under way has no code of its own, but the transport as its source.
    let lost = matches!(status.code(), Code::Unknown | Code::Cancelled | Code::Internal)
        && std::error::Error::source(status).is_some();
    if attempts >= ATTEMPTS_MAX || !(busy || lost) {
        return None;
    }
    let own = PAUSE_FIRST.saturating_mul(1 << (attempts - 1)).min(PAUSE_MAX);
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
    Some(own.max(asked.unwrap_or_default().min(ASKED_PAUSE_MAX)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tonic_types::ErrorDetails;

    use super::*;

    fn pauses_ms(status: &Status) -> Vec<u128> {
        (1..)
            .map_while(|attempts| pause_before_repeat(status, attempts))
            .map(|pause| pause.as_millis())
            .collect()
    }

    #[test]
    fn only_what_may_pass_is_repeated_and_only_so_often() {
        let doubling = [250, 500, 1000, 2000, 4000, 8000, 8000];
        assert_eq!(pauses_ms(&Status::unavailable("draining")), doubling);
        assert_eq!(
            pauses_ms(&Status::resource_exhausted("the queue is full")),
            doubling
        );
        let lost = Status::from_error(Box::new(std::io::Error::other("connection reset")));
        assert_eq!(pauses_ms(&lost), doubling);
        for status in [
            Status::invalid_argument("x"),
            Status::unknown("x"),
            Status::internal("x"),
            Status::not_found("x"),
        ] {
            assert_eq!(pauses_ms(&status), [0_u128; 0], "{status}");
        }
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept_within_reason() {
        let asks = |seconds| {
            let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(seconds)));
            pauses_ms(&Status::with_error_details(Code::Unavailable, "x", details))
        };
        assert_eq!(asks(3), [3000, 3000, 3000, 3000, 4000, 8000, 8000]);
        assert_eq!(asks(3600)[0], 30_000);
    }

    #[tokio::test]
    async fn a_request_is_sent_again_until_it_is_answered() {
        let attempts = Cell::new(0);
        let answer = patiently(async || {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 3 {
                Err(Status::unavailable("starting"))
            } else {
                Ok("recorded")
            }
        });
        assert_eq!(answer.await.ok(), Some("recorded"));
        assert_eq!(attempts.get(), 3);
    }
}
