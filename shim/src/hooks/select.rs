//! select(2) and pselect(2). Calls on kernel descriptors alone are the kernel's.

use core::ffi::c_int;
use core::time::Duration;

use libc::{fd_set, pollfd, sigset_t, timespec, timeval};
use stack::Instant;
use sys::Errno;

use crate::answer::answer;
use crate::guard::guarded;
use crate::hook::{hook, real};
use crate::readiness::{self, Limits, PollFds};
use crate::{carried, descriptors};

/// What each of the three sets asks for, as in the kernel (fs/select.c).
const ASKED: [i16; 3] = [
    libc::POLLIN | libc::POLLRDNORM | libc::POLLRDBAND | libc::POLLHUP | libc::POLLERR,
    libc::POLLOUT | libc::POLLWRNORM | libc::POLLWRBAND | libc::POLLERR,
    libc::POLLPRI,
];

const WORD_BITS: usize = 64;

hook! {
    /// select(2). Linux writes back what is left of the time.
    fn select(
        count: c_int,
        read: *mut fd_set,
        write: *mut fd_set,
        except: *mut fd_set,
        timeout: *mut timeval,
    ) -> c_int {
        let sets = Sets::new(count, [read, write, except]);
        // SAFETY: the program's sets have room for `count` descriptors.
        if !unsafe { sets.any_ours() } {
            return real!(select(count, read, write, except, timeout));
        }
        guarded(move || {
            // SAFETY: null, or valid as select(2) demands.
            let timeout = unsafe { timeout.as_mut() };
            let deadline = match timeout.as_deref().map(deadline_of).transpose() {
                Ok(deadline) => deadline,
                Err(error) => return answer(Err(error)),
            };
            // SAFETY: the program's sets have room for `count` descriptors.
            let result = unsafe { sets.select(Limits { deadline, mask: None }) };
            if let (Some(timeout), Some(deadline)) = (timeout, deadline) {
                *timeout = left_until(deadline);
            }
            answer(result)
        })
    }
}

hook! {
    /// pselect(2). libc leaves the time as it was.
    fn pselect(
        count: c_int,
        read: *mut fd_set,
        write: *mut fd_set,
        except: *mut fd_set,
        timeout: *const timespec,
        mask: *const sigset_t,
    ) -> c_int {
        let sets = Sets::new(count, [read, write, except]);
        // SAFETY: the program's sets have room for `count` descriptors.
        if !unsafe { sets.any_ours() } {
            return real!(pselect(count, read, write, except, timeout, mask));
        }
        guarded(move || {
            // SAFETY: null, or valid as pselect(2) demands.
            let limits = unsafe { Limits::new(timeout, mask) };
            // SAFETY: the program's sets have room for `count` descriptors.
            answer(limits.and_then(|limits| unsafe { sets.select(limits) }))
        })
    }
}

fn deadline_of(time: &timeval) -> Result<Instant, Errno> {
    let (Ok(seconds), Ok(micros)) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_usec))
    else {
        return Err(Errno(libc::EINVAL));
    };
    Ok(family::now() + Duration::from_secs(seconds) + Duration::from_micros(micros))
}

fn left_until(deadline: Instant) -> timeval {
    let left = deadline.saturating_since(family::now());
    timeval {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_usec: i64::from(left.subsec_micros()),
    }
}

/// The program's three sets: null, or an array of words with a bit for each descriptor below `count`.
struct Sets {
    count: usize,
    words: [*mut u64; 3],
}

impl Sets {
    fn new(count: c_int, sets: [*mut fd_set; 3]) -> Self {
        // The kernel refuses a negative count, and one beyond any table.
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= descriptors::DESCRIPTORS_MAX);
        Self {
            count: count.unwrap_or(0),
            words: sets.map(<*mut fd_set>::cast),
        }
    }

    fn words_len(&self) -> usize {
        self.count.div_ceil(WORD_BITS)
    }

    /// One word of one set, without bits after the last descriptor.
    ///
    /// # Safety
    /// The set is null or long enough, and `at` is below [`Self::words_len`].
    unsafe fn word(&self, set: usize, at: usize) -> u64 {
        let words = self.words[set];
        if words.is_null() {
            return 0;
        }
        // SAFETY: whoever calls `word` promises that `at` is a word of the set.
        let word = unsafe { words.add(at) };
        // SAFETY: the program gave the set to be read.
        let word = unsafe { *word };
        let behind = self.count - at * WORD_BITS;
        if behind < WORD_BITS {
            word & ((1 << behind) - 1)
        } else {
            word
        }
    }

    /// # Safety
    /// The sets are null or long enough.
    unsafe fn any_ours(&self) -> bool {
        if !carried::any_descriptors() {
            return false;
        }
        (0..self.words_len()).any(|at| {
            // SAFETY: the program's own sets, as long as it says.
            let asked = [0, 1, 2].map(|set| unsafe { self.word(set, at) });
            bits(at, asked[0] | asked[1] | asked[2]).any(|fd| !descriptors::is_kernel(fd))
        })
    }

    /// # Safety
    /// The sets are null or long enough; this call may write them.
    unsafe fn select(&self, limits: Limits<'_>) -> Result<usize, Errno> {
        let mut fds = PollFds::new();
        for at in 0..self.words_len() {
            // SAFETY: the program's own sets, as long as it says.
            let asked = [0, 1, 2].map(|set| unsafe { self.word(set, at) });
            for fd in bits(at, asked[0] | asked[1] | asked[2]) {
                fds.push(pollfd {
                    fd,
                    events: events_of(asked, fd),
                    revents: 0,
                });
            }
        }
        let fds = fds.as_mut_slice();
        readiness::poll(fds, libc::POLLNVAL as u32, limits)?;
        if fds.iter().any(|fd| fd.revents & libc::POLLNVAL != 0) {
            return Err(Errno(libc::EBADF));
        }
        // SAFETY: the program's own sets, as long as it says.
        Ok(unsafe { self.write_back(fds) })
    }

    /// # Safety
    /// As [`Self::select`].
    unsafe fn write_back(&self, fds: &[pollfd]) -> usize {
        let mut found = 0;
        for (set, (words, answers)) in self.words.into_iter().zip(ASKED).enumerate() {
            if words.is_null() {
                continue;
            }
            let mut fds = fds.iter().peekable();
            for at in 0..self.words_len() {
                // SAFETY: the program's own sets, as long as it says.
                let asked = unsafe { self.word(set, at) };
                let mut answer = 0;
                while let Some(fd) = fds.next_if(|fd| fd.fd as usize / WORD_BITS == at) {
                    let bit = 1 << (fd.fd as usize % WORD_BITS);
                    if asked & bit != 0 && fd.revents & answers != 0 {
                        answer |= bit;
                        found += 1;
                    }
                }
                // SAFETY: the program's own set, which has `words_len` words.
                let word = unsafe { words.add(at) };
                // SAFETY: the program gave the set to be written.
                unsafe { *word = answer };
            }
        }
        found
    }
}

/// Descriptors whose bits are set in word `at`.
fn bits(at: usize, mut word: u64) -> impl Iterator<Item = c_int> {
    core::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let bit = word.trailing_zeros() as usize;
        word &= word - 1;
        Some((at * WORD_BITS + bit) as c_int)
    })
}

fn events_of(asked: [u64; 3], fd: c_int) -> i16 {
    let bit = 1u64 << (fd as usize % WORD_BITS);
    asked
        .iter()
        .zip(ASKED)
        .filter(|(word, _)| **word & bit != 0)
        .fold(0, |all, (_, mask)| all | mask)
}

#[cfg(test)]
mod tests;
