//! The desktop window under Xvfb: devices before any code, from the code to court as a person goes, a remote picture that
//! moves, a page that dies, a page that hangs, and a link that is followed.

use anyhow::{Context, Result};
use protocol::{Command, ParticipantState, Role, Words};
use scenarios::{
    SOON,
    court::{Court, Invited, Plan},
    desk,
    player::{Cast, Player, Said},
    screen::{Screen, difference},
    session::Session,
    webdriver::{self, Display, Window},
};
use std::time::Duration;

/// How often the screen is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Pictures that differ by less show the same; an empty tile differs by sixty and more, an empty page by 150.
const ALIKE: f64 = 20.0;

/// A judge, and the window of a defendant who has walked into court.
struct Desk {
    judge: Player,
    invited: Invited,
    window: Window,
    display: Display,
    // Ends when the others have, with the folder of their logs.
    court: Court,
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
        display,
    }))
}

impl Desk {
    /// The judge's picture on the screen. Asked for while the driver still has its page.
    async fn judge_on_the_screen(&self) -> Result<Shown> {
        let judge = &self.court.seat(Role::PresidingJudge)?.name;
        let place = self
            .window
            .run_until(
                "the judge's picture has a place",
                &format!(
                    "for (const picture of document.querySelectorAll('.video > .picture')) {{
                        const label = picture.closest('figure')?.querySelector('figcaption')?.textContent ?? '';
                        if (!label.includes({judge:?})) continue;
                        const {{ x, y, width, height }} = picture.getBoundingClientRect();
                        return [x, y, width, height].map(Math.round);
                    }}
                    return null;"
                ),
            )
            .await?;
        let [x, y, width, height]: [usize; 4] = serde_json::from_value(place)?;
        let screen = Screen::open(&self.display.frame_buffer)?;
        let (at, size) = ((x, y), (width, height));
        let before = screen.part(at, size)?;
        Ok(Shown {
            screen,
            at,
            size,
            before,
        })
    }

    /// The process in which the page runs.
    fn page(&self) -> Result<u32> {
        webdriver::web_process(self.window.program()?).context("the page has a process")
    }

    /// Waits for a page after `old` that shows the judge moving where the judge was. The driver lost its page with the
    /// process and cannot look into the new one; the screen can be looked at. The name lies over the burned-in clock there.
    async fn a_new_page_shows_the_judge(&self, old: u32, judge: &Shown) -> Result<()> {
        let program = self.window.program()?;
        until("a new page", || {
            Ok(webdriver::web_process(program).filter(|new| *new != old))
        })
        .await?;
        let first = until("the judge on the new page", || judge.again()).await?;
        until("the judge moves on the new page", || {
            Ok(judge.again()?.filter(|now| *now != first))
        })
        .await
        .map(|_| ())
        .with_context(|| judge.against_before())
    }

    /// Sends a signal to a process.
    async fn signal(name: &str, process: u32) -> Result<()> {
        let sent = tokio::process::Command::new("kill")
            .args([name, &process.to_string()])
            .status()
            .await?;
        anyhow::ensure!(sent.success(), "kill {name} ended with {sent}");
        Ok(())
    }
}

/// A picture at its place on the screen.
struct Shown {
    screen: Screen,
    at: (usize, usize),
    size: (usize, usize),
    before: Vec<u8>,
}

impl Shown {
    /// What is there now, if it is much the same picture as before: people move little.
    fn again(&self) -> Result<Option<Vec<u8>>> {
        let now = self.screen.part(self.at, self.size)?;
        Ok((difference(&now, &self.before) < ALIKE).then_some(now))
    }

    /// For a failure's message: whether nothing moves there or something else is there.
    fn against_before(&self) -> String {
        match self.screen.part(self.at, self.size) {
            Ok(now) => format!("it differs from before by {:.1}", difference(&now, &self.before)),
            Err(error) => error.to_string(),
        }
    }
}

/// Looks again and again at what has no events: a screen, the system's processes.
async fn until<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    scenarios::within(SOON, what, async {
        let mut again = tokio::time::interval(LOOK_AGAIN);
        loop {
            again.tick().await;
            if let Some(found) = look()? {
                return Ok(found);
            }
        }
    })
    .await
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

    let shown = desk.judge_on_the_screen().await?;
    let page = desk.page()?;
    let mark = desk.judge.mark();
    Desk::signal("-KILL", page).await?;

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
    desk.a_new_page_shows_the_judge(page, &shown).await?;
    let stood = desk.judge.all_from(mark, |said| said.stands(&seat));
    assert!(
        stood
            .iter()
            .all(|state| matches!(state, ParticipantState::InCourt)),
        "the court noticed: {stood:?}"
    );
    desk.window.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_hangs_is_loaded_again_and_the_court_is_obeyed_meanwhile() -> Result<()> {
    let Some(mut desk) = walk_in().await? else {
        return Ok(());
    };
    sees_the_judge_move(&desk).await?;
    let clerk = desk.court.player(Role::Clerk, &Cast::default()).await?;
    let (seat, judge) = (desk.invited.seat.clone(), desk.judge.seat.clone());
    clerk.sees_moving(0, &judge).await?;
    let shown = desk.judge_on_the_screen().await?;
    let page = desk.page()?;

    Desk::signal("-STOP", page).await?;
    let reason = Words::new("请稍候");
    desk.judge
        .does(&Command::SeatIsolate {
            seat: seat.clone(),
            reason,
        })
        .await?;
    Session::nothing_comes(&desk.judge, &seat, &clerk, &judge).await?;
    let mark = desk.judge.mark();
    desk.judge
        .does(&Command::SeatRecall { seat: seat.clone() })
        .await?;
    desk.judge.sees_moving(mark, &seat).await?;
    desk.a_new_page_shows_the_judge(page, &shown).await?;
    desk.window.close().await
}

/// A window at its first screen.
struct Desktop {
    window: Window,
    display: Display,
    court: Court,
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
    window.click(&desk::button("逐项检测")).await?;
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
    window.click(&desk::button("返回首页")).await?;
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
