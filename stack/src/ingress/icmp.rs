//! ICMP, the way in: echo requests and bad news (RFC 792, RFC 1122 section 3.2.2).

use super::report::Report;
use crate::addr::Addr;
use crate::context::Context;
use crate::error::Error;
use crate::ip::{Arrival, Trouble, icmp};
use crate::wire::icmp::{HEADER, Icmp, Unreachable};
use crate::wire::ipv4::Header;

/// An ICMP message arrived. Gives what it says about one of our packets.
pub(super) fn input(
    cx: &mut Context<'_>,
    arrival: &Arrival<'_>,
    is_broadcast: bool,
) -> Option<Report> {
    cx.global.mib.icmp_in_msgs += 1;
    if cx.bufs.checksum(arrival.payload(0), 0) != Some(0) {
        cx.global.mib.icmp_in_errors += 1;
        return None;
    }
    // `net.ipv4.icmp_echo_ignore_broadcasts` is 1, as in Linux, which drops everything else that was broadcast as well.
    let message = Icmp::parse(arrival.head).filter(|_| !is_broadcast)?;
    match message {
        Icmp::EchoRequest(_) if cx.global.config.icmp_echo_ignore_all != 0 => None,
        Icmp::EchoRequest(rest) => {
            icmp::reply(cx, arrival, Icmp::EchoReply(rest));
            None
        }
        Icmp::EchoReply(_) => None,
        Icmp::Unreachable(what) => report(cx, arrival, trouble(what)),
        Icmp::TimeExceeded => {
            let what = Trouble::Unreachable {
                error: Error::HostUnreachable,
                fatal: false,
            };
            report(cx, arrival, what)
        }
    }
}

/// What a message says about one of our packets, of which it quotes the beginning.
fn report(cx: &Context<'_>, arrival: &Arrival<'_>, what: Trouble) -> Option<Report> {
    let quoted = arrival.head.get(HEADER..)?;
    let header = Header::parse_quoted(quoted).ok()?;
    let &transport = quoted
        .get(usize::from(header.header_len)..)
        .and_then(|bytes| bytes.first_chunk::<8>())?;
    let (src, dst) = (Addr::v4(header.src), Addr::v4(header.dst));
    if header.fragment_at != 0 {
        return None;
    }
    let teller = (&cx.global.config, arrival.src);
    Report::new(teller, (src, dst), header.protocol, transport, what)
}

/// What a message means to a socket: Linux's `icmp_err_convert`.
const fn trouble(what: Unreachable) -> Trouble {
    let (error, fatal) = match what {
        Unreachable::FragmentationNeeded { mtu } => return Trouble::PathMtu(mtu),
        Unreachable::Network => (Error::NetworkUnreachable, false),
        Unreachable::Host => (Error::HostUnreachable, false),
        Unreachable::Protocol => (Error::NoProtocolOption, true),
        Unreachable::Port => (Error::ConnectionRefused, true),
        Unreachable::Prohibited => (Error::HostUnreachable, true),
    };
    Trouble::Unreachable { error, fatal }
}
