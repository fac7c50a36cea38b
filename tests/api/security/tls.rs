//! TLS as clients meet it: certificates of both sides, tokens, and a certificate that changes while the server runs.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use binnacle::identity::{Authenticator, CertificateNames, JwksSource, KeyFile, NewKey, TokenRules, Tokens};
use binnacle::log::MemoryLog;
use binnacle::proto::api;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::service::{ServerConfig, Tls, TlsFiles};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use tokio::io::AsyncReadExt;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};

use super::{Known, Token};
use crate::common::*;

/// An authority that signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority");
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn sign(&self, common_name: &str, names: Vec<SanType>) -> Signed {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names = names;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Signed {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    fn server(&self) -> Signed {
        self.sign(
            "a server",
            vec![SanType::DnsName("localhost".try_into().expect("a name"))],
        )
    }

    fn client(&self, uri: &str) -> Signed {
        self.sign("a client", vec![SanType::URI(uri.try_into().expect("a URI"))])
    }
}

impl Signed {
    fn write(&self, files: &TlsFiles) {
        // As whoever renews certificates does it: whole files take the place of others.
        for (path, text) in [(&files.certificate, &self.certificate), (&files.key, &self.key)] {
            let beside = path.with_extension("new");
            fs::write(&beside, text).expect("a file");
            fs::rename(beside, path).expect("a file");
        }
    }
}

/// A server with TLS that recognises its callers by everything there is.
struct Secured {
    server: Server,
    /// Held until it is dropped.
    _dir: tempfile::TempDir,
    authority: Authority,
    files: TlsFiles,
    signer: EncodingKey,
}

impl Secured {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        let authority = Authority::new();
        fs::write(path("ca.pem"), &authority.pem).expect("a file");
        let files = TlsFiles {
            certificate: path("tls.pem"),
            key: path("tls.key"),
            client_ca: Some(path("ca.pem")),
        };
        authority.server().write(&files);
        KeyFile::create_key(&path("keys.json"), &NewKey::of("nobody")).expect("a key");
        let signer = KeyPair::generate().expect("a key");
        let signer = EncodingKey::from_ec_der(&signer.serialize_der());
        let jwk = Jwk::from_encoding_key(&signer, Algorithm::ES256).expect("a key");
        fs::write(
            path("jwks.json"),
            serde_json::json!({ "keys": [jwk] }).to_string(),
        )
        .expect("a file");
        let rules = TokenRules {
            jwks: JwksSource::File(path("jwks.json")),
            issuer: "https://login.example.com".to_owned(),
            audience: "binnacle".to_owned(),
            algorithms: vec!["ES256".to_owned()],
            principal_claim: "sub".to_owned(),
            jwks_age_max_s: 3600,
        };
        let names = [(
            "spiffe://acme/ingest".to_owned(),
            "ingest@acme.example".to_owned(),
        )];
        let authenticator = Authenticator::new(
            Some(KeyFile::open(path("keys.json")).expect("keys")),
            Some(Tokens::new(rules).expect("tokens")),
            Some(CertificateNames::new(names.into())),
            ["ingest@acme.example", "spiffe://acme/bi", "maria@acme.example"].map(str::to_owned),
        );
        let config = ServerConfig {
            authenticator: Arc::new(authenticator),
            tls: Some(Arc::new(Tls::new(files.clone()).expect("TLS"))),
            ..ServerConfig::default()
        };
        let engine = binnacle::engine::EngineConfig::default();
        let clock = clock();
        let given = Arc::clone(&clock);
        let server = Server::opening(config, clock, move || {
            binnacle::engine::Engine::open(Arc::new(MemoryLog::new()), None, given, engine)
                .expect("an engine")
        })
        .await;
        let secured = Self {
            server,
            _dir: dir,
            authority,
            files,
            signer,
        };
        until_serving(&secured.connect(None).await.expect("a connection")).await;
        secured
    }

    async fn connect(&self, client: Option<&Signed>) -> Result<Channel, tonic::transport::Error> {
        self.connect_trusting(&self.authority.pem, client).await
    }

    async fn connect_trusting(
        &self,
        authority: &str,
        client: Option<&Signed>,
    ) -> Result<Channel, tonic::transport::Error> {
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(authority))
            .domain_name("localhost");
        if let Some(Signed { certificate, key }) = client {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.server.address)).expect("an address");
        endpoint.tls_config(tls).expect("TLS").connect().await
    }

    fn token(&self, subject: &str) -> String {
        let claims = serde_json::json!({
            "iss": "https://login.example.com",
            "aud": "binnacle",
            "sub": subject,
            "exp": jiff::Timestamp::now().as_second() + 600,
        });
        encode(&Header::new(Algorithm::ES256), &claims, &self.signer).expect("a token")
    }
}

