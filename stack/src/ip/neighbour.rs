//! The Ethernet addresses of neighbours: a bounded table, and what waits for an answer.

use super::{arp, nd};
use crate::addr::Addr;
use crate::context::Context;
use crate::layout;
use crate::packet::{Packet, PacketList};
use crate::time::Instant;
use core::time::Duration;
use region::{Array, Id, Region, RegionError};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// One neighbour.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Neighbour {
    ip: Addr,
    mac: [u8; 6],
    state: u8,
    /// Requests sent in this state.
    probes: u8,
    /// Asking, checking: when the next request is due. Known: until when the answer is fresh.
    deadline: Instant,
    /// When it was last asked for; the longest unused makes room.
    used: Instant,
    /// Packets that wait for the answer.
    pending: PacketList,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing here.
    Empty,
    /// Requests are broadcast; the address is not known.
    Asking,
    /// The address is known.
    Known,
    /// The address was known; requests to it verify that it still is.
    Checking,
}

impl Neighbour {
    fn state(&self) -> State {
        match self.state {
            ASKING => State::Asking,
            KNOWN => State::Known,
            CHECKING => State::Checking,
            _ => State::Empty,
        }
    }

    fn enter(&mut self, state: State, deadline: Instant) {
        self.state = match state {
            State::Empty => EMPTY,
            State::Asking => ASKING,
            State::Known => KNOWN,
            State::Checking => CHECKING,
        };
        self.deadline = deadline;
        self.probes = u8::from(matches!(state, State::Asking | State::Checking));
    }

    fn is_due(&self, now: Instant) -> bool {
        matches!(self.state(), State::Asking | State::Checking) && self.deadline <= now
    }
}

/// The neighbour table: sets of a few entries, found by hash; a full set forgets its longest unused entry.
pub(super) struct Neighbours {
    entries: Array<Neighbour>,
}

