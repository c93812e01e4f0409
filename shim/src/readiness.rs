//! Waiting for several descriptors at once, the kernel's and ours: the core of poll(2), select(2) and their relatives.

use core::ffi::c_int;
use core::time::Duration;

use family::{Outcome, SharedState, Wait, Waker};
use libc::{pollfd, sigset_t, timespec};
use smallvec::SmallVec;
use stack::{Instant, Ready};
use sys::Errno;

use crate::descriptors::{self, Descriptor};
use crate::{dead, death, entering};

/// The entries of one call; up to 16 need no allocation.
pub(crate) type PollFds = SmallVec<[pollfd; 16]>;

/// What poll(2) reports whether asked for or not. select(2) differs.
pub(crate) const ALWAYS: u32 = (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) as u32;

/// How long a call may take, and which signals may end it.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    /// `None`: for ever.
    pub(crate) deadline: Option<Instant>,
    /// The program's mask during the call; `None`: as it is.
    pub(crate) mask: Option<&'a sigset_t>,
}

impl<'a> Limits<'a> {
    /// As ppoll(2) takes them.
    ///
    /// # Safety
    /// Both are null or valid.
    pub(crate) unsafe fn new(
        timeout: *const timespec,
        mask: *const sigset_t,
    ) -> Result<Self, Errno> {
        // SAFETY: the hook passes on the program's own pointers.
        let timeout = unsafe { timeout.as_ref() };
        // SAFETY: the hook passes on the program's own pointers.
        let mask = unsafe { mask.as_ref() };
        let length = timeout.map(duration).transpose()?;
        Ok(Self {
            deadline: length.map(|length| family::now() + length),
            mask,
        })
    }
}

/// The time in so many milliseconds; negative means for ever.
pub(crate) fn deadline_ms(milliseconds: c_int) -> Option<Instant> {
    let milliseconds = u64::try_from(milliseconds).ok()?;
    Some(family::now() + Duration::from_millis(milliseconds))
}

/// A length of time as the kernel judges it.
pub(crate) fn duration(time: &timespec) -> Result<Duration, Errno> {
    let seconds = u64::try_from(time.tv_sec);
    let nanos = u32::try_from(time.tv_nsec)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000);
    match (seconds, nanos) {
        (Ok(seconds), Some(nanos)) => Ok(Duration::new(seconds, nanos)),
        _ => Err(Errno(libc::EINVAL)),
    }
}

/// poll(2) over descriptors of which at least one is ours; returns how many have something to report.
/// For our descriptors the events in `always` are reported whether asked for or not.
pub(crate) fn poll(fds: &mut [pollfd], always: u32, limits: Limits<'_>) -> Result<usize, Errno> {
    let nothing = pollfd {
        fd: -1,
        events: 0,
        revents: 0,
    };
    // Both have an entry for each descriptor. An entry that belongs to the other side has no descriptor.
    let mut ours = PollFds::new();
    let mut kernel = PollFds::new();
    let (mut any_kernel, mut any_set) = (false, false);
    for fd in fds.iter() {
        let asked = pollfd { revents: 0, ..*fd };
        let (is_ours, is_kernel) = match descriptors::get(fd.fd) {
            Descriptor::Kernel => (false, true),
            Descriptor::Stack(_) => (true, false),
            Descriptor::Epoll(_) => (true, true),
        };
        ours.push(if is_ours { asked } else { nothing });
        kernel.push(if is_kernel { asked } else { nothing });
        any_kernel |= is_kernel;
        any_set |= is_ours && is_kernel;
    }
    let (ours, kernel) = (ours.as_mut_slice(), kernel.as_mut_slice());
    let kernel_asked = if any_kernel { &mut *kernel } else { &mut [] };
    let mut wakers = 0;
    let outcome = loop {
        if look_at_dead(ours, always) > 0 {
            break Outcome::Ready(());
        }
        let outcome = wait(&mut *kernel_asked, limits, |state, waker| {
            let earlier = waker.map_or(0, |waker| core::mem::replace(&mut wakers, waker.bit()));
            let found = look(state, ours, always, waker.map(|waker| (waker, earlier)));
            (found > 0).then_some(())
        })?;
        match outcome {
            Outcome::Gone => death::answer(entering::family()?),
            outcome => break outcome,
        };
    };
    if any_set && wakers != 0 {
        leave_sets(ours, wakers);
    }
    let kernel_seen = match outcome {
        Outcome::Ready(()) | Outcome::Gone => false,
        Outcome::Kernel => {
            let _ = entering::enter(|state, _| look(state, ours, always, None));
            true
        }
        Outcome::TimedOut => return Ok(report(fds, &[], &[])),
        Outcome::Interrupted => return Err(Errno(libc::EINTR)),
    };
    if any_kernel && !kernel_seen {
        sys::poll_now(kernel);
    }
    Ok(report(fds, ours, kernel))
}

