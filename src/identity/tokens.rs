//! JSON web tokens (RFC 7519): signed by keys of a JWKS (RFC 7517), which is a file or is fetched.
//!
//! Invariant: only asymmetric algorithms, and of these only those that are listed, are ever looked at; issuer, audience and
//! expiry are required of every token; a key is never used with the algorithm of another family.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use thiserror::Error;

use super::{Identity, Unauthenticated};
use crate::domain::{Authentication, Principal};

/// Where the keys of a token's issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwksSource {
    /// In a file.
    File(PathBuf),
    /// Behind a URL, https alone but for this machine.
    Url(String),
}

/// What a token has to be.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// Where the keys are.
    pub jwks: JwksSource,
    /// `iss`.
    pub issuer: String,
    /// `aud` has to hold it.
    pub audience: String,
    /// The algorithms that are accepted, as RFC 7518 and RFC 8037 name them.
    pub algorithms: Vec<String>,
    /// The claim that names the principal.
    pub principal_claim: String,
    /// How long the keys count that were read last, while their source cannot be read, in seconds: one that was taken back there
    /// must not count for ever.
    pub jwks_age_max_s: u64,
}

/// Why tokens cannot be verified.
#[derive(Debug, Error)]
pub enum TokenFault {
    /// The JWKS cannot be had.
    #[error("the JWKS {source_name} cannot be read: {why}")]
    Unreadable {
        /// The file or the URL.
        source_name: String,
        /// Why.
        why: String,
    },
    /// An algorithm that is none.
    #[error(
        "{0} is no algorithm that tokens may be signed with: list some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA"
    )]
    Algorithm(String),
    /// Not https.
    #[error("{0} is not https: keys that anybody on the way can replace prove nothing")]
    Insecure(String),
}

/// Verifies tokens.
#[derive(Debug)]
pub struct Tokens {
    rules: TokenRules,
    algorithms: Vec<Algorithm>,
    keys: ArcSwap<Keys>,
    looked: Mutex<Looked>,
    /// Tokens that were verified of late, by their hash: a signature costs more than a call.
    known: Mutex<HashMap<[u8; 32], Identity>>,
}

#[derive(Default)]
struct Keys(Vec<Key>);

/// A JWKS whose keys are looked at one by one: one that is not understood must not be in the way of the others.
#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

struct Key {
    /// Tells it from every other key: a hash of what the JWKS says of it.
    name: SmolStr,
    id: Option<String>,
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

/// When the source was looked at, and what it said.
#[derive(Debug)]
struct Looked {
    at: Instant,
    /// When it could be read last.
    read_at: Instant,
    text: String,
    /// A token named a key that is not known.
    wanted: bool,
}

/// How often a URL is asked again.
const FETCH_EVERY: Duration = Duration::from_secs(300);
/// The same while tokens name keys that are not known, and while it cannot be read.
const FETCH_EVERY_MIN: Duration = Duration::from_secs(10);
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
const JWKS_BYTES_MAX: u64 = 1024 * 1024;
/// A token that is longer is not looked at.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How many verified tokens are remembered.
const KNOWN_MAX: usize = 4096;
/// How far the clocks of the issuer and this machine may be apart, in seconds.
const LEEWAY_S: u64 = 30;

impl Tokens {
    /// Reads the keys.
    ///
    /// # Errors
    /// They cannot be had, or an algorithm is none.
    pub fn new(rules: TokenRules) -> Result<Self, TokenFault> {
        let algorithms = rules
            .algorithms
            .iter()
            .map(|name| algorithm(name).ok_or_else(|| TokenFault::Algorithm(name.clone())))
            .collect::<Result<Vec<_>, _>>()?;
        if algorithms.is_empty() {
            return Err(TokenFault::Algorithm("nothing".to_owned()));
        }
        rules.jwks.check()?;
        let text = rules.jwks.read()?;
        let keys = Keys::parse(&text).map_err(|why| rules.jwks.unreadable(why))?;
        if keys.0.is_empty() {
            let why = "it has no key that tokens can be verified with".to_owned();
            return Err(rules.jwks.unreadable(why));
        }
        Ok(Self {
            rules,
            algorithms,
            keys: ArcSwap::from_pointee(keys),
            looked: Mutex::new(Looked {
                at: Instant::now(),
                read_at: Instant::now(),
                text,
                wanted: false,
            }),
            known: Mutex::default(),
        })
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// It is not signed by a key of the JWKS, or is not what the rules ask for, or has expired.
    pub fn identify(&self, token: &str, now: Timestamp) -> Result<Identity, Unauthenticated> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Unauthenticated::Unknown);
        }
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(identity) = self.known().get(&hash) {
            return match identity.expires.is_none_or(|expires| now < expires) {
                true => Ok(identity.clone()),
                false => Err(Unauthenticated::Expired),
            };
        }
        let keys = self.keys.load_full();
        let identity = self.verify(token, &keys)?;
        let mut known = self.known();
        // What was verified with keys that are gone meanwhile is not remembered.
        if !Arc::ptr_eq(&keys, &self.keys.load()) {
            return Ok(identity);
        }
        if known.len() >= KNOWN_MAX {
            known.retain(|_, identity| identity.expires.is_none_or(|expires| now < expires));
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(hash, identity.clone());
        Ok(identity)
    }

