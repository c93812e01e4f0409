//! The life of the keeper: it stands in while nobody is inside, closes what dead members leave, lets newcomers in, and ends
//! a second after the last program and the last connection.

mod arguments;
mod bridge;
mod bridges;
mod newcomer;
mod reap;
mod sleep;
mod stand_in;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tickets;

use core::time::Duration;
use std::sync::atomic::Ordering;

use bridge::Bridge;
use stack::Instant;
use sys::OwnedFd;

use crate::family::Family;
use crate::named_socket::NamedSocket;
use crate::records::Member;
use crate::ticket::Passed;
use crate::visitor::{self, Visitor};
use crate::wakers::Waker;
use crate::{clock, keeper_watch, members};

/// How long the keeper stays after the last program and the last connection.
const LINGER: Duration = Duration::from_secs(1);
/// CPU time between two sleeps: far more than the largest family's descriptors take to be closed.
const CPU_MAX: Duration = Duration::from_secs(2);

/// The keeper of a family.
pub struct Keeper {
    family: Family,
    name: String,
    listener: Option<NamedSocket>,
    waker: Option<Waker>,
    watched: Vec<Watched>,
    /// Places that members took for children before they died, and since when the keeper waits for those.
    unborn: Vec<(Member, Instant)>,
    held: Vec<Held>,
    leaving: Vec<Leaving>,
    bridges: Vec<Bridge>,
    idle_since: Option<Instant>,
    watch_gap: Duration,
    last_poll_seen: u64,
    /// When the keeper itself polled last. While the region has the same time, nobody has polled since.
    own_poll: u64,
}

/// A program of the family, by a descriptor that becomes readable when it ends.
struct Watched {
    member: Member,
    pid: u32,
    pidfd: OwnedFd,
}

/// Something on its way to another process, which the keeper holds until its ticket is closed.
struct Held {
    passed: Passed,
    /// The ticket's other end, which hangs up then.
    end: OwnedFd,
}

/// A process that is about to become a program without the library.
struct Leaving {
    pid: u32,
    /// The exec closes the other end.
    connection: OwnedFd,
    /// What is to be copied from then on.
    bridges: Vec<Bridge>,
}

impl Keeper {
    /// Serves until a second after the last program and the last connection.
    pub fn run(mut self) {
        loop {
            // A damaged region may lead the keeper round in circles. Then this ends it, and device and name become free.
            sys::end_after_cpu_time(CPU_MAX);
            self.find_members();
            let Some(stop) = self.look_after() else {
                return;
            };
            if stop {
                break;
            }
            let has_more = self.copy_bridges();
            self.sleep_until_due(has_more);
        }
        members::unregister(self.family.words(), self.family.member());
    }

    /// Serves who has come to the keeper's socket.
    fn accept(&mut self) {
        let listener = self.listener.as_ref().map(NamedSocket::fd);
        match listener.and_then(visitor::accept) {
            Some(Visitor::Newcomer(newcomer)) => self.let_in(newcomer),
            Some(Visitor::Holding(holding)) => self.hold(holding),
            Some(Visitor::Leaver(leaver)) => self.expect_exec(leaver),
            Some(Visitor::Root(_waits)) => self.end_if_idle(),
            None => {}
        }
    }

    /// Stands in if nobody else does. `None`: the stack is dead; `Some(true)`: time to end.
    fn look_after(&mut self) -> Option<bool> {
        let family = &self.family;
        let now = clock::now();
        self.own_poll = self.relieve_absent(now).unwrap_or(self.own_poll);
        if self.is_alone(now) {
            family.poll();
            self.own_poll = family.words().last_poll_ns.load(Ordering::Relaxed);
        }
        let state = family.lock().ok()?;
        let is_wanted = members::any_program_but(family.words(), 0)
            || state.stack.live_connections() > 0
            || !self.held.is_empty()
            || !self.bridges.is_empty();
        if is_wanted {
            self.idle_since = None;
            return Some(false);
        }
        let since = *self.idle_since.get_or_insert(now);
        let stop = now.saturating_since(since) >= LINGER;
        if stop {
            // Under the lock: a program that comes nevertheless sees that there is no keeper.
            family.words().keeper_pid.store(0, Ordering::Relaxed);
            family
                .words()
                .keeper_state
                .store(keeper_watch::ABSENT, Ordering::Release);
        }
        Some(stop)
    }
}
