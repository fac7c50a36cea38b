//! Who asks: from a credential to a principal. Bearer tokens (API keys and JWT) and client certificates.
//!
//! Invariant: a principal is never taken from what a caller merely says; whatever is wrong with a credential is told to the
//! caller in the same few sentences, which say nothing of what others have; secrets are compared in constant time and never
//! written anywhere.
//!
//! What it does not know: workspaces and what anybody may do in them (that is `domain::permission`), and gRPC.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use smol_str::SmolStr;
use thiserror::Error;
use tokio::sync::watch;

use crate::domain::Authentication;

mod certificates;
mod file_version;
mod keys;
mod tokens;

pub use certificates::{CertificateNames, validity_of};
pub use file_version::FileVersion;
pub use keys::{KeyFault, KeyFile, KeyRing, NewKey, StoredKey};
pub use tokens::{JwksSource, TokenFault, TokenRules, Tokens};

/// Somebody, as far as the server is sure of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who.
    pub principal: SmolStr,
    /// How that is known. `None`: nobody has looked.
    pub authentication: Authentication,
    /// From when on the credential is worth nothing.
    pub expires: Option<Timestamp>,
    /// The API key that was shown, by its id; or the key that has signed the token, by its hash.
    pub key: Option<SmolStr>,
    /// May do what concerns the server and no workspace of it: create workspaces, read refused calls of all.
    pub is_operator: bool,
}

/// Why somebody is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unauthenticated {
    /// Nothing was shown.
    #[error(
        "this server knows its callers: send a token as \"authorization: Bearer TOKEN\", or come with a client certificate"
    )]
    Missing,
    /// The header is none that the server can read.
    #[error("the authorization header is not \"Bearer TOKEN\": send it so")]
    Malformed,
    /// The credential is none of this server's.
    #[error("this credential is not accepted here: ask whoever runs the server for a new one")]
    Unknown,
    /// It was good once.
    #[error("this credential has expired or was revoked: get a new one")]
    Expired,
}

impl Unauthenticated {
    /// The stable code that programs may act on.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "CREDENTIALS_MISSING",
            Self::Malformed => "CREDENTIALS_MALFORMED",
            Self::Unknown => "CREDENTIALS_UNKNOWN",
            Self::Expired => "CREDENTIALS_EXPIRED",
        }
    }
}

/// What a server recognises its callers by.
#[derive(Debug, Default)]
pub struct Authenticator {
    keys: Option<KeyFile>,
    tokens: Option<Tokens>,
    certificates: Option<CertificateNames>,
    operators: BTreeSet<SmolStr>,
    /// Counts on whenever a credential may have become worthless.
    changed: watch::Sender<u64>,
}

/// How often files and the JWKS are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Authenticator {
    /// With nothing to recognise anybody by: everybody is who they say they are. For a server that listens on loopback alone.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// What it recognises callers by; none of them: everybody is who they say they are.
    #[must_use]
    pub fn new(
        keys: Option<KeyFile>,
        tokens: Option<Tokens>,
        certificates: Option<CertificateNames>,
        operators: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            keys,
            tokens,
            certificates,
            operators: operators.into_iter().map(SmolStr::from).collect(),
            changed: watch::Sender::default(),
        }
    }

    /// Whether nobody has to show anything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.keys.is_none() && self.tokens.is_none() && self.certificates.is_none()
    }

    /// Who somebody is, by the authorization header, or else by the certificate of their connection (DER).
    ///
    /// # Errors
    /// They have shown nothing, or nothing that counts here.
    pub fn identify(
        &self,
        authorization: Option<&[u8]>,
        certificate: Option<&[u8]>,
    ) -> Result<Identity, Unauthenticated> {
        let now = Timestamp::now();
        let mut identity = match (authorization, certificate) {
            (Some(header), _) => self.of_bearer(bearer(header)?, now)?,
            (None, Some(certificate)) => {
                let names = self.certificates.as_ref().ok_or(Unauthenticated::Missing)?;
                names.identify(certificate, now)?
            }
            (None, None) => return Err(Unauthenticated::Missing),
        };
        identity.is_operator = self.operators.contains(&identity.principal);
        Ok(identity)
    }

    fn of_bearer(&self, token: &str, now: Timestamp) -> Result<Identity, Unauthenticated> {
        if KeyRing::is_key(token) {
            let keys = self.keys.as_ref().ok_or(Unauthenticated::Unknown)?;
            return keys.ring().identify(token, now);
        }
        let tokens = self.tokens.as_ref().ok_or(Unauthenticated::Unknown)?;
        tokens.identify(token, now)
    }

    /// Whether a credential that was good is good still.
    #[must_use]
    pub fn holds(&self, identity: &Identity) -> bool {
        if identity
            .expires
            .is_some_and(|expires| expires <= Timestamp::now())
        {
            return false;
        }
        let Some(key) = &identity.key else { return true };
        match identity.authentication {
            Authentication::ApiKey => self.keys.as_ref().is_some_and(|keys| keys.ring().has(key)),
            Authentication::Token => self.tokens.as_ref().is_some_and(|tokens| tokens.has(key)),
            Authentication::Certificate | Authentication::None | Authentication::System => true,
        }
    }

    /// Moves on whenever a credential may have become worthless by something else than its age.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Follows the keys and the JWKS for ever, each by itself: an issuer that does not answer must not keep a revoked key alive.
    pub async fn follow(self: Arc<Self>) -> std::convert::Infallible {
        let keys = self.follow_one(|this| this.keys.as_ref().is_some_and(KeyFile::look_again));
        let tokens = self.follow_one(|this| this.tokens.as_ref().is_some_and(Tokens::look_again));
        tokio::select! {
            never = keys => never,
            never = tokens => never,
        }
    }

    async fn follow_one(self: &Arc<Self>, look_again: fn(&Self) -> bool) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let this = Arc::clone(self);
            let looked = tokio::task::spawn_blocking(move || look_again(&this)).await;
            if looked.unwrap_or(false) {
                self.changed.send_modify(|count| *count += 1);
            }
        }
    }
}

/// The token of an authorization header.
fn bearer(header: &[u8]) -> Result<&str, Unauthenticated> {
    let text = std::str::from_utf8(header).map_err(|_| Unauthenticated::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(Unauthenticated::Malformed)?;
    let token = token.trim();
    match scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        true => Ok(token),
        false => Err(Unauthenticated::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_read_whatever_the_letters_of_its_scheme_and_nothing_else_is_one() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("", None),
        ] {
            assert_eq!(bearer(header.as_bytes()).ok(), token, "{header:?}");
        }
        assert_eq!(bearer(b"Bearer \xff").unwrap_err(), Unauthenticated::Malformed);
    }

    #[test]
    fn who_shows_nothing_is_nobody_where_anything_is_asked_for() {
        assert!(Authenticator::open().is_open());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        KeyFile::create_key(&path, &NewKey::of("maria")).unwrap();
        let keys = KeyFile::open(path).unwrap();
        let asked = Authenticator::new(Some(keys), None, None, []);
        assert!(!asked.is_open());
        let nothing = asked.identify(None, None);
        assert_eq!(nothing.unwrap_err(), Unauthenticated::Missing);
        let certificate = asked.identify(None, Some(b"anything"));
        assert_eq!(
            certificate.unwrap_err(),
            Unauthenticated::Missing,
            "none is asked for"
        );
        let jwt = asked.identify(Some(b"Bearer a.b.c"), None);
        assert_eq!(jwt.unwrap_err(), Unauthenticated::Unknown);
    }
}
