//! The fair queue: flows take turns by bytes.

use super::Egress;
use crate::sock::SockId;
use crate::time::Instant;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a flow did with its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Polled {
    /// Bytes it sent; 0: it had nothing to send after all.
    pub(crate) sent: u32,
    /// When it wants its next turn.
    pub(crate) next: Next,
}

/// When a flow wants to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When it says so by [`Egress::wake`].
    Idle,
    /// As soon as it is its turn.
    Ready,
    /// Not before this moment.
    At(Instant),
}

/// The account of one flow.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Flow {
    /// Whose account it is; a new owner of the slot starts a new one.
    owner: SockId,
    /// Bytes it may send before the others have their turns; negative after a large frame.
    credit: i64,
}

impl Egress {
    /// The flow whose turn it is: the first in the queue with credit. Flows that have used up theirs get some more and go
    /// to the back (deficit round robin), so that one with small frames sends as many bytes as one with large ones.
    pub(super) fn next_flow(&mut self, now: Instant) -> Option<SockId> {
        for _ in 0..DEPARTURES_PER_TURN {
            let Some(id) = self.departures.pop_due(now) else {
                break;
            };
            self.ready.push(id);
        }
        loop {
            let id = self.ready.pop()?;
            let alone = self.ready.len() == 0;
            let Some(flow) = self.flows.get_mut(id.slot()) else {
                continue;
            };
            if flow.owner != id {
                *flow = Flow {
                    owner: id,
                    credit: QUANTUM,
                };
            }
            if flow.credit > 0 || alone {
                return Some(id);
            }
            flow.credit = flow.credit.saturating_add(QUANTUM);
            self.ready.push(id);
        }
    }

    /// Books what a flow did with its turn.
    pub(super) fn settle(&mut self, id: SockId, polled: Polled) {
        if let Some(flow) = self
            .flows
            .get_mut(id.slot())
            .filter(|flow| flow.owner == id)
        {
            // The floor keeps a flow that was alone from paying for it later.
            flow.credit = flow
                .credit
                .saturating_sub(i64::from(polled.sent))
                .max(-DEBT_MAX);
        }
        match polled.next {
            Next::Idle => {}
            Next::Ready => self.ready.push(id),
            Next::At(at) => self.departures.set(id, at),
        }
    }
}

/// Bytes of credit for each round.
const QUANTUM: i64 = 16 * 1024;
/// Largest debt: one super-segment.
const DEBT_MAX: i64 = 64 * 1024;
/// Most flows that become ready in one turn.
const DEPARTURES_PER_TURN: u32 = 16;
