//! Wakers: an eventfd for every thread that sleeps, made before any fork so that all members have them.

use std::sync::atomic::Ordering;

use arrayvec::ArrayVec;
use region::Words;
use sys::{OwnedFd, RawFd};

use crate::error::StartError;
use crate::private_fds;

/// How many threads of a family can sleep on a waker of their own at one time. A thread that finds none
/// free sleeps in short steps instead.
pub(crate) const WAKERS: usize = 64;

/// A waker that the calling thread has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waker(u8);

impl Waker {
    /// The waker's bit in a set of wakers (`FileRecord::waiters`).
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self.0
    }

    pub(crate) const fn index(self) -> u8 {
        self.0
    }

    /// The waker whose index plus one is `number`; 0 is none.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        let index = u8::try_from(number.checked_sub(1)?).ok()?;
        (usize::from(index) < WAKERS).then_some(Self(index))
    }
}

/// The wakers' descriptors in this process; the same numbers in every forked member.
#[derive(Clone, Copy)]
pub(crate) struct Wakers {
    fds: [RawFd; WAKERS],
}

impl Wakers {
    pub(crate) fn create() -> Result<Self, StartError> {
        let failed = |errno| StartError::errno("no event descriptor", errno);
        Self::keep((0..WAKERS).map(|_| sys::eventfd().map_err(failed)))
    }

    /// Those that another process has handed over.
    pub(crate) fn take_over(fds: [OwnedFd; WAKERS]) -> Result<Self, StartError> {
        Self::keep(fds.into_iter().map(Ok))
    }

    /// Keeps [`WAKERS`] descriptors at private numbers; none of them after an error.
    fn keep(fds: impl Iterator<Item = Result<OwnedFd, StartError>>) -> Result<Self, StartError> {
        let private = fds.map(|fd| private_fds::make_private(fd?));
        let private: ArrayVec<OwnedFd, WAKERS> = private.collect::<Result<_, _>>()?;
        let missing = |_| StartError::Keeper("its descriptors are missing");
        let private = private.into_inner().map_err(missing)?;
        Ok(Self::from_fds(private.map(OwnedFd::into_raw)))
    }

    /// Closes all of them.
    pub(crate) fn close(&self) {
        for fd in self.fds {
            // SAFETY: these are the wakers' own descriptors, which nobody uses after this call.
            let _ = unsafe { sys::close(fd) };
        }
    }

    pub(crate) fn from_fds(fds: [RawFd; WAKERS]) -> Self {
        Self { fds }
    }

    pub(crate) fn fds(&self) -> &[RawFd; WAKERS] {
        &self.fds
    }

    /// Takes a free waker; `None` when all are in use.
    pub(crate) fn take(&self, words: &Words, pid: u32) -> Option<Waker> {
        let mut taken = words.wakers_taken.load(Ordering::Relaxed);
        loop {
            let free = (!taken).trailing_zeros();
            if free as usize >= WAKERS {
                return None;
            }
            let bit = 1u64 << free;
            match words.wakers_taken.compare_exchange_weak(
                taken,
                taken | bit,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    words.waker_owners[free as usize].store(pid, Ordering::Relaxed);
                    return u8::try_from(free).ok().map(Waker);
                }
                Err(now) => taken = now,
            }
        }
    }

    /// Gives a waker back, silent.
    pub(crate) fn give_back(&self, words: &Words, waker: Waker) {
        words.sleeping.fetch_and(!waker.bit(), Ordering::AcqRel);
        self.silence(waker);
        words.wakers_taken.fetch_and(!waker.bit(), Ordering::AcqRel);
    }

    pub(crate) fn fd(&self, waker: Waker) -> RawFd {
        self.fds[usize::from(waker.0)]
    }

    /// Wakes those of `set` whose owners sleep.
    pub(crate) fn wake(&self, words: &Words, set: u64) {
        if set == 0 {
            return;
        }
        let mut left = set & words.sleeping.load(Ordering::SeqCst);
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            if let Some(fd) = self.fds.get(at) {
                let one = 1u64.to_ne_bytes();
                // A full counter means that it is readable already.
                let _ = sys::write(*fd, &one);
            }
        }
    }

    /// Writes to all wakers, whoever sleeps.
    pub(crate) fn wake_all(&self) {
        for fd in self.fds {
            let _ = sys::write(fd, &1u64.to_ne_bytes());
        }
    }

    pub(crate) fn silence(&self, waker: Waker) {
        let mut count = [0u8; 8];
        let _ = sys::read(self.fd(waker), &mut count);
    }
}

#[cfg(test)]
mod tests;
