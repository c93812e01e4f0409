//! Where a packet goes first: one own address with its prefix, and a gateway.

use crate::addr::Addr;
use crate::config::Config;
use crate::wire::ethernet;

/// The first hop to some address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// A neighbour, whose Ethernet address ARP finds.
    Neighbour([u8; 4]),
    /// Every station, or a group of them.
    Group([u8; 6]),
}

/// The first hop to `dst`. `None`: no route.
pub(crate) fn first_hop(config: &Config, dst: [u8; 4]) -> Option<Hop> {
    let own = config.addr.as_v4()?;
    if is_broadcast(config, dst) {
        return Some(Hop::Group(ethernet::BROADCAST));
    }
    if Addr::v4(dst).is_multicast() {
        return Some(Hop::Group(ethernet::multicast_v4(dst)));
    }
    if dst == own || dst == [0; 4] || Addr::v4(dst).is_loopback() {
        return None;
    }
    let mask = mask(config.prefix_len);
    if u32::from_be_bytes(dst) & mask == u32::from_be_bytes(own) & mask {
        return Some(Hop::Neighbour(dst));
    }
    config
        .gateway
        .as_v4()
        .filter(|gateway| *gateway != [0; 4])
        .map(Hop::Neighbour)
}

/// Whether there is a route to `dst`; an address that is not IPv4 has none.
pub(crate) fn is_reachable(config: &Config, dst: Addr) -> bool {
    dst.as_v4().and_then(|dst| first_hop(config, dst)).is_some()
}

/// The limited broadcast address or that of the own prefix (RFC 1122 section 3.2.1.3).
pub(crate) fn is_broadcast(config: &Config, addr: [u8; 4]) -> bool {
    let Some(own) = config.addr.as_v4() else {
        return false;
    };
    let host = !mask(config.prefix_len);
    let directed = u32::from_be_bytes(own) | host;
    // A prefix of 31 or 32 bits has no broadcast address (RFC 3021).
    addr == [255; 4] || (host > 1 && u32::from_be_bytes(addr) == directed)
}

/// Whether a packet to `addr` is for this stack. Groups are not joined.
pub(crate) fn is_own(config: &Config, addr: [u8; 4]) -> bool {
    config.addr.as_v4() == Some(addr) || is_broadcast(config, addr)
}

fn mask(prefix_len: u8) -> u32 {
    u32::MAX
        .checked_shl(32u32.saturating_sub(u32::from(prefix_len)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            addr: Addr::v4([10, 0, 0, 2]),
            prefix_len: 24,
            gateway: Addr::v4([10, 0, 0, 1]),
            ..Config::default()
        }
    }

    #[test]
    fn neighbours_are_reached_directly_and_others_through_the_gateway() {
        let config = config();
        assert_eq!(
            first_hop(&config, [10, 0, 0, 9]),
            Some(Hop::Neighbour([10, 0, 0, 9]))
        );
        assert_eq!(
            first_hop(&config, [192, 0, 2, 1]),
            Some(Hop::Neighbour([10, 0, 0, 1]))
        );
        let isolated = Config {
            gateway: Addr::UNSPECIFIED,
            ..config
        };
        assert_eq!(first_hop(&isolated, [192, 0, 2, 1]), None);
    }

    #[test]
    fn the_own_and_the_loopback_addresses_have_no_route() {
        assert_eq!(first_hop(&config(), [10, 0, 0, 2]), None);
        assert_eq!(first_hop(&config(), [127, 0, 0, 1]), None);
        assert!(!is_reachable(&config(), Addr::UNSPECIFIED));
    }

    #[test]
    fn broadcasts_are_for_everybody_and_go_to_every_station() {
        let config = config();
        assert!(
            is_own(&config, [10, 0, 0, 255])
                && is_own(&config, [255; 4])
                && is_own(&config, [10, 0, 0, 2])
        );
        assert!(!is_own(&config, [10, 0, 0, 3]) && !is_own(&config, [10, 0, 1, 255]));
        assert_eq!(
            first_hop(&config, [10, 0, 0, 255]),
            Some(Hop::Group([0xff; 6]))
        );
        let pair = Config {
            prefix_len: 31,
            ..config
        };
        assert_eq!(
            first_hop(&pair, [10, 0, 0, 3]),
            Some(Hop::Neighbour([10, 0, 0, 3]))
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