/// Waits, with the program's mask as pselect(2) demands: a signal that only the mask lets through ends the wait, and one
/// that only the mask blocks does not. `Gone`: the stack is dead, perhaps for long; the caller looks and waits again.
pub(crate) fn wait<R>(
    kernel: &mut [pollfd],
    limits: Limits<'_>,
    mut check: impl FnMut(&mut SharedState, Option<Waker>) -> Option<R>,
) -> Result<Outcome<R>, Errno> {
    let family = entering::family()?;
    let Limits { deadline, mask } = limits;
    let before = mask.map(|mask| sys::block_signals(sys::kernel_mask(mask)));
    let wait = Wait {
        kernel,
        deadline,
        mask,
    };
    let outcome = if family.is_dead() && death::notice(family) {
        Outcome::Gone
    } else if family.is_dead() {
        family.wait_without_stack(wait)
    } else if family.is_in_reach() {
        family.wait(wait, |state, _, waker| check(state, waker))
    } else {
        death::answer_out_of_reach();
        family.wait_without_stack(wait)
    };
    if let Some(before) = before {
        sys::set_signal_mask(before);
    }
    Ok(outcome)
}

/// Looks at our side, and adds a waker to the waiters of all that it looks at, in place of the earlier ones that are named with it.
/// Returns how many have something to report.
fn look(
    state: &mut SharedState,
    ours: &mut [pollfd],
    always: u32,
    waker: Option<(Waker, u64)>,
) -> usize {
    let mut found = 0;
    for entry in ours.iter_mut().filter(|entry| entry.fd >= 0) {
        let ready = match descriptors::get(entry.fd) {
            Descriptor::Stack(file) if let Some(dead) = dead::of(file) => dead.ready(),
            Descriptor::Stack(file) => {
                if let Some((waker, _)) = waker
                    && let Some(mut record) = state.files.get_mut(file)
                {
                    record.waiters |= waker.bit();
                }
                match state.files.get(file) {
                    Some(record) => family::poll_bits(state.stack.ready(record.sock)),
                    None => libc::POLLNVAL as u32,
                }
            }
            Descriptor::Epoll(set) => {
                if let Some((waker, earlier)) = waker {
                    state.epolls.wait_on(set, waker.bit(), earlier);
                }
                let SharedState {
                    epolls,
                    stack,
                    files,
                    ..
                } = state;
                if epolls.has_ready(set, stack, files) {
                    family::poll_bits(Ready::IN)
                } else {
                    0
                }
            }
            // Another thread has closed it or routed it to the kernel: the next call sees that.
            Descriptor::Kernel => libc::POLLNVAL as u32,
        };
        entry.revents = (ready & (entry.events as u16 as u32 | always)) as i16;
        found += usize::from(entry.revents != 0);
    }
    found
}

fn leave_sets(ours: &[pollfd], wakers: u64) {
    let _ = entering::enter(|state, _| {
        for entry in ours {
            if let Descriptor::Epoll(set) = descriptors::get(entry.fd) {
                state.epolls.leave(set, wakers);
            }
        }
    });
}

/// Looks at the sockets of a dead stack; returns how many have something to report.
fn look_at_dead(ours: &mut [pollfd], always: u32) -> usize {
    let mut found = 0;
    for entry in ours.iter_mut().filter(|entry| entry.fd >= 0) {
        if let Descriptor::Stack(file) = descriptors::get(entry.fd)
            && let Some(dead) = dead::of(file)
        {
            entry.revents = (dead.ready() & (entry.events as u16 as u32 | always)) as i16;
            found += usize::from(entry.revents != 0);
        }
    }
    found
}

/// Writes what was found into the program's array; returns how many entries have something to report.
fn report(fds: &mut [pollfd], ours: &[pollfd], kernel: &[pollfd]) -> usize {
    let mut found = 0;
    for (at, fd) in fds.iter_mut().enumerate() {
        let [ours, kernel] =
            [ours, kernel].map(|side| side.get(at).map_or(0, |entry| entry.revents));
        fd.revents = ours | kernel;
        found += usize::from(fd.revents != 0);
    }
    found
}
