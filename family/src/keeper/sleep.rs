//! Sleeping until there is something to do.

use core::time::Duration;
use std::os::fd::RawFd;
use std::sync::atomic::Ordering;

use arrayvec::ArrayVec;
use stack::Instant;

use super::stand_in::{Post, UNPOLLED_GAP};
use super::{Keeper, LINGER, Watched};
use crate::clock::{self, earlier};
use crate::named_socket::NamedSocket;
use crate::sys;

/// How often to look while a member sleeps on the device; doubles up to the second of the
/// two while all is idle.
pub(super) const WATCH_GAP: Duration = Duration::from_millis(20);
const WATCH_GAP_MAX: Duration = Duration::from_millis(160);
/// The members' descriptors, device, waker, listening socket and its name.
const FDS_MAX: usize = region::MEMBERS_MAX + 4;

impl Keeper {
    /// Sleeps until there is something to do.
    pub(super) fn sleep_until_due(&mut self) {
        let now = clock::now();
        let post = self.stand_in(now);
        let mut until = match &post {
            Some(post) => post.until,
            None => Some(now + self.next_look()),
        };
        if let Some(since) = self.idle_since {
            until = earlier(until, Some(since + LINGER));
        }
        if self.listener.is_none() {
            until = earlier(until, Some(now + WATCH_GAP_MAX));
        }
        self.sleep(post.as_ref().map_or(-1, |post| post.device), until);
        if let (Some(Post { word, .. }), Some(waker)) = (post, self.waker) {
            let words = self.family.words();
            let _ = words
                .poller
                .compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed);
            words.sleeping.fetch_and(!waker.bit(), Ordering::AcqRel);
        }
    }

    /// How long to leave the stack to its members before the next look: longer and longer while one of them
    /// sleeps on the device and nothing happens.
    fn next_look(&mut self) -> Duration {
        let words = self.family.words();
        let last_poll = words.last_poll_ns.load(Ordering::Relaxed);
        let unchanged = core::mem::replace(&mut self.last_poll_seen, last_poll) == last_poll;
        if words.poller.load(Ordering::Relaxed) == 0 {
            return UNPOLLED_GAP;
        }
        self.watch_gap = if unchanged {
            (self.watch_gap * 2).min(WATCH_GAP_MAX)
        } else {
            WATCH_GAP
        };
        self.watch_gap
    }

    fn sleep(&mut self, device: RawFd, until: Option<Instant>) {
        let waker = self.waker.map_or(-1, |waker| self.family.wakers.fd(waker));
        let listener = self.listener.as_ref();
        let own = [
            device,
            waker,
            listener.map_or(-1, NamedSocket::fd),
            listener.map_or(-1, NamedSocket::removals_fd),
        ];
        let fds = own
            .into_iter()
            .chain(self.watched.iter().map(|watched| watched.pidfd));
        let mut fds: ArrayVec<libc::pollfd, FDS_MAX> = fds
            .map(|fd| libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            })
            .take(FDS_MAX)
            .collect();
        let timeout = until.map(|until| until.saturating_since(clock::now()));
        if sys::ppoll(&mut fds, timeout, None).is_err() {
            return;
        }
        let rang = |at: usize| fds.get(at).is_some_and(|fd| fd.revents != 0);
        if rang(1) {
            let mut count = [0; 8];
            let _ = sys::read(waker, &mut count);
        }
        let ended: Vec<usize> = (0..self.watched.len())
            .filter(|at| rang(own.len() + at))
            .collect();
        for at in ended.into_iter().rev() {
            let Watched { member, pid, pidfd } = self.watched.swap_remove(at);
            sys::close(pidfd);
            self.reap(member, pid);
        }
        if rang(2) {
            self.accept();
        }
        if rang(3) {
            NamedSocket::restore(&mut self.listener, &self.name);
        }
    }
}
