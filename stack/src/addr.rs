//! Addresses as every record holds them: 16 bytes, IPv4 as v4-mapped IPv6 (RFC 4291 section 2.5.5.2).

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// An IP address. IPv4 addresses are stored v4-mapped, so that one hash and one comparison serve both families.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct Addr([u8; 16]);

impl Addr {
    /// The IPv6 unspecified address `::`; all-zero bytes.
    pub const UNSPECIFIED: Self = Self([0; 16]);
    /// The IPv4 unspecified address `0.0.0.0`.
    pub const V4_UNSPECIFIED: Self = Self::v4([0; 4]);
    /// The limited broadcast address `255.255.255.255` (RFC 919).
    pub const V4_BROADCAST: Self = Self::v4([255; 4]);
    /// `127.0.0.1`.
    pub(crate) const V4_LOOPBACK: Self = Self::v4([127, 0, 0, 1]);
    /// `::1`.
    pub(crate) const V6_LOOPBACK: Self = Self([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    /// Every IPv6 node of a link, `ff02::1` (RFC 4291 section 2.7.1).
    pub(crate) const V6_ALL_NODES: Self = Self([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// The v4-mapped form of an IPv4 address given in network order.
    #[must_use]
    pub const fn v4(octets: [u8; 4]) -> Self {
        let [a, b, c, d] = octets;
        Self([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d])
    }

    /// An IPv6 address given in network order.
    #[must_use]
    pub const fn v6(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The IPv4 address inside, or `None` for an address that is not v4-mapped.
    #[must_use]
    pub const fn as_v4(self) -> Option<[u8; 4]> {
        let [.., a, b, c, d] = self.0;
        if self.is_v4() {
            Some([a, b, c, d])
        } else {
            None
        }
    }

    /// An IPv4 address.
    #[must_use]
    pub const fn is_v4(self) -> bool {
        u128::from_be_bytes(self.0) >> 32 == 0xffff
    }

    /// `fe80::/10`: means something on its own link only (RFC 4291 section 2.5.6).
    #[must_use]
    pub const fn is_v6_link_local(self) -> bool {
        matches!(self.0, [0xfe, second, ..] if second & 0xc0 == 0x80)
    }

    /// The link-local address of the station with this Ethernet address (RFC 4291 appendix A, RFC 2464 section 5).
    #[must_use]
    pub const fn v6_link_local(mac: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = mac;
        Self([
            0xfe,
            0x80,
            0,
            0,
            0,
            0,
            0,
            0,
            a ^ 2,
            b,
            c,
            0xff,
            0xfe,
            d,
            e,
            f,
        ])
    }

    /// The group in which the holder of this IPv6 address is asked for (RFC 4291 section 2.7.1).
    pub(crate) const fn solicited_node(self) -> Self {
        let [.., x, y, z] = self.0;
        Self([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, x, y, z])
    }

    /// All 16 bytes, in network order.
    #[must_use]
    pub const fn octets(self) -> [u8; 16] {
        self.0
    }

    /// `::` or `0.0.0.0`.
    #[must_use]
    pub fn is_unspecified(self) -> bool {
        self == Self::UNSPECIFIED || self == Self::V4_UNSPECIFIED
    }

    /// `127.0.0.0/8` or `::1`.
    #[must_use]
    pub fn is_loopback(self) -> bool {
        self.to_ip().is_loopback()
    }

    /// `224.0.0.0/4` or `ff00::/8`.
    #[must_use]
    pub fn is_multicast(self) -> bool {
        self.to_ip().is_multicast()
    }

    /// The standard library's address; v4-mapped addresses come out as IPv4.
    #[must_use]
    pub fn to_ip(self) -> IpAddr {
        match self.as_v4() {
            Some(v4) => IpAddr::V4(Ipv4Addr::from(v4)),
            None => IpAddr::V6(Ipv6Addr::from(self.0)),
        }
    }
}

impl Default for Addr {
    fn default() -> Self {
        Self::UNSPECIFIED
    }
}

impl From<IpAddr> for Addr {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::v4(v4.octets()),
            IpAddr::V6(v6) => Self(v6.octets()),
        }
    }
}

impl From<Ipv4Addr> for Addr {
    fn from(ip: Ipv4Addr) -> Self {
        Self::v4(ip.octets())
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_ip().fmt(f)
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An address and a port in host byte order.
#[derive(
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C)]
pub struct Endpoint {
    /// The address.
    pub addr: Addr,
    /// The port, host order; 0 is "none chosen".
    pub port: u16,
    _pad: [u8; 6],
}

impl Endpoint {
    /// `::` port 0: all-zero bytes.
    pub const UNSPECIFIED: Self = Self::new(Addr::UNSPECIFIED, 0);

    /// An endpoint from its parts.
    #[must_use]
    pub const fn new(addr: Addr, port: u16) -> Self {
        Self {
            addr,
            port,
            _pad: [0; 6],
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr.to_ip() {
            IpAddr::V4(ip) => write!(f, "{ip}:{}", self.port),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{}", self.port),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn an_ipv4_address_survives_being_mapped() {
        let addr = Addr::v4([10, 0, 0, 2]);
        assert_eq!(addr.as_v4(), Some([10, 0, 0, 2]));
        assert_eq!(Addr::from(addr.to_ip()), addr);
        assert_eq!(Endpoint::new(addr, 80).to_string(), "10.0.0.2:80");
    }

    #[test]
    fn the_addresses_that_a_station_derives_are_those_of_rfc_4291() {
        let mac = [0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde];
        let own = Addr::v6_link_local(mac);
        assert_eq!(own.to_string(), "fe80::3656:78ff:fe9a:bcde");
        assert!(own.is_v6_link_local() && !own.is_v4());
        assert_eq!(own.solicited_node().to_string(), "ff02::1:ff9a:bcde");
        assert!(!Addr::V6_ALL_NODES.is_v6_link_local());
    }

    #[test]
    fn both_unspecified_addresses_are_recognised() {
        assert!(Addr::UNSPECIFIED.is_unspecified());
        assert!(Addr::v4([0; 4]).is_unspecified());
        assert!(!Addr::v4([0, 0, 0, 1]).is_unspecified());
        assert_eq!(Addr::UNSPECIFIED.as_v4(), None);
    }
}
