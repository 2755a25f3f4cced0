//! Commands that wait for their reply. Each is sent again on every new connection until the server has answered it;
//! the server carries out one id once, so nothing is lost and nothing done twice. Pure.

use protocol::{ClientFrame, CommandId, Outcome, SendCommand};

/// Commands in the order in which they were given, each with whoever waits for it.
#[derive(Debug)]
pub struct Outbox<W> {
    waiting: Vec<(SendCommand, Vec<W>)>,
}

impl<W> Default for Outbox<W> {
    fn default() -> Self {
        Self { waiting: Vec::new() }
    }
}

impl<W> Outbox<W> {
    /// Takes a command. Returns the frame to send now, if a connection is up; none when the same id waits already.
    pub fn add(&mut self, command: SendCommand, waiter: W) -> Option<ClientFrame> {
        if let Some((_, waiters)) = self
            .waiting
            .iter_mut()
            .find(|(known, _)| known.command_id == command.command_id)
        {
            waiters.push(waiter);
            return None;
        }
        let frame = command.clone().into();
        self.waiting.push((command, vec![waiter]));
        Some(frame)
    }

    /// Everything that has no answer yet, to be sent on a new connection.
    pub fn again(&self) -> impl Iterator<Item = ClientFrame> {
        self.waiting.iter().map(|(command, _)| command.clone().into())
    }

    /// The answer came: who waits for it. Empty for an answer nobody waits for.
    pub fn answered(&mut self, id: &CommandId, _outcome: &Outcome) -> Vec<W> {
        match self
            .waiting
            .iter()
            .position(|(command, _)| command.command_id == *id)
        {
            Some(at) => self.waiting.remove(at).1,
            None => Vec::new(),
        }
    }

    /// How many commands wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::{Command, Seq};
    use std::collections::BTreeMap;

    fn command(id: u8) -> SendCommand {
        SendCommand {
            command_id: CommandId(format!("c{id}")),
            expected_seq: None,
            command: Command::SelfHand { up: true },
        }
    }

    #[derive(Clone, Debug)]
    enum Happening {
        Given(u8),
        Reconnected,
        /// The server answers the oldest command it has seen.
        Answered,
    }

    proptest! {
        #[test]
        fn every_command_is_answered_once_in_order(
            happenings in prop::collection::vec(
                prop_oneof![any::<u8>().prop_map(Happening::Given), Just(Happening::Reconnected), Just(Happening::Answered)],
                0..80,
            ),
            drops in any::<u64>(),
        ) {
            let mut outbox = Outbox::default();
            // What the server has seen, in order, each id once.
            let mut seen: Vec<CommandId> = Vec::new();
            let mut answers: BTreeMap<String, u32> = BTreeMap::new();
            let mut given = Vec::new();
            let see = |frame: ClientFrame, seen: &mut Vec<CommandId>| {
                if let ClientFrame::Command { command_id, .. } = frame && !seen.contains(&command_id) {
                    seen.push(command_id);
                }
            };
            for (i, happening) in happenings.into_iter().enumerate() {
                match happening {
                    Happening::Given(id) => {
                        if !given.contains(&id) {
                            given.push(id);
                        }
                        let frame = outbox.add(command(id), id);
                        // Some frames are lost with their connection.
                        if let Some(frame) = frame && drops >> (i % 64) & 1 == 0 {
                            see(frame, &mut seen);
                        }
                    }
                    Happening::Reconnected => outbox.again().for_each(|frame| see(frame, &mut seen)),
                    Happening::Answered => {
                        if let Some(id) = seen.iter().find(|id| !answers.contains_key(&id.0)).cloned() {
                            outbox.answered(&id, &Outcome::Accepted { seq: Seq(1) });
                            *answers.entry(id.0).or_default() += 1;
                        }
                    }
                }
            }
            outbox.again().for_each(|frame| see(frame, &mut seen));
            for id in &seen {
                let _ = outbox.answered(id, &Outcome::Accepted { seq: Seq(1) });
            }
            prop_assert!(outbox.is_empty());
            prop_assert_eq!(seen.len(), given.len());
        }
    }
}
