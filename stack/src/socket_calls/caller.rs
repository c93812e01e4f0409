//! Callers that are gone.

use crate::caller::Caller;
use crate::layout;
use crate::packet::Packet;
use crate::stack::Stack;
use crate::tcp;
use crate::time::Instant;

impl Stack {
    /// A caller is gone, and may have died between reserving and committing: its spans are over, and who waited for them
    /// goes on.
    pub fn release_caller(&mut self, now: Instant, caller: Caller) {
        let mut layers = self.layers(now);
        tcp::calls::release_caller(&mut layers.tcp_parts(), caller);
        for _ in 0..layout::MAX_PACKETS {
            let is_held = |packet: &Packet| packet.caller == caller;
            let mut held = layers
                .cx
                .packets
                .iter()
                .filter(|(_, packet)| is_held(packet));
            let Some(id) = held.next().map(|(id, _)| id) else {
                return;
            };
            drop(held);
            layers.cx.release_packet(id);
        }
    }
}
