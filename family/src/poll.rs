//! A round with the device.

use std::sync::atomic::Ordering;

use stack::Instant;

use crate::clock;
use crate::error::Gone;
use crate::family::Family;
use crate::shared_state::SharedState;

impl Family {
    /// One round with the device, if no other thread owns it: a burst in, the timers that are due, what there is
    /// to send out. `true` if anything moved.
    pub fn poll(&self) -> bool {
        let _inside = self.inside();
        self.poll_inside(|_, _| ()).is_ok_and(|(moved, ())| moved)
    }

    /// A round with the device, and `look` under the lock in the middle of it, after what came in. If
    /// another thread owns the device there is only the look.
    pub(crate) fn poll_inside<R>(
        &self,
        look: impl FnOnce(&mut SharedState, Instant) -> R,
    ) -> Result<(bool, R), Gone> {
        let mut state = self.lock()?;
        let Some(mut owner) = self.own_device() else {
            let now = clock::now();
            self.watch_keeper(now);
            let seen = look(&mut state, now);
            self.leave(state, now)?;
            return Ok((false, seen));
        };
        owner.take_over(&mut state, self.pid());
        drop(state);
        self.relieve_keeper();
        if let Err(error) = owner.receive() {
            self.device_failed(error);
        }
        self.tell_news();
        self.tell_repairs();
        let now = clock::now();
        self.words()
            .last_poll_ns
            .store(now.as_nanos(), Ordering::Relaxed);
        let mut state = self.lock_again()?;
        let received = owner.deliver(&mut state, now);
        state.stack.handle_timeout(now);
        owner.refill(&mut state);
        let seen = look(&mut state, now);
        // The keeper has nobody whom it could tell.
        let conflict = if self.is_keeper() {
            None
        } else {
            state.stack.take_conflict()
        };
        let sent = self.transmit(state, &mut owner, now)?;
        if let Some(mac) = conflict {
            self.tell_conflict(mac);
        }
        Ok((received > 0 || sent > 0, seen))
    }

    /// Another station answers for the stack's address too. The user is told, as connections will fail now and then.
    #[cold]
    fn tell_conflict(&self, mac: [u8; 6]) {
        let [a, b, c, d, e, f] = mac;
        (self.hooks.complain)(format_args!(
            "NSTK_IF={}: another station ({a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}) has the address of NSTK_ADDR, too; \
             give the stack an address of its own",
            self.spec
        ));
    }
}

#[cfg(test)]
mod tests;
