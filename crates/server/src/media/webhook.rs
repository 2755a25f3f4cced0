//! LiveKit webhooks: what happened, posted as JSON with a token over the body. Delivered in order, retried a few
//! times, and given up rather than queued without end.

use std::sync::Weak;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use livekit_protocol as proto;
use rand::RngCore;
use sha2::{Digest, Sha256};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::events::MediaEvent;
use super::token::{Keys, unix};
use super::{MediaPlane, wall_clock};

/// Tries of one delivery, and the pause before the next.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where to post.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The receivers' addresses.
    pub urls: Vec<String>,
}

/// Posts events until the media plane is gone.
pub(super) async fn deliver(
    webhook: Webhook,
    keys: Keys,
    plane: Weak<MediaPlane>,
    mut events: Receiver<MediaEvent>,
) {
    let Ok(client) = reqwest::Client::builder().timeout(TIMEOUT).build() else {
        return;
    };
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "webhook events were lost: the receiver is too slow");
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        let Some(body) = body_of(&event, &plane).await else {
            continue;
        };
        for url in &webhook.urls {
            post(&client, url, &keys, &body).await;
        }
    }
}

async fn post(client: &reqwest::Client, url: &str, keys: &Keys, body: &str) {
    for attempt in 0..TRIES {
        let token = keys.mint_for_body(STANDARD.encode(Sha256::digest(body.as_bytes())), wall_clock());
        let request = client
            .post(url)
            .header("Authorization", token)
            .header("Content-Type", "application/webhook+json")
            .body(body.to_owned());
        match request.send().await {
            Ok(response) if response.status().is_success() => return,
            Ok(response) => tracing::debug!(status = %response.status(), attempt, "a webhook was refused"),
            Err(error) => tracing::debug!(%error, attempt, "a webhook could not be delivered"),
        }
        tokio::time::sleep(PAUSE * (attempt + 1)).await;
    }
    tracing::warn!("a webhook was given up");
}

/// The event as LiveKit writes it; `None` for those it has no webhook for.
async fn body_of(event: &MediaEvent, plane: &Weak<MediaPlane>) -> Option<String> {
    let name = match event {
        MediaEvent::RoomStarted { .. } => "room_started",
        MediaEvent::RoomFinished { .. } => "room_finished",
        MediaEvent::Active { .. } => "participant_joined",
        MediaEvent::Left { .. } => "participant_left",
        MediaEvent::TrackPublished { .. } => "track_published",
        MediaEvent::TrackUnpublished { .. } => "track_unpublished",
        MediaEvent::Joined { .. }
        | MediaEvent::TrackMuted { .. }
        | MediaEvent::Speakers { .. }
        | MediaEvent::Quality { .. } => return None,
    };
    let mut webhook = proto::WebhookEvent {
        event: name.to_owned(),
        id: event_id(),
        created_at: unix(wall_clock()) as i64,
        ..Default::default()
    };
    let plane = plane.upgrade()?;
    let (room, participant, track) = match event {
        MediaEvent::RoomStarted { room } | MediaEvent::RoomFinished { room } => (room, None, None),
        MediaEvent::Active { room, identity, sid }
        | MediaEvent::Left {
            room, identity, sid, ..
        } => (room, Some((identity, sid.as_str())), None),
        MediaEvent::TrackPublished {
            room,
            identity,
            track_sid,
            ..
        }
        | MediaEvent::TrackUnpublished {
            room,
            identity,
            track_sid,
        } => (room, Some((identity, "")), Some(track_sid)),
        _ => return None,
    };
    webhook.room = plane.rooms().await.into_iter().find(|info| info.name == *room);
    webhook.room.get_or_insert_with(|| proto::Room {
        name: room.clone(),
        ..Default::default()
    });
    if let Some((identity, sid)) = participant {
        let known = plane.participant(room, identity).await;
        let told = proto::ParticipantInfo {
            identity: identity.clone(),
            sid: sid.to_owned(),
            ..Default::default()
        };
        webhook.participant = Some(
            known
                .filter(|known| sid.is_empty() || known.sid == sid)
                .unwrap_or(told),
        );
        if let Some(track_sid) = track {
            let known = plane.track(room, identity, track_sid).await;
            let told = proto::TrackInfo {
                sid: track_sid.clone(),
                ..Default::default()
            };
            webhook.track = Some(known.unwrap_or(told));
        }
    }
    serde_json::to_string(&webhook).ok()
}

#[expect(
    clippy::disallowed_methods,
    reason = "names of webhook events; nothing depends on them"
)]
fn event_id() -> String {
    format!("EV_{:016x}", rand::rng().next_u64())
}
