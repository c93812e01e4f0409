//! ICMPv6, the way in (RFC 4443): echo requests and bad news. Neighbour discovery is next door ([`super::nd`]); routers and
//! their advertisements are not listened to.

use super::nd;
use super::report::Report;
use crate::config::{Config, V6_MTU_MIN};
use crate::error::Error;
use crate::ip::{Arrival, Trouble, icmpv6};
use crate::layers::Layers;
use crate::wire::extension::{self, Upper};
use crate::wire::icmpv6::{HEADER, Icmpv6, Unreachable};
use crate::wire::{ipv6, nd::Message};

/// An ICMPv6 message arrived. Gives what it says about one of our packets.
pub(super) fn input(
    layers: &mut Layers<'_>,
    arrival: &Arrival<'_>,
    is_sound: bool,
    is_group: bool,
) -> Option<Report> {
    layers.cx.global.mib.icmp_in_msgs += 1;
    if !is_sound {
        layers.cx.global.mib.icmp_in_errors += 1;
        return None;
    }
    let message = arrival.head.get(..MESSAGE_MAX).unwrap_or(arrival.head);
    if let Some(message) = Message::parse(message) {
        nd::input(layers, arrival, &message);
        return None;
    }
    // Only neighbour discovery speaks to somebody without an address.
    let message = Icmpv6::parse(arrival.head).filter(|_| !arrival.src.is_unspecified())?;
    let unreachable = |error, fatal| Trouble::Unreachable { error, fatal };
    // Linux: icmpv6_err_convert.
    let what = match message {
        Icmpv6::EchoRequest(rest) => {
            icmpv6::reply(&mut layers.cx, arrival, rest, is_group);
            return None;
        }
        Icmpv6::EchoReply(_) => return None,
        Icmpv6::Unreachable(Unreachable::Route) => unreachable(Error::NetworkUnreachable, false),
        Icmpv6::Unreachable(Unreachable::Host) => unreachable(Error::HostUnreachable, false),
        Icmpv6::Unreachable(Unreachable::Prohibited) => unreachable(Error::PermissionDenied, true),
        Icmpv6::Unreachable(Unreachable::Port) => unreachable(Error::ConnectionRefused, true),
        Icmpv6::TimeExceeded => unreachable(Error::HostUnreachable, false),
        Icmpv6::ParameterProblem { .. } => unreachable(Error::Protocol, true),
        // RFC 8201 section 4: nothing below the least MTU is believed.
        Icmpv6::PacketTooBig { mtu } if mtu < u32::from(V6_MTU_MIN) => return None,
        Icmpv6::PacketTooBig { mtu } => Trouble::PathMtu(u16::try_from(mtu).unwrap_or(u16::MAX)),
    };
    report(&layers.cx.global.config, arrival, what)
}

/// What a message says about one of our packets, of which it quotes the beginning.
fn report(config: &Config, arrival: &Arrival<'_>, what: Trouble) -> Option<Report> {
    let quoted = arrival.head.get(HEADER..)?;
    let header = ipv6::Header::parse(quoted, u32::MAX).ok()?;
    let first = Upper {
        protocol: header.next,
        at: ipv6::HEADER,
        named_at: 0,
        fragment: None,
    };
    // A fragment header is the only extension header that is ever sent.
    let upper = extension::walk(quoted, first).ok()?;
    if upper.fragment.is_some_and(|fragment| fragment.at != 0) {
        return None;
    }
    let &transport = quoted.get(upper.at..)?.first_chunk::<8>()?;
    let (teller, ends) = ((config, arrival.src), (header.src, header.dst));
    Report::new(teller, ends, upper.protocol, transport, what)
}

/// Most bytes that are looked at for a neighbour's message.
const MESSAGE_MAX: usize = 64;
