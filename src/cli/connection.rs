//! A connection to a server, for every command that talks to one: reaching it, saying who asks, and asking again where
//! that may help.
//!
//! A request that writes is repeated as it is, so it has to carry a request id. What is asked is not known here.

use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{self, Certificate, ClientTlsConfig, Endpoint, Identity};
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

/// A channel whose calls show who asks.
pub(super) type Channel = InterceptedService<transport::Channel, Bearer>;

/// The token that calls carry, if there is one.
#[derive(Clone)]
pub(super) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

impl Bearer {
    /// The token of the environment. It is no flag: whoever lists processes would see it.
    fn of_the_environment() -> Result<Self, Failure> {
        let wrong = |sentence: String| Failure::new(FailureKind::Usage, sentence);
        let token = match (variable("BINNACLE_TOKEN"), variable("BINNACLE_TOKEN_FILE")) {
            (Some(token), _) => token,
            (None, Some(file)) => std::fs::read_to_string(&file)
                .map_err(|error| wrong(format!("BINNACLE_TOKEN_FILE: {file} cannot be read: {error}")))?,
            (None, None) => return Ok(Self(None)),
        };
        let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.trim()).parse().map_err(|_| {
            wrong("the token in the environment is not plain ASCII text: it is none of ours".to_owned())
        })?;
        value.set_sensitive(true);
        Ok(Self(Some(value)))
    }
}

/// What the environment says; empty is nothing.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether the environment holds something by which a server knows who asks.
pub(super) fn shows_who_asks() -> bool {
    let credentials = [
        "BINNACLE_TOKEN",
        "BINNACLE_TOKEN_FILE",
        "BINNACLE_CLIENT_CERTIFICATE",
    ];
    credentials.into_iter().any(|name| variable(name).is_some())
}

/// Connects.
///
/// # Errors
/// The address is none, or nothing answers there, or what the environment says of credentials is wrong.
pub(super) async fn open(server: &str) -> Result<Channel, Failure> {
    let wrong = |what: String| Failure::new(FailureKind::Usage, format!("--server {server:?} {what}"));
    let is_secure = server.starts_with("https://");
    if !server.starts_with("http://") && !is_secure {
        return Err(wrong(
            "is no address: write it as http://127.0.0.1:7700 or https://binnacle.example.com".to_owned(),
        ));
    }
    let mut endpoint = Endpoint::from_shared(server.to_owned())
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
    if is_secure {
        endpoint = endpoint
            .tls_config(tls()?)
            .map_err(|error| wrong(format!("cannot be secured: {}", with_causes(&error))))?;
    }
    let bearer = Bearer::of_the_environment()?;
    let channel = endpoint.connect().await.map_err(|error| {
        let sentence = match is_secure {
            true => format!(
                "{server} does not answer as a server that can be trusted: {}",
                with_causes(&error)
            ),
            false => format!(
                "nothing answers at {server}: start it with \"binnacle serve\", or name another with --server"
            ),
        };
        Failure::new(FailureKind::Failed, sentence)
    })?;
    Ok(InterceptedService::new(channel, bearer))
}

/// How a server is recognised, and what it recognises us by.
fn tls() -> Result<ClientTlsConfig, Failure> {
    let read = |name: &str, file: &str| {
        std::fs::read(file).map_err(|error| {
            Failure::new(
                FailureKind::Usage,
                format!("{name}: {file} cannot be read: {error}"),
            )
        })
    };
    let mut tls = ClientTlsConfig::new();
    tls = match variable("BINNACLE_TLS_CA") {
        Some(file) => tls.ca_certificate(Certificate::from_pem(read("BINNACLE_TLS_CA", &file)?)),
        None => tls.with_webpki_roots(),
    };
    // Asked from its own machine a server has another address than the one that its certificate is for.
    if let Some(name) = variable("BINNACLE_TLS_NAME") {
        tls = tls.domain_name(name);
    }
    match (
        variable("BINNACLE_CLIENT_CERTIFICATE"),
        variable("BINNACLE_CLIENT_KEY"),
    ) {
        (Some(certificate), Some(key)) => {
            let certificate = read("BINNACLE_CLIENT_CERTIFICATE", &certificate)?;
            let key = read("BINNACLE_CLIENT_KEY", &key)?;
            Ok(tls.identity(Identity::from_pem(certificate, key)))
        }
        (None, None) => Ok(tls),
        _ => Err(Failure::new(
            FailureKind::Usage,
            "BINNACLE_CLIENT_CERTIFICATE and BINNACLE_CLIENT_KEY belong together: set both",
        )),
    }
}

/// An error with what caused it: of TLS the cause is what says something.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        sentence = format!("{sentence}: {inner}");
        cause = inner.source();
    }
    sentence
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
pub(super) fn pause_before_repeat(status: &Status, attempts: u32) -> Option<Duration> {
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
