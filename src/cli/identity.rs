//! What a server recognises its callers by, as flags, environment and file say it.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Deserialize;

use super::{Failure, FailureKind};
use crate::identity::{Authenticator, CertificateNames, JwksSource, KeyFile, TokenRules, Tokens};
use crate::service::{Tls, TlsFiles};

/// The file of API keys in a data directory.
pub(super) const KEYS: &str = "keys.json";
/// How long keys of a JWKS count that cannot be read again, in seconds.
const JWKS_AGE_MAX_S: u64 = 86_400;

/// Everything that can be set about who callers are.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[command(next_help_heading = "Who callers are")]
pub(super) struct IdentitySettings {
    /// Who may create workspaces and read the refused calls of all; once for each, in the environment with commas
    #[arg(
        long,
        env = "BINNACLE_OPERATOR",
        value_name = "PRINCIPAL",
        value_delimiter = ','
    )]
    operator: Option<Vec<String>>,
    /// The server's certificate and those above it (PEM); read again when it changes
    #[arg(long, env = "BINNACLE_TLS_CERTIFICATE", value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, env = "BINNACLE_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Who signs clients' certificates (PEM): a client that comes with one is its SPIFFE id, or else its common name
    #[arg(long, env = "BINNACLE_TLS_CLIENT_CA", value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,
    /// Another principal for a name in a certificate, for example spiffe://acme/ingest=ingest@acme.example; once for each
    #[arg(
        long,
        env = "BINNACLE_CERTIFICATE_PRINCIPAL",
        value_name = "NAME=PRINCIPAL",
        value_delimiter = ','
    )]
    certificate_principal: Option<Vec<String>>,
    /// The keys of who signs JSON web tokens: a JWKS, as a file or an https URL
    #[arg(long, env = "BINNACLE_JWT_JWKS", value_name = "FILE|URL")]
    jwt_jwks: Option<String>,
    /// What `iss` has to be
    #[arg(long, env = "BINNACLE_JWT_ISSUER", value_name = "ISSUER")]
    jwt_issuer: Option<String>,
    /// What `aud` has to hold
    #[arg(long, env = "BINNACLE_JWT_AUDIENCE", value_name = "AUDIENCE")]
    jwt_audience: Option<String>,
    /// An algorithm that tokens may be signed with; once for each [default: RS256, ES256 and EdDSA]
    #[arg(
        long,
        env = "BINNACLE_JWT_ALGORITHM",
        value_name = "ALGORITHM",
        value_delimiter = ','
    )]
    jwt_algorithm: Option<Vec<String>>,
    /// The claim that names the principal [default: sub]
    #[arg(long, env = "BINNACLE_JWT_PRINCIPAL_CLAIM", value_name = "CLAIM")]
    jwt_principal_claim: Option<String>,
    /// Seconds for which the keys of the JWKS count while it cannot be read again; then no token is taken until it can
    /// [default: 86400]
    #[arg(long, env = "BINNACLE_JWT_JWKS_AGE_MAX_S", value_name = "SECONDS")]
    jwt_jwks_age_max_s: Option<NonZeroU64>,
    /// Listens where others reach it although connections are not secured: something in front of the server secures them
    #[arg(long, env = "BINNACLE_PLAINTEXT_BEYOND_LOOPBACK", num_args = 0..=1, default_missing_value = "true")]
    plaintext_beyond_loopback: Option<bool>,
}

