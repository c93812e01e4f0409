//! Which local ports are taken, by whom they may be shared, and the choice of a free one.

use crate::config::Config;
use crate::error::Error;
use crate::layout;
use crate::rng::Rng;
use crate::sock::{SockFlags, SockKind};
use bitflags::bitflags;
use region::{Array, Region, RegionError};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

bitflags! {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Hold: u8 {
        /// Something is held at all.
        const HELD = 1;
        /// With `SO_REUSEADDR`.
        const REUSE_ADDR = 1 << 1;
        /// With `SO_REUSEPORT`.
        const REUSE_PORT = 1 << 2;
        /// By a listener.
        const LISTENING = 1 << 3;
        /// Chosen by `connect`: other connections to other remotes may share it.
        const CHOSEN = 1 << 4;
    }
}

/// What one holder (an endpoint, or what is left of it in TIME_WAIT) has taken in the port table. It must be given back
/// exactly once, with [`Ports::release`].
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub(crate) struct PortHold(u8);

impl PortHold {
    /// Nothing held.
    pub(crate) const NONE: Self = Self(0);

    /// Whether there is something to give back.
    pub(crate) const fn is_held(self) -> bool {
        self.bits().contains(Hold::HELD)
    }

    const fn bits(self) -> Hold {
        Hold::from_bits_truncate(self.0)
    }

    const fn of(bits: Hold) -> Self {
        Self(bits.bits())
    }
}

/// The holders of one port, counted by what they allow.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct PortUse {
    holders: u32,
    /// Of them, without `SO_REUSEADDR`.
    not_reuse_addr: u32,
    /// Of them, without `SO_REUSEPORT`.
    not_reuse_port: u32,
    /// Of them, listeners.
    listening: u32,
    /// Of them, bound by the program or listening: not to be shared by a port that `connect` chooses.
    bound: u32,
}

impl PortUse {
    /// `inet_csk_bind_conflict`: may one more holder with `hold` bind here? All own addresses overlap, as there is one.
    const fn admits(&self, hold: Hold) -> bool {
        self.holders == 0
            || (hold.contains(Hold::REUSE_ADDR) && self.not_reuse_addr == 0 && self.listening == 0)
            || (hold.contains(Hold::REUSE_PORT) && self.not_reuse_port == 0)
    }

    fn count(&mut self, hold: Hold, change: fn(u32, u32) -> u32) {
        let apply =
            |counter: &mut u32, counts: bool| *counter = change(*counter, u32::from(counts));
        apply(&mut self.holders, true);
        apply(&mut self.not_reuse_addr, !hold.contains(Hold::REUSE_ADDR));
        apply(&mut self.not_reuse_port, !hold.contains(Hold::REUSE_PORT));
        apply(&mut self.listening, hold.contains(Hold::LISTENING));
        apply(&mut self.bound, !hold.contains(Hold::CHOSEN));
    }
}

/// The port tables of both protocols, indexed by port: every question is one look.
pub(crate) struct Ports {
    tcp: Array<PortUse>,
    udp: Array<PortUse>,
}

