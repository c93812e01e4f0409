//! The Ethernet addresses of neighbours: a bounded table, and what waits for an answer.

mod entry;

use self::entry::{Neighbour, RETRY, State, Worth};
use super::{arp, nd};
use crate::addr::Addr;
use crate::context::Context;
use crate::layout;
use crate::packet::{Packet, PacketList};
use crate::time::Instant;
use core::time::Duration;
use region::{Array, Id, Region, RegionError};
use zerocopy::FromZeros;

/// For whom something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A program.
    Program,
    /// The stack itself answers somebody, who may have made up where he is.
    Stack,
}

/// Why there is no Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It is being asked for.
    Asked,
    /// Too many are being asked for.
    NoRoom,
}

/// The neighbour table: sets of a few entries, found by keyed hash. A full set forgets what is worth least ([`Worth`]), never a
/// gateway, and never one that a program waits for.
pub(crate) struct Neighbours {
    entries: Array<Neighbour>,
}

impl Neighbours {
    pub(super) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            entries: region.array(layout::NEIGHBOURS, SETS * WAYS)?,
        })
    }

    /// The Ethernet address of `ip`, which is asked for if it is not known.
    pub(super) fn lookup(
        &mut self,
        cx: &mut Context<'_>,
        ip: Addr,
        sender: Sender,
    ) -> Result<[u8; 6], Unknown> {
        let now = cx.now;
        let found = self
            .find(cx, ip)
            .and_then(|place| self.entries.get_mut(place));
        if let Some(entry) = found {
            if sender == Sender::Program {
                entry.used = now;
            }
            let mac = entry.mac;
            return match entry.state() {
                State::Asking | State::Empty => Err(Unknown::Asked),
                State::Known if now < entry.deadline => Ok(mac),
                State::Known => {
                    entry.enter(State::Checking, now + RETRY);
                    self.wake_by(cx, now + RETRY);
                    ask(cx, ip, Some(mac));
                    Ok(mac)
                }
                State::Checking => Ok(mac),
            };
        }
        // One at a time may take the place of a neighbour that is there.
        let most = if self.is_asking(cx, ip) {
            Worth::Hoped
        } else {
            Worth::Used
        };
        let entry = self.make_room(cx, ip, most).ok_or(Unknown::NoRoom)?;
        let used = match sender {
            Sender::Program => now,
            Sender::Stack => Instant::ZERO,
        };
        *entry = Neighbour::new(ip, used);
        entry.enter(State::Asking, now + RETRY);
        self.wake_by(cx, now + RETRY);
        ask(cx, ip, None);
        Err(Unknown::Asked)
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
        if is_reply(cx, packet) {
            if cx.global.replies_waiting >= REPLIES_MAX {
                return false;
            }
            cx.global.replies_waiting += 1;
        }
        entry.pending.push(cx.packets, packet);
        true
    }

    /// Whether something is known of `ip`, or is being asked.
    pub(crate) fn has(&self, cx: &Context<'_>, ip: Addr) -> bool {
        self.find(cx, ip).is_some()
    }

    /// Takes a packet of `waiting`, which no longer waits for its neighbour.
    pub(crate) fn next_waiting(
        cx: &mut Context<'_>,
        waiting: &mut PacketList,
    ) -> Option<Id<Packet>> {
        let packet = waiting.pop(cx.packets)?;
        if is_reply(cx, packet) {
            cx.global.replies_waiting = cx.global.replies_waiting.saturating_sub(1);
        }
        Some(packet)
    }

    /// What is believed to be the address of `ip`, without asking.
    pub(crate) fn known(&self, cx: &Context<'_>, ip: Addr) -> Option<[u8; 6]> {
        let entry = self
            .find(cx, ip)
            .and_then(|place| self.entries.get(place))?;
        matches!(entry.state(), State::Known | State::Checking).then_some(entry.mac)
    }

    /// `ip` is at `mac`: a request or reply of that neighbour said so. An entry is made only if `create`.
    pub(crate) fn learn(&mut self, cx: &mut Context<'_>, ip: Addr, mac: [u8; 6], create: bool) {
        let now = cx.now;
        let found = self.find(cx, ip);
        let entry = match found {
            Some(place) => self.entries.get_mut(place),
            None if create => self.make_room(cx, ip, Worth::Unused),
            None => None,
        };
        let Some(entry) = entry else { return };
        if found.is_none() {
            *entry = Neighbour::new(ip, Instant::ZERO);
        }
        if entry.state() == State::Asking || entry.mac != mac {
            tracing::debug!(?ip, ?mac, "neighbour found");
        }
        entry.mac = mac;
        entry.enter(State::Known, now + FRESH);
        let mut pending = core::mem::replace(&mut entry.pending, PacketList::new_zeroed());
        while let Some(packet) = Self::next_waiting(cx, &mut pending) {
            cx.qdisc.requeue(cx.packets, packet);
        }
        cx.qdisc.unpark();
    }

    /// Sends the requests that are due, and gives what waited for a neighbour that did not answer. To be called until it gives
    /// `None`.
    pub(crate) fn next_failed(&mut self, cx: &mut Context<'_>) -> Option<PacketList> {
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
                    return Some(failed.pending);
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

    /// Forgets all. What waits for them is the caller's.
    pub(super) fn forget(&mut self) {
        self.entries.clear();
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

    /// Whether some address of the set of `ip` is being asked for.
    fn is_asking(&self, cx: &Context<'_>, ip: Addr) -> bool {
        Self::places(cx, ip)
            .filter_map(|place| self.entries.get(place))
            .any(|entry| entry.state() == State::Asking)
    }

    /// An entry of the set of `ip` that is empty or may be forgotten, of at most the worth of `most`. What waits for it goes
    /// to [`crate::global::Global::displaced`]. `None`: there is none.
    fn make_room(&mut self, cx: &mut Context<'_>, ip: Addr, most: Worth) -> Option<&mut Neighbour> {
        let (config, now) = (&cx.global.config, cx.now);
        let (_, place) = Self::places(cx, ip)
            .filter_map(|place| Some((self.entries.get(place)?.worth(config, now)?, place)))
            .filter(|((worth, _), _)| *worth <= most)
            .min()?;
        let entry = self.entries.get_mut(place)?;
        if entry.state() == State::Asking {
            let mut pending = core::mem::replace(&mut entry.pending, PacketList::new_zeroed());
            while let Some(packet) = pending.pop(cx.packets) {
                cx.global.displaced.push(cx.packets, packet);
            }
            cx.global.is_displaced = 1;
            cx.global.neighbours_due = cx.now;
        }
        Some(entry)
    }
}

/// Whether a packet answers somebody, instead of being sent by a program that its own send buffer bounds.
fn is_reply(cx: &Context<'_>, packet: Id<Packet>) -> bool {
    cx.packets
        .get(packet)
        .is_none_or(|packet| packet.owner.is_none())
}

/// Asks who has `ip`: everybody, or only the station that had it last.
fn ask(cx: &mut Context<'_>, ip: Addr, last_known: Option<[u8; 6]>) {
    match ip.as_v4() {
        Some(v4) => arp::request(cx, v4, last_known),
        None => nd::solicit(cx, ip, last_known.is_some()),
    }
}

const SETS: u32 = 128;
const WAYS: u32 = 8;
/// Packets that wait for one neighbour; the next is dropped and counted.
const PENDING_MAX: u32 = 64;
/// Of them, answers to strangers that wait for all neighbours: who makes up addresses decides how many there could be.
const REPLIES_MAX: u32 = 256;
/// Requests before a neighbour is given up (`net.ipv4.neigh.*.mcast_solicit`, `ucast_solicit`).
const PROBES: u8 = 3;
/// How long an answer is believed (`net.ipv4.neigh.*.base_reachable_time_ms`).
const FRESH: Duration = Duration::from_secs(30);
