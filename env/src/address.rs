//! The stack's place in its networks: NSTK_ADDR, NSTK_GATEWAY, NSTK_MAC.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use stack::{Addr, Config, V6_MTU_MIN};

use crate::problem::Problem;
use crate::text::bare;

/// The stack's addresses: an IPv4 one, an IPv6 one, or one of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    v4: Option<Network>,
    v6: Option<Network>,
}

impl Addresses {
    /// Reads `10.0.0.2/24`, `fd00::2/64` or both with a comma between, in any order.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let mut all = Self::default();
        for part in text.split(',') {
            let network = Network::parse(bare(part))?;
            let place = all.place(network.addr);
            if place.is_some() {
                return Err(Problem::AddressTwice);
            }
            *place = Some(network);
        }
        Ok(all)
    }

    /// The defaults of a stack with these addresses; `mac`: its Ethernet address, if it was given.
    pub(crate) fn config(&self, mac: Option<[u8; 6]>) -> Config {
        let mut config = Config::default();
        if let Some(Network { addr, prefix_len }) = self.v4 {
            (config.addr, config.prefix_len) = (addr.into(), prefix_len);
        }
        if let Some(Network { addr, prefix_len }) = self.v6 {
            (config.addr6, config.prefix_len6) = (addr.into(), prefix_len);
        }
        config.mac = mac.unwrap_or_else(|| self.derived_mac());
        config
    }

    /// Reads the address of a router that the other hosts of a network can reach, or one for each family.
    pub(crate) fn gateways(mut self, text: &str) -> Result<Gateways, Problem> {
        let mut gateways = Gateways::default();
        for part in text.split(',') {
            let gateway: IpAddr = bare(part).parse().map_err(|_| Problem::GatewayForm)?;
            let network = (*self.place(gateway)).ok_or(Problem::GatewayUnreachable)?;
            if !network.has_router(gateway) {
                return Err(Problem::GatewayUnreachable);
            }
            let place = match gateway {
                IpAddr::V4(_) => &mut gateways.v4,
                IpAddr::V6(_) => &mut gateways.v6,
            };
            if !place.is_unspecified() {
                return Err(Problem::AddressTwice);
            }
            *place = gateway.into();
        }
        Ok(gateways)
    }

    /// Whether links of this MTU carry what the addresses are for.
    pub(crate) fn check_mtu(&self, mtu: u16) -> Result<u16, Problem> {
        if self.v6.is_some() && mtu < V6_MTU_MIN {
            Err(Problem::MtuForIpv6)
        } else {
            Ok(mtu)
        }
    }

    /// A locally administered address that goes with the IP address, so that neighbours need not
    /// learn a new one after a restart: `02:4e` and the IPv4 address, or the end of the IPv6 one.
    fn derived_mac(&self) -> [u8; 6] {
        let [a, b, c, d] = match self.v4.or(self.v6).map(|network| network.addr) {
            Some(IpAddr::V4(v4)) => v4.octets(),
            Some(IpAddr::V6(v6)) => {
                let [.., a, b, c, d] = v6.octets();
                [a, b, c, d]
            }
            None => [0; 4],
        };
        [0x02, 0x4e, a, b, c, d]
    }

    fn place(&mut self, family: IpAddr) -> &mut Option<Network> {
        match family {
            IpAddr::V4(_) => &mut self.v4,
            IpAddr::V6(_) => &mut self.v6,
        }
    }
}

/// A router for each family; unspecified: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gateways {
    pub(crate) v4: Addr,
    pub(crate) v6: Addr,
}

/// An address and the length of its network's prefix: 1 to 32 bits, or 1 to 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    addr: IpAddr,
    prefix_len: u8,
}

