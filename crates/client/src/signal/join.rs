//! The join request of LiveKit signalling v1: one URL that carries the client's offer, so that joining takes one
//! round trip. Pure; no sockets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use flate2::Compression;
use flate2::write::GzEncoder;
use livekit_protocol as proto;
use prost::Message;
use std::io::Write;
use url::Url;

/// Version of the LiveKit signalling protocol that is spoken.
pub const PROTOCOL: i32 = 16;

/// Why a base address cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// Not `http`, `https`, `ws` or `wss`.
    #[error("the media address has no usable scheme")]
    Scheme,
}

/// What a join says.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Join {
    /// The first offer; none on a resume, which sends it once the server has answered.
    pub offer: Option<String>,
    /// What the offer sends, where that is known already.
    pub tracks: Vec<proto::AddTrackRequest>,
    /// Server id of the participant whose session is resumed.
    pub resume: Option<String>,
    /// For the technician: program and version.
    pub client_version: String,
}

/// The request as the server reads it.
pub fn request(join: &Join) -> proto::JoinRequest {
    proto::JoinRequest {
        client_info: Some(proto::ClientInfo {
            sdk: proto::client_info::Sdk::Unknown as i32,
            version: join.client_version.clone(),
            protocol: PROTOCOL,
            os: std::env::consts::OS.to_owned(),
            ..Default::default()
        }),
        connection_settings: Some(proto::ConnectionSettings {
            auto_subscribe: true,
            adaptive_stream: true,
            ..Default::default()
        }),
        publisher_offer: join.offer.as_ref().map(|sdp| proto::SessionDescription {
            r#type: "offer".to_owned(),
            sdp: sdp.clone(),
            id: 1,
            ..Default::default()
        }),
        add_track_requests: join.tracks.clone(),
        reconnect: join.resume.is_some(),
        participant_sid: join.resume.clone().unwrap_or_default(),
        ..Default::default()
    }
}

/// The text of the query parameter `join_request`: gzip in a wrapper, base64url with padding, as the Go server insists.
pub fn encode(request: &proto::JoinRequest) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&request.encode_to_vec())
        .expect("writing to memory does not fail");
    let wrapped = proto::WrappedJoinRequest {
        compression: proto::wrapped_join_request::Compression::Gzip as i32,
        join_request: gzip.finish().expect("writing to memory does not fail"),
    };
    URL_SAFE.encode(wrapped.encode_to_vec())
}

/// The whole address. `base` is the server's address with any of the four schemes; the token goes into the query
/// because the protocol wants it there, so the result must never be logged.
pub fn address(base: &Url, token: &str, join: &Join) -> Result<Url, AddressError> {
    let mut url = base.clone();
    let scheme = match base.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        _ => return Err(AddressError::Scheme),
    };
    url.set_scheme(scheme).map_err(|()| AddressError::Scheme)?;
    let path = format!("{}/rtc/v1", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url.query_pairs_mut()
        .clear()
        .append_pair("access_token", token)
        .append_pair("join_request", &encode(&request(join)));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read;

    fn decode(text: &str) -> proto::JoinRequest {
        let wrapped = URL_SAFE.decode(text).expect("base64url");
        let wrapped = proto::WrappedJoinRequest::decode(&wrapped[..]).expect("a wrapper");
        assert_eq!(
            wrapped.compression,
            proto::wrapped_join_request::Compression::Gzip as i32
        );
        let mut bytes = Vec::new();
        GzDecoder::new(&wrapped.join_request[..])
            .read_to_end(&mut bytes)
            .expect("gzip");
        proto::JoinRequest::decode(&bytes[..]).expect("a join request")
    }

    proptest! {
        #[test]
        fn what_is_asked_is_what_arrives(offer in proptest::option::of(".{0,4000}"), resume in proptest::option::of("[A-Z]{2}_[a-z0-9]{1,12}")) {
            let join = Join { offer, resume, client_version: "test".into(), ..Join::default() };
            let read = decode(&encode(&request(&join)));
            prop_assert_eq!(read.publisher_offer.map(|d| d.sdp), join.offer);
            prop_assert_eq!(read.reconnect, join.resume.is_some());
            prop_assert_eq!(read.participant_sid, join.resume.unwrap_or_default());
        }
    }

    #[test]
    fn every_scheme_becomes_a_web_socket() {
        for (base, start) in [
            (
                "http://127.0.0.1:8443",
                "ws://127.0.0.1:8443/rtc/v1?access_token=t&join_request=",
            ),
            (
                "https://court.example/",
                "wss://court.example/rtc/v1?access_token=t&join_request=",
            ),
            (
                "wss://court.example/media/",
                "wss://court.example/media/rtc/v1?access_token=t&join_request=",
            ),
        ] {
            let url = address(&base.parse().expect("a URL"), "t", &Join::default()).expect("an address");
            assert!(url.as_str().starts_with(start), "{url}");
        }
        assert_eq!(
            address(&"ftp://x/".parse().expect("a URL"), "t", &Join::default()),
            Err(AddressError::Scheme)
        );
    }
}
