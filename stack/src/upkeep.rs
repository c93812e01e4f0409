//! What is due by now: timers of all layers, and memory that is idle.

use crate::context::Context;
use crate::egress;
use crate::error::Error;
use crate::ip::route::{self, Hop};
use crate::ip::{IcmpError, Neighbours, Trouble};
use crate::layers::Layers;
use crate::layout;
use crate::packet::PacketList;
use crate::sock::Sock;
use crate::tcp;
use crate::tcp::state::State;
use zerocopy::FromZeros;

/// Runs every timer due at or before the layers' time.
pub(crate) fn run(layers: &mut Layers<'_>) {
    // An endpoint that arms again for a moment that has passed is fired at the next call, not in a circle.
    for _ in 0..layout::MAX_SOCKS {
        let Some(id) = layers.cx.timers.pop_due(layers.cx.now) else {
            break;
        };
        tcp::timer::fire(&mut layers.tcp_parts(), id);
    }
    tcp::timer::sweep(&mut layers.tcp_parts());
    run_ip_timers(layers);
    look_for_idle_memory(&mut layers.cx);
}

/// Runs what is due: requests for neighbours that do not answer, fragments that wait too long.
fn run_ip_timers(layers: &mut Layers<'_>) {
    // Neighbours of which too many were being asked for at a time have failed, too.
    let global = &mut *layers.cx.global;
    let mut has_failed = core::mem::take(&mut global.is_displaced) != 0;
    let mut waiting = core::mem::replace(&mut global.displaced, PacketList::new_zeroed());
    discard_all(layers, &mut waiting);
    while let Some(mut waiting) = layers.ip.neighbours.next_failed(&mut layers.cx) {
        discard_all(layers, &mut waiting);
        has_failed = true;
    }
    if has_failed {
        fail_flows(layers);
    }
    layers.ip.reassembly.expire(&mut layers.cx);
}

fn discard_all(layers: &mut Layers<'_>, waiting: &mut PacketList) {
    while let Some(packet) = Neighbours::next_waiting(&mut layers.cx, waiting) {
        egress::discard(layers, packet);
    }
}

/// Neighbours did not answer: the connections behind them are told, as by "host unreachable" (`arp_error_report` in Linux).
/// They try again a little later; whether there is anything left to try is theirs to say.
fn fail_flows(layers: &mut Layers<'_>) {
    for _ in 0..layers.cx.qdisc.parked_len() {
        let Some(id) = layers.cx.qdisc.pop_parked() else {
            return;
        };
        let Some((local, remote)) = layers.socks.get(id).map(|sock| (sock.local, sock.remote))
        else {
            continue;
        };
        let is_asked = match route::first_hop(&layers.cx.global.config, remote.addr) {
            Some(Hop::Neighbour(hop)) => layers.ip.neighbours.has(&layers.cx, hop),
            Some(Hop::Group(_) | Hop::Local) | None => true,
        };
        if is_asked {
            layers.cx.qdisc.wake(id);
            continue;
        }
        let what = Trouble::Unreachable {
            error: Error::HostUnreachable,
            fatal: true,
        };
        let news = IcmpError {
            local,
            remote,
            seq: None,
            what,
        };
        tcp::icmp::handle(&mut layers.tcp_parts(), &news);
        let goes_on = |sock: &Sock| sock.tcp.state() != State::Closed;
        if layers.socks.get(id).is_some_and(goes_on) {
            let again = layers.cx.now.plus_nanos(RETRY_FLOW_NS);
            layers.cx.qdisc.schedule(id, again);
        }
    }
}

/// After a burst the buffers' memory goes back to the system bit by bit.
fn look_for_idle_memory(cx: &mut Context<'_>) {
    if cx.now < cx.global.idle_look_at || !cx.bufs.is_slack() {
        return;
    }
    let is_done = cx.bufs.give_back_idle();
    let wait_ns = if is_done { IDLE_LOOK_NS } else { IDLE_MORE_NS };
    cx.global.idle_look_at = cx.now.plus_nanos(wait_ns);
}

/// Until a flow whose neighbour did not answer tries again.
const RETRY_FLOW_NS: u64 = 1_000_000_000;
/// How long memory must have been idle to be given back, at least.
const IDLE_LOOK_NS: u64 = 2_000_000_000;
/// Until the next of it is given back.
const IDLE_MORE_NS: u64 = 10_000_000;