fn with_token(channel: Channel, token: Option<&str>) -> Known {
    let token = token.map(|token| format!("Bearer {token}").parse().expect("a token"));
    InterceptedService::new(channel, Token(token))
}

/// Creates a workspace and answers who its owner is.
async fn who(channel: &Known, id: &str) -> Result<String, Status> {
    let mut workspaces = WorkspaceServiceClient::new(channel.clone());
    workspaces.create_workspace(new_workspace(id)).await?;
    let request = api::ListMembersRequest {
        parent: format!("workspaces/{id}"),
        ..Default::default()
    };
    let members = workspaces.list_members(request).await?.into_inner().members;
    assert_eq!(members.len(), 1);
    Ok(members[0].principal.clone())
}

#[tokio::test]
async fn a_client_is_who_its_certificate_or_its_token_says_and_the_token_counts_for_more() {
    let secured = Secured::new().await;
    let mapped = secured.authority.client("spiffe://acme/ingest");
    let itself = secured.authority.client("spiffe://acme/bi");
    let plain = secured.connect(None).await.expect("a connection");
    let by_certificate = with_token(secured.connect(Some(&mapped)).await.expect("a connection"), None);
    assert_eq!(
        who(&by_certificate, "one").await.expect("a workspace"),
        "ingest@acme.example"
    );
    let by_spiffe = secured.connect(Some(&itself)).await.expect("a connection");
    assert_eq!(
        who(&with_token(by_spiffe.clone(), None), "two")
            .await
            .expect("one"),
        "spiffe://acme/bi"
    );
    let token = secured.token("maria@acme.example");
    let by_token = with_token(plain.clone(), Some(&token));
    assert_eq!(
        who(&by_token, "three").await.expect("a workspace"),
        "maria@acme.example"
    );
    let both = with_token(by_spiffe.clone(), Some(&token));
    assert_eq!(
        who(&both, "four").await.expect("a workspace"),
        "maria@acme.example"
    );
    for (channel, reason) in [
        (with_token(plain.clone(), None), "CREDENTIALS_MISSING"),
        (with_token(plain.clone(), Some("x")), "CREDENTIALS_UNKNOWN"),
        (with_token(by_spiffe, Some("x")), "CREDENTIALS_UNKNOWN"),
        (
            with_token(plain.clone(), Some(&token[..token.len() - 2])),
            "CREDENTIALS_UNKNOWN",
        ),
    ] {
        let refused = who(&channel, "five").await.expect_err("nobody");
        assert_eq!(
            (refused.code(), reason_of(&refused).as_str()),
            (Code::Unauthenticated, reason)
        );
    }
    let stranger = with_token(plain, Some(&secured.token("jo@acme.example")));
    let refused = who(&stranger, "five").await.expect_err("no operator");
    assert_eq!(reason_of(&refused), "NOT_AN_OPERATOR", "{refused}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_and_a_connection_in_the_clear_are_turned_away() {
    let secured = Secured::new().await;
    let forged = Authority::new().client("spiffe://acme/ingest");
    let connected = secured.connect(Some(&forged)).await;
    // With TLS 1.3 the client may hear of it at its first call.
    let refused = match connected {
        Err(_) => true,
        Ok(channel) => who(&with_token(channel, None), "one").await.is_err(),
    };
    assert!(refused, "a forged certificate");
    let clear = Channel::from_shared(format!("http://{}", secured.server.address)).expect("an address");
    let clear = match clear.connect().await {
        Err(_) => true,
        Ok(channel) => who(
            &with_token(channel, Some(&secured.token("maria@acme.example"))),
            "one",
        )
        .await
        .is_err(),
    };
    assert!(clear, "in the clear");
    let distrusting = secured.connect_trusting(&Authority::new().pem, None).await;
    assert!(
        distrusting.is_err(),
        "who trusts another authority does not connect"
    );
}

#[tokio::test]
async fn a_new_certificate_is_used_by_new_connections_and_open_ones_go_on() {
    let secured = Secured::new().await;
    let token = secured.token("maria@acme.example");
    let open = with_token(secured.connect(None).await.expect("a connection"), Some(&token));
    who(&open, "before").await.expect("a workspace");
    let next = Authority::new();
    // A file that is no certificate changes nothing.
    fs::write(&secured.files.certificate, "nonsense").expect("a file");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    secured.connect(None).await.expect("the certificate of before");
    next.server().write(&secured.files);
    let newest = async {
        loop {
            match secured.connect_trusting(&next.pem, None).await {
                Ok(channel) => return channel,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    let newest = tokio::time::timeout(Duration::from_secs(60), newest)
        .await
        .expect("the new certificate");
    assert!(secured.connect(None).await.is_err(), "the old one is gone");
    who(&with_token(newest, Some(&token)), "after")
        .await
        .expect("a workspace");
    who(&open, "still").await.expect("the open connection");
}

#[tokio::test]
async fn handshakes_that_never_end_keep_nobody_out_and_are_ended() {
    let secured = Secured::new().await;
    let mut silent = Vec::new();
    for _ in 0..500 {
        let stream = tokio::net::TcpStream::connect(secured.server.address).await;
        silent.push(stream.expect("a connection"));
    }
    let token = secured.token("maria@acme.example");
    let served = async {
        let channel = secured.connect(None).await.expect("a connection");
        who(&with_token(channel, Some(&token)), "served")
            .await
            .expect("a workspace")
    };
    let served = tokio::time::timeout(Duration::from_secs(9), served).await;
    assert_eq!(
        served.expect("served before the others are ended"),
        "maria@acme.example"
    );
    let mut first = silent.remove(0);
    let read = tokio::time::timeout(Duration::from_secs(60), first.read(&mut [0; 16])).await;
    let ended = matches!(read.expect("it is ended"), Ok(0) | Err(_));
    assert!(ended, "a handshake that takes too long is closed");
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let authority = Authority::new();
    let (one, other) = (authority.server(), authority.server());
    fs::write(path("one.pem"), &one.certificate).expect("a file");
    fs::write(path("one.key"), &one.key).expect("a file");
    fs::write(path("other.key"), &other.key).expect("a file");
    fs::write(path("nonsense"), "nonsense").expect("a file");
    let refused = |certificate: &str, key: &str, client_ca: Option<&str>| {
        let files = TlsFiles {
            certificate: path(certificate),
            key: path(key),
            client_ca: client_ca.map(path),
        };
        Tls::new(files).map(drop).map_err(|fault| fault.to_string())
    };
    assert_eq!(refused("one.pem", "one.key", None), Ok(()));
    for (certificate, key, client_ca, part) in [
        ("one.pem", "other.key", None, "cannot be used together"),
        (
            "nonsense",
            "one.key",
            None,
            "nonsense holds no certificate in PEM",
        ),
        (
            "one.pem",
            "nonsense",
            None,
            "nonsense holds no private key in PEM",
        ),
        ("nowhere", "one.key", None, "nowhere holds no certificate in PEM"),
        (
            "one.pem",
            "one.key",
            Some("nonsense"),
            "nonsense holds no certificate in PEM",
        ),
    ] {
        let sentence = refused(certificate, key, client_ca).expect_err("no TLS");
        assert!(sentence.contains(part), "{sentence}");
    }
}
