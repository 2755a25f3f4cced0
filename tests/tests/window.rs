//! The desktop window under Xvfb: devices before any code, from the code to court as a person goes, a remote picture that
//! moves, a page that dies, and a link that is followed.

use anyhow::{Context, Result};
use protocol::{Command, ParticipantState, Role};
use scenarios::{
    SOON,
    court::{Court, Invited, Plan},
    desk,
    player::{Cast, Player, Said},
    webdriver::{self, Display, Window},
};

/// A judge, and the window of a defendant who has walked into court.
struct Desk {
    court: Court,
    judge: Player,
    invited: Invited,
    window: Window,
    _display: Display,
}

async fn walk_in() -> Result<Option<Desk>> {
    if !webdriver::available() {
        return Ok(None);
    }
    let court = Court::open(&Plan::default()).await?;
    let mut judge = court.player(Role::PresidingJudge, &Cast::tone(440)).await?;
    judge.waits().await?;
    judge.does(&Command::HearingOpen).await?;

    let invited = court.seat(Role::Defendant)?.clone();
    let display = Display::open(court.folder()).await?;
    let args = ["--synthetic", "--server", &court.url()];
    let window = Window::open(&display, &webdriver::desktop_client(), &args, court.folder()).await?;
    desk::walk_to_waiting(&window, &invited).await?;
    judge
        .sees_standing(0, &invited.seat, "waiting", |state| {
            matches!(state, ParticipantState::Waiting)
        })
        .await?;
    judge.does(&Command::HearingStart).await?;
    Ok(Some(Desk {
        court,
        judge,
        invited,
        window,
        _display: display,
    }))
}

/// A function body that gives the number of the frame that the judge's tile shows.
fn judges_frame(judge: &str) -> String {
    let reader = desk::stamp_reader();
    format!(
        "{reader}
        for (const picture of document.querySelectorAll('.video > .picture')) {{
            const label = picture.closest('figure')?.querySelector('figcaption')?.textContent ?? '';
            const stamp = label.includes({judge:?}) ? readStamp(picture) : null;
            if (stamp) return stamp.frame + 1;
        }}
        return null;"
    )
}

