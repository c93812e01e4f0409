//! Sending: one transport segment becomes one frame, or several.

use super::ident;
use super::outgoing::Outgoing;
use super::split::{Cut, Split};
use super::template::{Shape, Template};
use crate::config::DeviceOffload;
use crate::context::Context;
use crate::frame::{FrameSink, MAX_PIECES};
use crate::ip::{Exit, ResolvedRoute};
use crate::wire::{ethernet, ipv4};

/// Sends `out` by `route`. One frame goes to `sink`, which is not full; what the device cannot cut is cut here, and the
/// rest of it leaves before anything else does. The stack keeps its own counts of the payload's buffers.
///
/// Gives the bytes of all frames, headers included.
pub(crate) fn emit(
    cx: &mut Context<'_>,
    route: &ResolvedRoute,
    out: &Outgoing<'_>,
    sink: &mut impl FrameSink,
) -> u32 {
    let Some(template) = Template::new(route, out) else {
        return 0;
    };
    let payload_len = out.payload.iter().map(|piece| piece.len).sum::<u32>();
    let whole = template
        .head_len()
        .saturating_add(payload_len)
        .saturating_add(u32::from(template.ip_header_len()));
    if route.exit == Exit::Loopback {
        loop_back(cx, route, out, &template);
        cx.global.mib.ip_out_octets += u64::from(whole);
        return whole.saturating_add(ethernet::LEN);
    }
    let offload = cx.global.config.device_offload();
    let fits = whole <= u32::from(route.mtu);
    let segments = if out.gso_size == 0 {
        1
    } else {
        payload_len.div_ceil(u32::from(out.gso_size)).max(1)
    };
    let tso = if template.is_v4() {
        DeviceOffload::TSO4
    } else {
        DeviceOffload::TSO6
    };
    let device_cuts = offload.contains(tso | DeviceOffload::TX_CSUM);
    let cut = if segments > 1 && !device_cuts {
        Some(Cut::Segments { size: out.gso_size })
    } else if segments == 1 && !fits && out.protocol != ipv4::TCP {
        Some(Cut::Fragments {
            room: route.mtu.saturating_sub(template.fragment_header_len()),
        })
    } else {
        None
    };
    let ident = if out.protocol == ipv4::TCP {
        u32::from(out.ident)
    } else if template.is_v4() {
        let ends = (route.src, route.dst);
        u32::from(cx.idents.next(cx.global, cx.now, ends, out.protocol))
    } else if cut.is_some() {
        ident::random(cx.global)
    } else {
        0
    };
    if let Some(cut) = cut {
        let Some(split) = Split::new(cx.bufs, &template, out.payload, cut, ident) else {
            return 0;
        };
        cx.qdisc.start_split(split);
        continue_split(cx, sink);
    } else {
        let gso = (segments > 1).then_some(out.gso_size);
        let shape = Shape {
            ident,
            payload: out.payload,
            gso,
            fragment: None,
        };
        template.push(cx.bufs, offload, sink, &shape);
        cx.global.mib.ip_out_requests += 1;
    }
    cx.global.mib.ip_out_octets += u64::from(whole);
    whole.saturating_add(ethernet::LEN)
}

/// Sends `out` to the stack itself, in one frame however long it is.
#[cold]
fn loop_back(cx: &mut Context<'_>, route: &ResolvedRoute, out: &Outgoing<'_>, template: &Template) {
    let ident = match out.protocol {
        ipv4::TCP => out.ident,
        _ if route.dst.is_v4() => {
            let ends = (route.src, route.dst);
            cx.idents.next(cx.global, cx.now, ends, out.protocol)
        }
        _ => 0,
    };
    let shape = Shape {
        ident: u32::from(ident),
        payload: out.payload,
        gso: (out.gso_size > 0).then_some(out.gso_size),
        fragment: None,
    };
    let mib = &mut cx.global.mib;
    mib.ip_out_requests += 1;
    if !template.loop_back(cx.bufs, cx.loopback, &shape) {
        mib.ip_in_discards += 1;
    }
}

/// Sends the next frame of what is being cut. False: nothing is.
pub(crate) fn continue_split(cx: &mut Context<'_>, sink: &mut impl FrameSink) -> bool {
    let offload = cx.global.config.device_offload();
    let Some(split) = cx.qdisc.split_mut().filter(|split| split.is_active()) else {
        return false;
    };
    let is_fragment = split.is_fragmenting();
    split.push_next(cx.bufs, offload, sink);
    cx.global.mib.ip_out_requests += 1;
    cx.global.mib.ip_frag_creates += u64::from(is_fragment);
    true
}

/// What a device takes at least: the payload of a fragment lies in up to four receive buffers.
const _: () = assert!(MAX_PIECES >= 4);