impl Neighbours {
    pub(super) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            entries: region.array(layout::NEIGHBOURS, SETS * WAYS)?,
        })
    }

    /// The Ethernet address of `ip`. `None`: it is being asked for.
    pub(super) fn lookup(&mut self, cx: &mut Context<'_>, ip: Addr) -> Option<[u8; 6]> {
        let now = cx.now;
        if let Some(place) = self.find(cx, ip) {
            let entry = self.entries.get_mut(place)?;
            entry.used = now;
            let mac = entry.mac;
            return match entry.state() {
                State::Asking | State::Empty => None,
                State::Known if now < entry.deadline => Some(mac),
                State::Known => {
                    entry.enter(State::Checking, now + RETRY);
                    self.wake_by(cx, now + RETRY);
                    ask(cx, ip, Some(mac));
                    Some(mac)
                }
                State::Checking => Some(mac),
            };
        }
        let entry = self.make_room(cx, ip)?;
        *entry = Neighbour {
            ip,
            used: now,
            ..Neighbour::new_zeroed()
        };
        entry.enter(State::Asking, now + RETRY);
        self.wake_by(cx, now + RETRY);
        ask(cx, ip, None);
        None
    }

    /// Lets `packet` wait for the address of `ip`. False: too many wait already, or nobody is asking.
    pub(super) fn hold(&mut self, cx: &mut Context<'_>, ip: Addr, packet: Id<Packet>) -> bool {
        let entry = self
            .find(cx, ip)
            .and_then(|place| self.entries.get_mut(place));
        let Some(entry) = entry
            .filter(|entry| entry.state() == State::Asking && entry.pending.len() < PENDING_MAX)
        else {
            return false;
        };
        entry.pending.push(cx.packets, packet);
        true
    }

    /// What is believed to be the address of `ip`, without asking.
    pub(super) fn known(&self, cx: &Context<'_>, ip: Addr) -> Option<[u8; 6]> {
        let entry = self
            .find(cx, ip)
            .and_then(|place| self.entries.get(place))?;
        matches!(entry.state(), State::Known | State::Checking).then_some(entry.mac)
    }

    /// `ip` is at `mac`: a request or reply of that neighbour said so. An entry is made only if `create`.
    pub(super) fn learn(&mut self, cx: &mut Context<'_>, ip: Addr, mac: [u8; 6], create: bool) {
        let now = cx.now;
        let found = self.find(cx, ip);
        let entry = match found {
            Some(place) => self.entries.get_mut(place),
            None if create => self.make_room(cx, ip),
            None => None,
        };
        let Some(entry) = entry else { return };
        if found.is_none() {
            *entry = Neighbour {
                ip,
                used: now,
                ..Neighbour::new_zeroed()
            };
        }
        if entry.state() == State::Asking || entry.mac != mac {
            tracing::debug!(?ip, ?mac, "neighbour found");
        }
        entry.mac = mac;
        entry.enter(State::Known, now + FRESH);
        let mut pending = core::mem::replace(&mut entry.pending, PacketList::new_zeroed());
        while let Some(packet) = pending.pop(cx.packets) {
            cx.egress.requeue(cx.packets, packet);
        }
        cx.egress.unpark();
    }

    /// Sends the requests that are due, and gives one neighbour that did not answer, with what waited for it. To be called
    /// until it gives `None`.
    pub(super) fn next_failed(&mut self, cx: &mut Context<'_>) -> Option<(Addr, PacketList)> {
        let now = cx.now;
        if now < cx.global.neighbours_due {
            return None;
        }
        cx.global.neighbours_due = Instant::FAR;
        for place in 0..self.entries.len() {
            let Some(entry) = self.entries.get_mut(place) else {
                break;
            };
            if entry.is_due(now) {
                if entry.probes >= PROBES {
                    let failed = core::mem::replace(entry, Neighbour::new_zeroed());
                    tracing::debug!(ip = ?failed.ip, "neighbour does not answer");
                    // The rest is looked at by the next call.
                    cx.global.neighbours_due = now;
                    return Some((failed.ip, failed.pending));
                }
                entry.probes += 1;
                entry.deadline = now + RETRY;
                let (ip, known) = (
                    entry.ip,
                    (entry.state() == State::Checking).then_some(entry.mac),
                );
                ask(cx, ip, known);
            }
            if matches!(entry.state(), State::Asking | State::Checking) {
                cx.global.neighbours_due = cx.global.neighbours_due.min(entry.deadline);
            }
        }
        None
    }

    fn wake_by(&self, cx: &mut Context<'_>, deadline: Instant) {
        cx.global.neighbours_due = cx.global.neighbours_due.min(deadline);
    }

    fn places(cx: &Context<'_>, ip: Addr) -> core::ops::Range<u32> {
        // The lower half tells the neighbours of one link apart.
        let [.., a, b, c, d, e, f, g, h] = ip.octets();
        let hash = cx.global.hash_key.bytes(&[&[a, b, c, d, e, f, g, h]]);
        let set = u32::try_from(hash % u64::from(SETS)).unwrap_or(0);
        set * WAYS..(set + 1) * WAYS
    }

    fn find(&self, cx: &Context<'_>, ip: Addr) -> Option<u32> {
        Self::places(cx, ip).find(|&place| {
            self.entries
                .get(place)
                .is_some_and(|e| e.ip == ip && e.state() != State::Empty)
        })
    }

    /// An entry of the set of `ip` that is empty or may be forgotten. `None`: the set is full of neighbours that are
    /// being asked for.
    fn make_room(&mut self, cx: &Context<'_>, ip: Addr) -> Option<&mut Neighbour> {
        let age = |entry: &Neighbour| match entry.state() {
            State::Empty => Some(Instant::ZERO),
            State::Known | State::Checking => Some(entry.used),
            State::Asking => None,
        };
        let (_, place) = Self::places(cx, ip)
            .filter_map(|place| Some((self.entries.get(place).and_then(age)?, place)))
            .min()?;
        self.entries.get_mut(place)
    }
}

/// Asks who has `ip`: everybody, or only the station that had it last.
fn ask(cx: &mut Context<'_>, ip: Addr, last_known: Option<[u8; 6]>) {
    match ip.as_v4() {
        Some(v4) => arp::request(cx, v4, last_known),
        None => nd::solicit(cx, ip, last_known.is_some()),
    }
}

const EMPTY: u8 = 0;
const ASKING: u8 = 1;
const KNOWN: u8 = 2;
const CHECKING: u8 = 3;

const SETS: u32 = 128;
const WAYS: u32 = 8;
/// Packets that wait for one neighbour; the next is dropped and counted.
const PENDING_MAX: u32 = 64;
/// Requests before a neighbour is given up (`net.ipv4.neigh.*.mcast_solicit`, `ucast_solicit`).
const PROBES: u8 = 3;
/// Between requests (`net.ipv4.neigh.*.retrans_time_ms`).
const RETRY: Duration = Duration::from_secs(1);
/// How long an answer is believed (`net.ipv4.neigh.*.base_reachable_time_ms`).
const FRESH: Duration = Duration::from_secs(30);
