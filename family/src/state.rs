//! What lies under the lock.

use nicio::WaitHandle;
use region::{Array, Region, RegionError};
use stack::{Instant, Stack};

use crate::epoll::Epolls;
use crate::files::{FileId, Files, Left, Member};
use crate::layout;
use crate::turn::TurnRecord;

/// A stack, the open files that lead to its sockets, and the epoll sets that watch them.
pub struct State {
    /// The TCP/IP stack.
    pub stack: Stack,
    /// Open file descriptions.
    pub files: Files,
    /// Stack members of epoll sets.
    pub epolls: Epolls,
    pub(crate) turn: Array<TurnRecord>,
    wait_handle: WaitHandle,
    /// Bells of threads that wait for files that were closed.
    rings: u64,
}

impl State {
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
            turn: region.array(layout::TURN, 1)?,
            wait_handle,
            rings: 0,
        })
    }

    /// One descriptor of `member` less; the last one closes the socket and leaves every epoll set.
    /// `false`: the member has none.
    pub fn release(&mut self, now: Instant, file: FileId, member: Member) -> bool {
        let left = self.files.drop_hold(file, member);
        if let Some(Left::Nothing(sock)) = left {
            self.rings |= self.files.get(file).map_or(0, |record| record.waiters);
            self.epolls.file_gone(file, &mut self.files);
            self.files.remove(file);
            self.stack.close(now, sock);
        }
        left.is_some()
    }

    /// Takes off every descriptor of a member that is gone.
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

    /// Passes the stack's events on to who waits; returns the bells to ring.
    pub(crate) fn drain_events(&mut self) -> u64 {
        let mut rings = core::mem::take(&mut self.rings);
        while let Some((_, tag, edges)) = self.stack.pop_event() {
            let file = FileId::from_bits(tag);
            let Some(record) = self.files.get(file) else {
                continue;
            };
            let (waiters, watched) = (record.waiters, record.items.is_some());
            if waiters != 0 {
                rings |= waiters;
                if let Some(mut record) = self.files.get_mut(file) {
                    record.waiters = 0;
                }
            }
            if watched {
                rings |= self.epolls.notify(file, edges, &mut self.files);
            }
        }
        rings | self.epolls.take_rings()
    }
}