impl Network {
    /// Reads `10.0.0.2/24` or `fd00::2/64`; the address must be one that a host can have.
    fn parse(text: &str) -> Result<Self, Problem> {
        let (addr, prefix) = text.split_once('/').unwrap_or((text, ""));
        let addr: IpAddr = addr.parse().map_err(|_| Problem::AddressForm)?;
        if !prefix.bytes().all(|b| b.is_ascii_digit()) || prefix.is_empty() {
            return Err(Problem::AddressForm);
        }
        let longest = if addr.is_ipv4() { 32 } else { 128 };
        let prefix_len: u8 = prefix.parse().map_err(|_| Problem::Prefix)?;
        if !(1..=longest).contains(&prefix_len) {
            return Err(Problem::Prefix);
        }
        let network = Self { addr, prefix_len };
        if network.has_host(addr) {
            Ok(network)
        } else {
            Err(Problem::NotAHost)
        }
    }

    /// Whether a host of this network can have the address.
    fn has_host(&self, addr: IpAddr) -> bool {
        match (self.addr, addr) {
            (IpAddr::V4(own), IpAddr::V4(other)) => self.has_host_v4(own, other),
            (IpAddr::V6(own), IpAddr::V6(other)) => self.has_host_v6(own, other),
            _ => false,
        }
    }

    fn has_host_v4(&self, own: Ipv4Addr, other: Ipv4Addr) -> bool {
        let host_bits = u32::MAX.checked_shr(self.prefix_len.into()).unwrap_or(0);
        let first = other.octets()[0];
        let (own, bits) = (own.to_bits(), other.to_bits());
        let inside = (own ^ bits) & !host_bits == 0;
        // RFC 3021: with 31 bits and more, no address is set aside for the network and broadcasts.
        let set_aside =
            self.prefix_len < 31 && (bits & host_bits == 0 || bits & host_bits == host_bits);
        // RFC 1122 section 3.2.1.3: 0/8 is "this network", 240/4 is reserved.
        let of_no_host = first == 0 || other.is_loopback() || other.is_multicast() || first >= 240;
        inside && !set_aside && !of_no_host
    }

    fn has_host_v6(&self, own: Ipv6Addr, other: Ipv6Addr) -> bool {
        let host_bits = u128::MAX.checked_shr(self.prefix_len.into()).unwrap_or(0);
        let (own, bits) = (own.to_bits(), other.to_bits());
        let inside = (own ^ bits) & !host_bits == 0;
        // RFC 4291 section 2.6.1: the network's own address is its routers'; RFC 6164: not with 127 bits and more.
        let set_aside = self.prefix_len < 127 && bits & host_bits == 0;
        // The link-local address is not chosen.
        let of_no_host = other.is_unspecified()
            || other.is_loopback()
            || other.is_multicast()
            || other.is_unicast_link_local()
            || other.to_ipv4_mapped().is_some();
        inside && !set_aside && !of_no_host
    }

    /// Whether a router of this network can have the address. IPv6's may be link-local.
    fn has_router(&self, addr: IpAddr) -> bool {
        let is_link_local =
            matches!(addr, IpAddr::V6(v6) if self.addr.is_ipv6() && v6.is_unicast_link_local());
        addr != self.addr && (is_link_local || self.has_host(addr))
    }
}

/// Reads `02:00:00:00:00:01`, the address of a single host.
pub(crate) fn parse_mac(text: &str) -> Result<[u8; 6], Problem> {
    let mut mac = [0; 6];
    let mut pairs = text.split([':', '-']);
    for byte in &mut mac {
        let pair = pairs
            .next()
            .filter(|pair| pair.len() == 2)
            .ok_or(Problem::MacForm)?;
        if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Problem::MacForm);
        }
        *byte = u8::from_str_radix(pair, 16).map_err(|_| Problem::MacForm)?;
    }
    if pairs.next().is_some() {
        return Err(Problem::MacForm);
    }
    // IEEE 802: the lowest bit of the first byte marks a group.
    if mac[0] & 1 == 1 || mac == [0; 6] {
        Err(Problem::MacNotAHost)
    } else {
        Ok(mac)
    }
}
