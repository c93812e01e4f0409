//! Bells: an eventfd for every thread that sleeps, made before any fork so that all members have them.

use std::os::fd::RawFd;
use std::sync::atomic::Ordering;

use region::Words;

use crate::error::StartError;
use crate::{own, sys};

/// How many threads of a family can sleep on a bell of their own at one time. A thread that finds none
/// free sleeps in short steps instead.
pub(crate) const BELLS: usize = 32;

/// A bell that the calling thread has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bell(u8);

impl Bell {
    /// The bell's bit in a set of bells (`FileRecord::waiters`).
    #[must_use]
    pub const fn bit(self) -> u64 {
        1 << self.0
    }

    pub(crate) const fn index(self) -> u8 {
        self.0
    }

    /// The bell whose index plus one is `number`; 0 is none.
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        let index = u8::try_from(number.checked_sub(1)?).ok()?;
        (usize::from(index) < BELLS).then_some(Self(index))
    }
}

/// The bells' descriptors in this process; the same numbers in every forked member.
#[derive(Clone, Copy)]
pub(crate) struct Bells {
    fds: [RawFd; BELLS],
}

impl Bells {
    pub(crate) fn create() -> Result<Self, StartError> {
        let mut bells = Self { fds: [-1; BELLS] };
        for slot in &mut bells.fds {
            match eventfd() {
                Ok(fd) => *slot = fd,
                Err(error) => {
                    bells.close();
                    return Err(error);
                }
            }
        }
        Ok(bells)
    }

    /// Closes all of them.
    pub(crate) fn close(&self) {
        for fd in self.fds.iter().filter(|fd| **fd >= 0) {
            sys::close(*fd);
        }
    }

    pub(crate) fn from_fds(fds: [RawFd; BELLS]) -> Self {
        Self { fds }
    }

    pub(crate) fn fds(&self) -> &[RawFd; BELLS] {
        &self.fds
    }

    /// Takes a free bell; `None` when all are in use.
    pub(crate) fn take(&self, words: &Words, pid: u32) -> Option<Bell> {
        let mut taken = words.bells_taken.load(Ordering::Relaxed);
        loop {
            let free = (!taken).trailing_zeros();
            if free as usize >= BELLS {
                return None;
            }
            let bit = 1u64 << free;
            match words.bells_taken.compare_exchange_weak(
                taken,
                taken | bit,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    words.bell_owners[free as usize].store(pid, Ordering::Relaxed);
                    return u8::try_from(free).ok().map(Bell);
                }
                Err(now) => taken = now,
            }
        }
    }

    /// Gives a bell back, silent.
    pub(crate) fn give_back(&self, words: &Words, bell: Bell) {
        words.sleeping.fetch_and(!bell.bit(), Ordering::AcqRel);
        self.silence(bell);
        words.bells_taken.fetch_and(!bell.bit(), Ordering::AcqRel);
    }

    pub(crate) fn fd(&self, bell: Bell) -> RawFd {
        self.fds.get(usize::from(bell.0)).copied().unwrap_or(-1)
    }

    /// Rings those bells of `set` whose owners sleep.
    pub(crate) fn ring(&self, words: &Words, set: u64) {
        if set == 0 {
            return;
        }
        let mut ring = set & words.sleeping.load(Ordering::SeqCst);
        while ring != 0 {
            let at = ring.trailing_zeros() as usize;
            ring &= ring - 1;
            if let Some(fd) = self.fds.get(at) {
                let one = 1u64.to_ne_bytes();
                // A full counter means that the bell rings already.
                let _ = sys::write(*fd, &one);
            }
        }
    }

    /// Rings all bells, whoever sleeps.
    pub(crate) fn ring_all(&self) {
        for fd in self.fds {
            let _ = sys::write(fd, &1u64.to_ne_bytes());
        }
    }

    fn silence(&self, bell: Bell) {
        let mut count = [0u8; 8];
        let _ = sys::read(self.fd(bell), &mut count);
    }
}

/// A fresh eventfd at a high number.
fn eventfd() -> Result<RawFd, StartError> {
    let failed = |errno| StartError::errno("no event descriptor", errno);
    own::lift(nicio::sys::eventfd().map_err(failed)?.into_raw())
}