impl Ports {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            tcp: region.array(layout::TCP_PORTS, PORTS)?,
            udp: region.array(layout::UDP_PORTS, PORTS)?,
        })
    }

    /// Takes `port` for a `bind`. UDP has no listeners: there `SO_REUSEADDR` alone lets several sockets share a port.
    ///
    /// # Errors
    /// `AddressInUse` if another holder does not allow it.
    pub(crate) fn bind(
        &mut self,
        kind: SockKind,
        port: u16,
        flags: SockFlags,
    ) -> Result<PortHold, Error> {
        let hold = wanted(flags);
        if !self.usage(kind, port).admits(hold) {
            return Err(Error::AddressInUse);
        }
        Ok(self.take(kind, port, hold))
    }

    /// Chooses and takes a port for `bind` to port 0: a random one without holders (RFC 6056 algorithm 1), or else one
    /// that a `bind` with these flags could share.
    ///
    /// # Errors
    /// `AddressInUse` if the whole range is taken.
    pub(crate) fn bind_any(
        &mut self,
        kind: SockKind,
        flags: SockFlags,
        range: PortRange,
        rng: &mut Rng,
    ) -> Result<(u16, PortHold), Error> {
        let hold = wanted(flags);
        let start = range.random_start(rng);
        let unused = range
            .from(start)
            .take(UNUSED_PROBES)
            .find(|&port| self.usage(kind, port).holders == 0);
        let port = unused
            .or_else(|| {
                range
                    .from(start)
                    .find(|&port| self.usage(kind, port).admits(hold))
            })
            .ok_or(Error::AddressInUse)?;
        Ok((port, self.take(kind, port, hold)))
    }

    /// Chooses and takes a port for a TCP `connect` without `bind`: a random one that nobody has bound and for which
    /// `is_free` finds no connection to the same remote.
    ///
    /// # Errors
    /// `AddressNotAvailable` if there is none (as `connect(2)`).
    pub(crate) fn choose(
        &mut self,
        flags: SockFlags,
        range: PortRange,
        rng: &mut Rng,
        is_free: impl Fn(u16) -> bool,
    ) -> Result<(u16, PortHold), Error> {
        let start = range.random_start(rng);
        let port = range
            .from(start)
            .find(|&port| self.usage(SockKind::Stream, port).bound == 0 && is_free(port))
            .ok_or(Error::AddressNotAvailable)?;
        Ok((
            port,
            self.take(SockKind::Stream, port, wanted(flags) | Hold::CHOSEN),
        ))
    }

    /// Makes a holder a listener.
    ///
    /// # Errors
    /// `AddressInUse` if another socket listens there and not all share the port by `SO_REUSEPORT`.
    pub(crate) fn listen(
        &mut self,
        kind: SockKind,
        port: u16,
        hold: &mut PortHold,
    ) -> Result<(), Error> {
        let mut others = self.usage(kind, port);
        others.count(hold.bits(), u32::saturating_sub);
        let listening = (hold.bits() | Hold::LISTENING).difference(Hold::CHOSEN);
        if others.listening > 0 && !others.admits(listening) {
            return Err(Error::AddressInUse);
        }
        self.replace(kind, port, hold, listening);
        Ok(())
    }

    /// Ends [`Self::listen`]; the port stays held.
    pub(crate) fn unlisten(&mut self, kind: SockKind, port: u16, hold: &mut PortHold) {
        let quiet = hold.bits().difference(Hold::LISTENING);
        self.replace(kind, port, hold, quiet);
    }

    /// One more holder of a listener's port, for an accepted connection: it has the listener's flags but does not listen.
    pub(crate) fn inherit(&mut self, kind: SockKind, port: u16, listener: PortHold) -> PortHold {
        self.take(kind, port, listener.bits().difference(Hold::LISTENING))
    }

    /// Gives back what `hold` says. Harmless if nothing is held.
    pub(crate) fn release(&mut self, kind: SockKind, port: u16, hold: PortHold) {
        if hold.is_held()
            && let Some(usage) = self.table(kind).get_mut(u32::from(port))
        {
            usage.count(hold.bits(), u32::saturating_sub);
        }
    }

    fn replace(&mut self, kind: SockKind, port: u16, hold: &mut PortHold, with: Hold) {
        self.release(kind, port, *hold);
        *hold = self.take(kind, port, with);
    }

    fn take(&mut self, kind: SockKind, port: u16, hold: Hold) -> PortHold {
        let hold = hold | Hold::HELD;
        if let Some(usage) = self.table(kind).get_mut(u32::from(port)) {
            usage.count(hold, u32::saturating_add);
        }
        PortHold::of(hold)
    }

    fn usage(&self, kind: SockKind, port: u16) -> PortUse {
        let table = match kind {
            SockKind::Stream => &self.tcp,
            SockKind::Datagram => &self.udp,
        };
        table.get(u32::from(port)).copied().unwrap_or_default()
    }

    const fn table(&mut self, kind: SockKind) -> &mut Array<PortUse> {
        match kind {
            SockKind::Stream => &mut self.tcp,
            SockKind::Datagram => &mut self.udp,
        }
    }
}

/// `net.ipv4.ip_local_port_range`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The range of `config`; a range that is upside down holds its first port only, port 0 is never in it.
    pub(crate) fn of(config: &Config) -> Self {
        let first = config.port_first.max(1);
        Self {
            first,
            last: config.port_last.max(first),
        }
    }

    fn random_start(self, rng: &mut Rng) -> u16 {
        let ports = u32::from(self.last - self.first) + 1;
        u16::try_from(rng.below(ports))
            .map_or(self.first, |offset| self.first.saturating_add(offset))
    }

    /// Every port once, from `start` upwards and round.
    fn from(self, start: u16) -> impl Iterator<Item = u16> {
        (start..=self.last).chain(self.first..start)
    }
}

const fn wanted(flags: SockFlags) -> Hold {
    let mut hold = Hold::HELD;
    if flags.contains(SockFlags::REUSE_ADDR) {
        hold = hold.union(Hold::REUSE_ADDR);
    }
    if flags.contains(SockFlags::REUSE_PORT) {
        hold = hold.union(Hold::REUSE_PORT);
    }
    hold
}

