//! Where a packet goes first, and from which address: one own address with its prefix and a gateway for each family.

use crate::addr::Addr;
use crate::config::Config;
use crate::error::Error;
use crate::wire::ethernet;

/// The first hop to some address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// A neighbour, whose Ethernet address ARP or neighbour discovery finds.
    Neighbour(Addr),
    /// Every station, or a group of them.
    Group([u8; 6]),
    /// None: the address is an own one (Linux: `RTN_LOCAL`).
    Local,
}

/// The first hop to `dst`. `None`: no route.
pub(crate) fn first_hop(config: &Config, dst: Addr) -> Option<Hop> {
    if config.is_own(dst) {
        return Some(Hop::Local);
    }
    match dst.as_v4() {
        Some(v4) => first_hop_v4(config, v4),
        None if config.has_v6() => first_hop_v6(config, dst),
        None => None,
    }
}

/// Whether there is a route to `dst`.
pub(crate) fn is_reachable(config: &Config, dst: Addr) -> bool {
    first_hop(config, dst).is_some()
}

/// The own address for packets to `dst`: `bound` if it is one of ours, of the right family, or else the one that goes with
/// `dst`.
///
/// # Errors
/// `NetworkUnreachable`: there is none. `InvalidArgument`: from a loopback address nothing leaves the host (RFC 1122
/// section 3.2.1.3).
pub(crate) fn source(config: &Config, bound: Addr, dst: Addr) -> Result<Addr, Error> {
    let own = own_address(config, bound, dst).ok_or(Error::NetworkUnreachable)?;
    if own.is_loopback() && !config.is_own(dst) {
        return Err(Error::InvalidArgument);
    }
    Ok(own)
}

/// Whom packets to `dst` are for. The unspecified address means this host: the address that the socket is bound to, or
/// else the loopback's.
pub(crate) fn destination(config: &Config, bound: Addr, dst: Addr) -> Addr {
    if !dst.is_unspecified() {
        return dst;
    }
    let is_bound_to_v4 = bound.is_v4() && !bound.is_unspecified();
    if dst.is_v4() && is_bound_to_v4 {
        bound
    } else if !config.has_loopback() {
        dst
    } else if dst.is_v4() || is_bound_to_v4 {
        Addr::V4_LOOPBACK
    } else {
        Addr::V6_LOOPBACK
    }
}

/// RFC 6724 rule 2: a link-local address goes only with what is link-local.
fn own_address(config: &Config, bound: Addr, dst: Addr) -> Option<Addr> {
    if config.is_own(bound) {
        return (bound.is_v4() == dst.is_v4()).then_some(bound);
    }
    if config.has_loopback() && dst.is_loopback() {
        let own = if dst.is_v4() {
            Addr::V4_LOOPBACK
        } else {
            Addr::V6_LOOPBACK
        };
        return Some(own);
    }
    if dst.is_v4() {
        return config.has_v4().then_some(config.addr);
    }
    if dst.is_v6_link_local() || dst.is_multicast() {
        return config.link_local();
    }
    config.has_v6().then_some(config.addr6)
}

/// The limited broadcast address, that of the own prefix (RFC 1122 section 3.2.1.3), or a multicast group.
pub(crate) fn is_group(config: &Config, addr: Addr) -> bool {
    addr.is_multicast() || addr.as_v4().is_some_and(|v4| is_broadcast(config, v4))
}

/// The limited broadcast address or that of the own prefix.
pub(crate) fn is_broadcast(config: &Config, addr: [u8; 4]) -> bool {
    let Some(own) = config.addr.as_v4() else {
        return false;
    };
    let host = !mask(config.prefix_len);
    let directed = u32::from_be_bytes(own) | host;
    // A prefix of 31 or 32 bits has no broadcast address (RFC 3021).
    addr == [255; 4] || (host > 1 && u32::from_be_bytes(addr) == directed)
}

/// Whether a packet to `addr` is for this stack. IPv4 groups are not joined; of IPv6's every node has some (RFC 4291
/// section 2.8).
pub(crate) fn is_for_us(config: &Config, addr: Addr) -> bool {
    match addr.as_v4() {
        Some(v4) => config.is_own(addr) || is_broadcast(config, v4),
        None => config.is_own(addr) || is_joined(config, addr),
    }
}

fn is_joined(config: &Config, group: Addr) -> bool {
    config.link_local().is_some_and(|link_local| {
        [
            Addr::V6_ALL_NODES,
            config.addr6.solicited_node(),
            link_local.solicited_node(),
        ]
        .contains(&group)
    })
}

fn first_hop_v4(config: &Config, dst: [u8; 4]) -> Option<Hop> {
    if !config.has_v4() {
        return None;
    }
    if is_broadcast(config, dst) {
        return Some(Hop::Group(ethernet::BROADCAST));
    }
    let addr = Addr::v4(dst);
    if addr.is_multicast() {
        return Some(Hop::Group(ethernet::multicast_v4(dst)));
    }
    if dst == [0; 4] || addr.is_loopback() {
        return None;
    }
    if config.is_on_link(addr) {
        return Some(Hop::Neighbour(addr));
    }
    Some(config.gateway)
        .filter(|gateway| gateway.is_v4() && !gateway.is_unspecified())
        .map(Hop::Neighbour)
}

