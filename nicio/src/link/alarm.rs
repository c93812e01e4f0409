//! Falling asleep at an end of a link.

use std::sync::Arc;

use super::{Cable, End};

/// What a thread sets before it sleeps on [`crate::WaitHandle::fd`]: the other end makes a system call only
/// for one who sleeps.
#[derive(Clone, Debug)]
pub struct Alarm {
    cable: Arc<Cable>,
    end: End,
}

impl Alarm {
    pub(super) fn new(cable: Arc<Cable>, end: End) -> Self {
        Self { cable, end }
    }

    /// From now on the descriptor becomes readable when frames come, or when there is room again for frames
    /// that the device refused; once, then the alarm has to be set again. `false`: there is no reason to
    /// sleep, something of that is so already.
    #[must_use]
    pub fn set(&self) -> bool {
        self.cable.clear_waker(self.end);
        let (own, peer) = self.cable.sides(self.end);
        own.fall_asleep();
        !own.has_frames(peer) && !own.has_room_again(peer)
    }

    /// The device refused frames for want of room, and there is still none.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let (own, peer) = self.cable.sides(self.end);
        own.is_full() && !own.has_room_again(peer)
    }
}
