//! Whom the program trusts to be the court's server: what browsers trust, and what this computer does. Courts run servers
//! in closed networks, under an authority of their own that their technicians install on each computer.
//!
//! Looked up once a run; never trusts anything because the server said so.

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, LazyLock};
use tokio_tungstenite::Connector;

static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate of this computer cannot be read");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the protocol versions that rustls has on by default")
        .with_root_certificates(roots(system.certs))
        .with_no_client_auth();
    Arc::new(config)
});

/// For HTTP requests.
pub(crate) fn config() -> ClientConfig {
    ClientConfig::clone(&CONFIG)
}

/// For WebSockets with `wss` addresses; plain ones ignore it.
pub(crate) fn connector() -> Connector {
    Connector::Rustls(Arc::clone(&CONFIG))
}

/// Certificates that are none are left out: one bad file must not keep a person out of court.
fn roots(system: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let (_, ignored) = roots.add_parsable_certificates(system);
    if ignored > 0 {
        tracing::warn!(
            ignored,
            "entries among this computer's certificates that are none"
        );
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::pem::PemObject;

    /// An authority that nobody else knows (self-signed, made for this test).
    const OF_A_COURT: &str = include_str!("../tests/court-authority.pem");

    #[test]
    fn an_authority_of_the_court_is_trusted_beside_those_of_the_world() {
        let own = CertificateDer::from_pem_slice(OF_A_COURT.as_bytes()).expect("a certificate");
        let broken = CertificateDer::from(vec![1, 2, 3]);
        let world = roots(Vec::new());
        let both = roots(vec![broken, own]);
        assert_eq!(both.len(), world.len() + 1);
        let named = |store: &RootCertStore| {
            let name = b"Mingting Test Court";
            store
                .roots
                .iter()
                .any(|root| root.subject.windows(name.len()).any(|part| part == name))
        };
        assert!(named(&both) && !named(&world));
    }
}
