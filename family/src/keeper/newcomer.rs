//! Handing the region to a program that asks to join.

use std::os::fd::RawFd;

use super::{Keeper, Watched};
use crate::named_socket::NamedSocket;
use crate::records::Member;
use crate::rendezvous::{self, Answer, HandOver};
use crate::{members, sys};

impl Keeper {
    /// Lets a newcomer in, unless a program is still there. Without an answer it makes a region of its own as soon
    /// as this process has ended.
    pub(super) fn accept(&mut self) {
        let Some(mut newcomer) = self
            .listener
            .as_ref()
            .map(NamedSocket::fd)
            .and_then(rendezvous::accept_newcomer)
        else {
            return;
        };
        let capture = newcomer.take_capture();
        // It has come by exec: the program that it was is gone.
        while let Some(at) = self
            .watched
            .iter()
            .position(|known| known.pid == newcomer.pid)
        {
            let Watched { member, pid, pidfd } = self.watched.swap_remove(at);
            sys::close(pidfd);
            self.reap(member, pid);
        }
        if self
            .watched
            .iter()
            .any(|watched| sys::process_runs(watched.pid))
        {
            newcomer.answer(&Answer::InUse);
            return;
        }
        if newcomer.build != region::BUILD {
            if self.idle_since.is_some() {
                self.family.give_up();
            } else {
                newcomer.answer(&Answer::OtherBuild);
            }
            return;
        }
        let Some((region, place)) = self.place_for(newcomer.pid) else {
            self.family.give_up();
            return;
        };
        let hand_over = HandOver {
            region,
            wakers: *self.family.wakers.fds(),
            device: self.family.device_handles.clone(),
            place: u8::try_from(place).unwrap_or(u8::MAX),
        };
        if newcomer.answer(&Answer::Welcome(&hand_over)) {
            self.family.set_recorder(capture);
            // It has a second to open its first connection.
            self.idle_since = None;
        } else {
            members::unregister(self.family.words(), place);
        }
    }

    /// The region and a place in it, if the newcomer can go on with it. It has all of its places free, so that
    /// there is none only tells of wild writes.
    fn place_for(&self, pid: u32) -> Option<(RawFd, Member)> {
        self.family.rehearse_join().ok()?;
        let region = self.family.shared.region().fd()?;
        Some((region, members::register(self.family.words(), pid, 0)?))
    }
}
