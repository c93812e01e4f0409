//! The fair queue: flows take turns by bytes.

use super::Qdisc;
use super::account::Account;
use super::polled::{Next, Polled};
use crate::sock::SockId;
use crate::time::Instant;

impl Qdisc {
    /// The flow whose turn it is: the first in the queue with credit. Flows that have used up theirs get some more and go
    /// to the back (deficit round robin), so that one with small frames sends as many bytes as one with large ones.
    pub(crate) fn next_flow(&mut self, now: Instant) -> Option<SockId> {
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
                *flow = Account {
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
    pub(crate) fn settle(&mut self, id: SockId, polled: Polled) {
        let Some(flow) = self
            .flows
            .get_mut(id.slot())
            .filter(|flow| flow.owner == id)
        else {
            return;
        };
        // The floor keeps a flow that was alone from paying for it later.
        flow.credit = flow
            .credit
            .saturating_sub(i64::from(polled.sent))
            .max(-DEBT_MAX);
        match polled.next {
            Next::Idle => {}
            // It goes on until its credit is used up.
            Next::Ready => self.ready.push_front(id),
            Next::At(at) => self.departures.set(id, at),
        }
    }
}

/// Bytes of credit for each round: four full frames of Ethernet.
const QUANTUM: i64 = 4 * 1514;
/// Largest debt: one super-segment.
const DEBT_MAX: i64 = 64 * 1024;
/// Most flows that become ready in one turn.
const DEPARTURES_PER_TURN: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use region::Region;
    use std::vec::Vec;

    fn id(slot: u64, epoch: u64) -> SockId {
        SockId::from_bits(epoch << 32 | slot)
    }

    fn with_qdisc(test: impl FnOnce(&mut Qdisc)) {
        let region = Region::on_heap(32 << 20);
        test(&mut Qdisc::open(&region).expect("room"));
    }

    fn turn(qdisc: &mut Qdisc, now: u64, sent: u32, next: Next) -> Option<SockId> {
        let id = qdisc.next_flow(Instant::from_nanos(now))?;
        qdisc.settle(id, Polled { sent, next });
        Some(id)
    }

    #[test]
    fn flows_with_small_and_large_frames_send_as_many_bytes() {
        with_qdisc(|qdisc| {
            let (small, large) = (id(1, 1), id(2, 1));
            qdisc.wake(small);
            qdisc.wake(large);
            let mut sent = [0u64; 2];
            for _ in 0..20_000 {
                let id = qdisc
                    .next_flow(Instant::ZERO)
                    .expect("both always have more");
                let (index, bytes) = if id == small { (0, 100) } else { (1, 64_000) };
                qdisc.settle(
                    id,
                    Polled {
                        sent: bytes,
                        next: Next::Ready,
                    },
                );
                sent[index] += u64::from(bytes);
            }
            let [small, large] = sent;
            assert!(small.abs_diff(large) < 200_000, "{small} and {large}");
        });
    }

    #[test]
    fn a_flow_leaves_at_its_departure_time_and_not_before() {
        with_qdisc(|qdisc| {
            qdisc.schedule(id(1, 1), Instant::from_nanos(500));
            qdisc.schedule(id(2, 1), Instant::from_nanos(400));
            assert_eq!(qdisc.next_departure(), Some(Instant::from_nanos(400)));
            assert_eq!(turn(qdisc, 399, 1, Next::Idle), None);
            let again = Next::At(Instant::from_nanos(600));
            assert_eq!(turn(qdisc, 400, 1, again), Some(id(2, 1)));
            assert_eq!(turn(qdisc, 499, 1, Next::Idle), None);
            assert_eq!(turn(qdisc, 700, 1, Next::Idle), Some(id(1, 1)));
            assert_eq!(turn(qdisc, 700, 1, Next::Idle), Some(id(2, 1)));
            assert_eq!(qdisc.next_departure(), None);
        });
    }

    #[test]
    fn waking_a_paced_flow_gives_it_a_turn_at_once() {
        with_qdisc(|qdisc| {
            qdisc.schedule(id(1, 1), Instant::from_nanos(500));
            qdisc.wake(id(1, 1));
            qdisc.wake(id(1, 1));
            assert_eq!(turn(qdisc, 0, 1, Next::Idle), Some(id(1, 1)));
            assert_eq!(turn(qdisc, 900, 1, Next::Idle), None);
        });
    }

    #[test]
    fn a_flow_that_is_gone_gets_no_turn_and_leaves_no_debt() {
        with_qdisc(|qdisc| {
            qdisc.wake(id(1, 1));
            qdisc.wake(id(2, 1));
            assert_eq!(turn(qdisc, 0, 1 << 20, Next::Ready), Some(id(1, 1)));
            qdisc.forget(id(1, 1));
            qdisc.wake(id(1, 2));
            let mut turns: Vec<_> = core::iter::from_fn(|| turn(qdisc, 0, 1, Next::Idle)).collect();
            turns.sort_by_key(|id| id.slot());
            assert_eq!(turns, [id(1, 2), id(2, 1)]);
        });
    }
}
