//! One neighbour: what is known of it, and what that is worth.

use crate::addr::Addr;
use crate::config::Config;
use crate::packet::PacketList;
use crate::time::Instant;
use core::time::Duration;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// One neighbour.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(in crate::ip) struct Neighbour {
    pub(super) ip: Addr,
    pub(super) mac: [u8; 6],
    state: u8,
    /// Requests sent in this state.
    pub(super) probes: u8,
    /// Asking, checking: when the next request is due. Known: until when the answer is fresh.
    pub(super) deadline: Instant,
    /// When a program last sent something to it; [`Instant::ZERO`]: never.
    pub(super) used: Instant,
    /// Packets that wait for the answer.
    pub(super) pending: PacketList,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
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
    /// An entry in no state yet, last used at `used`.
    pub(super) fn new(ip: Addr, used: Instant) -> Self {
        Self {
            ip,
            used,
            ..Self::new_zeroed()
        }
    }

    pub(super) fn state(&self) -> State {
        match self.state {
            ASKING => State::Asking,
            KNOWN => State::Known,
            CHECKING => State::Checking,
            _ => State::Empty,
        }
    }

    pub(super) fn enter(&mut self, state: State, deadline: Instant) {
        self.state = match state {
            State::Empty => EMPTY,
            State::Asking => ASKING,
            State::Known => KNOWN,
            State::Checking => CHECKING,
        };
        self.deadline = deadline;
        self.probes = u8::from(matches!(state, State::Asking | State::Checking));
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        matches!(self.state(), State::Asking | State::Checking) && self.deadline <= now
    }

    /// What it is worth and since when, for [`super::Neighbours`] to choose whom to forget. `None`: it must not be.
    pub(super) fn worth(&self, config: &Config, now: Instant) -> Option<(Worth, Instant)> {
        // A gateway is the way to everybody else.
        let is_gateway = [config.gateway, config.gateway6].contains(&self.ip);
        let is_wanted = self.used != Instant::ZERO;
        let is_idle = !is_wanted || now.saturating_since(self.used) > IDLE;
        match self.state() {
            State::Empty => Some((Worth::Nothing, Instant::ZERO)),
            _ if is_gateway => None,
            State::Known | State::Checking if is_idle => Some((Worth::Unused, self.deadline)),
            State::Known | State::Checking => Some((Worth::Used, self.used)),
            State::Asking if !is_wanted => {
                let asked = RETRY.saturating_mul(self.probes.into());
                let asked = u64::try_from(asked.as_nanos()).unwrap_or(u64::MAX);
                let since = self.deadline.as_nanos().saturating_sub(asked);
                Some((Worth::Hoped, Instant::from_nanos(since)))
            }
            State::Asking => None,
        }
    }
}

/// What an entry is worth, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    Nothing,
    /// It spoke, but no program has spoken to it lately.
    Unused,
    /// It is being asked for on behalf of nobody here; it may not be there at all.
    Hoped,
    /// It is there, and programs speak to it.
    Used,
}

const EMPTY: u8 = 0;
const ASKING: u8 = 1;
const KNOWN: u8 = 2;
const CHECKING: u8 = 3;

/// Between requests (`net.ipv4.neigh.*.retrans_time_ms`).
pub(super) const RETRY: Duration = Duration::from_secs(1);
/// After this a neighbour that no program speaks to counts as unused.
const IDLE: Duration = Duration::from_secs(60);
