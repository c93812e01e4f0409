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
        /// In IPv4.
        const V4 = 1 << 5;
        /// In IPv6.
        const V6 = 1 << 6;
    }
}

/// The address families in which an endpoint takes a port. IPv4's ports are not IPv6's, but `::` without `IPV6_V6ONLY`
/// takes both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Families {
    V4,
    V6,
    Both,
}

/// What an endpoint that wants a port says: its options, and in which families.
pub(crate) type Claim = (SockFlags, Families);

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

    /// The same as of a listener, or as of no listener.
    #[must_use]
    pub(crate) fn of_listener(self, is_listener: bool) -> Self {
        let mut hold = self.bits();
        hold.set(Hold::LISTENING, is_listener);
        if is_listener {
            hold.remove(Hold::CHOSEN);
        }
        if self.is_held() {
            Self::of(hold)
        } else {
            Self::NONE
        }
    }

    const fn bits(self) -> Hold {
        Hold::from_bits_truncate(self.0)
    }

    const fn of(bits: Hold) -> Self {
        Self(bits.bits())
    }
}

/// The holders of one port in one family, counted by what they allow.
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
    /// `inet_csk_bind_conflict`: may one more holder with `hold` bind here? All own addresses of a family count as one.
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

/// The port tables of both protocols, indexed by port and family: every question is one look, or two side by side.
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

    /// Nobody holds a port. Looks at all of them.
    #[cfg(fuzzing)]
    pub(crate) fn is_empty(&self) -> bool {
        let is_free = |table: &Array<PortUse>| {
            (0..table.len()).all(|place| table.get(place).is_none_or(|usage| usage.holders == 0))
        };
        is_free(&self.tcp) && is_free(&self.udp)
    }

    /// Forgets all holders.
    pub(crate) fn clear(&mut self) {
        self.tcp.clear();
        self.udp.clear();
    }

    /// Counts a holder that the table has forgotten.
    pub(crate) fn count_again(&mut self, kind: SockKind, port: u16, hold: PortHold) {
        if hold.is_held() {
            self.count(kind, port, hold.bits(), u32::saturating_add);
        }
    }

    /// Takes `port` for a `bind`. UDP has no listeners: there `SO_REUSEADDR` alone lets several sockets share a port.
    ///
    /// # Errors
    /// `AddressInUse` if another holder does not allow it.
    pub(crate) fn bind(
        &mut self,
        kind: SockKind,
        port: u16,
        claim: Claim,
    ) -> Result<PortHold, Error> {
        let hold = wanted(claim);
        if !self.all(kind, port, hold, |usage| usage.admits(hold)) {
            return Err(Error::AddressInUse);
        }
        Ok(self.take(kind, port, hold))
    }

    /// Chooses and takes a port for `bind` to port 0: a random one without holders, or else one that a `bind` with these flags
    /// could share.
    ///
    /// # Errors
    /// `AddressInUse` if the whole range is taken.
    pub(crate) fn bind_any(
        &mut self,
        kind: SockKind,
        claim: Claim,
        range: PortRange,
        rng: &mut Rng,
    ) -> Result<(u16, PortHold), Error> {
        let hold = wanted(claim);
        let order = range.shuffled(rng);
        let unused = order
            .clone()
            .take(UNUSED_PROBES)
            .find(|&port| self.all(kind, port, hold, |usage| usage.holders == 0));
        let port = unused
            .or_else(|| {
                order
                    .clone()
                    .find(|&port| self.all(kind, port, hold, |usage| usage.admits(hold)))
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
        claim: Claim,
        range: PortRange,
        rng: &mut Rng,
        is_free: impl Fn(u16) -> bool,
    ) -> Result<(u16, PortHold), Error> {
        let hold = wanted(claim) | Hold::CHOSEN;
        let port = range
            .shuffled(rng)
            .find(|&port| {
                self.all(SockKind::Stream, port, hold, |usage| usage.bound == 0) && is_free(port)
            })
            .ok_or(Error::AddressNotAvailable)?;
        Ok((port, self.take(SockKind::Stream, port, hold)))
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
        let held = hold.bits();
        let listening = (held | Hold::LISTENING).difference(Hold::CHOSEN);
        let may_listen = self.all(kind, port, held, |usage| {
            let mut others = *usage;
            others.count(held, u32::saturating_sub);
            others.listening == 0 || others.admits(listening)
        });
        if !may_listen {
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
        if hold.is_held() {
            self.count(kind, port, hold.bits(), u32::saturating_sub);
        }
    }

    fn replace(&mut self, kind: SockKind, port: u16, hold: &mut PortHold, with: Hold) {
        self.release(kind, port, *hold);
        *hold = self.take(kind, port, with);
    }

    fn take(&mut self, kind: SockKind, port: u16, hold: Hold) -> PortHold {
        let hold = hold | Hold::HELD;
        self.count(kind, port, hold, u32::saturating_add);
        PortHold::of(hold)
    }

    fn count(&mut self, kind: SockKind, port: u16, hold: Hold, change: fn(u32, u32) -> u32) {
        for place in places(port, hold) {
            if let Some(usage) = self.table(kind).get_mut(place) {
                usage.count(hold, change);
            }
        }
    }

    /// Whether a port passes `test` in every family of `hold`.
    fn all(&self, kind: SockKind, port: u16, hold: Hold, test: impl Fn(&PortUse) -> bool) -> bool {
        let table = match kind {
            SockKind::Stream => &self.tcp,
            SockKind::Datagram => &self.udp,
        };
        places(port, hold).all(|place| table.get(place).is_some_and(&test))
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

    /// Every port once, from a random one on in random steps that have no divisor in common with their number. Random as
    /// RFC 6056's algorithms 1 and 2, since by the order of Linux's algorithm 4 servers could recognise clients
    /// (CVE-2022-32296). In steps, since ports beside taken ones are taken no more often then, which keeps the search
    /// short: about n/(n-k) looks when k of n are taken.
    fn shuffled(self, rng: &mut Rng) -> impl Iterator<Item = u16> + Clone + use<> {
        let Self { first, last } = self;
        let ports = u32::from(last - first) + 1;
        let start = rng.below(ports);
        let step = loop {
            let step = 1 + rng.below(ports);
            if gcd(step, ports) == 1 {
                break step;
            }
        };
        (0..ports).map(move |n| {
            // Below 2^16 + 2^32: it does not overflow.
            let offset = (u64::from(start) + u64::from(n) * u64::from(step)) % u64::from(ports);
            u16::try_from(offset).map_or(first, |offset| first.saturating_add(offset))
        })
    }
}

/// Greatest common divisor.
const fn gcd(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

const fn wanted((flags, families): Claim) -> Hold {
    let mut hold = Hold::HELD.union(match families {
        Families::V4 => Hold::V4,
        Families::V6 => Hold::V6,
        Families::Both => Hold::V4.union(Hold::V6),
    });
    if flags.contains(SockFlags::REUSE_ADDR) {
        hold = hold.union(Hold::REUSE_ADDR);
    }
    if flags.contains(SockFlags::REUSE_PORT) {
        hold = hold.union(Hold::REUSE_PORT);
    }
    hold
}

/// Where the families of `hold` have their entries for a port.
fn places(port: u16, hold: Hold) -> impl Iterator<Item = u32> {
    [Hold::V4, Hold::V6]
        .into_iter()
        .zip(u32::from(port) * 2..)
        .filter(move |(family, _)| hold.contains(*family))
        .map(|(_, place)| place)
}

/// How many ports are tried for one without holders before one that can be shared will do: with thousands of
/// connections in TIME_WAIT there may be none.
const UNUSED_PROBES: usize = 128;
/// One entry per port number and family.
const PORTS: u32 = 2 * 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: SockKind = SockKind::Stream;
    const PLAIN: Claim = (SockFlags::empty(), Families::V4);
    const REUSE_ADDR: Claim = (SockFlags::REUSE_ADDR, Families::V4);
    const REUSE_PORT: Claim = (SockFlags::REUSE_PORT, Families::V4);
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
            let plain = ports.bind(TCP, 80, PLAIN).expect("free");
            assert_eq!(ports.bind(TCP, 80, REUSE_ADDR), Err(Error::AddressInUse));
            assert!(ports.bind(SockKind::Datagram, 80, PLAIN).is_ok());
            ports.release(TCP, 80, plain);
            assert!(ports.bind(TCP, 80, REUSE_ADDR).is_ok());
            assert!(ports.bind(TCP, 80, REUSE_ADDR).is_ok());
            assert_eq!(ports.bind(TCP, 80, PLAIN), Err(Error::AddressInUse));
        });
    }

    #[test]
    fn only_one_listener_has_a_port_unless_all_share_it() {
        with_ports(|ports, _| {
            let mut first = ports.bind(TCP, 80, REUSE_ADDR).expect("free");
            let mut second = ports.bind(TCP, 80, REUSE_ADDR).expect("nobody listens yet");
            ports.listen(TCP, 80, &mut first).expect("the first");
            assert_eq!(ports.listen(TCP, 80, &mut second), Err(Error::AddressInUse));
            assert_eq!(ports.bind(TCP, 80, REUSE_ADDR), Err(Error::AddressInUse));
            ports.unlisten(TCP, 80, &mut first);
            ports
                .listen(TCP, 80, &mut second)
                .expect("nobody else listens");

            let mut shared = ports.bind(TCP, 81, REUSE_PORT).expect("free");
            ports.listen(TCP, 81, &mut shared).expect("the first");
            let mut other = ports.bind(TCP, 81, REUSE_PORT).expect("shared");
            ports.listen(TCP, 81, &mut other).expect("shared");
        });
    }

    #[test]
    fn a_listener_restarts_over_connections_it_accepted_with_reuse() {
        with_ports(|ports, _| {
            let mut listener = ports.bind(TCP, 80, REUSE_ADDR).expect("free");
            ports.listen(TCP, 80, &mut listener).expect("the first");
            let left_in_time_wait = ports.inherit(TCP, 80, listener);
            ports.release(TCP, 80, listener);
            assert_eq!(ports.bind(TCP, 80, PLAIN), Err(Error::AddressInUse));
            let mut again = ports
                .bind(TCP, 80, REUSE_ADDR)
                .expect("reuse over TIME_WAIT");
            ports.listen(TCP, 80, &mut again).expect("nobody listens");
            ports.release(TCP, 80, left_in_time_wait);
        });
    }

    #[test]
    fn the_families_have_their_own_ports_and_the_wildcard_takes_both() {
        with_ports(|ports, rng| {
            let claim = |families| (SockFlags::empty(), families);
            let mut v4 = ports.bind(TCP, 80, PLAIN).expect("free");
            let mut v6 = ports
                .bind(TCP, 80, claim(Families::V6))
                .expect("another family");
            ports.listen(TCP, 80, &mut v4).expect("the only one");
            ports.listen(TCP, 80, &mut v6).expect("another family");
            for families in [Families::V4, Families::V6, Families::Both] {
                assert_eq!(
                    ports.bind(TCP, 80, claim(families)),
                    Err(Error::AddressInUse)
                );
            }
            ports.release(TCP, 80, v4);
            assert!(ports.bind(TCP, 80, claim(Families::Both)).is_err());
            ports.release(TCP, 80, v6);
            let both = ports
                .bind(TCP, 80, claim(Families::Both))
                .expect("free again");
            assert_eq!(ports.bind(TCP, 80, PLAIN), Err(Error::AddressInUse));
            ports.release(TCP, 80, both);
            assert!(ports.bind(TCP, 80, PLAIN).is_ok());

            let only_80 = PortRange {
                first: 80,
                last: 80,
            };
            let chosen = ports.choose(claim(Families::V6), only_80, rng, |_| true);
            assert_eq!(
                chosen.map(|(port, _)| port),
                Ok(80),
                "IPv4's holder is not in the way"
            );
        });
    }

    #[test]
    fn bind_to_port_zero_uses_up_the_range_and_then_fails() {
        with_ports(|ports, rng| {
            let mut chosen: std::vec::Vec<_> = (0..4)
                .map(|_| {
                    ports
                        .bind_any(TCP, PLAIN, RANGE, rng)
                        .expect("a port is left")
                        .0
                })
                .collect();
            chosen.sort_unstable();
            assert_eq!(chosen, [100, 101, 102, 103]);
            assert_eq!(
                ports.bind_any(TCP, PLAIN, RANGE, rng),
                Err(Error::AddressInUse)
            );
        });
    }

    #[test]
    fn every_port_of_a_range_is_tried_once_in_an_order_that_changes() {
        let mut rng = Rng::new([5; 32]);
        for (first, last) in [(100, 103), (32_768, 60_999), (1, u16::MAX), (7, 7)] {
            let range = PortRange { first, last };
            let order: std::vec::Vec<u16> = range.shuffled(&mut rng).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(first..=last));
            if last - first > 100 {
                let next: std::vec::Vec<u16> = range.shuffled(&mut rng).take(3).collect();
                assert_ne!(order[..3], next, "neither start nor step is the same");
            }
        }
    }

    #[test]
    fn ports_for_connect_are_spread_over_the_range_and_do_not_follow_each_other() {
        with_ports(|ports, rng| {
            let range = PortRange {
                first: 32_768,
                last: 60_999,
            };
            let mut chosen = std::vec::Vec::new();
            for _ in 0..1000 {
                let port = ports.choose(PLAIN, range, rng, |port| !chosen.contains(&port));
                chosen.push(port.expect("a port is left").0);
            }
            let near = |pair: &[u16]| pair[0].abs_diff(pair[1]) <= 8;
            assert!(chosen.windows(2).filter(|pair| near(pair)).count() < 10);
            for part in (32_768..60_999).step_by(2824) {
                let inside = part..part + 2824;
                let count = chosen
                    .iter()
                    .filter(|&&port| inside.contains(&port))
                    .count();
                assert!((50..150).contains(&count), "{count} of 1000 in a tenth");
            }
        });
    }

    #[test]
    fn the_last_free_ports_of_a_range_are_found_soon() {
        with_ports(|ports, rng| {
            let range = PortRange {
                first: 32_768,
                last: 60_999,
            };
            let looks = core::cell::Cell::new(0u32);
            let mut taken = std::vec![false; 65_536];
            for _ in 0..28_000 {
                let is_free = |port: u16| {
                    looks.set(looks.get() + 1);
                    !taken[usize::from(port)]
                };
                let (port, _) = ports
                    .choose(PLAIN, range, rng, is_free)
                    .expect("a port is left");
                taken[usize::from(port)] = true;
            }
            // n * ln(n / (n - k)): 134,000 for 28,000 of 28,232.
            assert!(looks.get() < 160_000, "{} looks", looks.get());
        });
    }

    #[test]
    fn connections_to_different_remotes_share_a_chosen_port() {
        with_ports(|ports, rng| {
            ports.bind(TCP, 101, PLAIN).expect("free");
            let only_101 = |port| port == 101;
            assert_eq!(
                ports.choose(PLAIN, RANGE, rng, only_101),
                Err(Error::AddressNotAvailable)
            );
            for _ in 0..2 {
                let (port, _) = ports
                    .choose(PLAIN, RANGE, rng, |port| port == 102)
                    .expect("shared");
                assert_eq!(port, 102);
            }
            assert_eq!(ports.bind(TCP, 102, PLAIN), Err(Error::AddressInUse));
        });
    }
}
