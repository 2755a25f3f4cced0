//! What must not be in a log is not there: after a hearing with all of it, every program's log is searched.

use anyhow::Result;
use protocol::{Command, ParticipantState, Words};
use scenarios::{court::Plan, session::Session};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Another address of the loopback network.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));

/// The socket addresses that a line of a log names.
fn addresses(line: &str) -> impl Iterator<Item = SocketAddr> {
    line.split(|c: char| !c.is_ascii_hexdigit() && !".:[]".contains(c))
        .filter_map(|word| word.trim_end_matches(['.', ':']).parse().ok())
}

#[test]
fn addresses_are_found_in_a_line() {
    let found: Vec<_> = addresses("from=127.0.0.1:4000, to [::1]:5000; at 12:30:05.1").collect();
    assert_eq!(found.len(), 2, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_code_token_word_or_address_reaches_a_log() -> Result<()> {
    let mut session = Session::start(&Plan::default()).await?;
    session.media_flows().await?;
    let said = ["这句话只属于庭审记录", "隔离的理由也是", "求助的内容也是"];
    let party = session.party.seat.clone();
    session
        .judge
        .does(&Command::MessageSend {
            text: Words::new(said[0]),
        })
        .await?;
    session
        .party
        .does(&Command::HelpAsk {
            text: Words::new(said[2]),
            to: None,
        })
        .await?;
    session
        .judge
        .does(&Command::SeatIsolate {
            seat: party.clone(),
            reason: Words::new(said[1]),
        })
        .await?;
    let mark = session.party.mark();
    session
        .judge
        .does(&Command::SeatRecall { seat: party.clone() })
        .await?;
    session
        .party
        .sees_standing(mark, &party, "recalled", |state| {
            matches!(state, ParticipantState::InCourt)
        })
        .await?;
    // A refused entry is the likeliest place for a slip. It comes from an address of its own where there is one.
    let elsewhere = cfg!(target_os = "linux").then_some(ELSEWHERE);
    let refused = reqwest::Client::builder()
        .local_address(elsewhere)
        .build()?
        .post(format!("{}/api/v1/enter", session.court.url()))
        .json(&serde_json::json!({ "code": "87654321" }))
        .send()
        .await?;
    assert!(refused.status().is_client_error());
    session.court.server().stop().await?;

    let mut secrets: Vec<String> = said.map(ToOwned::to_owned).to_vec();
    secrets.push("87654321".to_owned());
    secrets.push(ELSEWHERE.to_string());
    for invited in &session.court.invited {
        secrets.extend([invited.name.clone(), invited.code.clone()]);
    }
    // The beginning of every JSON web token with this algorithm: the media room's.
    secrets.push("eyJ0eXAiOiJKV1QiL".to_owned());
    secrets.push("eyJhbGciOiJIUzI1NiI".to_owned());
    let own = [session.court.http(), session.court.udp(), session.court.tcp()];
    let logs = session.court.logs()?;
    assert!(
        logs.iter()
            .any(|(name, log)| name == "server.log" && log.lines().count() > 5),
        "nothing was logged"
    );
    let found: Vec<String> = logs
        .iter()
        .flat_map(|(name, log)| {
            let lines = log.lines().filter(|line| {
                secrets.iter().any(|secret| line.contains(secret))
                    || addresses(line).any(|address| !own.contains(&address))
            });
            lines.map(move |line| format!("{name}: {line}"))
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}
