//! Whom we trust: the system's authorities, and a file of more where a person chose one.
//!
//! Verification is never switched off. ring is handed to the one configuration that we build, so
//! that no process-wide default is installed behind the shell's back.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::fault::Fault;
use crate::error::{Code, Failure};

/// A file of authorities larger than this is no such file.
const MAX_CA_BYTES: u64 = 4 << 20;

/// The configuration of all connections, with the authorities of `ca_file` beside the system's.
pub(crate) fn config(ca_file: Option<&Path>) -> Result<ClientConfig, Failure> {
    let extra = ca_file.map(authorities).transpose()?.unwrap_or_default();
    build(extra).map_err(|error| {
        tracing::warn!(%error, "TLS cannot be set up");
        not_a_ca_file()
    })
}

fn build(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&ring))
        .with_safe_default_protocol_versions()?;
    let has_extra = !extra.is_empty();
    let mut config = match Verifier::new_with_extra_roots(extra, ring) {
        Ok(verifier) => builder
            .dangerous() // rustls' word for any verifier but its own; this is the system's.
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        Err(error) if has_extra => return Err(error),
        // A system without authorities: nothing is trusted, and plain http to this computer works.
        Err(_) => builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let about = std::fs::metadata(path).map_err(|_| unreadable())?;
    // A pipe or a device would block, or never end.
    if !about.is_file() || about.len() > MAX_CA_BYTES {
        return Err(not_a_ca_file());
    }
    let pem = std::fs::read(path).map_err(|_| unreadable())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    found.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(not_a_ca_file)
}

fn unreadable() -> Failure {
    Failure::new(Code::InvalidInput, "The provider's certificate file cannot be read.")
        .hint("Choose the file again under Settings → Models.")
}

fn not_a_ca_file() -> Failure {
    Failure::new(Code::InvalidInput, "The provider's certificate file holds no certificates.")
        .hint("Choose a file in PEM form, which begins with BEGIN CERTIFICATE.")
}

/// What a failed request failed of, looked for through the whole chain of causes.
pub(crate) fn fault(error: &(dyn std::error::Error + 'static)) -> Fault {
    certificate(error).map_or(Fault::Unreachable, of)
}

fn certificate<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a CertificateError> {
    if let Some(rustls::Error::InvalidCertificate(certificate)) = error.downcast_ref() {
        return Some(certificate);
    }
    // An io::Error hides what it wraps from `source`, which names the cause of that.
    let wrapped = error.downcast_ref().and_then(std::io::Error::get_ref);
    match wrapped {
        Some(inner) => certificate(inner),
        None => certificate(error.source()?),
    }
}

fn of(certificate: &CertificateError) -> Fault {
    use CertificateError as E;
    match certificate {
        E::Expired | E::ExpiredContext { .. } => Fault::Clock,
        E::NotValidYet | E::NotValidYetContext { .. } => Fault::Clock,
        // A sign-in page of a network answers under its own name.
        E::NotValidForName | E::NotValidForNameContext { .. } => Fault::Portal,
        _ => Fault::Untrusted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused_with_a_sentence() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ca.pem");
        std::fs::write(&path, "no certificate").expect("written");
        assert_eq!(config(Some(&path)).expect_err("refused").code, Code::InvalidInput);
        let absent = dir.path().join("absent.pem");
        assert_eq!(config(Some(&absent)).expect_err("refused").code, Code::InvalidInput);
        assert_eq!(config(Some(dir.path())).expect_err("refused").code, Code::InvalidInput);
    }

    #[test]
    fn certificate_faults_are_found_under_their_wrappers() {
        let table = [
            (CertificateError::UnknownIssuer, Fault::Untrusted),
            (CertificateError::Expired, Fault::Clock),
            (CertificateError::NotValidForName, Fault::Portal),
            (CertificateError::Revoked, Fault::Untrusted),
        ];
        for (certificate, expected) in table {
            let tls = rustls::Error::InvalidCertificate(certificate.clone());
            let io = std::io::Error::other(std::io::Error::other(tls));
            assert_eq!(fault(&io), expected, "{certificate:?}");
        }
        assert_eq!(fault(&std::io::Error::other("refused")), Fault::Unreachable);
    }
}
