//! From IP to the transports.

use super::report::Report;
use super::{icmp, icmpv6};
use crate::frame::RxChecksum;
use crate::ip::icmp::Refusal;
use crate::ip::{self, Arrival, Trouble, route};
use crate::layers::Layers;
use crate::udp::input::Delivered;
use crate::wire::{checksum, ipv4, ipv6};
use crate::{tcp, udp};

/// Gives a packet to the transport `protocol`.
pub(super) fn deliver(
    layers: &mut Layers<'_>,
    protocol: u8,
    arrival: &Arrival<'_>,
    known: RxChecksum,
) {
    let is_sound = |layers: &Layers<'_>| {
        known != RxChecksum::Unknown || {
            let seed = checksum::pseudo(arrival.src, arrival.dst, protocol, arrival.len);
            layers.cx.bufs.checksum(arrival.payload(0), seed) == Some(0)
        }
    };
    let is_v4 = arrival.dst.is_v4();
    let is_group = route::is_group(&layers.cx.global.config, arrival.dst);
    layers.cx.global.mib.ip_in_delivers += 1;
    match protocol {
        // RFC 9293 section 3.9.2.3: TCP is never broadcast.
        ipv4::TCP if is_group => {}
        ipv4::TCP if is_sound(layers) => {
            let (mut tcp, coalescer) = layers.tcp_and_coalescer();
            tcp::input::coalesce::take(&mut tcp, coalescer, arrival);
        }
        ipv4::TCP => {
            layers.cx.global.mib.tcp_in_errs += 1;
            layers.cx.global.mib.tcp_in_csum_errors += 1;
        }
        ipv4::UDP => {
            // RFC 8200 section 8.1: over IPv6 a datagram must have a checksum.
            let is_sound = if udp::input::has_no_checksum(arrival.head) {
                is_v4
            } else {
                is_sound(layers)
            };
            let became = udp::input::handle(&mut layers.udp_parts(), arrival, is_sound, is_group);
            match became {
                Delivered::Done => {}
                Delivered::NoPort => refuse_port(layers, arrival),
            }
        }
        ipv4::ICMP if is_v4 => {
            if let Some(report) = icmp::input(&mut layers.cx, arrival, is_group) {
                pass_on(layers, &report);
            }
        }
        ipv6::ICMPV6 if !is_v4 => {
            let is_sound = is_sound(layers);
            if let Some(report) = icmpv6::input(layers, arrival, is_sound, is_group) {
                pass_on(layers, &report);
            }
        }
        _ => {
            layers.cx.global.mib.ip_in_unknown_protos += 1;
            let limit = &mut layers.ip.error_limit;
            ip::icmp::refuse(limit, &mut layers.cx, arrival, Refusal::Protocol);
        }
    }
}

/// Tells the sender of a datagram that no socket has its port.
fn refuse_port(layers: &mut Layers<'_>, arrival: &Arrival<'_>) {
    let limit = &mut layers.ip.error_limit;
    if arrival.dst.is_v4() {
        ip::icmp::refuse(limit, &mut layers.cx, arrival, Refusal::Port);
    } else {
        ip::icmpv6::refuse_port(limit, &mut layers.cx, arrival);
    }
}

/// Tells the transport what is said about one of its packets.
fn pass_on(layers: &mut Layers<'_>, report: &Report) {
    let error = &report.error;
    tracing::debug!(?error, "told of trouble");
    match report.protocol {
        ipv4::TCP => tcp::icmp::handle(&mut layers.tcp_parts(), error),
        ipv4::UDP => {
            let receivers = udp::input::trouble(&mut layers.udp_parts(), error);
            // Over IPv4 datagrams are cut by routers.
            if let Trouble::PathMtu(mtu) = error.what
                && receivers > 0
                && !error.remote.addr.is_v4()
            {
                layers
                    .ip
                    .learn_path_mtu(&mut layers.cx, error.remote.addr, mtu);
            }
        }
        _ => {}
    }
}
