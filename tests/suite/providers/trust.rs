//! Certificates: the system's authorities, a private one, and none.

use super::*;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A private authority, its file, and a server that it vouches for under `name`.
struct Private {
    server: ModelServer,
    ca_file: PathBuf,
    _dir: tempfile::TempDir,
}

fn private(name: &str) -> Private {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let dir = tempfile::tempdir().expect("a folder");
    let ca_file = dir.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).expect("written");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("ring speaks TLS")
    .with_no_client_auth()
    .with_single_cert(vec![certificate.der().clone()], key)
    .expect("key and certificate fit");
    let server = ModelServer::start_tls(Script::default(), Arc::new(tls));
    Private { server, ca_file, _dir: dir }
}

fn trusting(kind: ProviderKind, private: &Private) -> Box<dyn Provider> {
    let ca_file = Some(private.ca_file.display().to_string());
    provider(&ProviderConfig { ca_file, ..config(kind, &private.server.url()) }, hasty())
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_where_a_person_chose_it() {
    for kind in BOTH {
        let private = private("localhost");
        let outcome = asked(&*impatient(kind, &private.server), question("Hi")).await;
        assert_eq!(outcome.sorted(), ("needs you", Code::InvalidInput), "{kind:?}");
        let error = outcome.error.expect("checked");
        let hint = failure(&error).hint.clone().expect("what to do");
        assert!(hint.contains("certificate file"), "{hint}");
        assert_eq!(private.server.requests(), [], "nothing went to a stranger");
        let provider = trusting(kind, &private);
        assert_eq!(asked(&*provider, question("Hi")).await.text, "You said: Hi", "{kind:?}");
        assert!(provider.reachable().await);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_somebody_in_between() {
    let private = private("portal.example.com");
    let outcome = asked(&*trusting(ProviderKind::Openai, &private), question("Hi")).await;
    assert_eq!(outcome.sorted(), ("unreachable", Code::Offline));
    assert_eq!(private.server.requests(), []);
}

#[tokio::test]
async fn a_file_of_authorities_may_change_while_the_program_runs() {
    let (wrong, right) = (private("localhost"), private("localhost"));
    let ca_file = Some(wrong.ca_file.display().to_string());
    let config = ProviderConfig { ca_file, ..config(ProviderKind::Openai, &right.server.url()) };
    let provider = provider(&config, hasty());
    assert_eq!(asked(&*provider, question("Hi")).await.sorted().0, "needs you");
    std::fs::copy(&right.ca_file, &wrong.ca_file).expect("replaced");
    assert_eq!(asked(&*provider, question("Hi")).await.text, "You said: Hi");
}

#[tokio::test]
async fn a_file_without_authorities_says_so() {
    let server = ModelServer::start(Script::default());
    let ca_file = Some("no/such/file.pem".to_owned());
    let config = ProviderConfig { ca_file, ..config(ProviderKind::Openai, &server.url()) };
    let outcome = asked(&*provider(&config, hasty()), question("Hi")).await;
    assert_eq!(outcome.sorted(), ("needs you", Code::InvalidInput));
    assert_eq!(server.requests(), []);
}

#[tokio::test]
async fn speaking_tls_to_a_plain_server_is_unreachable() {
    let server = ModelServer::start(Script::default());
    let url = server.url().replace("http://", "https://");
    let provider = provider(&config(ProviderKind::Openai, &url), hasty());
    assert_eq!(asked(&*provider, question("Hi")).await.sorted(), ("unreachable", Code::Offline));
}
