//! Bad networks: loss, reordering, too little bandwidth, no UDP, no network. The relay's randomness is seeded.

use anyhow::Result;
use protocol::{HostEvent, LinkState, Role};
use scenarios::{
    SOON,
    court::Plan,
    player::Said,
    relay::{self, RELAY_ADDRESS, Silence, TcpRelay, UdpRelay, Weather},
    session::Session,
    skip,
};
use std::{net::SocketAddr, time::Duration};
use str0m_netem::{Bitrate, DataSize};

/// A session whose media passes the relay, or nothing where there is no second loopback address.
async fn through_the_relay(weather: Weather) -> Result<Option<(Session, UdpRelay)>> {
    if !cfg!(target_os = "linux") {
        skip("only Linux has 127.0.0.2 without being asked");
        return Ok(None);
    }
    let plan = Plan {
        advertise: Some(RELAY_ADDRESS),
        ..Plan::default()
    };
    // The relay has to listen on the server's port, which is known once the server runs: so the court is opened first.
    let court = scenarios::court::Court::open(&plan).await?;
    let relay = UdpRelay::start(court.udp(), weather).await?;
    let session = Session::start_in(court).await?;
    Ok(Some((session, relay)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twentieth_lost_both_ways_is_survived() -> Result<()> {
    let Some((session, relay)) = through_the_relay(relay::random_loss(7, 0.05)).await? else {
        return Ok(());
    };
    session.media_flows().await?;
    session.media_flows().await?;
    let handed_on = relay.counts().up.load(std::sync::atomic::Ordering::Relaxed);
    assert!(
        handed_on > 100,
        "media does not pass the relay: {handed_on} datagrams"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn delay_and_reordering_are_survived() -> Result<()> {
    let weather = relay::delay_and_reordering(11, Duration::from_millis(60), Duration::from_millis(10), 7);
    let Some((session, _relay)) = through_the_relay(weather).await? else {
        return Ok(());
    };
    session.media_flows().await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_little_bandwidth_a_smaller_picture_comes_and_the_larger_returns() -> Result<()> {
    let Some((mut session, relay)) = through_the_relay(Weather::fair()).await? else {
        return Ok(());
    };
    session
        .party
        .tell(serde_json::json!({ "do": "view", "width": 1280, "height": 720 }))
        .await?;
    let large = size(&session, 0, |height| height > 240).await?;

    let narrow = Weather {
        up: str0m_netem::NetemConfig::new(),
        down: str0m_netem::NetemConfig::new()
            .link(Bitrate::kbps(350), DataSize::kbytes(60))
            .seed(3),
    };
    relay.set(narrow);
    let mark = session.party.mark();
    size(&session, mark, |height| height < large).await?;
    session
        .party
        .hears_tone(session.party.mark(), &session.judge.seat)
        .await?;

    relay.set(Weather::fair());
    let mark = session.party.mark();
    size(&session, mark, |height| height >= large).await?;
    Ok(())
}

/// Waits for a picture of the judge whose height fits, and gives it.
async fn size(session: &Session, mark: usize, fits: impl Fn(u32) -> bool) -> Result<u32> {
    // The estimate of a recovered path grows in steps of seconds.
    session
        .party
        .wait_from(
            mark,
            SOON * 2,
            "a picture of the judge in another size",
            |said| match said {
                Said::Seen(seen) if seen.seat == session.judge.seat && fits(seen.height) => Some(seen.height),
                _ => None,
            },
        )
        .await
}

/// A court to which no UDP comes through; none where there is no address to stand in for it.
async fn without_udp() -> Result<Option<(scenarios::court::Court, UdpRelay)>> {
    if !cfg!(target_os = "linux") {
        skip("only Linux has 127.0.0.2 without being asked");
        return Ok(None);
    }
    let court = scenarios::court::Court::open(&Plan {
        advertise: Some(RELAY_ADDRESS),
        ..Plan::default()
    })
    .await?;
    let nothing = UdpRelay::start(court.udp(), relay::dead()).await?;
    Ok(Some((court, nothing)))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_udp_media_goes_over_tcp() -> Result<()> {
    let Some((court, _nothing)) = without_udp().await? else {
        return Ok(());
    };
    let _tcp = TcpRelay::start(SocketAddr::new(RELAY_ADDRESS, court.tcp().port()), court.tcp()).await?;
    Session::start_in(court).await?.media_flows().await
}

/// Both media ports are shut, as where only web pages pass.
#[tokio::test(flavor = "multi_thread")]
async fn without_udp_and_tcp_media_goes_inside_a_web_page() -> Result<()> {
    let Some((court, _nothing)) = without_udp().await? else {
        return Ok(());
    };
    let _silence = Silence::start(SocketAddr::new(RELAY_ADDRESS, court.tcp().port())).await?;
    Session::start_in(court).await?.media_flows().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_was_dead_for_a_while_comes_back_to_the_same_seat() -> Result<()> {
    let Some((session, relay)) = through_the_relay(Weather::fair()).await? else {
        return Ok(());
    };
    session.media_flows().await?;
    let mark = session.party.mark();
    relay.set(relay::dead());
    session
        .party
        .wait_from(
            mark,
            SOON,
            "the party is told that sound and picture are lost",
            |said| match said {
                Said::Host(event) => matches!(
                    event.as_ref(),
                    HostEvent::MediaLink {
                        state: LinkState::Retrying { .. }
                    }
                )
                .then_some(()),
                _ => None,
            },
        )
        .await?;
    relay.set(Weather::fair());
    session.media_flows().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hearing_channel_that_breaks_is_resumed() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let mark = session.party.mark();
    session.party.tell(serde_json::json!({ "do": "drop" })).await?;
    session
        .party
        .wait_from(mark, SOON, "welcomed again", |said| {
            matches!(said.frame()?, protocol::ServerFrame::Welcome { .. }).then_some(())
        })
        .await?;
    session
        .party
        .sees_standing(mark, &session.party.seat, "in court", |state| {
            matches!(state, protocol::ParticipantState::InCourt)
        })
        .await?;
    assert_eq!(session.court.seat(Role::Defendant)?.seat, session.party.seat);
    session.media_flows().await
}
