//! NSTK_BYPASS: which traffic goes by the kernel's stack.
//!
//! `stack|kernel [tcp|udp] [connect|listen] [address/prefix][:port[-port]]`, rules separated by `;`,
//! first match wins. IPv6 addresses stand in brackets: `[2001:db8::/32]:443`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use stack::Addr;

use crate::problem::Problem;
use crate::text::{bare, quoted};

/// Whose stack carries a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// Ours.
    Stack,
    /// The kernel's.
    Kernel,
}

/// Transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proto {
    /// Stream sockets.
    Tcp,
    /// Datagram sockets.
    Udp,
}

/// What a socket is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Talk to a peer: connect(2), or a datagram's first send.
    Connect,
    /// Wait for peers: listen(2), or a datagram socket's bind(2).
    Listen,
}

/// An ordered list of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bypass(Vec<Rule>);

impl Bypass {
    /// The route of the first rule that matches; `None`: no rule does. `addr` and `port` are the
    /// peer's for [`Role::Connect`], the socket's own for [`Role::Listen`].
    #[must_use]
    pub fn decide(&self, proto: Proto, role: Role, addr: Addr, port: u16) -> Option<Route> {
        let rule = self
            .0
            .iter()
            .find(|rule| rule.matches(proto, role, addr, port))?;
        Some(rule.route)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        Self::separated(text, &[';']).map_err(|problem| {
            // No rule has a comma in it.
            match Self::separated(text, &[';', ',']) {
                Ok(_) => Problem::RuleComma,
                Err(_) => problem,
            }
        })
    }

    fn separated(text: &str, by: &[char]) -> Result<Self, Problem> {
        let rules = text.split(by).map(bare).filter(|rule| !rule.is_empty());
        rules.map(Rule::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Rule {
    route: Route,
    proto: Option<Proto>,
    role: Option<Role>,
    network: Option<Network>,
    ports: RangeInclusive<u16>,
}

impl Rule {
    fn parse(text: &str) -> Result<Self, Problem> {
        let mut words = text.split_whitespace().peekable();
        let route = match words.next() {
            Some("stack") => Route::Stack,
            Some("kernel") => Route::Kernel,
            word => return Err(Problem::RuleRoute(quoted(word.unwrap_or_default()))),
        };
        let proto = match words.peek() {
            Some(&"tcp") => Some(Proto::Tcp),
            Some(&"udp") => Some(Proto::Udp),
            _ => None,
        };
        words.next_if(|_| proto.is_some());
        let role = match words.peek() {
            Some(&"connect") => Some(Role::Connect),
            Some(&"listen") => Some(Role::Listen),
            _ => None,
        };
        words.next_if(|_| role.is_some());
        let (network, ports) = match words.next() {
            None => (None, ANY_PORT),
            Some(word) => parse_target(word)?,
        };
        match words.next() {
            None => Ok(Self {
                route,
                proto,
                role,
                network,
                ports,
            }),
            Some(word) if word.ends_with('%') => Err(Problem::RuleShare),
            Some(word) => Err(Problem::RuleWord(quoted(word))),
        }
    }

    fn matches(&self, proto: Proto, role: Role, addr: Addr, port: u16) -> bool {
        self.proto.is_none_or(|p| p == proto)
            && self.role.is_none_or(|r| r == role)
            && self.network.is_none_or(|network| network.contains(addr))
            && self.ports.contains(&port)
    }
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Network {
    bits: u128,
    mask: u128,
}

impl Network {
    /// `prefix_len` of the form written, with `longest` bits.
    fn new(addr: Addr, prefix_len: u8, longest: u8) -> Option<Self> {
        let host_bits = u32::from(longest.checked_sub(prefix_len)?);
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self {
            bits: u128::from_be_bytes(addr.octets()) & mask,
            mask,
        })
    }

    fn contains(&self, addr: Addr) -> bool {
        u128::from_be_bytes(addr.octets()) & self.mask == self.bits && addr.is_v4() == self.is_v4()
    }

    /// An IPv4 network begins as all mapped addresses do; a wider one of IPv6 does not mean them too.
    fn is_v4(&self) -> bool {
        self.mask >> 32 == u128::MAX >> 32 && self.bits >> 32 == 0xffff
    }
}

const ANY_PORT: RangeInclusive<u16> = 0..=u16::MAX;

/// `[address/prefix][:port[-port]]`, not empty.
fn parse_target(word: &str) -> Result<(Option<Network>, RangeInclusive<u16>), Problem> {
    if word.ends_with('%') {
        return Err(Problem::RuleShare);
    }
    // Neither an address nor a port is without a digit, but for `::`.
    if !word.contains(|c: char| c.is_ascii_digit() || c == ':') {
        return Err(Problem::RuleWord(quoted(word)));
    }
    // A port without its colon.
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::RulePort(quoted(word)));
    }
    let no_address = || Problem::RuleAddress(quoted(word));
    let (network, ports) = match word.strip_prefix('[') {
        Some(rest) => {
            let (network, ports) = rest.split_once(']').ok_or_else(no_address)?;
            let network = parse_network::<Ipv6Addr>(network, 128).ok_or_else(no_address)?;
            (Some(network), ports)
        }
        // An IPv6 address without its brackets.
        None if word.matches(':').count() > 1 => return Err(no_address()),
        None => {
            let (network, ports) = word.split_at(word.find(':').unwrap_or(word.len()));
            let network = (!network.is_empty())
                .then(|| parse_network::<Ipv4Addr>(network, 32).ok_or_else(no_address))
                .transpose()?;
            (network, ports)
        }
    };
    match ports.strip_prefix(':') {
        Some(ports) => {
            let ports = parse_ports(ports).ok_or_else(|| Problem::RulePort(quoted(word)))?;
            Ok((network, ports))
        }
        None if ports.is_empty() => Ok((network, ANY_PORT)),
        None => Err(no_address()),
    }
}

fn parse_network<A>(text: &str, longest: u8) -> Option<Network>
where
    A: std::str::FromStr + Into<std::net::IpAddr>,
{
    let (addr, prefix) = match text.split_once('/') {
        None => (text, longest),
        Some((addr, prefix)) => (addr, prefix.parse().ok()?),
    };
    let addr: A = addr.parse().ok()?;
    Network::new(Addr::from(addr.into()), prefix, longest)
}

fn parse_ports(text: &str) -> Option<RangeInclusive<u16>> {
    // The number parser of the standard library takes a sign.
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let port = |text: &str| digits(text).then(|| text.parse::<u16>().ok())?;
    let (first, last) = match text.split_once('-') {
        None => (port(text)?, port(text)?),
        Some((first, last)) => (port(first)?, port(last)?),
    };
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests;
