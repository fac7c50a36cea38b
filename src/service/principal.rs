//! The one place where a principal is made, and with it the origin of a commit: who asks, from where, and why.
//!
//! Where callers are authenticated they are who their credentials say. Where they are not, and the server listens on loopback
//! alone, they are who they say they are.

use std::net::SocketAddr;

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue};
use smol_str::SmolStr;
use tonic::Extensions;
use tonic::metadata::MetadataMap;

use super::caller::Caller;
use super::connection::Connection;
use super::to_proto;
use crate::access::Texts;
use crate::domain::{Actor, Authentication, Origin, Principal, Rejection, RequestKey, Violation};

/// Metadata key: who asks.
const ACTOR: &str = "binnacle-actor";
/// Metadata key: on whose behalf.
const ON_BEHALF_OF: &str = "binnacle-on-behalf-of";
/// Metadata key: ties the commits of one piece of work together.
const CORRELATION_ID: &str = "binnacle-correlation-id";
/// Metadata key: what made the caller ask.
const CAUSATION_ID: &str = "binnacle-causation-id";
/// Metadata key: W3C trace context.
const TRACEPARENT: &str = "traceparent";
/// Who asks when nobody says so.
const ANONYMOUS: SmolStr = SmolStr::new_static("anonymous");
/// The longest value that is kept, in characters.
const CHARS_MAX: usize = 200;

/// Who asks, of a call that may be refused: by reference, and not looked at yet.
pub(super) struct Asker {
    actor: Option<HeaderValue>,
    caller: Option<Caller>,
    on_behalf_of: Option<HeaderValue>,
    traceparent: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    peer: Option<SocketAddr>,
}

impl Asker {
    pub(super) fn of(headers: &HeaderMap, extensions: &http::Extensions) -> Self {
        let value = |key| headers.get(key).cloned();
        Self {
            actor: value(ACTOR),
            caller: extensions.get::<Caller>().cloned(),
            on_behalf_of: value(ON_BEHALF_OF),
            traceparent: value(TRACEPARENT),
            user_agent: value(USER_AGENT.as_str()),
            peer: extensions
                .get::<Connection>()
                .and_then(|connection| connection.peer),
        }
    }

    /// Who asks, where they had to show who they are and could.
    pub(super) fn known(&self) -> Option<&Caller> {
        self.caller.as_ref().filter(|caller| caller.identity().is_some())
    }

    /// The same as in the origin of a commit, but nothing is refused: the call may have been refused for what is said here.
    pub(super) fn texts(&self, record_peer: bool) -> Texts {
        let text = |value: &Option<HeaderValue>| {
            let bytes = value.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
            String::from_utf8_lossy(bytes).into_owned()
        };
        let known = self.known().and_then(Caller::identity);
        let said = text(&self.actor);
        let (principal, authentication) = match known {
            Some(identity) => (identity.principal.to_string(), identity.authentication),
            // What somebody merely says who is not known is nobody's name.
            None if self.caller.as_ref().is_some_and(Caller::is_refused) => {
                (ANONYMOUS.to_string(), Authentication::None)
            }
            None if said.is_empty() => (ANONYMOUS.to_string(), Authentication::None),
            None => (said, Authentication::None),
        };
        let peer = self.peer.filter(|_| record_peer);
        Texts {
            principal,
            authentication: to_proto::authentication(authentication).to_owned(),
            on_behalf_of: text(&self.on_behalf_of),
            traceparent: text(&self.traceparent),
            user_agent: text(&self.user_agent),
            peer: peer.map(|address| address.ip().to_string()).unwrap_or_default(),
            ..Texts::default()
        }
    }
}

/// The origin of a request.
///
/// # Errors
/// A metadata value is not plain text or too long, or says somebody else than the credentials.
pub(super) fn origin(
    metadata: &MetadataMap,
    extensions: &Extensions,
    method: &'static str,
    request: Option<RequestKey>,
    reason: &str,
    record_peer: bool,
) -> Result<Origin, Rejection> {
    let said = text(metadata, ACTOR)?;
    let known = extensions.get::<Caller>().and_then(Caller::identity);
    let (principal, authentication) = match known {
        Some(identity) if said.is_empty() || said == identity.principal => {
            (identity.principal.clone(), identity.authentication)
        }
        Some(identity) => return Err(somebody_else(&identity.principal)),
        None if said.is_empty() => (ANONYMOUS, Authentication::None),
        None => (checked_principal(said)?, Authentication::None),
    };
    let peer = extensions
        .get::<Connection>()
        .and_then(|connection| connection.peer)
        .filter(|_| record_peer);
    // The user agent is the client library's, not the caller's: cut, never refused.
    let user_agent = metadata
        .get("user-agent")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Ok(Origin {
        actor: Actor {
            principal,
            authentication,
            on_behalf_of: text(metadata, ON_BEHALF_OF)?,
        },
        method: SmolStr::new_static(method),
        request,
        correlation_id: text(metadata, CORRELATION_ID)?,
        causation_id: text(metadata, CAUSATION_ID)?,
        traceparent: text(metadata, TRACEPARENT)?,
        user_agent: SmolStr::new(user_agent.get(..CHARS_MAX).unwrap_or(user_agent)),
        peer: peer
            .map(|address| SmolStr::new(address.ip().to_string()))
            .unwrap_or_default(),
        reason: SmolStr::new(reason),
    })
}

