//! exec(3): what it would close is released before it.

use core::ffi::c_int;

use family::{Family, FileId};

use crate::descriptors::{self, Descriptor};
use crate::exec_search::Program;
use crate::guard::guarded;
use crate::{errno, membership, running, sys};

/// Runs an exec, which returns only if it fails. Sockets that it closes are released now where other processes hold
/// them too: peers must see them closed when those others close them. A socket that nobody else holds stays until
/// this process ends, since after a failed exec it must still be there.
pub(crate) fn exec(program: Program, real: impl FnOnce() -> c_int) -> c_int {
    let Some(family) = running::family().filter(|_| membership::may_enter()) else {
        return real();
    };
    let mut is_there = false;
    // SAFETY: the program names what it wants to run by C strings, as exec(3) asks.
    guarded(|| is_there = unsafe { program.is_there() });
    if !is_there {
        return real();
    }
    let mut released = Released::default();
    guarded(|| released.before_exec(family));
    let result = real();
    let errno = errno::last();
    guarded(|| released.take_back(family));
    errno::set(errno);
    result
}

/// What a process has given up for an exec.
#[derive(Default)]
struct Released {
    files: Vec<FileId>,
    /// Its place in the family, since nothing of it was left.
    place: bool,
}

impl Released {
    fn before_exec(&mut self, family: &Family) {
        let member = family.member();
        let mut stays = false;
        let entered = family.enter(|state, now| {
            for (fd, descriptor) in descriptors::all() {
                match descriptor {
                    Descriptor::Stack(file)
                        if closes_on_exec(fd) && state.files.is_shared(file, member) =>
                    {
                        state.release(now, file, member);
                        self.files.push(file);
                    }
                    Descriptor::Stack(_) | Descriptor::Epoll(_) => stays = true,
                    Descriptor::Kernel => {}
                }
            }
        });
        self.place = entered.is_ok() && !stays;
        if self.place {
            family.fork_parent(member, None);
        }
    }

    fn take_back(self, family: &Family) {
        if self.place
            && let Some(member) = family.fork_prepare(core::iter::empty())
        {
            family.fork_child(member);
        }
        let member = family.member();
        let _ = family.enter(|state, _| {
            for file in self.files {
                state.files.hold(file, member);
            }
        });
    }
}

fn closes_on_exec(fd: c_int) -> bool {
    sys::fcntl(fd, libc::F_GETFD, 0).is_ok_and(|flags| flags & libc::FD_CLOEXEC != 0)
}
