//! What lies under the lock.

use nicio::WaitHandle;
use region::{Array, Region, RegionError};
use stack::{Caller, Instant, Stack};

use crate::epoll::Epolls;
use crate::files::{Files, Left};
use crate::layout;
use crate::owner_record::OwnerRecord;
use crate::records::{FileId, Member};

/// A stack, the open files that lead to its sockets, and the epoll sets that watch them.
pub struct SharedState {
    /// The TCP/IP stack.
    pub stack: Stack,
    /// Open file descriptions.
    pub files: Files,
    /// Stack members of epoll sets.
    pub epolls: Epolls,
    pub(crate) owner: Array<OwnerRecord>,
    wait_handle: WaitHandle,
    /// Wakers of threads that wait for files that were closed.
    to_wake: u64,
}

impl SharedState {
    /// Views of a region over a stack made or attached before.
    pub(crate) fn new(
        region: &Region,
        stack: Stack,
        wait_handle: WaitHandle,
    ) -> Result<Self, RegionError> {
        Ok(Self {
            stack,
            files: Files::new(region)?,
            epolls: Epolls::new(region, layout::EPOLLS)?,
            owner: region.array(layout::DEVICE_OWNER, 1)?,
            wait_handle,
            to_wake: 0,
        })
    }

    /// Takes off one descriptor of `member`. With the last one the socket is closed and leaves every epoll set. `false`:
    /// the member has none.
    pub fn release(&mut self, now: Instant, file: FileId, member: Member) -> bool {
        let left = self.files.drop_hold(file, member);
        if let Some(Left::Nothing(sock)) = left {
            self.to_wake |= self.files.get(file).map_or(0, |record| record.waiters);
            self.epolls.file_gone(file, &mut self.files);
            self.files.remove(file);
            self.stack.close(now, sock);
        }
        left.is_some()
    }

    /// Takes off every descriptor of a member that is gone, and what it was copying.
    pub(crate) fn release_all(&mut self, now: Instant, member: Member) {
        loop {
            let held = self.files.held_by(member);
            if held.is_empty() {
                break;
            }
            for file in held {
                if !self.release(now, file, member) {
                    self.files.forget(file, member);
                }
            }
        }
        self.epolls.member_gone(member, &mut self.files);
        self.stack.release_caller(now, Caller::new(member));
    }

    /// There is something to send, and the device takes it.
    pub(crate) fn may_transmit(&self) -> bool {
        self.stack.transmit_pending() && !self.wait_handle.is_full()
    }

    /// When the stack has something to do next; `now` if there is something to send.
    pub(crate) fn next_due(&self, now: Instant) -> Option<Instant> {
        if self.may_transmit() {
            Some(now)
        } else {
            self.stack.poll_timeout()
        }
    }

    /// Passes the stack's events on to who waits; returns the wakers to wake.
    pub(crate) fn drain_events(&mut self) -> u64 {
        let mut to_wake = core::mem::take(&mut self.to_wake);
        while let Some((_, tag, edges)) = self.stack.pop_event() {
            let file = FileId::from_bits(tag);
            let Some(record) = self.files.get(file) else {
                continue;
            };
            let (waiters, watched) = (record.waiters, record.items.is_some());
            if waiters != 0 {
                to_wake |= waiters;
                if let Some(mut record) = self.files.get_mut(file) {
                    record.waiters = 0;
                }
            }
            if watched {
                to_wake |= self.epolls.notify(file, edges, &mut self.files);
            }
        }
        to_wake | self.epolls.take_to_wake()
    }
}

#[cfg(test)]
mod tests;
