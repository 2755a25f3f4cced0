//! The real page in Chromium beside a native participant, each judged by what the other receives.

use anyhow::{Context, Result, bail};
use protocol::{
    CameraFacts, Command, DeviceFault, Event, FindingKind, Identity, MicrophoneFacts, ParticipantState, Role,
    SelfTest, SpeakerFacts, TestFinding, TestGrant, TestPath, Words,
};
use scenarios::{
    SOON,
    court::{Court, Plan},
    peer::{Peer, built_page},
    player::{Cast, Player},
    relay::{RELAY_ADDRESS, TcpRelay},
    session::{JUDGE_HZ, PARTY_HZ},
    skip,
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// A hearing with somebody to whom the judge can hand over. It began long ago, so that the codes work.
const PANEL: &str = r#"
[case]
number = "（2026）示0101民初1234号"
cause = "房屋租赁合同纠纷"
court = "示范市样例区人民法院"
courtroom = "第三互联网法庭"
starts_at = 2020-01-06T09:00:00+08:00
public = true
[[seat]]
id = "judge"
role = "presidingJudge"
name = "王示范"
[[seat]]
id = "panel"
role = "panelMember"
name = "赵合议"
[[seat]]
id = "plaintiff"
role = "plaintiff"
name = "张示例"
[[seat]]
id = "defendant"
role = "defendant"
name = "李样本"
"#;

/// A whole hearing with a look at each screen in four dresses; other tests run beside it.
const WALK: Duration = Duration::from_secs(420);

async fn a_party_in_chromium(phone: bool) -> Result<()> {
    let court = Court::open(&Plan {
        ui: Some(built_page()),
        ..Plan::default()
    })
    .await?;
    let mut judge = court
        .player(
            Role::PresidingJudge,
            &Cast::tone(JUDGE_HZ).listening_for(PARTY_HZ),
        )
        .await?;
    judge.waits().await?;
    judge.does(&Command::HearingOpen).await?;

    let invited = court.seat(Role::Defendant)?.clone();
    let mut party = Peer::chromium(&court, &invited, PARTY_HZ, JUDGE_HZ, phone)?;
    party
        .wait(SOON * 2, "in the waiting room", |said| {
            (said["name"] == "waiting").then_some(())
        })
        .await?;
    judge
        .sees_standing(0, &invited.seat, "waiting", |state| {
            matches!(state, ParticipantState::Waiting)
        })
        .await?;
    judge.does(&Command::HearingStart).await?;

    if phone {
        party
            .wait(SOON * 2, "silent after its tab was thrown away", |said| {
                (said["name"] == "silent").then_some(())
            })
            .await?;
    }

    let judges_name = court.seat(Role::PresidingJudge)?.name.clone();
    party
        .sees_and_hears(SOON, |said| {
            said["label"]
                .as_str()
                .is_some_and(|label| label.contains(&judges_name))
        })
        .await?;
    judge.sees_moving(0, &invited.seat).await?;
    judge.hears_tone(0, &invited.seat).await?;
    party.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_on_a_computer_sees_hears_and_is_seen_and_heard() -> Result<()> {
    a_party_in_chromium(false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_on_a_phone_sees_and_hears_also_after_its_tab_was_thrown_away() -> Result<()> {
    a_party_in_chromium(true).await
}

/// The judge's page, with native participants on the other seats.
struct Bench {
    page: Peer,
    panel: Player,
    plaintiff: Player,
    defendant: Player,
    // Ends the server when the others are done.
    _court: Court,
}

impl Bench {
    /// In session.
    async fn opens() -> Result<Self> {
        let court = Court::open(&Plan {
            hearing: Some(PANEL.to_owned()),
            ui: Some(built_page()),
            ..Plan::default()
        })
        .await?;
        let mut page = Peer::judge(&court).await?;
        page.does(json!({ "do": "press", "name": "开启候庭", "in": ".strip" }))
            .await?;
        let panel = court.player(Role::PanelMember, &Cast::default()).await?;
        let plaintiff = court.player(Role::Plaintiff, &Cast::default()).await?;
        let defendant = court.player(Role::Defendant, &Cast::default()).await?;
        for player in [&panel, &plaintiff, &defendant] {
            player.waits().await?;
        }
        page.does(json!({ "do": "press", "name": "开庭", "in": ".strip" }))
            .await?;
        for player in [&panel, &plaintiff, &defendant] {
            player.in_court().await?;
        }
        Ok(Self {
            page,
            panel,
            plaintiff,
            defendant,
            _court: court,
        })
    }

    /// An item of a person's menu.
    async fn menu(&mut self, who: &str, item: &str) -> Result<()> {
        self.page
            .does(json!({ "do": "menu", "who": who, "item": item }))
            .await
    }

    async fn dialog(&mut self, text: &str, press: &str) -> Result<()> {
        self.page
            .does(json!({ "do": "dialog", "text": text, "press": press }))
            .await
    }

    async fn reads(&mut self, text: &str) -> Result<()> {
        self.page.does(json!({ "do": "read", "text": text })).await
    }
}

/// Waits for an event in a player's eyes.
async fn sees(player: &Player, what: &str, is: impl Fn(&Event) -> bool) -> Result<()> {
    player
        .wait(what, |said| said.event().filter(|event| is(event)).map(|_| ()))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judges_page_keeps_order_and_its_acts_reach_the_others() -> Result<()> {
    let mut bench = Bench::opens().await?;
    let seat = bench.defendant.seat.clone();
    bench.menu("李样本", "静音并锁定").await?;
    sees(&bench.defendant, "muted and locked", |event| {
        matches!(event, Event::ParticipantMedia { seat: who, media } if *who == seat && media.mic_locked && !media.mic)
    })
    .await?;
    bench.menu("李样本", "解除静音锁定").await?;

    let mark = bench.defendant.mark();
    bench.menu("李样本", "隔离…").await?;
    bench.dialog("法庭合议，请等待传唤。", "隔离").await?;
    bench
        .defendant
        .sees_standing(mark, &seat, "isolated", |state| {
            matches!(state, ParticipantState::Isolated { .. })
        })
        .await?;
    let mark = bench.defendant.mark();
    bench.menu("李样本", "传唤回庭").await?;
    bench
        .defendant
        .sees_standing(mark, &seat, "back in court", |state| {
            matches!(state, ParticipantState::InCourt)
        })
        .await?;

    bench.defendant.does(&Command::SelfHand { up: true }).await?;
    bench
        .page
        .does(json!({ "do": "press", "name": "同意", "in": ".requests" }))
        .await?;
    sees(
        &bench.plaintiff,
        "the defendant has the floor",
        |event| matches!(event, Event::FloorState { floor: Some(floor) } if floor.seat == seat),
    )
    .await?;

    bench
        .plaintiff
        .does(&Command::HelpAsk {
            text: Words::new("听不到声音"),
            to: None,
        })
        .await?;
    let words = "请原告检查耳机。";
    bench.page.does(json!({ "do": "message", "text": words })).await?;
    bench.reads("听不到声音").await?;
    sees(
        &bench.defendant,
        "the judge's message",
        |event| matches!(event, Event::Message { text } if *text == Words::new(words)),
    )
    .await?;

    let asker = bench.plaintiff.seat.clone();
    bench.menu("张示例", "请核验身份").await?;
    bench.menu("张示例", "确认身份…").await?;
    bench
        .page
        .does(json!({ "do": "dialog", "press": "核验通过" }))
        .await?;
    sees(
        &bench.plaintiff,
        "the identity is confirmed",
        |event| matches!(event, Event::IdentityState { seat, identity: Identity::Passed } if *seat == asker),
    )
    .await?;
    bench.page.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judges_page_sees_a_share_makes_a_finding_and_hands_over() -> Result<()> {
    let mut bench = Bench::opens().await?;
    bench.plaintiff.tell(json!({ "do": "share", "on": true })).await?;
    bench.page.does(json!({ "do": "watch" })).await?;
    bench.menu("张示例", "停止其共享").await?;
    sees(&bench.panel, "the share is stopped", |event| {
        matches!(event, Event::ShareState { on: false, .. })
    })
    .await?;

    let seat = bench.defendant.seat.clone();
    bench.defendant.leave().await?;
    bench
        .panel
        .sees_standing(0, &seat, "gone, and not said to have left", |state| {
            matches!(state, ParticipantState::Disconnected { .. })
        })
        .await?;
    bench
        .page
        .does(json!({ "do": "menu", "who": "李样本", "item": "认定未经许可中途退庭…" }))
        .await?;
    bench
        .page
        .does(json!({ "do": "dialog", "text": "经电话联系，拒绝返回。", "press": "作出认定" }))
        .await?;
    sees(&bench.panel, "the finding", |event| {
        matches!(event, Event::FindingMade { seat: who, finding } if *who == seat && finding.kind == FindingKind::WithdrewWithoutLeave)
    })
    .await?;

    bench
        .page
        .does(json!({ "do": "press", "name": "移交后退庭" }))
        .await?;
    bench
        .page
        .does(json!({ "do": "dialog", "choose": "赵合议", "press": "移交并退庭" }))
        .await?;
    let heir = bench.panel.seat.clone();
    sees(&bench.panel, "it presides", |event| {
        matches!(event, Event::ParticipantSeat { seat } if seat.id == heir && seat.role == Role::PresidingJudge)
    })
    .await?;
    bench
        .page
        .does(json!({ "do": "read", "text": "您已退庭" }))
        .await?;
    bench.page.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_is_accessible_and_the_keyboard_leads_to_court() -> Result<()> {
    let court = Court::open(&Plan {
        ui: Some(built_page()),
        ..Plan::default()
    })
    .await?;
    let _other = court.player(Role::Defendant, &Cast::default()).await?;
    let people = [
        court.seat(Role::PresidingJudge)?,
        court.seat(Role::Clerk)?,
        court.seat(Role::Plaintiff)?,
    ];
    let mut inspector = Peer::inspector(&court, people)?;
    let mut faults = Vec::new();
    inspector
        .wait(WALK, "the end of the walk", |said| {
            for fault in said["faults"].as_array().into_iter().flatten() {
                faults.push(format!("{}: {fault}", said["name"]));
            }
            (said["type"] == "done").then_some(())
        })
        .await?;
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    inspector.stop().await
}

/// A report of 设备自检 in Chromium, with what its page shows, and what was opened for it.
struct Tested {
    report: SelfTest,
    rows: Vec<String>,
    took_ms: u64,
    said: Value,
}

async fn self_tested(denied: bool) -> Result<Tested> {
    let court = Court::open(&Plan {
        ui: Some(built_page()),
        ..Plan::default()
    })
    .await?;
    self_tested_at(&court, denied).await
}

async fn self_tested_at(court: &Court, denied: bool) -> Result<Tested> {
    let mut page = Peer::self_test(court, denied)?;
    let said = page
        .wait(SOON * 3, "the report", |said| {
            (said["type"] == "report").then(|| said.clone())
        })
        .await?;
    println!("{said}");
    page.stop().await?;
    Ok(Tested {
        // What the browser wrote is what the court reads.
        report: serde_json::from_value(said["report"].clone()).context("no report of the wire")?,
        rows: serde_json::from_value(said["rows"].clone())?,
        took_ms: said["tookMs"].as_u64().context("no time")?,
        said,
    })
}

impl Tested {
    /// The text of one part.
    fn row(&self, part: &str) -> &str {
        let row = self.rows.iter().find(|row| row.starts_with(part));
        row.map_or("", String::as_str)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_test_in_a_browser_measures_everything_and_leaves_nothing_running() -> Result<()> {
    let tested = self_tested(false).await?;
    assert!(tested.took_ms < 30_000, "{}", tested.took_ms);
    assert_eq!(tested.said["left"], 0, "{}", tested.said);
    let facts = &tested.report.facts;

    let Some(CameraFacts::Seen {
        device, fps, height, ..
    }) = &facts.camera
    else {
        bail!("no camera: {:?}", facts.camera);
    };
    // Chromium's own picture comes twenty times a second; a busy machine sees fewer of them.
    assert!((5.0..=31.0).contains(fps), "{fps}");
    assert_eq!(*height, 720);
    assert!(tested.row("摄像头").contains(device), "{}", tested.row("摄像头"));

    // Its beeps are as loud as can be, and too short for speech.
    let Some(MicrophoneFacts::Heard {
        device,
        peak_db,
        noise_db,
        ..
    }) = &facts.microphone
    else {
        bail!("no microphone: {:?}", facts.microphone);
    };
    assert!(*peak_db > -20.0 && noise_db < peak_db, "{:?}", facts.microphone);
    assert!(tested.row("麦克风").contains(device), "{}", tested.row("麦克风"));

    let network = facts.network.as_ref().context("no line")?;
    let reached = [
        network.name,
        network.reach,
        network.answer,
        network.channel,
        network.udp,
    ];
    assert_eq!(reached, [TestPath::Open; 5], "{network:?}");
    // On a loopback, as in the desktop program's test; this machine's load decides how much more it is.
    assert!(network.loss.context("no loss")? < 0.03, "{network:?}");
    assert!(network.rtt_ms.context("no round trip")? < 100.0, "{network:?}");
    assert!(network.down_bps.is_none_or(|bps| bps > 1_000_000), "{network:?}");
    assert_eq!(network.tunnel, TestPath::Untested);
    assert!(
        tested.row("网络").contains("浏览器无法检测"),
        "{}",
        tested.row("网络")
    );

    let computer = facts.computer.as_ref().context("no computer")?;
    assert!(
        computer.cores > 0 && computer.free_disk_mib.is_none(),
        "{computer:?}"
    );
    assert!(
        tested.row("电脑性能").contains("硬盘剩余空间"),
        "{}",
        tested.row("电脑性能")
    );
    let permissions = facts.permissions.context("no permissions")?;
    assert_eq!(permissions.camera, TestGrant::Granted);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_refuses_camera_and_microphone_is_told_of_each_by_itself() -> Result<()> {
    let tested = self_tested(true).await?;
    assert!(tested.took_ms < 30_000, "{}", tested.took_ms);
    assert_eq!(tested.said["left"], 0, "{}", tested.said);
    let SelfTest {
        facts,
        camera,
        microphone,
        ..
    } = &tested.report;
    assert!(
        matches!(&facts.camera, Some(CameraFacts::Failed { fault, .. }) if *fault == DeviceFault::Denied),
        "{facts:?}"
    );
    assert!(
        matches!(&facts.microphone, Some(MicrophoneFacts::Failed { fault, .. }) if *fault == DeviceFault::Denied),
        "{facts:?}"
    );
    // The loudspeaker is no fault of theirs.
    assert!(
        matches!(&facts.speaker, Some(SpeakerFacts::Played { .. })),
        "{facts:?}"
    );
    assert_eq!(camera.findings, [TestFinding::CameraDenied]);
    assert_eq!(microphone.findings, [TestFinding::MicrophoneDenied]);
    assert!(tested.row("摄像头").contains("使用摄像头"));
    assert!(tested.row("麦克风").contains("使用麦克风"));
    assert_eq!(facts.network.as_ref().context("no line")?.udp, TestPath::Open);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_test_in_a_browser_finds_udp_closed_and_then_all_media() -> Result<()> {
    if !cfg!(target_os = "linux") {
        skip("only Linux has 127.0.0.2 without being asked");
        return Ok(());
    }
    let court = Court::open(&Plan {
        ui: Some(built_page()),
        advertise: Some(RELAY_ADDRESS),
        ..Plan::default()
    })
    .await?;
    // Nobody answers UDP at the address that clients are told.
    let tcp = TcpRelay::start(SocketAddr::new(RELAY_ADDRESS, court.tcp().port()), court.tcp()).await?;
    let tested = self_tested_at(&court, false).await?;
    let network = tested.report.facts.network.clone().context("no line")?;
    assert_eq!((network.udp, network.tcp), (TestPath::Closed, TestPath::Open));
    assert_eq!(tested.report.network.findings[0], TestFinding::UdpClosed);
    assert!(network.loss.is_some_and(|loss| loss < 0.03), "{network:?}");

    drop(tcp);
    let tested = self_tested_at(&court, false).await?;
    let network = tested.report.facts.network.clone().context("no line")?;
    assert_eq!((network.udp, network.tcp), (TestPath::Closed, TestPath::Closed));
    assert_eq!(tested.report.network.findings, [TestFinding::MediaClosed]);
    assert!(tested.took_ms < 30_000, "{}", tested.took_ms);
    assert_eq!(tested.said["left"], 0, "{}", tested.said);
    Ok(())
}
