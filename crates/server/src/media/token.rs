//! LiveKit access tokens: JWT with HS256. Minted for seats, checked on every request. A token is the only thing
//! that lets anybody in; nothing here knows hearings.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use protocol::Secret;
use serde::{Deserialize, Serialize};
use sfu::{Permissions, Source};

/// Clocks may differ by this much.
const LEEWAY: Duration = Duration::from_secs(60);
/// Longer tokens are not looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// What a token grants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// May join the room.
    pub room_join: bool,
    /// What it may do there.
    pub permissions: Permissions,
    /// Passed on to the others unread.
    pub metadata: String,
    /// Passed on to the others unread.
    pub attributes: BTreeMap<String, String>,
    /// May manage the room over the room service.
    pub room_admin: bool,
    /// May make and delete rooms.
    pub room_create: bool,
    /// May list rooms.
    pub room_list: bool,
}

impl Grants {
    /// To join and do no more than this.
    pub fn join(permissions: Permissions) -> Grants {
        Grants {
            room_join: true,
            permissions,
            ..Grants::default()
        }
    }
}

/// Why a token is not accepted. Says no more than is good to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadToken {
    #[error("no access token")]
    Missing,
    #[error("invalid access token")]
    Invalid,
    #[error("the access token has expired or is not valid yet")]
    Expired,
}

/// The claims as they are written. Absent permissions mean yes, as LiveKit has it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sub: String,
    pub(crate) nbf: u64,
    pub(crate) exp: u64,
    /// When it was issued, to the millisecond: `nbf` in whole seconds does not tell two devices of one seat apart. A
    /// claim of our own, which LiveKit's server skips.
    #[serde(rename = "issuedMs", skip_serializing_if = "is_zero")]
    pub(crate) issued_ms: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) metadata: String,
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub(crate) attributes: HashMap<String, String>,
    pub(crate) video: VideoGrants,
    /// Base64 of the SHA-256 of a webhook's body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sha256: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VideoGrants {
    pub(crate) room_join: bool,
    pub(crate) room: String,
    pub(crate) room_admin: bool,
    pub(crate) room_create: bool,
    pub(crate) room_list: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) can_publish: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) can_subscribe: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) can_publish_data: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) can_publish_sources: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) can_update_own_metadata: Option<bool>,
    pub(crate) hidden: bool,
    pub(crate) recorder: bool,
}

impl Claims {
    /// What the bearer may do in the room.
    pub(crate) fn permissions(&self) -> Permissions {
        let video = &self.video;
        Permissions {
            can_subscribe: video.can_subscribe.unwrap_or(true),
            can_publish: video.can_publish.unwrap_or(true),
            can_publish_sources: video
                .can_publish_sources
                .iter()
                .filter_map(|name| Source::from_token_name(&name.to_lowercase()))
                .collect(),
            can_update_metadata: video.can_update_own_metadata.unwrap_or(false),
            hidden: video.hidden,
            recorder: video.recorder,
        }
    }
}

/// When a token is valid, and which of two is the older.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// Not before.
    pub from: SystemTime,
    /// For how long.
    pub length: Duration,
    /// For the order only; it may lie ahead of `from`, where the clock was set back.
    pub issued_ms: u64,
}

/// The key pair tokens are made and checked with.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) key: String,
    pub(crate) secret: Secret,
}

impl Keys {
    /// A token for a participant.
    pub(crate) fn mint(&self, room: &str, identity: &str, name: &str, grants: &Grants, term: Term) -> String {
        let permissions = &grants.permissions;
        let from = unix(term.from);
        self.sign(&Claims {
            iss: self.key.clone(),
            sub: identity.to_owned(),
            nbf: from,
            exp: from + term.length.as_secs(),
            issued_ms: term.issued_ms,
            name: name.to_owned(),
            metadata: grants.metadata.clone(),
            attributes: grants.attributes.clone().into_iter().collect(),
            video: VideoGrants {
                room_join: grants.room_join,
                room: room.to_owned(),
                room_admin: grants.room_admin,
                room_create: grants.room_create,
                room_list: grants.room_list,
                can_publish: Some(permissions.can_publish),
                can_subscribe: Some(permissions.can_subscribe),
                can_publish_data: Some(false),
                can_publish_sources: permissions
                    .can_publish_sources
                    .iter()
                    .map(|source| source.token_name().to_owned())
                    .collect(),
                can_update_own_metadata: Some(permissions.can_update_metadata),
                hidden: permissions.hidden,
                recorder: permissions.recorder,
            },
            sha256: String::new(),
        })
    }