    /// Whether a key that has signed is one of the JWKS still.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.load().0.iter().any(|known| known.name == key)
    }

    fn verify(&self, token: &str, keys: &Keys) -> Result<Identity, Unauthenticated> {
        let header = decode_header(token).map_err(|_| Unauthenticated::Unknown)?;
        if !self.algorithms.contains(&header.alg) {
            return Err(Unauthenticated::Unknown);
        }
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.rules.issuer]);
        validation.set_audience(&[&self.rules.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let mut fitting = keys.fitting(header.kid.as_deref(), header.alg).peekable();
        if fitting.peek().is_none() {
            self.looked().wanted = true;
        }
        let mut refused = Unauthenticated::Unknown;
        for key in fitting {
            match decode::<Map<String, Value>>(token, &key.key, &validation) {
                Ok(verified) => return self.identity(&verified.claims, &key.name),
                Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                    refused = Unauthenticated::Expired;
                }
                Err(_) => {}
            }
        }
        Err(refused)
    }

    fn identity(&self, claims: &Map<String, Value>, key: &SmolStr) -> Result<Identity, Unauthenticated> {
        let principal = claims.get(&self.rules.principal_claim).and_then(Value::as_str);
        let principal = principal
            .filter(|text| Principal::parse(text).is_ok())
            .ok_or(Unauthenticated::Unknown)?;
        let expires = claims
            .get("exp")
            .and_then(Value::as_f64)
            .ok_or(Unauthenticated::Unknown)?;
        // Whole seconds; what is beyond the calendar never expires.
        #[allow(clippy::cast_possible_truncation, reason = "a float saturates")]
        let expires = Timestamp::from_second(expires as i64).ok();
        let leeway = jiff::SignedDuration::from_secs(i64::try_from(LEEWAY_S).unwrap_or(0));
        Ok(Identity {
            principal: principal.into(),
            authentication: Authentication::Token,
            expires: expires.and_then(|expires| expires.checked_add(leeway).ok()),
            key: Some(key.clone()),
            is_operator: false,
        })
    }

    /// Looks at the source again, if it is time, and answers whether it said something else than before.
    pub(super) fn look_again(&self) -> bool {
        let mut looked = self.looked();
        let is_due = match &self.rules.jwks {
            JwksSource::File(_) => true,
            JwksSource::Url(_) => {
                // Often enough for a read to fail more than once before its keys are too old.
                let half_of_age = Duration::from_secs(self.rules.jwks_age_max_s) / 2;
                let in_haste = looked.wanted || looked.read_at < looked.at;
                let every = if in_haste { FETCH_EVERY_MIN } else { FETCH_EVERY };
                looked.at.elapsed() >= every.min(half_of_age)
            }
        };
        if !is_due {
            return false;
        }
        looked.at = Instant::now();
        looked.wanted = false;
        let before = looked.text.clone();
        // Whoever verifies a token meanwhile does not wait for the network.
        drop(looked);
        let read = self.rules.jwks.read().and_then(|text| {
            let keys = Keys::parse(&text).map_err(|why| self.rules.jwks.unreadable(why))?;
            Ok((text, keys))
        });
        if read.is_ok() {
            self.looked().read_at = Instant::now();
        }
        match read {
            Ok((text, _)) if text == before => false,
            Ok((text, keys)) => {
                tracing::info!(keys = keys.0.len(), "the JWKS has changed");
                self.replace(keys, text);
                true
            }
            Err(fault) if before.is_empty() => {
                tracing::warn!(%fault, "no token is taken: there are no keys");
                false
            }
            Err(fault) if self.looked().read_at.elapsed().as_secs() >= self.rules.jwks_age_max_s => {
                tracing::error!(%fault, "the keys that were read before are too old: no token is taken any more");
                self.replace(Keys::default(), String::new());
                true
            }
            Err(fault) => {
                tracing::warn!(%fault, "the keys that were read before are used on");
                false
            }
        }
    }

    fn replace(&self, keys: Keys, text: String) {
        let mut known = self.known();
        self.keys.store(Arc::new(keys));
        known.clear();
        drop(known);
        self.looked().text = text;
    }

    fn known(&self) -> MutexGuard<'_, HashMap<[u8; 32], Identity>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn looked(&self) -> MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    /// Keys that sign, and that this release can use; others in the set are left out. None: nobody's tokens are taken.
    fn parse(text: &str) -> Result<Self, String> {
        let set: RawSet = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let keys = set.keys.iter().filter_map(|raw| {
            let jwk = Jwk::deserialize(raw).ok()?;
            let usage = jwk.common.public_key_use.as_ref();
            if usage.is_some_and(|usage| *usage != PublicKeyUse::Signature) {
                return None;
            }
            let named = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
            let hash = Sha256::digest(raw.to_string().as_bytes());
            Some(Key {
                name: hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
                id: jwk.common.key_id.clone(),
                algorithm: match named {
                    // One that is named and that we do not take is no key of ours.
                    Some(name) => Some(algorithm(&name)?),
                    None => None,
                },
                key: DecodingKey::from_jwk(&jwk).ok()?,
            })
        });
        Ok(Self(keys.collect()))
    }

    fn fitting(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| {
            let is_named = id.is_none() || key.id.is_none() || key.id.as_deref() == id;
            let is_meant = key.algorithm.is_none_or(|meant| meant == algorithm);
            is_named && is_meant && key.key.family() == algorithm.family()
        })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl JwksSource {
    /// A path, or a URL.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text.contains("://") {
            true => Self::Url(text.to_owned()),
            false => Self::File(text.into()),
        }
    }

    fn check(&self) -> Result<(), TokenFault> {
        let Self::Url(url) = self else { return Ok(()) };
        let of_this_machine = [
            "http://127.0.0.1:",
            "http://127.0.0.1/",
            "http://localhost:",
            "http://localhost/",
            "http://[::1]",
        ];
        let is_secure =
            url.starts_with("https://") || of_this_machine.iter().any(|start| url.starts_with(start));
        match is_secure {
            true => Ok(()),
            false => Err(TokenFault::Insecure(url.clone())),
        }
    }

    fn read(&self) -> Result<String, TokenFault> {
        match self {
            Self::File(path) => fs::read_to_string(path).map_err(|error| self.unreadable(error.to_string())),
            Self::Url(url) => {
                let config = ureq::Agent::config_builder()
                    .timeout_global(Some(FETCH_TIMEOUT))
                    .max_redirects(0);
                let agent = ureq::Agent::new_with_config(config.build());
                let mut answer = agent
                    .get(url)
                    .call()
                    .map_err(|error| self.unreadable(error.to_string()))?;
                let mut text = String::new();
                answer
                    .body_mut()
                    .as_reader()
                    .take(JWKS_BYTES_MAX)
                    .read_to_string(&mut text)
                    .map_err(|error| self.unreadable(error.to_string()))?;
                Ok(text)
            }
        }
    }

    fn unreadable(&self, why: String) -> TokenFault {
        let source_name = match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => url.clone(),
        };
        TokenFault::Unreadable { source_name, why }
    }
}

