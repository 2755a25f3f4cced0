//! Whether the server can be reached at all: name, connection, TLS, hearing channel. Each is tried once, by the same means as
//! in a hearing; how long is the caller's business.

use futures_util::future::select_ok;
use futures_util::{FutureExt, SinkExt, StreamExt};
use hyper_util::client::proxy::matcher::Matcher;
use protocol::{ClientFrame, FRAME_LIMIT, PROTOCOL_VERSION, Secret, ServerFrame};
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::connect_async_tls_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use url::Url;

/// Whether this program's HTTP requests to the server go through a proxy.
pub(super) fn is_proxied(server: &Url) -> bool {
    let uri = server.as_str().parse::<Uri>();
    uri.is_ok_and(|uri| Matcher::from_system().intercept(&uri).is_some())
}

/// The server's addresses, at least one.
pub(super) async fn resolve(server: &Url) -> Option<Vec<SocketAddr>> {
    let port = server.port_or_known_default()?;
    let addresses: Vec<SocketAddr> = match server.host()? {
        url::Host::Ipv4(ip) => vec![(ip, port).into()],
        url::Host::Ipv6(ip) => vec![(ip, port).into()],
        url::Host::Domain(name) => tokio::net::lookup_host((name, port)).await.ok()?.collect(),
    };
    (!addresses.is_empty()).then_some(addresses)
}

/// A connection to the first address that takes one.
pub(super) async fn connect(addresses: &[SocketAddr]) -> Option<TcpStream> {
    let tries = addresses
        .iter()
        .map(|address| TcpStream::connect(*address).boxed());
    select_ok(tries).await.ok().map(|(stream, _)| stream)
}

/// TLS with a certificate that is trusted and for this server.
pub(super) async fn tls(server: &Url, stream: TcpStream) -> Option<()> {
    let name = match server.host()? {
        url::Host::Ipv4(ip) => ServerName::from(std::net::IpAddr::from(ip)),
        url::Host::Ipv6(ip) => ServerName::from(std::net::IpAddr::from(ip)),
        url::Host::Domain(name) => ServerName::try_from(name.to_owned()).ok()?,
    };
    let connector = TlsConnector::from(Arc::new(crate::tls::config()));
    match connector.connect(name, stream).await {
        Ok(_) => Some(()),
        Err(error) => {
            tracing::info!(%error, "no TLS with the court's server");
            None
        }
    }
}

/// A frame of the hearing channel there and one back. No seat is taken: the server refuses the token, and a refusal that
/// arrives shows that nothing between here and there stops a WebSocket.
pub(super) async fn channel(server: &Url) -> Option<()> {
    let mut url = server.clone();
    let scheme = if server.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme).ok()?;
    let base = server.path().trim_end_matches('/');
    url.set_path(&format!("{base}/api/v1/hearings/practice/channel"));
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_LIMIT))
        .max_frame_size(Some(FRAME_LIMIT));
    let connector = Some(crate::tls::connector());
    let (mut socket, _) = connect_async_tls_with_config(url.as_str(), Some(config), true, connector)
        .await
        .ok()?;
    let hello = ClientFrame::Hello {
        protocol: PROTOCOL_VERSION,
        token: Secret::new("none"),
        resume_after: None,
        drop_cause: None,
        client: "self-test".to_owned(),
    };
    let hello = serde_json::to_string(&hello).expect("wire types always serialise");
    socket.send(Message::text(hello)).await.ok()?;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            return serde_json::from_str::<ServerFrame>(&text).ok().map(drop);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_are_known_as_they_stand_and_names_only_where_they_are() {
        for (server, port) in [
            ("http://127.0.0.1:8443", 8443),
            ("https://127.0.0.1", 443),
            ("http://[::1]/court", 80),
        ] {
            let known = resolve(&server.parse().expect("a URL")).await.expect("known");
            assert_eq!(
                known.iter().map(SocketAddr::port).collect::<Vec<_>>(),
                [port],
                "{server}"
            );
        }
        // RFC 6761 keeps this name from ever being given to anybody.
        let nobody = resolve(&"https://court.invalid".parse().expect("a URL")).await;
        assert_eq!(nobody, None);
    }

    #[tokio::test]
    async fn one_address_that_answers_is_enough() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let open = listener.local_addr().expect("bound");
        let closed = {
            let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port");
            gone.local_addr().expect("bound")
        };
        assert!(connect(&[closed, open]).await.is_some());
        assert!(connect(&[closed]).await.is_none());
    }
}
