//! Scenes from a day in court, each as its people would tell it.

mod devices;
mod presence;
mod proceedings;

use crate::kit::World;
use protocol::*;

fn world() -> World {
    World::in_session(HearingSettings {
        recorder: true,
        broadcaster: true,
        ..HearingSettings::default()
    })
}

fn words(text: &str) -> Words {
    Words::new(text)
}

fn seen_by(world: &World, seat: &str) -> Vec<String> {
    let snapshot = world.hearing.snapshot(&seat.into(), world.now);
    snapshot.participants.into_iter().map(|p| p.seat.id.0).collect()
}
