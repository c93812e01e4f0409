//! What waits to be sent.

use super::account::Account;
use crate::bufs::Bufs;
use crate::heap::Heap;
use crate::ip::output::Split;
use crate::layout;
use crate::packet::{Packet, PacketList};
use crate::ring::Ring;
use crate::sock::{OfSock, SockId};
use crate::time::Instant;
use region::{Array, Id, Region, RegionError, Table};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Everything that waits to be sent.
pub(crate) struct Qdisc {
    /// Flows that may send now, in turn.
    pub(super) ready: Ring,
    /// Flows whose next hop has no Ethernet address yet.
    parked: Ring,
    /// Flows by departure time.
    pub(super) departures: Heap<OfSock>,
    /// Credit of each flow, by slot number.
    pub(super) flows: Array<Account>,
    head: Array<Head>,
}

/// The part that is neither ring nor heap.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Head {
    /// Packets that belong to no flow: ARP, ICMP, resets, and what waited for a neighbour.
    control: PacketList,
    /// A packet that is being cut into frames.
    split: Split,
}

impl Qdisc {
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
    pub(crate) fn park(&mut self, id: SockId) {
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

    /// Forgets which flows want to send, and a packet that is being cut: it counts as lost. What else waits stays.
    pub(crate) fn repair(&mut self, packets: &mut Table<Packet>, bufs: &mut Bufs) {
        self.ready.clear();
        self.parked.clear();
        self.departures.clear();
        self.flows.clear();
        if let Some(head) = self.head.get_mut(0) {
            head.split = Split::new_zeroed();
            head.control.repair(packets, bufs);
        }
    }

    /// See [`Heap::is_sound`].
    pub(crate) fn is_sound(&self) -> bool {
        self.departures.is_sound()
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

    /// What is being cut, or the place for it.
    pub(crate) fn split_mut(&mut self) -> Option<&mut Split> {
        self.head.get_mut(0).map(|head| &mut head.split)
    }

    /// Begins to cut. Only called when nothing is being cut: whoever is cutting is alone.
    pub(crate) fn start_split(&mut self, split: Split) {
        if let Some(place) = self.split_mut() {
            *place = split;
        }
    }

    /// Takes the first packet that belongs to no flow.
    pub(crate) fn pop_control(&mut self, packets: &Table<Packet>) -> Option<Id<Packet>> {
        self.head.get_mut(0)?.control.pop(packets)
    }
}

/// Most packets without a flow that wait to be sent.
const CONTROL_MAX: u32 = 4096;
