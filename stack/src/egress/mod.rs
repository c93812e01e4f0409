//! What leaves the stack, in which order: ready-made packets first, then flows by turns, each not before its departure time.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod emit;
mod flows;
mod packets;
mod split;
mod transmit;

pub(crate) use emit::{Outgoing, emit};
pub(crate) use flows::{Next, Polled};
pub(crate) use packets::{discard, send};
pub(crate) use transmit::transmit;

use crate::heap::Heap;
use crate::layout;
use crate::packet::{Packet, PacketList};
use crate::ring::Ring;
use crate::sock::{Sock, SockId};
use crate::time::Instant;
use region::{Array, Id, Region, RegionError, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Everything that waits to be sent.
pub(crate) struct Egress {
    /// Flows that may send now, in turn.
    ready: Ring,
    /// Flows whose next hop has no Ethernet address yet.
    parked: Ring,
    /// Flows by departure time.
    departures: Heap<Sock>,
    /// Credit of each flow, by slot number.
    flows: Array<flows::Flow>,
    head: Array<Head>,
}

/// The part of the egress that is neither ring nor heap.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Head {
    /// Packets that belong to no flow: ARP, ICMP, resets, and what waited for a neighbour.
    control: PacketList,
    /// A packet that is being cut into frames.
    split: split::Split,
}

impl Egress {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        let max = layout::MAX_SOCKS;
        Ok(Self {
            ready: Ring::open(region, layout::FLOW_RING, max)?,
            parked: Ring::open(region, layout::PARKED_RING, max)?,
            departures: Heap::open(
                region,
                layout::DEPARTURE_HEAP,
                layout::DEPARTURE_PLACES,
                max,
            )?,
            flows: region.array(layout::FLOWS, max)?,
            head: region.array(layout::EGRESS, 1)?,
        })
    }

    /// The flow of `id` has something to send at once: it gets its next turn.
    pub(crate) fn wake(&mut self, id: SockId) {
        self.departures.remove(id);
        self.parked.withdraw(id);
        self.ready.push(id);
    }

    /// The flow of `id` may send at `at`, not before.
    pub(crate) fn schedule(&mut self, id: SockId, at: Instant) {
        self.ready.withdraw(id);
        self.parked.withdraw(id);
        self.departures.set(id, at);
    }

    /// The flow of `id` is gone or has nothing to send.
    pub(crate) fn forget(&mut self, id: SockId) {
        self.ready.withdraw(id);
        self.parked.withdraw(id);
        self.departures.remove(id);
    }

    /// The flow of `id` waits until some neighbour has answered, or will not.
    fn park(&mut self, id: SockId) {
        self.parked.push(id);
    }

    /// Some neighbour has answered: every flow that waited for one tries again.
    pub(crate) fn unpark(&mut self) {
        while let Some(id) = self.parked.pop() {
            self.ready.push(id);
        }
    }

    /// Takes the first flow that waits for a neighbour.
    pub(crate) fn pop_parked(&mut self) -> Option<SockId> {
        self.parked.pop()
    }

    /// Flows that wait for a neighbour.
    pub(crate) fn parked_len(&self) -> u32 {
        self.parked.len()
    }

    /// Queues a packet that belongs to no flow. False: the queue or the table is full, and the packet is dropped.
    pub(crate) fn queue(&mut self, packets: &mut Table<Packet>, packet: Packet) -> bool {
        let Some(head) = self
            .head
            .get_mut(0)
            .filter(|head| head.control.len() < CONTROL_MAX)
        else {
            return false;
        };
        let Some(id) = packets.insert(packet) else {
            return false;
        };
        head.control.push(packets, id);
        true
    }

    /// Queues a packet whose neighbour has been found.
    pub(crate) fn requeue(&mut self, packets: &mut Table<Packet>, id: Id<Packet>) {
        if let Some(head) = self.head.get_mut(0) {
            head.control.push(packets, id);
        }
    }

    /// When the next flow may send that may not send now.
    pub(crate) fn next_departure(&self) -> Option<Instant> {
        self.departures.first().map(|(at, _)| at)
    }

    /// Something may be sent right now.
    pub(crate) fn has_work(&self) -> bool {
        self.ready.len() > 0
            || self
                .head
                .get(0)
                .is_some_and(|head| !head.control.is_empty() || head.split.is_active())
    }
}

/// Most packets without a flow that wait to be sent.
const CONTROL_MAX: u32 = 4096;
