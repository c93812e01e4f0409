//! Making a stack sound again after a member died that was inside.
//!
//! Only records are believed, and of them only those that nobody was changing. What they hold is marked, and all else is
//! freed. Whatever can be derived from them is made anew: free lists, holders of buffers, indexes, heaps, queues, ports and
//! counts. What can be learnt again is forgotten. So a repair needs not know what was going on. It can itself be
//! interrupted anywhere, and then begins again.
#![deny(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod counts;
mod mark;
mod queues;

use crate::frame::PoolKind;
use crate::layers::Layers;
use crate::stack::Stack;
use crate::time::Instant;
use region::BufId;

/// What a repair has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Connections that were being changed, or whose data were not well-formed. They have ended.
    pub connections_reset: u32,
}

impl Stack {
    /// Makes the stack sound after the owner of its lock has died. `held` are buffers that the layer above has counted for
    /// itself. All sockets then report their readiness anew.
    ///
    /// # Errors
    /// Why it is not sound.
    pub fn repair(
        &mut self,
        now: Instant,
        held: impl IntoIterator<Item = (PoolKind, BufId)>,
    ) -> Result<Repaired, &'static str> {
        let mut layers = self.layers(now);
        begin(&mut layers);
        for (pool, buf) in held {
            layers.cx.bufs.pool_mut(pool).count_holder(buf);
        }
        let mut resets = mark::Resets::new();
        let connections_reset = mark::all(&mut layers, &mut resets)?;
        sweep(&mut layers);
        counts::again(&mut layers);
        queues::link(&mut layers);
        for reset in &resets {
            reset.send(&mut layers.cx);
        }
        self.raise_all(now);
        self.check_books()?;
        Ok(Repaired { connections_reset })
    }
}

/// Nothing is marked, and nothing is believed that is derived.
fn begin(layers: &mut Layers<'_>) {
    let Layers {
        socks,
        tcp,
        udp,
        ip,
        cx,
        ..
    } = layers;
    socks.unmark_all();
    cx.packets.unmark_all();
    tcp.begin_repair();
    udp.clear();
    ip.forget();
    cx.idents.forget();
    cx.bufs.send.forget_holders();
    cx.bufs.receive.forget_holders();
    cx.timers.clear();
    cx.events.clear();
    cx.ports.clear();
    cx.loopback.forget();
    cx.global.forget();
}

/// Frees what is not marked.
fn sweep(layers: &mut Layers<'_>) {
    let Layers { socks, tcp, cx, .. } = layers;
    socks.sweep();
    cx.packets.sweep();
    tcp.sweep();
    cx.bufs.send.sweep();
    cx.bufs.receive.sweep();
}