fn first_hop_v6(config: &Config, dst: Addr) -> Option<Hop> {
    if dst.is_multicast() {
        return Some(Hop::Group(ethernet::multicast_v6(dst.octets())));
    }
    if dst.is_unspecified() || dst.is_loopback() {
        return None;
    }
    if config.is_on_link(dst) {
        return Some(Hop::Neighbour(dst));
    }
    Some(config.gateway6)
        .filter(|gateway| !gateway.is_unspecified())
        .map(Hop::Neighbour)
}

fn mask(prefix_len: u8) -> u32 {
    u32::MAX
        .checked_shl(32u32.saturating_sub(u32::from(prefix_len)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: [u8; 4] = [10, 0, 0, 9];
    const GATEWAY: Addr = Addr::v4([10, 0, 0, 1]);

    fn v4(d: u8) -> Addr {
        Addr::v4([10, 0, 0, d])
    }

    /// `fd00::<network>:0:0:<host>`
    fn v6(network: u8, host: u8) -> Addr {
        Addr::v6([0xfd, 0, 0, 0, 0, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, host])
    }

    fn config() -> Config {
        Config {
            addr: v4(2),
            prefix_len: 24,
            gateway: GATEWAY,
            addr6: v6(0, 2),
            prefix_len6: 64,
            gateway6: v6(0, 1),
            mac: [2, 0, 0, 0, 0, 2],
            ..Config::default()
        }
    }

    #[test]
    fn neighbours_are_reached_directly_and_others_through_the_gateway() {
        let config = config();
        let far = Addr::v4([192, 0, 2, 1]);
        for (dst, hop) in [
            (Addr::v4(PEER), Addr::v4(PEER)),
            (far, GATEWAY),
            (v6(0, 9), v6(0, 9)),
            (v6(1, 9), v6(0, 1)),
            (Addr::v6_link_local([2; 6]), Addr::v6_link_local([2; 6])),
        ] {
            assert_eq!(first_hop(&config, dst), Some(Hop::Neighbour(hop)), "{dst}");
        }
        let isolated = Config {
            gateway: Addr::UNSPECIFIED,
            gateway6: Addr::UNSPECIFIED,
            ..config
        };
        assert_eq!(first_hop(&isolated, far), None);
        assert_eq!(first_hop(&isolated, v6(1, 9)), None);
    }

    #[test]
    fn the_own_addresses_are_local() {
        let link_local = config().link_local().expect("it speaks IPv6");
        for dst in [v4(2), v6(0, 2), link_local] {
            assert_eq!(first_hop(&config(), dst), Some(Hop::Local), "{dst}");
            let src = source(&config(), Addr::UNSPECIFIED, dst);
            assert_eq!(
                src,
                Ok(dst),
                "a program talks to itself from the same address"
            );
        }
    }

    #[test]
    fn the_loopback_addresses_have_no_route() {
        let loopback6 = Addr::from(core::net::IpAddr::from(core::net::Ipv6Addr::LOCALHOST));
        for dst in [
            Addr::v4([127, 0, 0, 1]),
            Addr::V4_UNSPECIFIED,
            Addr::UNSPECIFIED,
            loopback6,
        ] {
            assert!(!is_reachable(&config(), dst), "{dst}");
        }
    }

    #[test]
    fn with_nstk_loopback_they_are_own_addresses_whatever_families_the_stack_has() {
        let loopback = |d| Addr::v4([127, 0, 0, d]);
        let v6_loopback = Addr::V6_LOOPBACK;
        for (addr, addr6) in [
            (v4(2), v6(0, 2)),
            (v4(2), Addr::UNSPECIFIED),
            (Addr::UNSPECIFIED, v6(0, 2)),
        ] {
            let config = Config {
                addr,
                addr6,
                loopback: 1,
                ..config()
            };
            for (bound, dst, src) in [
                (Addr::UNSPECIFIED, loopback(1), Ok(loopback(1))),
                (Addr::V4_UNSPECIFIED, loopback(9), Ok(loopback(1))),
                (loopback(2), loopback(1), Ok(loopback(2))),
                (Addr::UNSPECIFIED, v6_loopback, Ok(v6_loopback)),
                (loopback(1), v4(9), Err(Error::InvalidArgument)),
                (v6_loopback, v6(0, 9), Err(Error::InvalidArgument)),
                (v6_loopback, loopback(1), Err(Error::NetworkUnreachable)),
            ] {
                assert_eq!(source(&config, bound, dst), src, "{bound} to {dst}");
                let is_local = dst.is_loopback();
                assert_eq!(first_hop(&config, dst) == Some(Hop::Local), is_local);
            }
        }
        let config = Config {
            loopback: 1,
            ..config()
        };
        for (bound, dst) in [
            (v4(2), loopback(1)),
            (loopback(1), v4(2)),
            (v6(0, 2), v6_loopback),
        ] {
            assert_eq!(source(&config, bound, dst), Ok(bound));
        }
    }

    #[test]
    fn the_unspecified_address_means_this_host() {
        let without = config();
        let with = Config {
            loopback: 1,
            ..without
        };
        for (bound, dst, here) in [
            (Addr::UNSPECIFIED, Addr::V4_UNSPECIFIED, Addr::V4_LOOPBACK),
            (Addr::V4_UNSPECIFIED, Addr::UNSPECIFIED, Addr::V6_LOOPBACK),
            (v6(0, 2), Addr::UNSPECIFIED, Addr::V6_LOOPBACK),
            (v4(2), Addr::UNSPECIFIED, Addr::V4_LOOPBACK),
        ] {
            assert_eq!(destination(&with, bound, dst), here, "{bound}");
            assert_eq!(destination(&without, bound, dst), dst, "{bound}");
        }
        for config in [with, without] {
            assert_eq!(destination(&config, v4(2), Addr::V4_UNSPECIFIED), v4(2));
            assert_eq!(destination(&config, v4(2), v4(9)), v4(9));
        }
    }

    #[test]
    fn a_family_without_an_address_reaches_nothing() {
        let only_v4 = Config {
            addr6: Addr::UNSPECIFIED,
            ..config()
        };
        let only_v6 = Config {
            addr: Addr::UNSPECIFIED,
            ..config()
        };
        for (config, is_v4) in [(only_v4, true), (only_v6, false)] {
            assert_eq!(is_reachable(&config, v4(9)), is_v4);
            assert_eq!(is_reachable(&config, v6(0, 9)), !is_v4);
            assert_eq!(is_for_us(&config, v4(2)), is_v4);
            assert_eq!(is_for_us(&config, v6(0, 2)), !is_v4);
            assert_eq!(is_for_us(&config, Addr::V6_ALL_NODES), !is_v4);
            assert_eq!(source(&config, Addr::UNSPECIFIED, v4(9)).is_ok(), is_v4);
            assert_eq!(source(&config, Addr::UNSPECIFIED, v6(0, 9)).is_ok(), !is_v4);
        }
    }

    #[test]
    fn the_source_goes_with_the_destination_unless_an_address_was_bound() {
        let config = config();
        let link_local = config.link_local().expect("it speaks IPv6");
        let neighbour = Addr::v6_link_local([2; 6]);
        for (bound, dst, src) in [
            (Addr::UNSPECIFIED, v4(9), Some(v4(2))),
            (v4(255), v4(9), Some(v4(2))),
            (Addr::UNSPECIFIED, v6(1, 9), Some(v6(0, 2))),
            (Addr::UNSPECIFIED, neighbour, Some(link_local)),
            (Addr::UNSPECIFIED, Addr::V6_ALL_NODES, Some(link_local)),
            (v6(0, 2), neighbour, Some(v6(0, 2))),
            (link_local, v6(0, 9), Some(link_local)),
            (v4(2), v6(0, 9), None),
            (v6(0, 2), v4(9), None),
        ] {
            let src = src.ok_or(Error::NetworkUnreachable);
            assert_eq!(source(&config, bound, dst), src, "{bound} to {dst}");
        }
    }

    #[test]
    fn broadcasts_are_for_everybody_and_go_to_every_station() {
        let config = config();
        assert!(
            is_for_us(&config, v4(255))
                && is_for_us(&config, Addr::V4_BROADCAST)
                && is_for_us(&config, v4(2))
        );
        assert!(!is_for_us(&config, v4(3)) && !is_for_us(&config, Addr::v4([10, 0, 1, 255])));
        assert_eq!(first_hop(&config, v4(255)), Some(Hop::Group([0xff; 6])));
        let pair = Config {
            prefix_len: 31,
            ..config
        };
        assert_eq!(first_hop(&pair, v4(3)), Some(Hop::Neighbour(v4(3))));
    }

    #[test]
    fn the_groups_of_every_ipv6_node_are_joined_and_no_others() {
        let config = config();
        let link_local = config.link_local().expect("it speaks IPv6");
        for group in [
            Addr::V6_ALL_NODES,
            v6(0, 2).solicited_node(),
            link_local.solicited_node(),
        ] {
            assert!(is_for_us(&config, group), "{group}");
        }
        assert!(!is_for_us(&config, v6(0, 3).solicited_node()));
        assert_eq!(
            first_hop(&config, Addr::V6_ALL_NODES),
            Some(Hop::Group([0x33, 0x33, 0, 0, 0, 1]))
        );
    }

    #[test]
    fn prefixes_of_any_length_are_masks() {
        assert_eq!(
            [mask(0), mask(1), mask(24), mask(32), mask(200)],
            [0, 1 << 31, 0xffff_ff00, u32::MAX, u32::MAX]
        );
    }
}
