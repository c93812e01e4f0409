//! What the peers know.

use std::collections::VecDeque;

use stack::{Addr, Endpoint};

use super::checks::{Heard, Segment};
use super::neighbours;
use super::packet::ETHERNET_HEADER;
use super::tcp::{ACK, FIN, SYN};
use super::world::World;

/// Connections that the peers remember.
const FLOWS_MAX: usize = 64;
/// Packets that they remember, to quote them.
const PACKETS_MAX: usize = 8;
/// Bytes of each.
const QUOTED_MAX: usize = 128;

#[derive(Default)]
pub(super) struct Peer {
    pub(super) flows: Vec<Flow>,
    /// Packets of the stack, the newest last.
    pub(super) packets: VecDeque<Vec<u8>>,
    /// Nobody answers to ARP and neighbour discovery.
    pub(super) is_silent: bool,
}

impl Peer {
    /// What is known of a connection; of a new one, nothing. `None`: too many are known.
    pub(super) fn flow(&mut self, local: Endpoint, remote: Endpoint) -> Option<&mut Flow> {
        let is_it = |flow: &Flow| flow.local == local && flow.remote == remote;
        let place = self.flows.iter().position(is_it);
        let place = place.unwrap_or(self.flows.len());
        if place == self.flows.len() && place < FLOWS_MAX {
            self.flows.push(Flow::new(local, remote));
        }
        self.flows.get_mut(place)
    }
}

/// One connection, as the peer sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    /// The stack's end.
    pub(super) local: Endpoint,
    pub(super) remote: Endpoint,
    /// The stack's first number, if it was heard.
    pub(super) first: Option<u32>,
    /// Number after the last that the stack has sent.
    pub(super) sent: u32,
    /// What of it the peer has acknowledged.
    pub(super) acked: u32,
    /// What the stack wants next.
    pub(super) wanted: u32,
    /// The stack's newest timestamp.
    pub(super) clock: Option<u32>,
    /// The last SYN of the stack was no answer to one.
    pub(super) is_opening: bool,
}

impl Flow {
    fn new(local: Endpoint, remote: Endpoint) -> Self {
        Self {
            local,
            remote,
            first: None,
            sent: 0,
            acked: 0,
            wanted: 0,
            clock: None,
            is_opening: false,
        }
    }

    fn hear(&mut self, segment: &Segment) {
        let is_syn = segment.flags & SYN != 0;
        let len = u32::try_from(segment.payload.len()).expect("segments are short");
        let len = len + u32::from(is_syn) + u32::from(segment.flags & FIN != 0);
        let end = segment.seq.wrapping_add(len);
        if is_syn {
            self.first = Some(segment.seq);
            (self.sent, self.acked) = (end, segment.seq);
        } else if end.wrapping_sub(self.sent).cast_signed() > 0 {
            self.sent = end;
        }
        if segment.flags & ACK != 0 {
            self.wanted = segment.ack;
        }
        self.is_opening = is_syn && segment.flags & ACK == 0;
        self.clock = segment.clock;
    }
}

/// The byte that a program writes at a place of its stream.
pub(super) fn written_byte(place: u32) -> u8 {
    (place.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

/// The byte that a peer sends under a number.
pub(super) fn sent_byte(seq: u32) -> u8 {
    seq as u8
}

impl World {
    /// A peer hears a frame.
    pub(super) fn hear(&mut self, frame: &[u8], heard: &Heard) {
        match heard {
            Heard::Question(address) => return self.answer(*address),
            Heard::Segment(segment) => self.hear_segment(segment),
            Heard::Packet => {}
            Heard::Nothing => return,
        }
        let packets = &mut self.peer.packets;
        if packets.len() == PACKETS_MAX {
            packets.pop_front();
        }
        let packet = frame.iter().skip(ETHERNET_HEADER).take(QUOTED_MAX);
        packets.push_back(packet.copied().collect());
    }

    fn answer(&mut self, address: Addr) {
        if !self.peer.is_silent {
            let frame = neighbours::answer(address);
            self.put(&frame, stack::RxChecksum::Unknown, 0);
        }
    }

    fn hear_segment(&mut self, segment: &Segment) {
        let Some(flow) = self.peer.flow(segment.local, segment.remote) else {
            return;
        };
        flow.hear(segment);
        let Some(first) = flow.first.filter(|_| self.is_honest) else {
            return;
        };
        for (&byte, place) in segment
            .payload
            .iter()
            .zip(segment.seq.wrapping_sub(first)..)
        {
            // A probe repeats the number before the first byte.
            assert!(place > 0 || segment.flags & SYN != 0);
            let place = place.wrapping_sub(u32::from(segment.flags & SYN == 0));
            assert_eq!(byte, written_byte(place), "byte {place} of the stream");
        }
    }
}
