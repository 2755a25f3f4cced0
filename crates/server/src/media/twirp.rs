//! LiveKit's room service over Twirp, in protobuf or JSON: a subset, for tools that manage rooms from outside.
//! Every call is checked against the grants of its token; what is not offered says so.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use livekit_protocol as proto;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sfu::{Command, Permissions, RemoveReason};

use super::MediaPlane;
use super::signalling::bearer;
use super::token::Claims;

/// Longest request body, in bytes.
pub(super) const MAX_BODY: usize = 256 * 1024;

/// Twirp's error codes that are used here, and the status each comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    BadRoute,
    Malformed,
    NotFound,
    Unauthenticated,
    PermissionDenied,
    Unimplemented,
    InvalidArgument,
}

impl Code {
    fn parts(self) -> (&'static str, StatusCode) {
        match self {
            Code::BadRoute => ("bad_route", StatusCode::NOT_FOUND),
            Code::Malformed => ("malformed", StatusCode::BAD_REQUEST),
            Code::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Code::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED),
            Code::PermissionDenied => ("permission_denied", StatusCode::FORBIDDEN),
            Code::Unimplemented => ("unimplemented", StatusCode::NOT_IMPLEMENTED),
            Code::InvalidArgument => ("invalid_argument", StatusCode::BAD_REQUEST),
        }
    }
}

#[derive(Debug)]
struct Failure(Code, &'static str);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (code, status) = self.0.parts();
        (
            status,
            axum::Json(serde_json::json!({ "code": code, "msg": self.1 })),
        )
            .into_response()
    }
}

/// The form a request came in; its response goes back in the same.
#[derive(Clone, Copy)]
enum Form {
    Protobuf,
    Json,
}

struct Call {
    plane: Arc<MediaPlane>,
    claims: Claims,
    form: Form,
    body: Bytes,
}

pub(super) async fn call(
    State(plane): State<Arc<MediaPlane>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let form = match kind.split(';').next().unwrap_or_default().trim() {
        "application/protobuf" => Form::Protobuf,
        "application/json" => Form::Json,
        _ => return Failure(Code::BadRoute, "unexpected content type").into_response(),
    };
    let Ok(claims) = plane.check(bearer(&headers)) else {
        return Failure(Code::Unauthenticated, "invalid access token").into_response();
    };
    let call = Call {
        plane,
        claims,
        form,
        body,
    };
    call.dispatch(&method)
        .await
        .unwrap_or_else(Failure::into_response)
}

impl Call {
    async fn dispatch(self, method: &str) -> Result<Response, Failure> {
        match method {
            "CreateRoom" => self.create_room().await,
            "ListRooms" => self.list_rooms().await,
            "DeleteRoom" => self.delete_room(),
            "ListParticipants" => self.list_participants().await,
            "GetParticipant" => self.get_participant().await,
            "RemoveParticipant" => self.remove_participant().await,
            "MutePublishedTrack" => self.mute_published_track().await,
            "UpdateParticipant" => self.update_participant().await,
            "UpdateSubscriptions" => self.update_subscriptions().await,
            "UpdateRoomMetadata" => self.update_room_metadata().await,
            "SendData" | "ForwardParticipant" | "MoveParticipant" | "PerformRpc" => {
                Err(Failure(Code::Unimplemented, "not offered by this server"))
            }
            _ => Err(Failure(Code::BadRoute, "no such method")),
        }
    }

    fn read<T: Message + Default + DeserializeOwned>(&self) -> Result<T, Failure> {
        let read = match self.form {
            Form::Protobuf => T::decode(&self.body[..]).ok(),
            Form::Json => serde_json::from_slice(&self.body).ok(),
        };
        read.ok_or(Failure(Code::Malformed, "the request cannot be read"))
    }

    fn reply<T: Message + Serialize>(&self, message: &T) -> Response {
        match self.form {
            Form::Protobuf => (
                [(header::CONTENT_TYPE, "application/protobuf")],
                message.encode_to_vec(),
            )
                .into_response(),
            Form::Json => axum::Json(message).into_response(),
        }
    }

    fn allow(&self, granted: bool) -> Result<(), Failure> {
        granted
            .then_some(())
            .ok_or(Failure(Code::PermissionDenied, "the token does not grant this"))
    }

    fn allow_admin(&self, room: &str) -> Result<(), Failure> {
        let video = &self.claims.video;
        self.allow(video.room_admin && video.room == room)
    }

    async fn room(&self, name: &str) -> Result<proto::Room, Failure> {
        let rooms = self.plane.rooms().await;
        rooms
            .into_iter()
            .find(|room| room.name == name)
            .ok_or(Failure(Code::NotFound, "no such room"))
    }

    async fn participant(&self, room: &str, identity: &str) -> Result<proto::ParticipantInfo, Failure> {
        let found = self.plane.participant(room, identity).await;
        found.ok_or(Failure(Code::NotFound, "no such participant"))
    }

