//! How one's own devices are, for the court: concluded from what they say and hear over time, and when the court is told. Pure:
//! time is an argument.
//!
//! It concludes nothing about what was said, and what it cannot know stays [`DeviceCondition::Unknown`].

use media::audio::{Levels, ear::DEAD_DBFS};
use protocol::{DeviceCondition, DeviceConditions, DeviceFault, DeviceState};
use std::time::Duration;

/// A microphone that is on and gives less than a converter's noise for so long is switched off by a switch of its own.
pub const SILENT_AFTER: Duration = Duration::from_secs(8);
/// The court is told at most this often.
pub const TOLD_EVERY: Duration = Duration::from_secs(2);
/// The canceller's own measure of what it left, from here on an echo.
const ECHO_LIKELY: f32 = 0.5;
/// A look stands for so much time at most: what passed while the computer slept was not looked at.
const LOOK_LIMIT: Duration = Duration::from_millis(200);
/// So much of the others' speech must have come back, …
const ECHO_AFTER: Duration = Duration::from_secs(4);
/// … and so much must not have, before it counts as over.
const ECHO_GONE: Duration = Duration::from_secs(4);

/// The devices at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// None: this participant has no camera.
    pub camera: Option<&'a DeviceState>,
    /// None: this participant has no microphone.
    pub microphone: Option<&'a DeviceState>,
    /// None where nothing was said of it.
    pub speaker: Option<&'a DeviceState>,
    /// Its owner has it open.
    pub microphone_on: bool,
    /// What both directions are like.
    pub levels: Levels,
}

/// Follows the devices.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    known: DeviceConditions,
    /// Since when nothing at all comes from the open microphone.
    silent_since: Option<Duration>,
    /// How much of the others' speech came back of late, and the time of the last look.
    echoed: Duration,
    looked: Option<Duration>,
}

impl Follower {
    /// How the devices are at `now`, given how they were at all looks before.
    pub fn look(&mut self, now: Duration, moment: &Moment<'_>) -> DeviceConditions {
        let since = now
            .saturating_sub(self.looked.replace(now).unwrap_or(now))
            .min(LOOK_LIMIT);
        let camera = plain(moment.camera, self.known.camera);
        let mut microphone = plain(moment.microphone, self.known.microphone);
        let mut speaker = plain_speaker(moment.speaker, self.known.speaker);
        let hears = microphone_runs(moment);
        if hears && moment.microphone_on {
            let silent = moment.levels.input.rms_dbfs < DEAD_DBFS;
            let began = silent.then(|| self.silent_since.unwrap_or(now));
            self.silent_since = began;
            if began.is_some_and(|began| now.saturating_sub(began) >= SILENT_AFTER) {
                microphone = DeviceCondition::Silent;
            }
            self.weigh_echo(since, &moment.levels);
        } else {
            self.silent_since = None;
            self.echoed = Duration::ZERO;
        }
        if hears && !moment.microphone_on {
            microphone = DeviceCondition::Off;
        }
        let echoed_before = self.known.speaker == DeviceCondition::Echo;
        let echoes = self.echoed >= ECHO_AFTER || (echoed_before && self.echoed > Duration::ZERO);
        if echoes && matches!(speaker, DeviceCondition::Fine | DeviceCondition::Echo) {
            speaker = DeviceCondition::Echo;
        } else if speaker == DeviceCondition::Echo {
            speaker = DeviceCondition::Fine;
        }
        self.known = DeviceConditions {
            camera,
            microphone,
            speaker,
        };
        self.known
    }

    /// Only the others' speech says anything: what comes back of it is weighed against what does not.
    fn weigh_echo(&mut self, since: Duration, levels: &Levels) {
        let (true, Some(likely)) = (levels.playback.voice, levels.echo) else {
            return;
        };
        self.echoed = if likely >= ECHO_LIKELY {
            (self.echoed + since).min(ECHO_GONE)
        } else {
            self.echoed.saturating_sub(since)
        };
    }
}

fn microphone_runs(moment: &Moment<'_>) -> bool {
    matches!(moment.microphone, Some(DeviceState::On { .. }))
}

