//! Sleeping until there is something to do.

use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::Instant;
use sys::RawFd;

use super::bridge::Bridge;
use super::stand_in::{Post, UNPOLLED_GAP};
use super::{Keeper, LINGER, Leaving, Watched};
use crate::clock::{self, earlier};
use crate::named_socket::NamedSocket;
use crate::poll_fd::poll_fd;

/// How often to look while a member sleeps on the device. The gap doubles up to the second one while nothing happens.
pub(super) const WATCH_GAP: Duration = Duration::from_millis(20);
/// How often to look at bridges if nobody can wake the keeper for them.
const BLIND_GAP: Duration = Duration::from_millis(1);
const WATCH_GAP_MAX: Duration = Duration::from_millis(160);

impl Keeper {
    /// Sleeps until there is something to do; with `has_more` there is already.
    pub(super) fn sleep_until_due(&mut self, has_more: bool) {
        let now = clock::now();
        let post = self.stand_in(now);
        let until = if has_more {
            Some(now)
        } else {
            self.wakes_up_at(now, post.as_ref())
        };
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
        let mut bridges = self.bridges.iter().filter_map(Bridge::until).min();
        if self.waker.is_none() && !self.bridges.is_empty() {
            bridges = earlier(bridges, Some(now + BLIND_GAP));
        }
        earlier(earlier(earlier(look, unborn), earlier(end, bind)), bridges)
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
        let readable = |fd| poll_fd(Some(fd), libc::POLLIN);
        let members = self.watched.iter().map(|member| member.pidfd.as_raw());
        let leaving = self.leaving.iter().map(Leaving::fd);
        let tickets = self.held.iter().map(|held| held.end.as_raw());
        let mut fds: Vec<libc::pollfd> = own.map(|fd| poll_fd(fd, libc::POLLIN)).into();
        fds.extend(members.chain(leaving).chain(tickets).map(readable));
        fds.extend(self.bridges.iter().map(Bridge::poll_fd));
        let timeout = until.map(|until| until.saturating_since(clock::now()));
        if sys::ppoll(&mut fds, timeout, None).is_err() {
            return;
        }
        // In the order of the list.
        let mut seen = fds.iter().map(|fd| fd.revents);
        let mut next = || seen.next().unwrap_or(0);
        let [_, waker, visitor, removals] = own.map(|_| next() != 0);
        if waker && let Some(waker) = self.waker {
            self.family.wakers.silence(waker);
        }
        let ended = self.watched.extract_if(.., |_| next() != 0);
        let ended = ended.collect::<Vec<_>>();
        let left = self.leaving.iter().map(|_| next() != 0).collect();
        self.look_at_tickets(|| next() != 0);
        let now = clock::now();
        for bridge in &mut self.bridges {
            bridge.note_ready(now, next());
        }
        for Watched { member, pid, .. } in ended {
            self.reap(member, pid);
        }
        self.hear_leaving(left);
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