fn somebody_else(principal: &str) -> Rejection {
    let sentence = format!(
        "it says somebody else than the credentials, which are of {principal}: leave it out, or say {ON_BEHALF_OF}"
    );
    Rejection::invalid(format!("metadata {ACTOR}"), sentence)
}

fn checked_principal(text: SmolStr) -> Result<SmolStr, Rejection> {
    match Principal::parse(&text) {
        Ok(_) => Ok(text),
        Err(invalid) => Err(Rejection::Invalid(vec![invalid.at(format!("metadata {ACTOR}"))])),
    }
}

fn text(metadata: &MetadataMap, key: &'static str) -> Result<SmolStr, Rejection> {
    let Some(value) = metadata.get(key) else {
        return Ok(SmolStr::default());
    };
    match value.to_str() {
        Ok(text) if text.len() <= CHARS_MAX => Ok(SmolStr::new(text)),
        read => {
            let sentence = match read {
                Ok(_) => format!("it is longer than {CHARS_MAX} characters: shorten it"),
                Err(_) => {
                    "it is not plain ASCII text: write it so, for example as an e-mail address".to_owned()
                }
            };
            let field = format!("metadata {key}");
            Err(Rejection::Invalid(vec![Violation { field, sentence }]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_of(pairs: &[(&'static str, &str)]) -> Result<Origin, Rejection> {
        let mut metadata = MetadataMap::new();
        for (key, value) in pairs {
            metadata.insert(*key, value.parse().expect("a metadata value"));
        }
        origin(&metadata, &Extensions::new(), "m", None, "", false)
    }

    #[test]
    fn who_says_nothing_is_anonymous_and_who_says_something_is_believed() {
        assert_eq!(origin_of(&[]).expect("an origin").actor.principal, "anonymous");
        let origin = origin_of(&[(ACTOR, "maria"), (ON_BEHALF_OF, "jo"), (TRACEPARENT, "00-a-b-01")])
            .expect("an origin");
        assert_eq!(origin.actor.principal, "maria");
        assert_eq!(origin.actor.on_behalf_of, "jo");
        assert_eq!(origin.actor.authentication, Authentication::None);
        assert_eq!(origin.traceparent, "00-a-b-01");
    }

    #[test]
    fn who_asks_is_said_as_in_a_commit_and_whatever_it_is_it_is_not_refused() {
        let texts = |actor: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(ACTOR, HeaderValue::from_bytes(actor).expect("a header"));
            headers.insert(TRACEPARENT, HeaderValue::from_static("00-a-b-01"));
            Asker::of(&headers, &http::Extensions::new()).texts(true)
        };
        let said = texts(b"maria");
        assert_eq!(
            (said.principal.as_str(), said.authentication.as_str()),
            ("maria", "none")
        );
        assert_eq!(said.traceparent, "00-a-b-01");
        assert_eq!(texts(b"").principal, "anonymous");
        assert_eq!(texts("José".as_bytes()).principal, "José");
        assert_eq!(texts(b"Jos\xe9").principal, "Jos\u{fffd}");
        assert_eq!(texts(&[b'x'; 300]).principal.len(), 300);
    }

    #[test]
    fn a_metadata_value_that_is_too_long_is_named() {
        let long = "x".repeat(201);
        for key in [ACTOR, ON_BEHALF_OF, CORRELATION_ID, CAUSATION_ID, TRACEPARENT] {
            let refused = origin_of(&[(key, &long)]).expect_err("too long");
            assert!(refused.to_string().contains(key), "{refused}");
            assert!(
                refused.to_string().contains("longer than 200 characters"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_metadata_value_that_is_not_ascii_is_told_apart_from_one_that_is_too_long() {
        let mut metadata = MetadataMap::new();
        let name = tonic::metadata::MetadataValue::try_from("José".as_bytes())
            .expect("bytes that metadata may have");
        metadata.insert(ACTOR, name);
        let refused = origin(&metadata, &Extensions::new(), "m", None, "", false).expect_err("not ASCII");
        assert!(
            refused.to_string().contains("it is not plain ASCII text"),
            "{refused}"
        );
    }
}
