//! A member's eye on the keeper: starts one when there is none.

use std::sync::atomic::Ordering;

use stack::Instant;

use crate::capture::Capture;
use crate::family::Family;
use crate::spawn::PROGRAM;
use crate::{fd_list, members, spawn};

/// Values of `Words::keeper_state`.
pub(crate) const ABSENT: u32 = 0;
pub(crate) const STARTED: u32 = 1;
/// It could not be started; nobody tries again.
pub(crate) const FAILED: u32 = 2;

/// How often a member looks whether the keeper is still there.
const LOOK_GAP_NS: u64 = 100_000_000;

impl Family {
    /// Starts the keeper if there is none.
    pub(crate) fn ensure_keeper(&self) {
        let state = &self.words().keeper_state;
        if self.is_keeper()
            || self.is_filtered.load(Ordering::Relaxed)
            || state
                .compare_exchange(ABSENT, STARTED, Ordering::AcqRel, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        if self.spawn_keeper().is_none() {
            state.store(FAILED, Ordering::Release);
            tracing::warn!("the keeper {PROGRAM} does not start; is it beside libnstk.so?");
        }
    }

    /// A keeper that was killed is forgotten, with what it held; the next call starts another. Looks at most every [`LOOK_GAP_NS`],
    /// and not at all from a process that could not start another.
    pub(crate) fn watch_keeper(&self, now: Instant) {
        let seen = self.keeper_seen_ns.load(Ordering::Relaxed);
        let words = self.words();
        let pid = words.keeper_pid.load(Ordering::Relaxed);
        if pid == 0 || self.is_keeper() || self.is_filtered.load(Ordering::Relaxed) {
            return;
        }
        if now.as_nanos().saturating_sub(seen) < LOOK_GAP_NS {
            return;
        }
        self.keeper_seen_ns.store(now.as_nanos(), Ordering::Relaxed);
        if sys::process_runs(pid) {
            return;
        }
        let mine = words
            .keeper_pid
            .compare_exchange(pid, 0, Ordering::AcqRel, Ordering::Relaxed);
        if mine.is_ok() {
            self.reap_process(pid);
            members::unregister_keeper(words, pid);
            words.keeper_state.store(ABSENT, Ordering::Release);
        }
    }

    /// As NSTK_ADDR has them, without prefixes.
    fn own_addresses(&self) -> String {
        let Ok(state) = self.lock() else {
            return String::new();
        };
        let config = state.stack.config();
        let own = [config.addr, config.addr6].into_iter();
        let own = own.filter(|addr| !addr.is_unspecified());
        own.map(|addr| addr.to_string())
            .collect::<Vec<_>>()
            .join(",")
    }

    fn spawn_keeper(&self) -> Option<()> {
        let program = self.keeper_program.as_ref()?;
        let mut keep = vec![self.shared.region().fd()?];
        keep.extend_from_slice(self.wakers.fds());
        let capture = self.capture.as_ref().map(Capture::fds).unwrap_or_default();
        keep.extend_from_slice(&capture);
        keep.extend_from_slice(&self.device_handles.fds);
        let arguments = [
            self.spec.to_string(),
            self.own_addresses(),
            spawn::own_name(),
            self.name.clone(),
            self.device_handles.tag.to_string(),
            capture.len().to_string(),
            fd_list::write(&keep),
        ];
        spawn::spawn(program, &arguments, &keep)
    }
}

#[cfg(test)]
mod tests;
