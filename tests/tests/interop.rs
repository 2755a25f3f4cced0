//! Other people's clients and servers: libwebrtc through our media plane, and ours beside libwebrtc through the real
//! livekit-server. Each side reads the other's clock out of the picture and finds the other's tone in the sound.

use anyhow::Result;
use scenarios::{
    SOON,
    livekit::{Rooms, token},
    peer::{Peer, python},
    player::{Cast, Player},
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