    /// A token over the body of a webhook.
    pub(crate) fn mint_for_body(&self, sha256: String, now: SystemTime) -> String {
        let now = unix(now);
        let ttl = Duration::from_secs(300);
        let exp = now + ttl.as_secs();
        self.sign(&Claims {
            iss: self.key.clone(),
            nbf: now,
            exp,
            sha256,
            ..Claims::default()
        })
    }

    fn sign(&self, claims: &Claims) -> String {
        let key = EncodingKey::from_secret(self.secret.expose().as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key)
            .expect("claims of strings and numbers always serialise, and HS256 takes any key")
    }

    /// The claims of a token that is truly ours and valid at `now`.
    pub(crate) fn check(&self, token: &str, now: SystemTime) -> Result<Claims, BadToken> {
        if token.is_empty() {
            return Err(BadToken::Missing);
        }
        if token.len() > MAX_TOKEN {
            return Err(BadToken::Invalid);
        }
        let mut validation = Validation::new(Algorithm::HS256);
        // Time is checked below, against the time given.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        validation.validate_aud = false;
        let key = DecodingKey::from_secret(self.secret.expose().as_bytes());
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|_| BadToken::Invalid)?
            .claims;
        if claims.iss != self.key {
            return Err(BadToken::Invalid);
        }
        let (now, leeway) = (unix(now), LEEWAY.as_secs());
        if claims.exp.saturating_add(leeway) < now || claims.nbf > now.saturating_add(leeway) {
            return Err(BadToken::Expired);
        }
        Ok(claims)
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

pub(crate) fn unix(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys {
            key: "court".into(),
            secret: Secret::new("a secret of sufficient length for HS256"),
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_minted_token_grants_what_was_granted() {
        let permissions = Permissions {
            can_publish_sources: vec![Source::Microphone],
            can_subscribe: false,
            ..Permissions::default()
        };
        let token = keys().mint(
            "r",
            "seat",
            "name",
            &Grants::join(permissions.clone()),
            Term {
                from: at(1000),
                length: Duration::from_secs(60),
                // The clock was set back by an hour since the token before.
                issued_ms: 4_600_000,
            },
        );
        let claims = keys().check(&token, at(1030)).expect("valid");
        assert_eq!(
            (
                claims.sub.as_str(),
                claims.video.room.as_str(),
                claims.video.room_join
            ),
            ("seat", "r", true)
        );
        assert_eq!(claims.permissions(), permissions);
        assert_eq!(claims.issued_ms, 4_600_000);
    }

    #[test]
    fn other_keys_other_times_and_other_texts_are_refused() {
        let token = keys().mint(
            "r",
            "s",
            "",
            &Grants::join(Permissions::default()),
            Term {
                from: at(10_000),
                length: Duration::from_secs(60),
                issued_ms: 10_000_000,
            },
        );
        let other = Keys {
            secret: Secret::new("another secret"),
            ..keys()
        };
        let renamed = Keys {
            key: "other".into(),
            ..keys()
        };
        for (what, refused, expected) in [
            (
                "signed by another",
                other.check(&token, at(10_000)),
                BadToken::Invalid,
            ),
            (
                "of another issuer",
                renamed.check(&token, at(10_000)),
                BadToken::Invalid,
            ),
            ("late", keys().check(&token, at(10_200)), BadToken::Expired),
            ("early", keys().check(&token, at(9_000)), BadToken::Expired),
            ("empty", keys().check("", at(10_000)), BadToken::Missing),
            ("nonsense", keys().check("a.b.c", at(10_000)), BadToken::Invalid),
            (
                "unsigned",
                keys().check("eyJhbGciOiJub25lIn0.e30.", at(10_000)),
                BadToken::Invalid,
            ),
        ] {
            assert_eq!(refused.err(), Some(expected), "{what}");
        }
    }
}
