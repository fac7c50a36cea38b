//! Client certificates: who somebody is by the certificate that their connection came with.
//!
//! What it does not know: whether a certificate is to be believed. Whoever hands it on has verified its chain and its time.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use smol_str::SmolStr;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

use super::{Identity, Unauthenticated};
use crate::domain::{Authentication, Principal};

/// What the names in certificates stand for.
#[derive(Clone, Debug, Default)]
pub struct CertificateNames {
    /// By the name in the certificate; one that is not in it stands for itself.
    principals: BTreeMap<String, String>,
}

impl CertificateNames {
    /// With principals for some names.
    #[must_use]
    pub fn new(principals: BTreeMap<String, String>) -> Self {
        Self { principals }
    }

    /// Who comes with a certificate (DER): its SPIFFE id, where it has exactly one URI and that is one, else the common name of
    /// its subject.
    ///
    /// # Errors
    /// It cannot be read, has expired, or has no such name.
    pub fn identify(&self, certificate: &[u8], now: Timestamp) -> Result<Identity, Unauthenticated> {
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| Unauthenticated::Unknown)?;
        let name = name_of(&parsed).ok_or(Unauthenticated::Unknown)?;
        let principal = self.principals.get(&name).unwrap_or(&name);
        let is_one = principal.is_ascii() && Principal::parse(principal).is_ok();
        let expires = Timestamp::from_second(parsed.validity().not_after.timestamp()).ok();
        if expires.is_some_and(|expires| expires <= now) {
            return Err(Unauthenticated::Expired);
        }
        match is_one {
            true => Ok(Identity {
                principal: SmolStr::new(principal),
                authentication: Authentication::Certificate,
                expires,
                key: None,
                is_operator: false,
            }),
            false => Err(Unauthenticated::Unknown),
        }
    }
}

/// From when until when a certificate (DER) holds; none: it cannot be read.
#[must_use]
pub fn validity_of(certificate: &[u8]) -> Option<Range<Timestamp>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let at = |time: ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    let validity = parsed.validity();
    Some(at(validity.not_before)?..at(validity.not_after)?)
}

fn name_of(certificate: &X509Certificate<'_>) -> Option<String> {
    // One that cannot be read, or is there twice, makes no name of the other one.
    let names = certificate.subject_alternative_name().ok()?;
    let uris: Vec<&str> = names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        })
        .collect();
    let is_spiffe = |uri: &&str| uri.to_ascii_lowercase().starts_with("spiffe:");
    match uris.as_slice() {
        // An SVID has exactly one URI.
        [uri] if uri.starts_with("spiffe://") => return Some((*uri).to_owned()),
        uris if uris.iter().any(is_spiffe) => return None,
        _ => {}
    }
    let mut common = certificate.subject().iter_common_name();
    match (common.next(), common.next()) {
        // A name that looks like an id of another kind is none.
        (Some(one), None) => one
            .as_str()
            .ok()
            .filter(|name| !name.contains(':'))
            .map(str::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn certificate(common_name: Option<&str>, uris: &[&str]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let uris = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names = uris.collect();
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn who(names: &CertificateNames, certificate: &[u8]) -> Result<String, Unauthenticated> {
        let identity = names.identify(certificate, Timestamp::now())?;
        assert_eq!(identity.authentication, Authentication::Certificate);
        Ok(identity.principal.to_string())
    }

    #[test]
    fn a_certificate_is_its_spiffe_id_or_else_its_common_name() {
        let names = CertificateNames::default();
        for (common_name, uris, expected) in [
            (Some("ingest"), &[][..], Some("ingest")),
            (
                Some("ingest"),
                &["spiffe://acme/ingest"],
                Some("spiffe://acme/ingest"),
            ),
            (None, &["spiffe://acme/ingest"], Some("spiffe://acme/ingest")),
            (Some("ingest"), &["https://acme.example.com"], Some("ingest")),
            (Some("ingest"), &["spiffe://acme/a", "spiffe://acme/b"], None),
            (Some("José"), &[], None),
            (Some("spiffe://acme/ingest"), &[], None),
            (Some("ingest"), &["SPIFFE://acme/ingest"], None),
            (Some(""), &[], None),
            (None, &[], None),
        ] {
            let found = who(&names, &certificate(common_name, uris));
            assert_eq!(found.as_deref().ok(), expected, "{common_name:?} {uris:?}");
        }
    }

    #[test]
    fn a_name_stands_for_the_principal_that_it_is_given() {
        let names = [(
            "spiffe://acme/ingest".to_owned(),
            "ingest@acme.example".to_owned(),
        )];
        let names = CertificateNames::new(names.into());
        let certificate = certificate(None, &["spiffe://acme/ingest"]);
        assert_eq!(who(&names, &certificate).unwrap(), "ingest@acme.example");
    }

    #[test]
    fn a_certificate_ends_with_its_time_and_no_bytes_are_one() {
        let names = CertificateNames::default();
        let certificate = certificate(Some("ingest"), &[]);
        let far = Timestamp::MAX;
        assert_eq!(
            names.identify(&certificate, far).unwrap_err(),
            Unauthenticated::Expired
        );
        for cut in 0..certificate.len() {
            assert!(who(&names, &certificate[..cut]).is_err(), "{cut}");
        }
    }
}
