//! What the stack has sent to itself.

use super::{Origin, handle};
use crate::frame::{RxChecksum, RxFrame};
use crate::layers::Layers;

/// Takes in all frames of the loopback device's queue. None joins it meanwhile: the way in only queues answers.
#[inline]
pub(crate) fn take_looped(layers: &mut Layers<'_>) {
    if !layers.cx.loopback.is_empty() {
        take_all(layers);
    }
}

#[cold]
fn take_all(layers: &mut Layers<'_>) {
    while let Some(looped) = layers.cx.loopback.pop() {
        let frame = RxFrame {
            bufs: looped.bufs(),
            start: 0,
            len: looped.len,
            checksum: RxChecksum::Partial,
            gso_size: looped.gso_size,
        };
        handle(layers, &frame, Origin::Loopback);
        looped.release(layers.cx.bufs);
    }
}