    async fn create_room(&self) -> Result<Response, Failure> {
        self.allow(self.claims.video.room_create)?;
        let request: proto::CreateRoomRequest = self.read()?;
        if request.name.is_empty() {
            return Err(Failure(Code::InvalidArgument, "a room needs a name"));
        }
        let (room, metadata) = (request.name.clone(), request.metadata);
        self.plane.command(Command::CreateRoom {
            room,
            metadata,
            tokens_since_ms: 0,
        });
        Ok(self.reply(&self.room(&request.name).await?))
    }

    async fn list_rooms(&self) -> Result<Response, Failure> {
        self.allow(self.claims.video.room_list)?;
        let request: proto::ListRoomsRequest = self.read()?;
        let mut rooms = self.plane.rooms().await;
        rooms.retain(|room| request.names.is_empty() || request.names.contains(&room.name));
        Ok(self.reply(&proto::ListRoomsResponse { rooms }))
    }

    fn delete_room(&self) -> Result<Response, Failure> {
        self.allow(self.claims.video.room_create)?;
        let request: proto::DeleteRoomRequest = self.read()?;
        self.plane.close_room(&request.room);
        Ok(self.reply(&proto::DeleteRoomResponse {}))
    }

    async fn list_participants(&self) -> Result<Response, Failure> {
        let request: proto::ListParticipantsRequest = self.read()?;
        self.allow_admin(&request.room)?;
        let participants = self.plane.participants(&request.room).await;
        let participants = participants.ok_or(Failure(Code::NotFound, "no such room"))?;
        Ok(self.reply(&proto::ListParticipantsResponse { participants }))
    }

    async fn get_participant(&self) -> Result<Response, Failure> {
        let request: proto::RoomParticipantIdentity = self.read()?;
        self.allow_admin(&request.room)?;
        Ok(self.reply(&self.participant(&request.room, &request.identity).await?))
    }

    async fn remove_participant(&self) -> Result<Response, Failure> {
        let request: proto::RoomParticipantIdentity = self.read()?;
        self.allow_admin(&request.room)?;
        self.participant(&request.room, &request.identity).await?;
        self.plane.remove(
            &request.room,
            &request.identity,
            RemoveReason::ParticipantRemoved,
            u64::try_from(request.revoke_token_ts)
                .unwrap_or(0)
                .saturating_mul(1000),
        );
        Ok(self.reply(&proto::RemoveParticipantResponse {}))
    }

    async fn mute_published_track(&self) -> Result<Response, Failure> {
        let request: proto::MuteRoomTrackRequest = self.read()?;
        self.allow_admin(&request.room)?;
        if !request.muted {
            return Err(Failure(
                Code::InvalidArgument,
                "a microphone is never opened from here",
            ));
        }
        let proto::MuteRoomTrackRequest {
            room,
            identity,
            track_sid,
            ..
        } = request;
        let (to_room, to_identity, sid) = (room.clone(), identity.clone(), track_sid.clone());
        self.plane.command(Command::MuteTrack {
            room: to_room,
            identity: to_identity,
            track_sid: sid,
        });
        let track = self.plane.track(&room, &identity, &track_sid).await;
        let track = track.ok_or(Failure(Code::NotFound, "no such track"))?;
        Ok(self.reply(&proto::MuteRoomTrackResponse { track: Some(track) }))
    }

    async fn update_participant(&self) -> Result<Response, Failure> {
        let request: proto::UpdateParticipantRequest = self.read()?;
        self.allow_admin(&request.room)?;
        self.participant(&request.room, &request.identity).await?;
        if let Some(permission) = &request.permission {
            self.plane.set_permissions(
                &request.room,
                &request.identity,
                Permissions::from_proto(permission),
            );
        }
        self.plane.command(Command::UpdateParticipant {
            room: request.room.clone(),
            identity: request.identity.clone(),
            name: (!request.name.is_empty()).then_some(request.name),
            metadata: (!request.metadata.is_empty()).then_some(request.metadata),
            attributes: request.attributes,
        });
        Ok(self.reply(&self.participant(&request.room, &request.identity).await?))
    }

    async fn update_subscriptions(&self) -> Result<Response, Failure> {
        let request: proto::UpdateSubscriptionsRequest = self.read()?;
        self.allow_admin(&request.room)?;
        self.participant(&request.room, &request.identity).await?;
        let listed = request
            .participant_tracks
            .into_iter()
            .flat_map(|tracks| tracks.track_sids);
        self.plane.command(Command::UpdateSubscriptions {
            room: request.room,
            identity: request.identity,
            track_sids: request.track_sids.into_iter().chain(listed).collect(),
            subscribe: request.subscribe,
        });
        Ok(self.reply(&proto::UpdateSubscriptionsResponse {}))
    }

    async fn update_room_metadata(&self) -> Result<Response, Failure> {
        let request: proto::UpdateRoomMetadataRequest = self.read()?;
        self.allow_admin(&request.room)?;
        let (room, metadata) = (request.room.clone(), request.metadata);
        self.plane.command(Command::UpdateRoomMetadata { room, metadata });
        Ok(self.reply(&self.room(&request.room).await?))
    }
}
