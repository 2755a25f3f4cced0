//! What was said of the hearing so far: the public log with who could see each entry when it happened, and which
//! commands were carried out. It decides nothing.

use protocol::{CommandId, Envelope, Event, SeatId, Seq, Snapshot};
use std::collections::HashMap;
use std::sync::Arc;

/// Folded from all events.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Log {
    entries: Vec<Arc<Entry>>,
    done: HashMap<CommandId, Done>,
}

/// An entry and its readers. Who could see it is decided when it happens: who is let in later does not read
/// what was said before, and who comes back after a drop reads what was missed.
#[derive(PartialEq, Eq, Debug)]
struct Entry {
    envelope: Envelope,
    /// One bit for each seat, in the order of the setup.
    readers: Vec<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Done {
    by: SeatId,
    last: Seq,
}

impl Log {
    /// `readers` yields, in the order of the setup, whether a seat may see the event; asked only for entries worth
    /// telling.
    pub(crate) fn append(&mut self, envelope: &Envelope, readers: impl Iterator<Item = bool>) {
        if let (Some(id), Some(actor)) = (&envelope.caused_by, &envelope.actor) {
            self.done.insert(
                id.clone(),
                Done {
                    by: actor.seat.clone(),
                    last: envelope.seq,
                },
            );
        }
        if !is_worth_telling(envelope) {
            return;
        }
        let mut bits = Vec::new();
        for (place, may) in readers.enumerate() {
            if place % 64 == 0 {
                bits.push(0u64);
            }
            bits[place / 64] |= u64::from(may) << (place % 64);
        }
        self.entries.push(Arc::new(Entry {
            envelope: envelope.clone(),
            readers: bits,
        }));
    }

    /// The newest entries that the seat at `place` of the setup could see when they happened and that `may_see` still
    /// holds for, oldest first.
    pub(crate) fn read_by(&self, place: usize, may_see: impl Fn(&Envelope) -> bool) -> Vec<Envelope> {
        let mut found: Vec<Envelope> = self
            .entries
            .iter()
            .rev()
            .filter(|e| {
                e.readers
                    .get(place / 64)
                    .is_some_and(|bits| bits >> (place % 64) & 1 == 1)
            })
            .map(|e| &e.envelope)
            .filter(|envelope| may_see(envelope))
            .take(Snapshot::LOG_LIMIT)
            .cloned()
            .collect();
        found.reverse();
        found
    }

    /// Who had a command of this id carried out, and its last event.
    pub(crate) fn done(&self, id: &CommandId) -> Option<(&SeatId, Seq)> {
        self.done.get(id).map(|done| (&done.by, done.last))
    }
}

/// 消息 tells what people did; measurements and what only keeps pages in step stay out.
fn is_worth_telling(envelope: &Envelope) -> bool {
    match &envelope.event {
        Event::NetHealth { .. }
        | Event::ParticipantTest { .. }
        | Event::ParticipantDevices { .. }
        | Event::ParticipantReplaced { .. } => false,
        // One's own switches are seen on the tile; the court's hand on them is told.
        Event::ParticipantMedia { seat, .. } => {
            envelope.actor.as_ref().is_some_and(|actor| actor.seat != *seat)
        }
        _ => true,
    }
}
