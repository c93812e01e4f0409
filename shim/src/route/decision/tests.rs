use std::ffi::OsString;
use std::io;
use std::path::Path;

use env::Surroundings;

use super::*;

/// The variables of a made-up environment; there are no files.
struct Variables(&'static [(&'static str, &'static str)]);

impl Surroundings for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value.into())
    }

    fn variable_names(&self, prefix: &str) -> Vec<String> {
        let names = self.0.iter().map(|(name, _)| (*name).to_owned());
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    fn read_file(&self, _: &Path, _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

const DEVICE: (&str, &str) = ("NSTK_IF", "tap:test0");
const V4: (&str, &str) = ("NSTK_ADDR", "192.0.2.2/24");
const BOTH: (&str, &str) = ("NSTK_ADDR", "192.0.2.2/24,2001:db8::2/64");
const GATEWAY: (&str, &str) = ("NSTK_GATEWAY", "192.0.2.1");

fn settings(variables: &'static [(&'static str, &'static str)]) -> Settings {
    let settings = Settings::read(&Variables(variables)).expect("good settings");
    settings.expect("a device")
}

fn socket(kind: SockKind, domain: Domain) -> Unrouted {
    Unrouted {
        kind,
        domain,
        is_v6_only: false,
        local: Endpoint::UNSPECIFIED,
    }
}

fn at(addr: &str, port: u16) -> Endpoint {
    let addr = match addr.parse().expect("an address") {
        std::net::IpAddr::V4(ip) => Addr::v4(ip.octets()),
        std::net::IpAddr::V6(ip) => Addr::v6(ip.octets()),
    };
    Endpoint::new(addr, port)
}

/// The one address of the made-up machine besides the loopback's.
fn is_host_address(addr: Addr) -> bool {
    addr == at("198.51.100.7", 0).addr
}

fn decide(socket: &Unrouted, purpose: Purpose, settings: &Settings) -> Option<Decision> {
    socket.decide(purpose, settings, is_host_address)
}

/// Where a TCP socket goes that connects to port 80 of `peer`.
fn route_to(peer: &str, settings: &Settings) -> Decision {
    let socket = socket(SockKind::Stream, Domain::Inet);
    let purpose = Purpose::Connect(at(peer, 80));
    decide(&socket, purpose, settings).expect("a connect decides")
}

#[test]
fn without_a_gateway_the_stack_gets_its_own_network_only() {
    let settings = settings(&[DEVICE, V4]);
    for (peer, route) in [
        ("192.0.2.1", Stack("NSTK_ADDR's network")),
        ("192.0.2.254", Stack("NSTK_ADDR's network")),
        ("192.0.3.1", Kernel(KernelUse::NoGateway)),
        ("198.51.100.7", Kernel(KernelUse::HostAddress)),
        ("2001:db8::1", Kernel(KernelUse::NoAddressOfFamily)),
        ("127.0.0.1", Kernel(KernelUse::Loopback)),
    ] {
        assert_eq!(route_to(peer, &settings), route, "{peer}");
    }
}

#[test]
fn with_a_gateway_the_stack_gets_all_but_this_host_and_groups() {
    let settings = settings(&[DEVICE, BOTH, GATEWAY]);
    for (peer, route) in [
        ("203.0.113.1", Stack("NSTK_GATEWAY")),
        ("198.51.100.7", Kernel(KernelUse::HostAddress)),
        ("127.1.2.3", Kernel(KernelUse::Loopback)),
        ("::1", Kernel(KernelUse::Loopback)),
        ("0.0.0.0", Kernel(KernelUse::Loopback)),
        ("224.0.0.1", Kernel(KernelUse::ManyPeers)),
        ("255.255.255.255", Kernel(KernelUse::ManyPeers)),
        ("ff02::1", Kernel(KernelUse::ManyPeers)),
        ("2001:db8::1", Stack("NSTK_ADDR's network")),
        // The gateway is one of IPv4.
        ("2001:db9::1", Kernel(KernelUse::NoGateway)),
    ] {
        assert_eq!(route_to(peer, &settings), route, "{peer}");
    }
}

#[test]
fn with_nstk_loopback_loopback_addresses_are_the_stacks_but_name_servers_there_are_not() {
    let settings = settings(&[DEVICE, V4, ("NSTK_LOOPBACK", "stack")]);
    let here = Stack("NSTK_LOOPBACK");
    for addr in ["127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::"] {
        assert_eq!(route_to(addr, &settings), here, "connect {addr}");
        let bind = Purpose::Bind(at(addr, 80));
        let socket = Unrouted {
            is_v6_only: true,
            ..socket(SockKind::Stream, Domain::Inet6)
        };
        let is_wildcard = at(addr, 0).addr.is_unspecified();
        let bound = decide(&socket, bind, &settings);
        assert_eq!(bound, (!is_wildcard).then_some(here), "bind {addr}");
        let listens = decide(&socket, Purpose::Listen, &settings);
        assert_eq!(listens, Some(Stack("NSTK_ADDR")));
    }
    let resolver = Purpose::Connect(at("127.0.0.53", 53));
    let datagrams = socket(SockKind::Datagram, Domain::Inet);
    assert_eq!(
        decide(&datagrams, resolver, &settings),
        Some(Kernel(KernelUse::NameLookup))
    );
}

#[test]
fn name_look_ups_outside_the_stacks_network_are_the_kernels() {
    let settings = settings(&[DEVICE, V4, GATEWAY]);
    let route = |kind, peer, port| {
        let socket = socket(kind, Domain::Inet);
        decide(&socket, Purpose::Connect(at(peer, port)), &settings)
    };
    let (udp, tcp) = (SockKind::Datagram, SockKind::Stream);
    let by_gateway = Some(Stack("NSTK_GATEWAY"));
    let look_up = Some(Kernel(KernelUse::NameLookup));
    assert_eq!(route(udp, "203.0.113.1", 53), look_up);
    assert_eq!(route(udp, "2001:db8::1", 53), look_up);
    assert_eq!(route(udp, "203.0.113.1", 54), by_gateway);
    assert_eq!(route(tcp, "203.0.113.1", 53), by_gateway);
    assert_eq!(
        route(udp, "192.0.2.1", 53),
        Some(Stack("NSTK_ADDR's network"))
    );
}

#[test]
fn a_bind_decides_unless_it_is_to_a_wildcard() {
    let settings = settings(&[DEVICE, BOTH]);
    let socket = socket(SockKind::Stream, Domain::Inet6);
    for (local, route) in [
        ("0.0.0.0", None),
        ("::", None),
        ("192.0.2.2", Some(Stack("NSTK_ADDR"))),
        ("2001:db8::2", Some(Stack("NSTK_ADDR"))),
        ("192.0.2.3", Some(Kernel(KernelUse::OtherAddress))),
        ("127.0.0.1", Some(Kernel(KernelUse::Loopback))),
    ] {
        let purpose = Purpose::Bind(at(local, 80));
        assert_eq!(decide(&socket, purpose, &settings), route, "{local}");
    }
}

#[test]
fn a_listener_is_the_stacks_if_it_can_be_reached_there() {
    let v4 = settings(&[DEVICE, V4]);
    let v6 = settings(&[DEVICE, ("NSTK_ADDR", "2001:db8::2/64")]);
    let stack = Stack("NSTK_ADDR");
    let kernel = Kernel(KernelUse::NoAddressOfFamily);
    for (settings, domain, is_v6_only, route) in [
        (&v4, Domain::Inet, false, stack),
        (&v4, Domain::Inet6, false, stack),
        (&v4, Domain::Inet6, true, kernel),
        (&v6, Domain::Inet, false, kernel),
        (&v6, Domain::Inet6, true, stack),
    ] {
        let socket = Unrouted {
            is_v6_only,
            ..socket(SockKind::Stream, domain)
        };
        let decided = decide(&socket, Purpose::Listen, settings);
        assert_eq!(decided, Some(route), "{domain:?}, v6 only: {is_v6_only}");
    }
}

#[test]
fn a_bypass_rule_goes_before_the_stacks_own_network() {
    let settings = settings(&[
        DEVICE,
        V4,
        ("NSTK_BYPASS", "kernel tcp connect 192.0.2.0/24:22"),
    ]);
    let tcp = socket(SockKind::Stream, Domain::Inet);
    let udp = socket(SockKind::Datagram, Domain::Inet);
    let ssh = Purpose::Connect(at("192.0.2.1", 22));
    assert_eq!(decide(&tcp, ssh, &settings), Some(Kernel(KernelUse::Rule)));
    assert_eq!(
        decide(&udp, ssh, &settings),
        Some(Stack("NSTK_ADDR's network"))
    );
    let bind = Purpose::Bind(at("192.0.2.2", 22));
    assert_eq!(decide(&tcp, bind, &settings), Some(Stack("NSTK_ADDR")));
}

#[test]
fn what_is_on_another_interface_is_the_kernels() {
    let settings = settings(&[DEVICE, BOTH, GATEWAY]);
    let socket = socket(SockKind::Datagram, Domain::Inet6);
    for (role, refusal) in [(Role::Connect, ENETUNREACH), (Role::Listen, EADDRNOTAVAIL)] {
        let purpose = Purpose::OtherInterface(role);
        assert_eq!(
            decide(&socket, purpose, &settings),
            Some(Kernel(KernelUse::OtherInterface))
        );
        assert_eq!(purpose.refusal(), refusal);
    }
}