/// An algorithm that tokens may be signed with. What one secret both signs and verifies is none: whoever can verify could sign.
fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "RS512" => Some(Algorithm::RS512),
        "PS256" => Some(Algorithm::PS256),
        "PS384" => Some(Algorithm::PS384),
        "PS512" => Some(Algorithm::PS512),
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        "EdDSA" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::json;

    use super::*;

    /// An issuer with a key of its own, and the file of its JWKS.
    struct Issuer {
        dir: tempfile::TempDir,
        key: EncodingKey,
    }

    fn key() -> EncodingKey {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        EncodingKey::from_ec_der(&pair.serialize_der())
    }

    fn now() -> i64 {
        Timestamp::now().as_second()
    }

    impl Issuer {
        fn new() -> Self {
            let issuer = Self {
                dir: tempfile::tempdir().unwrap(),
                key: key(),
            };
            issuer.publish(&[("one", &issuer.key)]);
            issuer
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("jwks.json")
        }

        fn publish(&self, keys: &[(&str, &EncodingKey)]) {
            let keys: Vec<_> = keys
                .iter()
                .map(|(id, key)| {
                    let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256).unwrap();
                    jwk.common.key_id = Some((*id).to_owned());
                    jwk
                })
                .collect();
            fs::write(self.path(), json!({ "keys": keys }).to_string()).unwrap();
        }

        fn rules(&self) -> TokenRules {
            TokenRules {
                jwks: JwksSource::File(self.path()),
                issuer: "https://login.example.com".to_owned(),
                audience: "binnacle".to_owned(),
                algorithms: vec!["ES256".to_owned(), "RS256".to_owned()],
                principal_claim: "sub".to_owned(),
                jwks_age_max_s: 3600,
            }
        }

        fn tokens(&self) -> Tokens {
            Tokens::new(self.rules()).unwrap()
        }

        fn sign(&self, claims: &Value) -> String {
            let header = Header {
                kid: Some("one".to_owned()),
                ..Header::new(Algorithm::ES256)
            };
            encode(&header, claims, &self.key).unwrap()
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://login.example.com",
            "aud": ["other", "binnacle"],
            "sub": "maria@example.com",
            "exp": now() + 600,
        })
    }

    fn asked(tokens: &Tokens, token: &str) -> Result<Identity, Unauthenticated> {
        tokens.identify(token, Timestamp::now())
    }

    #[test]
    fn a_token_of_the_issuer_is_its_subject_until_it_expires() {
        let issuer = Issuer::new();
        let tokens = issuer.tokens();
        let token = issuer.sign(&claims());
        for _ in 0..2 {
            let identity = asked(&tokens, &token).unwrap();
            assert_eq!(identity.principal, "maria@example.com");
            assert_eq!(identity.authentication, Authentication::Token);
            let left = identity.expires.unwrap().as_second() - now();
            assert!((600..=631).contains(&left), "{left}");
        }
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(700);
        assert_eq!(
            tokens.identify(&token, later).unwrap_err(),
            Unauthenticated::Expired,
            "also one that is known"
        );
    }

    #[test]
    fn what_is_not_as_the_rules_say_is_refused() {
        let issuer = Issuer::new();
        let tokens = issuer.tokens();
        let with = |field: &str, value: Value| {
            let mut claims = claims();
            claims[field] = value;
            claims
        };
        let without = |field: &str| {
            let mut claims = claims();
            claims.as_object_mut().unwrap().remove(field);
            claims
        };
        for (claims, refused) in [
            (
                with("iss", json!("https://evil.example.com")),
                Unauthenticated::Unknown,
            ),
            (with("aud", json!("other")), Unauthenticated::Unknown),
            (with("exp", json!(now() - 60)), Unauthenticated::Expired),
            (with("nbf", json!(now() + 300)), Unauthenticated::Unknown),
            (with("sub", json!("")), Unauthenticated::Unknown),
            (with("sub", json!(7)), Unauthenticated::Unknown),
            (without("iss"), Unauthenticated::Unknown),
            (without("aud"), Unauthenticated::Unknown),
            (without("exp"), Unauthenticated::Unknown),
            (without("sub"), Unauthenticated::Unknown),
        ] {
            let token = issuer.sign(&claims);
            assert_eq!(asked(&tokens, &token).unwrap_err(), refused, "{claims}");
        }
    }

    #[test]
    fn what_another_key_or_another_algorithm_signed_is_refused() {
        let issuer = Issuer::new();
        let tokens = issuer.tokens();
        let header = Header {
            kid: Some("one".to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        let forged = encode(&header, &claims(), &key()).unwrap();
        assert_eq!(asked(&tokens, &forged).unwrap_err(), Unauthenticated::Unknown);
        // The public key as a secret: what takes the algorithm from the token believes it.
        let public = fs::read(issuer.path()).unwrap();
        let header = Header {
            kid: Some("one".to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let forged = encode(&header, &claims(), &EncodingKey::from_secret(&public).unwrap()).unwrap();
        assert_eq!(asked(&tokens, &forged).unwrap_err(), Unauthenticated::Unknown);
        let token = issuer.sign(&claims());
        let (head, rest) = token.split_once('.').unwrap();
        assert!(!head.is_empty());
        // {"alg":"none"}
        let none = format!("eyJhbGciOiJub25lIn0.{}.", rest.split_once('.').unwrap().0);
        assert_eq!(asked(&tokens, &none).unwrap_err(), Unauthenticated::Unknown);
        for cut in 0..token.len() {
            assert!(asked(&tokens, &token[..cut]).is_err(), "{cut}");
        }
        let unlisted = Tokens::new(TokenRules {
            algorithms: vec!["RS256".to_owned()],
            ..issuer.rules()
        });
        assert_eq!(
            asked(&unlisted.unwrap(), &token).unwrap_err(),
            Unauthenticated::Unknown
        );
        assert_eq!(
            asked(&tokens, &"x".repeat(20_000)).unwrap_err(),
            Unauthenticated::Unknown
        );
    }

    #[test]
    fn keys_are_changed_without_a_restart_and_a_broken_file_changes_nothing() {
        let issuer = Issuer::new();
        let tokens = issuer.tokens();
        let token = issuer.sign(&claims());
        assert!(asked(&tokens, &token).is_ok());
        assert!(!tokens.look_again());
        fs::write(issuer.path(), "{").unwrap();
        assert!(!tokens.look_again());
        assert!(asked(&tokens, &token).is_ok());
        issuer.publish(&[("two", &key())]);
        assert!(tokens.look_again());
        assert_eq!(
            asked(&tokens, &token).unwrap_err(),
            Unauthenticated::Unknown,
            "also one that was known"
        );
        issuer.publish(&[("two", &key()), ("one", &issuer.key)]);
        assert!(tokens.look_again());
        let signer = asked(&tokens, &token).unwrap().key.unwrap();
        assert!(tokens.has(&signer));
        // One that nobody here understands is in nobody's way, and none at all lets nobody in.
        let text = fs::read_to_string(issuer.path()).unwrap();
        let odd = text.replacen("[", "[{\"kty\":\"odd\",\"kid\":\"odd\"},", 1);
        fs::write(issuer.path(), odd).unwrap();
        assert!(tokens.look_again());
        assert!(asked(&tokens, &token).is_ok() && tokens.has(&signer));
        fs::write(issuer.path(), "{\"keys\": []}").unwrap();
        assert!(tokens.look_again());
        assert_eq!(asked(&tokens, &token).unwrap_err(), Unauthenticated::Unknown);
        assert!(!tokens.has(&signer), "what is open with it ends");
    }

    #[test]
    fn keys_that_cannot_be_read_again_count_for_so_long_and_count_again_when_they_can() {
        let issuer = Issuer::new();
        let token = issuer.sign(&claims());
        let tokens = |jwks_age_max_s| {
            let rules = TokenRules {
                jwks_age_max_s,
                ..issuer.rules()
            };
            Tokens::new(rules).unwrap()
        };
        let (patient, strict) = (tokens(3600), tokens(0));
        let text = fs::read(issuer.path()).unwrap();
        fs::remove_file(issuer.path()).unwrap();
        let signer = asked(&strict, &token).unwrap().key.unwrap();
        assert!(!patient.look_again() && asked(&patient, &token).is_ok());
        assert!(strict.look_again(), "what is open with them ends");
        assert_eq!(asked(&strict, &token).unwrap_err(), Unauthenticated::Unknown);
        assert!(!strict.has(&signer));
        assert!(!strict.look_again(), "once");
        fs::write(issuer.path(), text).unwrap();
        assert!(strict.look_again() && asked(&strict, &token).is_ok());
    }

    #[test]
    fn a_source_that_proves_nothing_and_an_algorithm_that_is_none_are_refused_at_the_start() {
        let issuer = Issuer::new();
        let refused = |rules: TokenRules| Tokens::new(rules).unwrap_err().to_string();
        for name in ["HS256", "none", "", "es256"] {
            let rules = TokenRules {
                algorithms: vec![name.to_owned()],
                ..issuer.rules()
            };
            assert!(refused(rules).contains("is no algorithm"), "{name}");
        }
        let insecure = TokenRules {
            jwks: JwksSource::of("http://login.example.com/jwks"),
            ..issuer.rules()
        };
        assert!(refused(insecure).contains("is not https"));
        fs::write(issuer.path(), "{\"keys\": []}").unwrap();
        assert!(refused(issuer.rules()).contains("no key that tokens can be verified with"));
        fs::remove_file(issuer.path()).unwrap();
        assert!(refused(issuer.rules()).contains("cannot be read"));
    }

    #[test]
    fn a_jwks_is_fetched_from_a_url() {
        let issuer = Issuer::new();
        let text = fs::read_to_string(issuer.path()).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            use std::io::Write;
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            assert!(stream.read(&mut asked).unwrap() > 0);
            let length = text.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}"
            )
            .unwrap();
        });
        let tokens = Tokens::new(TokenRules {
            jwks: JwksSource::of(&url),
            ..issuer.rules()
        });
        server.join().unwrap();
        assert!(asked(&tokens.unwrap(), &issuer.sign(&claims())).is_ok());
    }
}
