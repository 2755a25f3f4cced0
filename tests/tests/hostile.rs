//! Peers that send what is not the protocol: the connection it came over ends with a reason, and the hearing goes on.

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use livekit_protocol as proto;
use prost::Message as _;
use protocol::{
    ByeReason, Capacity, ClientFrame, Entered, FRAME_LIMIT, MediaAccess, PROTOCOL_VERSION, PersonName, Role,
    SeatTaken, ServerFrame, TakeSeat,
};
use scenarios::{
    SOON,
    court::{Court, Plan},
    session::Session,
    within,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, protocol::frame::coding::CloseCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// More than signalling takes in one message, in bytes.
const OVERSIZED_SIGNAL: usize = (1 << 20) + 1;

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_on_the_hearing_channel_ends_that_connection_with_a_reason() -> Result<()> {
    let session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let taken = take_seat(&session.court, Role::Plaintiff).await?;
    for (what, message) in [
        ("half a frame", Message::text("{\"type\":\"comm")),
        ("an unknown frame", Message::text("{\"type\":\"overrule\"}")),
        ("binary", Message::binary(vec![0xff; 64])),
        ("deep nesting", Message::text("[".repeat(FRAME_LIMIT / 2))),
        ("an oversized frame", Message::text("x".repeat(FRAME_LIMIT + 1))),
    ] {
        let (mut socket, _) = channel(&session.court, &taken).await?;
        // The server may close before it has been sent all of an oversized frame.
        let _cut = socket.send(message).await;
        let reason = bye(&mut socket).await.with_context(|| what.to_owned())?;
        assert_eq!(reason, ByeReason::ProtocolError, "{what}");
    }
    session.media_flows().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_on_media_signalling_ends_that_connection_with_a_reason() -> Result<()> {
    let session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    // The clerk's seat has media at once; the clerk of this session is told that it was taken.
    let taken = take_seat(&session.court, Role::Clerk).await?;
    let (_hearing, access) = channel(&session.court, &taken).await?;
    let access = access.context("a clerk in court has media")?;
    for (what, message, code) in [
        ("text", Message::text("{}"), CloseCode::Invalid),
        (
            "binary nonsense",
            Message::binary(vec![0xff; 64]),
            CloseCode::Invalid,
        ),
        (
            "an oversized frame",
            Message::binary(vec![0; OVERSIZED_SIGNAL]),
            CloseCode::Size,
        ),
    ] {
        let mut socket = signalling(&session.court, &access).await?;
        let _cut = socket.send(message).await;
        assert_eq!(closed_with(&mut socket).await?, Some(code), "{what}");
    }
    session.media_flows().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_on_the_media_ports_is_dropped() -> Result<()> {
    let session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    // What looks like STUN, DTLS, RTP and RTCP by its first byte, what looks like nothing, and what is too long.
    for first in [0u8, 1, 20, 22, 63, 128, 200, 255] {
        for length in [1, 12, 20, 200, 1_500, 9_000] {
            let mut datagram = vec![0xa5; length];
            datagram[0] = first;
            socket.send_to(&datagram, session.court.udp()).await?;
        }
    }
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = TcpStream::connect(session.court.tcp()).await?;
    // An RFC 4571 frame of 65,535 bytes that no participant sent. It may be cut off before it was sent.
    let _cut = stream.write_all(&[0xff; 2 + 65_535]).await;
    let mut byte = [0];
    let end = within(SOON, "the connection is closed", async {
        Ok(stream.read(&mut byte).await.unwrap_or(0))
    });
    assert_eq!(end.await?, 0);
    session.media_flows().await
}

/// Goes the way of a newcomer who knows the code, and takes the seat from whoever has it.
async fn take_seat(court: &Court, role: Role) -> Result<SeatTaken> {
    let invited = court.seat(role)?;
    let http = reqwest::Client::new();
    let entered: Entered = http
        .post(format!("{}/api/v1/enter", court.url()))
        .json(&serde_json::json!({ "code": invited.code }))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let claim = TakeSeat {
        ticket: entered.ticket,
        name: PersonName::new(invited.name.clone()),
        capacity: match role {
            Role::Plaintiff => Capacity::Party { id_number: None },
            _ => Capacity::Other,
        },
        take_over: true,
    };
    let answer = http
        .post(format!("{}/api/v1/seat", court.url()))
        .json(&claim)
        .send()
        .await?;
    Ok(answer.error_for_status()?.json().await?)
}

/// A hearing channel after its welcome, and the way to the media room if the seat has one now.
async fn channel(court: &Court, taken: &SeatTaken) -> Result<(Socket, Option<MediaAccess>)> {
    let url = format!("ws://{}/api/v1/hearings/{}/channel", court.http(), taken.hearing);
    let (mut socket, _) = connect_async(url).await?;
    let hello = ClientFrame::Hello {
        protocol: PROTOCOL_VERSION,
        token: taken.token.clone(),
        resume_after: None,
        drop_cause: None,
        client: "a hostile peer".to_owned(),
    };
    socket.send(Message::text(serde_json::to_string(&hello)?)).await?;
    match frame(&mut socket).await? {
        Some(ServerFrame::Welcome { media, .. }) => Ok((socket, media)),
        other => anyhow::bail!("no welcome but {other:?}"),
    }
}

async fn frame(socket: &mut Socket) -> Result<Option<ServerFrame>> {
    within(SOON, "a frame of the hearing channel", async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Some(serde_json::from_str(&text)?)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(None),
                Some(Ok(_)) => {}
            }
        }
    })
    .await
}

async fn bye(socket: &mut Socket) -> Result<ByeReason> {
    while let Some(frame) = frame(socket).await? {
        if let ServerFrame::Bye { reason } = frame {
            return Ok(reason);
        }
    }
    anyhow::bail!("the connection ended without a bye")
}

/// A signalling connection after its join response.
async fn signalling(court: &Court, access: &MediaAccess) -> Result<Socket> {
    let url = format!(
        "ws://{}/rtc/v1?access_token={}",
        court.http(),
        access.token.expose()
    );
    let (mut socket, _) = connect_async(url).await?;
    let joined = within(SOON, "the join response", async {
        loop {
            match socket.next().await.context("the connection ended")?? {
                Message::Binary(bytes) => return Ok(proto::SignalResponse::decode(&bytes[..])?.message),
                _ => continue,
            }
        }
    });
    match joined.await? {
        Some(proto::signal_response::Message::Join(_)) => Ok(socket),
        other => anyhow::bail!("no join response but {other:?}"),
    }
}

/// The code that a connection was closed with.
async fn closed_with(socket: &mut Socket) -> Result<Option<CloseCode>> {
    within(SOON, "the connection is closed", async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(close))) => return Ok(close.map(|close| close.code)),
                Some(Err(_)) | None => return Ok(None),
                Some(Ok(_)) => {}
            }
        }
    })
    .await
}
