//! The way in: frames from the device, through Ethernet, ARP and IP, to the transports.
//!
//! This is the only place that knows all layers on the way in. IP and the transports below it never call up: they answer with
//! a value, such as [`crate::ip::IcmpError`] or [`crate::udp::input::Delivered`], and it is decided here what follows.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod arp;
mod deliver;
mod head;
mod icmp;
mod icmpv6;
mod ipv4;
mod ipv6;
mod looped;
mod nd;
mod origin;
mod report;

pub(crate) use self::looped::take_looped;
pub(crate) use self::origin::Origin;

use self::head::{PARSED, read_head};
use crate::frame::RxFrame;
use crate::layers::Layers;
use crate::wire::ethernet;

/// A frame arrived. Its buffers stay the caller's; what is kept is retained.
#[inline]
pub(crate) fn handle(layers: &mut Layers<'_>, frame: &RxFrame<'_>, origin: Origin) {
    let mut room = [0u8; PARSED];
    let head = read_head(
        layers.cx.bufs,
        frame.bufs,
        u32::from(frame.start),
        frame.len,
        &mut room,
    );
    let Some((ethernet, packet)) = ethernet::Header::parse(head) else {
        return;
    };
    if ethernet.dst != layers.cx.global.config.mac && !ethernet::is_group(ethernet.dst) {
        return;
    }
    match ethernet.ethertype() {
        ethernet::ARP => arp::input(layers, packet),
        ethernet::IPV4 => ipv4::handle(layers, frame, packet, origin),
        ethernet::IPV6 => ipv6::handle(layers, frame, packet, origin),
        _ => {}
    }
}