async fn sees_the_judge_move(desk: &Desk) -> Result<()> {
    let judge = &desk.court.seat(Role::PresidingJudge)?.name;
    let script = judges_frame(judge);
    let first = desk
        .window
        .run_until("the judge's picture has a clock", &script)
        .await?;
    let first = first.as_u64().context("a frame number")?;
    let later = script.replace("if (stamp)", &format!("if (stamp && stamp.frame + 1 > {first})"));
    desk.window
        .run_until("the judge's clock moves", &later)
        .await
        .map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_walks_from_the_code_to_court_and_sees_the_judge_move() -> Result<()> {
    let Some(desk) = walk_in().await? else {
        return Ok(());
    };
    sees_the_judge_move(&desk).await?;
    desk.judge.sees_moving(0, &desk.invited.seat).await?;
    desk.window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_dies_comes_back_to_its_seat_while_sound_and_picture_go_on() -> Result<()> {
    let Some(desk) = walk_in().await? else {
        return Ok(());
    };
    sees_the_judge_move(&desk).await?;
    let seat = desk.invited.seat.clone();
    desk.judge.sees_moving(0, &seat).await?;
    // A person enters with the microphone closed.
    desk.window
        .click("//button[starts-with(@aria-label, '麦克风：已静音')]")
        .await?;
    desk.judge
        .wait_from(0, SOON, "the party is heard", |said| match said {
            Said::Heard(heard) if heard.seat == seat => Some(()),
            _ => None,
        })
        .await?;

    let program = desk.window.program()?;
    let page = webdriver::web_process(program).context("the page has a process")?;
    let mark = desk.judge.mark();
    let killed = tokio::process::Command::new("kill")
        .args(["-KILL", &page.to_string()])
        .status()
        .await?;
    assert!(killed.success());

    // What the window sends does not pass through the page.
    desk.judge.sees_moving(mark, &seat).await?;
    let mut sound = None;
    desk.judge
        .wait_from(mark, SOON, "sound goes on", |said| match said {
            Said::Heard(heard) if heard.seat == seat => {
                let before = *sound.get_or_insert(heard.received_ms);
                (heard.received_ms > before).then_some(())
            }
            _ => None,
        })
        .await?;
    // The driver lost its page with the process and cannot look into the new one; that there is a new one, it can see.
    scenarios::within(SOON, "a new page", async {
        while webdriver::web_process(program).is_none_or(|new| new == page) {
            tokio::task::yield_now().await;
        }
        Ok(())
    })
    .await?;
    let stood = desk.judge.all_from(mark, |said| said.stands(&seat));
    assert!(
        stood
            .iter()
            .all(|state| matches!(state, ParticipantState::InCourt)),
        "the court noticed: {stood:?}"
    );
    desk.window.close().await
}

/// A window at its first screen.
struct Desktop {
    court: Court,
    display: Display,
    window: Window,
}

impl Desktop {
    async fn open() -> Result<Option<Self>> {
        if !webdriver::available() {
            return Ok(None);
        }
        let court = Court::open(&Plan::default()).await?;
        let display = Display::open(court.folder()).await?;
        let args = ["--synthetic", "--server", &court.url()];
        let window = Window::open(&display, &webdriver::desktop_client(), &args, court.folder()).await?;
        Ok(Some(Self {
            court,
            display,
            window,
        }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_can_be_tried_before_any_code() -> Result<()> {
    let Some(Desktop {
        court,
        window,
        display: _display,
    }) = Desktop::open().await?
    else {
        return Ok(());
    };
    let code = "return document.querySelector('input[autocomplete=one-time-code]')";
    let invited = court.seat(Role::Defendant)?;
    window
        .type_into("//input[@autocomplete='one-time-code']", &invited.code)
        .await?;
    window.click(&desk::button("设备自检")).await?;
    let reader = desk::stamp_reader();
    let frame = format!(
        "{reader}
        const picture = document.querySelector('.own-picture > .picture');
        const stamp = picture ? readStamp(picture) : null;
        return stamp ? stamp.frame + 1 : null;"
    );
    let first = window.run_until("the own picture has a clock", &frame).await?;
    let first = first.as_u64().context("a frame number")?;
    let later = frame.replace("stamp ?", &format!("stamp && stamp.frame + 1 > {first} ?"));
    window.run_until("the own clock moves", &later).await?;
    window
        .click("//button[@role='tab'][contains(., '麦克风')]")
        .await?;
    let heard = "return document.querySelector('[role=meter]')?.getAttribute('aria-valuenow') > 0";
    window.run_until("the microphone is heard", heard).await?;

    // Back at the code, which is still there, everything is closed; the same devices open again in the hearing.
    window.click("//button[normalize-space(.)='上一项']").await?;
    window.click("//button[normalize-space(.)='返回']").await?;
    let kept = format!("{code}?.value === '{}'", invited.code);
    window.run_until("the code is kept", &kept).await?;
    window.click(&desk::button("进入庭审")).await?;
    window
        .run_until(
            "the case is shown",
            "return document.body.innerText.includes('信息无误')",
        )
        .await?;
    window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_reaches_the_window_that_is_open() -> Result<()> {
    let Some(desktop) = Desktop::open().await? else {
        return Ok(());
    };
    let code = &desktop.court.seat(Role::Plaintiff)?.code;
    let filled = |code: &str| {
        format!("return document.querySelector('input[autocomplete=one-time-code]')?.value === '{code}'")
    };
    desktop.window.run_until("the first screen", &filled("")).await?;

    let link = format!("mingting://join/{code}");
    let mut second = desktop
        .display
        .start(&webdriver::desktop_client(), &[&link], desktop.court.folder())?;
    let status = second.ended(SOON).await?;
    assert!(status.success(), "a second start ends by itself: {status}");
    desktop
        .window
        .run_until("the code is filled in", &filled(code))
        .await?;
    desktop.window.close().await
}