/// How many ports are tried for one without holders before one that can be shared will do: with thousands of
/// connections in TIME_WAIT there may be none.
const UNUSED_PROBES: usize = 128;
/// One entry per port number.
const PORTS: u32 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: SockKind = SockKind::Stream;
    const RANGE: PortRange = PortRange {
        first: 100,
        last: 103,
    };

    fn with_ports(test: impl FnOnce(&mut Ports, &mut Rng)) {
        let region = Region::on_heap(16 << 20);
        test(
            &mut Ports::open(&region).expect("room"),
            &mut Rng::new([3; 32]),
        );
    }

    #[test]
    fn a_bound_port_is_refused_unless_both_sides_allow_reuse() {
        with_ports(|ports, _| {
            let plain = ports.bind(TCP, 80, SockFlags::empty()).expect("free");
            assert_eq!(
                ports.bind(TCP, 80, SockFlags::REUSE_ADDR),
                Err(Error::AddressInUse)
            );
            assert!(
                ports
                    .bind(SockKind::Datagram, 80, SockFlags::empty())
                    .is_ok()
            );
            ports.release(TCP, 80, plain);
            assert!(ports.bind(TCP, 80, SockFlags::REUSE_ADDR).is_ok());
            assert!(ports.bind(TCP, 80, SockFlags::REUSE_ADDR).is_ok());
            assert_eq!(
                ports.bind(TCP, 80, SockFlags::empty()),
                Err(Error::AddressInUse)
            );
        });
    }

    #[test]
    fn only_one_listener_has_a_port_unless_all_share_it() {
        with_ports(|ports, _| {
            let mut first = ports.bind(TCP, 80, SockFlags::REUSE_ADDR).expect("free");
            let mut second = ports
                .bind(TCP, 80, SockFlags::REUSE_ADDR)
                .expect("nobody listens yet");
            ports.listen(TCP, 80, &mut first).expect("the first");
            assert_eq!(ports.listen(TCP, 80, &mut second), Err(Error::AddressInUse));
            assert_eq!(
                ports.bind(TCP, 80, SockFlags::REUSE_ADDR),
                Err(Error::AddressInUse)
            );
            ports.unlisten(TCP, 80, &mut first);
            ports
                .listen(TCP, 80, &mut second)
                .expect("nobody else listens");

            let mut shared = ports.bind(TCP, 81, SockFlags::REUSE_PORT).expect("free");
            ports.listen(TCP, 81, &mut shared).expect("the first");
            let mut other = ports.bind(TCP, 81, SockFlags::REUSE_PORT).expect("shared");
            ports.listen(TCP, 81, &mut other).expect("shared");
        });
    }

    #[test]
    fn a_listener_restarts_over_connections_it_accepted_with_reuse() {
        with_ports(|ports, _| {
            let mut listener = ports.bind(TCP, 80, SockFlags::REUSE_ADDR).expect("free");
            ports.listen(TCP, 80, &mut listener).expect("the first");
            let left_in_time_wait = ports.inherit(TCP, 80, listener);
            ports.release(TCP, 80, listener);
            assert_eq!(
                ports.bind(TCP, 80, SockFlags::empty()),
                Err(Error::AddressInUse)
            );
            let mut again = ports
                .bind(TCP, 80, SockFlags::REUSE_ADDR)
                .expect("reuse over TIME_WAIT");
            ports.listen(TCP, 80, &mut again).expect("nobody listens");
            ports.release(TCP, 80, left_in_time_wait);
        });
    }

    #[test]
    fn bind_to_port_zero_uses_up_the_range_and_then_fails() {
        with_ports(|ports, rng| {
            let mut chosen: std::vec::Vec<_> = (0..4)
                .map(|_| {
                    ports
                        .bind_any(TCP, SockFlags::empty(), RANGE, rng)
                        .expect("a port is left")
                        .0
                })
                .collect();
            chosen.sort_unstable();
            assert_eq!(chosen, [100, 101, 102, 103]);
            assert_eq!(
                ports.bind_any(TCP, SockFlags::empty(), RANGE, rng),
                Err(Error::AddressInUse)
            );
        });
    }

    #[test]
    fn connections_to_different_remotes_share_a_chosen_port() {
        with_ports(|ports, rng| {
            ports.bind(TCP, 101, SockFlags::empty()).expect("free");
            let only_101 = |port| port == 101;
            assert_eq!(
                ports.choose(SockFlags::empty(), RANGE, rng, only_101),
                Err(Error::AddressNotAvailable)
            );
            for _ in 0..2 {
                let (port, _) = ports
                    .choose(SockFlags::empty(), RANGE, rng, |port| port == 102)
                    .expect("shared");
                assert_eq!(port, 102);
            }
            assert_eq!(
                ports.bind(TCP, 102, SockFlags::empty()),
                Err(Error::AddressInUse)
            );
        });
    }
}
