//! Sockets and epoll sets on their way to another process.

use core::time::Duration;

use sys::{OwnedFd, RawFd};

use crate::bridge_request::{self, AnnouncedExec};
use crate::clock;
use crate::family::Family;
use crate::records::FileId;
use crate::ticket::{Passed, Ticket};
use crate::ticket_request::{self, NotPassed};

/// How long to try to reach a keeper, and the pause between two tries.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(2);

impl Family {
    /// A ticket for what the descriptor `fd` of this process stands for: the keeper has a hold on it by now.
    ///
    /// # Errors
    /// Why it cannot be passed.
    pub fn pass(&self, passed: Passed, fd: RawFd) -> Result<OwnedFd, NotPassed> {
        let (ticket, end) = sys::socketpair().map_err(NotPassed::System)?;
        let family = self.identity();
        let name = Ticket { family, passed }.name();
        name.and_then(|name| sys::bind_to_abstract_name(ticket.as_raw(), name.as_bytes()))
            .map_err(NotPassed::System)?;
        if let Passed::Set(_) = passed {
            sys::send_message(end.as_raw(), &[0], &[fd]).map_err(NotPassed::System)?;
        }
        self.ask_keeper(|| ticket_request::request_hold(&self.name, end.as_raw()))?;
        Ok(ticket)
    }

    /// Asks the keeper until it is there. One that was started a moment ago may not be.
    fn ask_keeper<R>(
        &self,
        ask: impl Fn() -> Result<Option<R>, NotPassed>,
    ) -> Result<R, NotPassed> {
        let started = clock::now();
        loop {
            self.ensure_keeper();
            if let Some(answer) = ask()? {
                return Ok(answer);
            }
            let waited = clock::now().saturating_since(started);
            if waited >= PATIENCE || self.is_dead() {
                return Err(NotPassed::NoKeeper);
            }
            sys::pause(PAUSE);
        }
    }

    /// Tells the keeper that this process is about to become a program without the library, which has the other ends of these
    /// in place of its connections. `None`: the keeper does not answer.
    #[must_use]
    pub fn announce_exec(&self, bridges: &[(FileId, RawFd)]) -> Option<AnnouncedExec> {
        let request = || bridge_request::request_bridges(&self.name, self.identity(), bridges);
        self.ask_keeper(request).ok()
    }

    /// One more descriptor of this process leads to what was passed. `false`: it is not there any more.
    #[must_use]
    pub fn hold(&self, passed: Passed) -> bool {
        let member = self.member();
        let held = self.enter(|state, _| match passed {
            Passed::Socket(file) | Passed::Undecided(file) => state.files.hold(file, member),
            Passed::Set(set) => state.epolls.hold(set, member),
        });
        held.unwrap_or(false)
    }

    /// One descriptor less leads to it.
    pub fn let_go(&self, passed: Passed) {
        let member = self.member();
        // A dead stack has nothing to release.
        let _ = self.enter(|state, now| match passed {
            Passed::Socket(file) | Passed::Undecided(file) => {
                state.release(now, file, member);
            }
            Passed::Set(set) => state.epolls.release(set, member, &mut state.files),
        });
    }
}