impl IdentitySettings {
    /// These, and where they are silent the others.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            operator: self.operator.or(other.operator),
            tls_certificate: self.tls_certificate.or(other.tls_certificate),
            tls_key: self.tls_key.or(other.tls_key),
            tls_client_ca: self.tls_client_ca.or(other.tls_client_ca),
            certificate_principal: self.certificate_principal.or(other.certificate_principal),
            jwt_jwks: self.jwt_jwks.or(other.jwt_jwks),
            jwt_issuer: self.jwt_issuer.or(other.jwt_issuer),
            jwt_audience: self.jwt_audience.or(other.jwt_audience),
            jwt_algorithm: self.jwt_algorithm.or(other.jwt_algorithm),
            jwt_principal_claim: self.jwt_principal_claim.or(other.jwt_principal_claim),
            jwt_jwks_age_max_s: self.jwt_jwks_age_max_s.or(other.jwt_jwks_age_max_s),
            plaintext_beyond_loopback: self.plaintext_beyond_loopback.or(other.plaintext_beyond_loopback),
        }
    }

    /// Where the keys of who signs tokens are; none: tokens are not taken.
    pub(super) fn jwks(&self) -> Option<&str> {
        self.jwt_jwks.as_deref()
    }

    /// Whether something in front of the server secures connections.
    pub(super) fn plaintext_beyond_loopback(&self) -> bool {
        self.plaintext_beyond_loopback.unwrap_or_default()
    }

    /// The files that connections are secured with.
    pub(super) fn tls_files(&self) -> Result<Option<TlsFiles>, Failure> {
        match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                client_ca: self.tls_client_ca.clone(),
            })),
            (None, None) if self.tls_client_ca.is_none() => Ok(None),
            _ => Err(usage(
                "--tls-certificate and --tls-key belong together: name both",
            )),
        }
    }

    /// What connections are secured with.
    pub(super) fn tls(&self) -> Result<Option<Arc<Tls>>, Failure> {
        let Some(files) = self.tls_files()? else {
            return Ok(None);
        };
        let tls = Tls::new(files).map_err(|fault| usage(&fault.to_string()))?;
        Ok(Some(Arc::new(tls)))
    }

    /// What callers are recognised by.
    pub(super) fn authenticator(&self, data_dir: &Path) -> Result<Arc<Authenticator>, Failure> {
        let keys = self.keys(data_dir)?;
        let certificates = match &self.tls_client_ca {
            Some(_) => Some(CertificateNames::new(self.names()?)),
            None if self.certificate_principal.is_some() => {
                return Err(usage(
                    "--certificate-principal is of clients' certificates: name --tls-client-ca",
                ));
            }
            None => None,
        };
        let operators = self.operator.clone().unwrap_or_default();
        Ok(Arc::new(Authenticator::new(
            keys,
            self.tokens()?,
            certificates,
            operators,
        )))
    }

    /// The API keys, if there are any. Where there were some, or there is somebody who may do more than others, a server without
    /// them would believe everybody: that is not begun by mistake.
    fn keys(&self, data_dir: &Path) -> Result<Option<KeyFile>, Failure> {
        let path = data_dir.join(KEYS);
        let there = path.try_exists().map_err(|error| {
            Failure::new(
                FailureKind::Failed,
                format!("{} cannot be looked for: {error}", path.display()),
            )
        })?;
        if there {
            return KeyFile::open(path)
                .map(Some)
                .map_err(|fault| usage(&fault.to_string()));
        }
        if KeyFile::was_at(&path) {
            return Err(usage(&format!(
                "{} is missing, and there were keys: put it back from a copy, or make a new one with \"binnacle keys create\"",
                path.display()
            )));
        }
        let knows_others = self.tls_client_ca.is_some() || self.jwt_jwks.is_some();
        if self.operator.is_some() && !knows_others {
            return Err(usage(
                "--operator is somebody whom the server knows, and it knows nobody: make a key with \"binnacle keys create\" first",
            ));
        }
        Ok(None)
    }

    fn tokens(&self) -> Result<Option<Tokens>, Failure> {
        let (jwks, issuer, audience) = match (&self.jwt_jwks, &self.jwt_issuer, &self.jwt_audience) {
            (Some(jwks), Some(issuer), Some(audience)) => (jwks, issuer, audience),
            (None, None, None) => return Ok(None),
            _ => {
                return Err(usage(
                    "--jwt-jwks, --jwt-issuer and --jwt-audience belong together: name all three",
                ));
            }
        };
        let default = || ["RS256", "ES256", "EdDSA"].map(str::to_owned).to_vec();
        let rules = TokenRules {
            jwks: JwksSource::of(jwks),
            issuer: issuer.clone(),
            audience: audience.clone(),
            algorithms: self.jwt_algorithm.clone().unwrap_or_else(default),
            principal_claim: self
                .jwt_principal_claim
                .clone()
                .unwrap_or_else(|| "sub".to_owned()),
            jwks_age_max_s: self.jwt_jwks_age_max_s.map_or(JWKS_AGE_MAX_S, NonZeroU64::get),
        };
        // A URL is asked for the keys, which a thread of the runtime must not wait for.
        let read = std::thread::spawn(move || Tokens::new(rules)).join();
        let tokens = read.map_err(|_panicked| usage("--jwt-jwks could not be read: report it"))?;
        tokens.map(Some).map_err(|fault| usage(&fault.to_string()))
    }

    fn names(&self) -> Result<BTreeMap<String, String>, Failure> {
        let pairs = self.certificate_principal.iter().flatten();
        pairs
            .map(|pair| {
                // A name may hold "=", a principal mostly does not.
                let (name, principal) = pair
                    .rsplit_once('=')
                    .filter(|(name, to)| !name.is_empty() && !to.is_empty())
                    .ok_or_else(|| {
                        usage(&format!("--certificate-principal {pair:?} is not NAME=PRINCIPAL"))
                    })?;
                Ok((name.to_owned(), principal.to_owned()))
            })
            .collect()
    }
}

fn usage(sentence: &str) -> Failure {
    Failure::new(FailureKind::Usage, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_together_is_asked_for_together() {
        let dir = tempfile::tempdir().unwrap();
        let said = |settings: IdentitySettings| {
            let tls = settings.tls().map(drop);
            let asked = tls.and_then(|()| settings.authenticator(dir.path()).map(drop));
            asked.map_err(|failure| failure.to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        for (settings, part) in [
            (
                IdentitySettings {
                    tls_key: Some("key".into()),
                    ..Default::default()
                },
                "--tls-certificate and --tls-key belong together",
            ),
            (
                IdentitySettings {
                    tls_client_ca: Some("ca".into()),
                    ..Default::default()
                },
                "--tls-certificate and --tls-key belong together",
            ),
            (
                IdentitySettings {
                    jwt_jwks: some("jwks.json"),
                    jwt_issuer: some("https://login.example.com"),
                    ..Default::default()
                },
                "name all three",
            ),
            (
                IdentitySettings {
                    certificate_principal: Some(vec!["a=b".to_owned()]),
                    ..Default::default()
                },
                "name --tls-client-ca",
            ),
            (
                IdentitySettings {
                    tls_certificate: Some("nowhere".into()),
                    tls_key: Some("nowhere".into()),
                    ..Default::default()
                },
                "nowhere holds no private key in PEM",
            ),
        ] {
            let refused = said(settings).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
        assert_eq!(said(IdentitySettings::default()), Ok(()));
    }
}