/// What a device says of itself. While it is being opened the last word holds.
fn plain(state: Option<&DeviceState>, known: DeviceCondition) -> DeviceCondition {
    match state {
        None => DeviceCondition::Failed {
            fault: DeviceFault::Missing,
        },
        Some(DeviceState::Off) => DeviceCondition::Off,
        Some(DeviceState::Opening) => known,
        Some(DeviceState::On { .. }) => DeviceCondition::Fine,
        Some(DeviceState::Failed { fault }) => DeviceCondition::Failed { fault: *fault },
    }
}

/// A loudspeaker of which nothing was said may be none at all, as with a program without a person.
fn plain_speaker(state: Option<&DeviceState>, known: DeviceCondition) -> DeviceCondition {
    match state {
        None => DeviceCondition::Unknown,
        state @ Some(_) => plain(state, known),
    }
}

/// When the court is told.
#[derive(Clone, Debug, Default)]
pub struct Teller {
    told_at: Option<Duration>,
    under_way: Option<DeviceConditions>,
    /// What it did not take. Asking again and again would not help.
    refused: Option<DeviceConditions>,
}

impl Teller {
    /// Whether the court is to be told at `now` of devices that are as `measured`, while it has `on_record`.
    pub fn is_due(&self, now: Duration, measured: DeviceConditions, on_record: DeviceConditions) -> bool {
        let rested = self.told_at.is_none_or(|told| now >= told + TOLD_EVERY);
        rested && self.under_way.is_none() && measured != on_record && self.refused != Some(measured)
    }

    /// The court was told at `now`.
    pub fn told(&mut self, now: Duration, measured: DeviceConditions) {
        self.told_at = Some(now);
        self.under_way = Some(measured);
        self.refused = None;
    }

    /// The court has answered.
    pub fn answered(&mut self, taken: bool) {
        let told = self.under_way.take();
        self.refused = told.filter(|_| !taken);
    }

