//! Other people's clients and servers: libwebrtc through our media plane, and ours beside libwebrtc through the real
//! livekit-server. Each side reads the other's clock out of the picture and finds the other's tone in the sound.

use anyhow::Result;
use scenarios::{
    SOON,
    livekit::{Rooms, admin_token, token},
    peer::{Peer, python},
    player::{Cast, Player},
    session::Session,
};

const OURS_HZ: u32 = 440;
const THEIRS_HZ: u32 = 880;

/// One of ours and one of theirs in a room.
async fn both_ways(rooms: &Rooms, folder: &std::path::Path) -> Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let cast = Cast::tone(OURS_HZ).listening_for(THEIRS_HZ);
    let ours = Player::join_livekit(&rooms.url, &token("room", "ours")?, "ours", &cast, folder).await?;
    let mut theirs = Peer::libwebrtc(
        &python,
        &rooms.url,
        &token("room", "theirs")?,
        THEIRS_HZ,
        OURS_HZ,
        folder,
    )?;
    theirs.sees_and_hears(SOON, |said| said["seat"] == "ours").await?;
    ours.sees_moving(0, &"theirs".into()).await?;
    ours.hears_tone(0, &"theirs".into()).await?;
    theirs.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn libwebrtc_through_our_media_plane() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rooms = Rooms::ours(folder.path()).await?;
    both_ways(&rooms, folder.path()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ours_and_libwebrtc_through_the_real_livekit_server() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let Some(rooms) = Rooms::livekit(folder.path()).await? else {
        return Ok(());
    };
    both_ways(&rooms, folder.path()).await
}

/// Says through RoomService whether a participant may publish.
async fn permit(rooms: &Rooms, identity: &str, publish: bool) -> Result<()> {
    let url = format!(
        "{}/twirp/livekit.RoomService/UpdateParticipant",
        rooms.url.replacen("ws", "http", 1)
    );
    let permission = livekit_protocol::ParticipantPermission {
        can_subscribe: true,
        can_publish: publish,
        can_publish_data: publish,
        ..Default::default()
    };
    let request = livekit_protocol::UpdateParticipantRequest {
        room: "room".to_owned(),
        identity: identity.to_owned(),
        permission: Some(permission),
        ..Default::default()
    };
    let answer = reqwest::Client::new()
        .post(url)
        .bearer_auth(admin_token("room")?)
        .header("content-type", "application/protobuf")
        .body(prost::Message::encode_to_vec(&request))
        .send()
        .await?;
    anyhow::ensure!(answer.status().is_success(), "{}", answer.text().await?);
    Ok(())
}

/// Two of ours; one loses the right to publish and gets it again, twice.
async fn allowed_again(rooms: &Rooms, folder: &std::path::Path) -> Result<()> {
    let speaker = Cast::tone(OURS_HZ);
    let listener = Cast::tone(THEIRS_HZ).listening_for(OURS_HZ);
    let speaker = Player::join_livekit(&rooms.url, &token("room", "one")?, "one", &speaker, folder).await?;
    let listener = Player::join_livekit(&rooms.url, &token("room", "two")?, "two", &listener, folder).await?;
    listener.sees_moving(0, &speaker.seat).await?;
    listener.hears_tone(0, &speaker.seat).await?;
    for _ in 0..2 {
        permit(rooms, "one", false).await?;
        Session::nothing_comes(&listener, &speaker.seat, &speaker, &listener.seat).await?;
        let mark = listener.mark();
        permit(rooms, "one", true).await?;
        listener.sees_moving(mark, &speaker.seat).await?;
        listener.hears_tone(mark, &speaker.seat).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_allowed_again_is_seen_and_heard_again_in_our_media_plane() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rooms = Rooms::ours(folder.path()).await?;
    allowed_again(&rooms, folder.path()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_allowed_again_is_seen_and_heard_again_in_the_real_livekit_server() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let Some(rooms) = Rooms::livekit(folder.path()).await? else {
        return Ok(());
    };
    allowed_again(&rooms, folder.path()).await
}
