//! The stack's place in its network: NSTK_ADDR, NSTK_GATEWAY, NSTK_MAC.

use std::net::{Ipv4Addr, Ipv6Addr};

use stack::Config;

use crate::error::Problem;

/// An IPv4 address and the length of its network's prefix, 1 to 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    addr: Ipv4Addr,
    prefix_len: u8,
}

impl Network {
    /// Reads `10.0.0.2/24`; the address must be one that a host can have.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let (addr, prefix) = text.split_once('/').unwrap_or((text, ""));
        if addr.parse::<Ipv6Addr>().is_ok() {
            return Err(Problem::Ipv6);
        }
        let addr: Ipv4Addr = addr.parse().map_err(|_| Problem::AddressForm)?;
        if !prefix.bytes().all(|b| b.is_ascii_digit()) || prefix.is_empty() {
            return Err(Problem::AddressForm);
        }
        let prefix_len: u8 = prefix.parse().map_err(|_| Problem::Prefix)?;
        if !(1..=32).contains(&prefix_len) {
            return Err(Problem::Prefix);
        }
        let network = Self { addr, prefix_len };
        if network.has_host(addr) {
            Ok(network)
        } else {
            Err(Problem::NotAHost)
        }
    }

    /// The defaults of a stack at this address; `mac`: its Ethernet address, if it was given.
    #[expect(
        clippy::field_reassign_with_default,
        reason = "the record's padding is private"
    )]
    pub(crate) fn config(&self, mac: Option<[u8; 6]>) -> Config {
        let mut config = Config::default();
        config.addr = self.addr.into();
        config.prefix_len = self.prefix_len;
        config.mac = mac.unwrap_or_else(|| self.derived_mac());
        config
    }

    /// Reads the address of a router that the network's other hosts can reach.
    pub(crate) fn gateway(&self, text: &str) -> Result<Ipv4Addr, Problem> {
        let gateway: Ipv4Addr = text.parse().map_err(|_| Problem::GatewayForm)?;
        if gateway != self.addr && self.has_host(gateway) {
            Ok(gateway)
        } else {
            Err(Problem::GatewayUnreachable)
        }
    }

    /// A locally administered address that goes with the IP address, so that neighbours need not
    /// learn a new one after a restart: `02:4e` and the four bytes.
    fn derived_mac(&self) -> [u8; 6] {
        let [a, b, c, d] = self.addr.octets();
        [0x02, 0x4e, a, b, c, d]
    }

    /// Whether a host of this network can have the address.
    fn has_host(&self, addr: Ipv4Addr) -> bool {
        let host_bits = u32::MAX.checked_shr(self.prefix_len.into()).unwrap_or(0);
        let (own, other) = (self.addr.to_bits(), addr.to_bits());
        let inside = (own ^ other) & !host_bits == 0;
        // RFC 3021: with 31 bits and more, no address is set aside for the network and broadcasts.
        let set_aside =
            self.prefix_len < 31 && (other & host_bits == 0 || other & host_bits == host_bits);
        // RFC 1122 section 3.2.1.3: 0/8 is "this network", 240/4 is reserved.
        let of_no_host = addr.octets()[0] == 0
            || addr.is_loopback()
            || addr.is_multicast()
            || addr.octets()[0] >= 240;
        inside && !set_aside && !of_no_host
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
