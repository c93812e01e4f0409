//! Sleeping until there is something to do.

use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;
use sys::RawFd;

use super::stand_in::{Post, UNPOLLED_GAP};
use super::{Keeper, LINGER, Watched};
use crate::clock::{self, earlier};
use crate::named_socket::NamedSocket;
use crate::poll_fd::poll_fd;

/// How often to look while a member sleeps on the device. The gap doubles up to the second one while nothing happens.
pub(super) const WATCH_GAP: Duration = Duration::from_millis(20);
const WATCH_GAP_MAX: Duration = Duration::from_millis(160);

impl Keeper {
    /// Sleeps until there is something to do.
    pub(super) fn sleep_until_due(&mut self) {
        let now = clock::now();
        let post = self.stand_in(now);
        let until = self.wakes_up_at(now, post.as_ref());
        self.sleep(post.as_ref().and_then(|post| post.device), until);
        if let (Some(Post { word, .. }), Some(waker)) = (post, self.waker) {
            let words = self.family.words();
            let _ = words
                .poller
                .compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed);
            words.sleeping.fetch_and(!waker.bit(), Ordering::AcqRel);
        }
    }

    /// When to look again, whatever happens.
    pub(super) fn wakes_up_at(&mut self, now: Instant, post: Option<&Post>) -> Option<Instant> {
        let look = match post {
            Some(post) => post.until,
            None => Some(now + self.next_look()),
        };
        let end = self.idle_since.map(|since| since + LINGER);
        let bind = self.listener.is_none().then_some(now + WATCH_GAP_MAX);
        let unborn = self.unborn.iter().map(|(_, since)| *since + LINGER).min();
        earlier(earlier(look, unborn), earlier(end, bind))
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

    fn sleep(&mut self, device: Option<RawFd>, until: Option<Instant>) {
        let listener = self.listener.as_ref();
        let own = [
            device,
            self.waker.map(|waker| self.family.wakers.fd(waker)),
            listener.map(NamedSocket::fd),
            listener.and_then(NamedSocket::removals_fd),
        ];
        let members = self.watched.iter().map(|member| member.pidfd.as_raw());
        let all = own.into_iter().chain(members.map(Some));
        let all = all.map(|fd| poll_fd(fd, libc::POLLIN));
        // They are asked for nothing, and hang up all the same.
        let tickets = self
            .held
            .iter()
            .map(|held| poll_fd(Some(held.end.as_raw()), 0));
        let mut fds: Vec<libc::pollfd> = all.chain(tickets).collect();
        let timeout = until.map(|until| until.saturating_since(clock::now()));
        if sys::ppoll(&mut fds, timeout, None).is_err() {
            return;
        }
        let is_ready = |fd: &libc::pollfd| fd.revents != 0;
        let Some((own, rest)) = fds.split_first_chunk::<4>() else {
            return;
        };
        let Some((members, tickets)) = rest.split_at_checked(self.watched.len()) else {
            return;
        };
        let [_, waker, visitor, removals] = own.each_ref().map(is_ready);
        if waker && let Some(waker) = self.waker {
            self.family.wakers.silence(waker);
        }
        let mut ended = members.iter().map(is_ready);
        let ended = self.watched.extract_if(.., |_| ended.next() == Some(true));
        for Watched { member, pid, .. } in ended.collect::<Vec<_>>() {
            self.reap(member, pid);
        }
        let mut closed = tickets.iter().map(is_ready);
        self.let_go(|_| closed.next() == Some(true));
        if visitor {
            self.accept();
        }
        if removals {
            NamedSocket::restore(&mut self.listener, &self.name);
        }
    }
}

#[cfg(test)]
mod tests;