    /// A snapshot came: what was refused may be taken now.
    pub fn refreshed(&mut self) {
        self.refused = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::audio::Level;

    fn on() -> DeviceState {
        crate::studio::sound_device_on("device".to_owned())
    }

    fn levels(input_db: f32, far: bool, echo: f32) -> Levels {
        Levels {
            input: Level {
                rms_dbfs: input_db,
                ..Level::default()
            },
            playback: Level {
                voice: far,
                ..Level::default()
            },
            echo: Some(echo),
            ..Levels::default()
        }
    }

    /// Looks ten times a second from `from` to `to` seconds, both included; the conditions at the end.
    fn looks(follower: &mut Follower, (from, to): (u64, u64), on: bool, levels: Levels) -> DeviceConditions {
        let device = self::on();
        let moment = Moment {
            camera: Some(&device),
            microphone: Some(&device),
            speaker: Some(&device),
            microphone_on: on,
            levels,
        };
        let times = (from * 10..=to * 10).map(|tenth| Duration::from_millis(tenth * 100));
        let seen = times.map(|now| follower.look(now, &moment));
        seen.last().expect("at least one look")
    }

    #[test]
    fn a_device_is_as_it_says_and_one_that_is_not_there_is_missing() {
        let mut follower = Follower::default();
        let mut look = |camera: Option<&DeviceState>| {
            let moment = Moment {
                camera,
                microphone: None,
                speaker: None,
                microphone_on: false,
                levels: Levels::default(),
            };
            follower.look(Duration::ZERO, &moment)
        };
        let busy = DeviceState::Failed {
            fault: DeviceFault::Busy,
        };
        let missing = DeviceCondition::Failed {
            fault: DeviceFault::Missing,
        };
        for (state, camera) in [
            (Some(&DeviceState::Opening), DeviceCondition::Unknown),
            (Some(&on()), DeviceCondition::Fine),
            // One that is opened again is what it was until it says otherwise.
            (Some(&DeviceState::Opening), DeviceCondition::Fine),
            (
                Some(&busy),
                DeviceCondition::Failed {
                    fault: DeviceFault::Busy,
                },
            ),
            (Some(&DeviceState::Off), DeviceCondition::Off),
            (None, missing),
        ] {
            let seen = look(state);
            assert_eq!(seen.camera, camera, "{state:?}");
            assert_eq!(
                (seen.microphone, seen.speaker),
                (missing, DeviceCondition::Unknown)
            );
        }
    }

    #[test]
    fn a_microphone_is_silent_after_eight_seconds_of_nothing_and_fine_at_the_first_sound() {
        let mut follower = Follower::default();
        let (nothing, room) = (levels(-127.0, false, 0.0), levels(-70.0, false, 0.0));
        let mut look = |span, on, levels| looks(&mut follower, span, on, levels).microphone;
        assert_eq!(look((0, 7), true, nothing), DeviceCondition::Fine);
        assert_eq!(look((8, 8), true, nothing), DeviceCondition::Silent);
        assert_eq!(look((9, 9), true, room), DeviceCondition::Fine);
        // Not even nothing for a long time is a fault of a microphone that its owner closed, …
        assert_eq!(look((10, 30), false, nothing), DeviceCondition::Off);
        // … and when it is opened it has its eight seconds.
        assert_eq!(look((31, 38), true, nothing), DeviceCondition::Fine);
        assert_eq!(look((39, 39), true, nothing), DeviceCondition::Silent);
        // A quiet room is no dead microphone.
        assert_eq!(look((40, 90), true, room), DeviceCondition::Fine);
    }

    #[test]
    fn what_comes_back_of_the_others_speech_is_an_echo() {
        let mut follower = Follower::default();
        let room = -60.0;
        let mut look = |span, on, levels| looks(&mut follower, span, on, levels).speaker;
        // Likely, but nobody else speaks.
        assert_eq!(
            look((0, 20), true, levels(room, false, 0.9)),
            DeviceCondition::Fine
        );
        assert_eq!(
            look((21, 24), true, levels(room, true, 0.9)),
            DeviceCondition::Fine
        );
        assert_eq!(
            look((25, 26), true, levels(room, true, 0.9)),
            DeviceCondition::Echo
        );
        // A pause says nothing.
        assert_eq!(
            look((27, 60), true, levels(room, false, 0.0)),
            DeviceCondition::Echo
        );
        assert_eq!(
            look((61, 63), true, levels(room, true, 0.1)),
            DeviceCondition::Echo
        );
        assert_eq!(
            look((64, 66), true, levels(room, true, 0.1)),
            DeviceCondition::Fine
        );
        // Nothing goes out of a microphone that is closed.
        assert_eq!(
            look((67, 90), true, levels(room, true, 0.9)),
            DeviceCondition::Echo
        );
        assert_eq!(
            look((91, 91), false, levels(room, true, 0.9)),
            DeviceCondition::Fine
        );
    }

    #[test]
    fn the_court_is_told_of_a_change_at_most_every_two_seconds() {
        let ms = Duration::from_millis;
        let with = |microphone| DeviceConditions {
            microphone,
            ..DeviceConditions::default()
        };
        let (fine, off) = (with(DeviceCondition::Fine), with(DeviceCondition::Off));
        let mut teller = Teller::default();
        let nothing = DeviceConditions::default();
        assert!(!teller.is_due(ms(0), nothing, nothing), "nothing to tell");
        assert!(teller.is_due(ms(100), fine, nothing));
        teller.told(ms(100), fine);
        assert!(!teller.is_due(ms(9_000), off, nothing), "the answer is not there");
        teller.answered(true);
        assert!(!teller.is_due(ms(2_000), off, fine), "too soon");
        assert!(teller.is_due(ms(2_100), off, fine));
        // A snapshot after a reconnect says otherwise than what was told: it is told again.
        assert!(teller.is_due(ms(5_000), fine, nothing));
    }

    #[test]
    fn what_the_court_refuses_is_not_told_again_before_a_snapshot() {
        let ms = Duration::from_millis;
        let fine = DeviceConditions {
            camera: DeviceCondition::Fine,
            ..DeviceConditions::default()
        };
        let (mut teller, nothing) = (Teller::default(), DeviceConditions::default());
        teller.told(ms(0), fine);
        teller.answered(false);
        assert!(!teller.is_due(ms(60_000), fine, nothing));
        teller.refreshed();
        assert!(teller.is_due(ms(60_000), fine, nothing));
    }
}
