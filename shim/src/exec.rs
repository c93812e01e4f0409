//! exec(3): what it will close is released before it, and what stays open goes on in the new program.

use core::ffi::{CStr, c_int};

use family::{Family, FileId};

use crate::carried::Departure;
use crate::descriptors::{self, Descriptor};
use crate::environment::List;
use crate::exec_search::Program;
use crate::guard::guarded;
use crate::outside::{self, Known};
use crate::{bridged, carried, errno, membership, running, start};

/// Runs an exec, which returns only if it fails. Sockets that it closes are released now where other processes hold
/// them too: peers must see them closed when those others close them. A socket that nobody else holds stays until
/// this process ends, since after a failed exec it must still be there.
pub(crate) fn exec(program: Program, environment: List, real: impl FnOnce(List) -> c_int) -> c_int {
    let carries = carried::those_that_stay().next().is_some();
    let known = announce_program(program, environment, carries);
    let can_run = known != Known::CannotRun;
    if can_run && membership::has_borrowed_memory() {
        return exec_in_borrowed_memory(environment, real);
    }
    if can_run && carried::any_waits() {
        guarded(start::arrive);
    }
    let Some(family) = running::family().filter(|_| can_run && membership::may_enter()) else {
        return real(environment);
    };
    if known == Known::LacksLibrary && bridged::concerns_us() {
        return bridged::exec(family, || real(environment));
    }
    let mut released = Released::default();
    let mut departure = None;
    guarded(|| {
        departure = depart(environment);
        released.before_exec(family, departure.is_some());
    });
    let result = real(departure.as_ref().map_or(environment, Departure::list));
    let errno = errno::last();
    guarded(|| released.take_back(family));
    errno::set(errno);
    result
}

/// In a child that only has its parent's memory: the parent finds what was carried after the exec.
fn exec_in_borrowed_memory(environment: List, real: impl FnOnce(List) -> c_int) -> c_int {
    let Some(departure) = depart(environment) else {
        return real(environment);
    };
    let list = departure.list();
    carried::leave_to_lender(Some(departure));
    let result = real(list);
    carried::leave_to_lender(None);
    result
}

/// The environment for a program that the library comes into, if something is carried there.
fn depart(environment: List) -> Option<Departure> {
    if environment.is_null() {
        return None;
    }
    // SAFETY: the program's own list.
    unsafe { Departure::new(environment, carried::inode(), carried::those_that_stay()) }
}

/// The calling thread's child has left its memory by exec: it has what it carried until it comes for it.
pub(crate) fn adopt_child(pid: u32, departure: Departure) {
    let Some(family) = running::family() else {
        return;
    };
    guarded(|| {
        let files = departure
            .entries()
            .filter_map(|entry| match entry.descriptor {
                Descriptor::Stack(file) => Some(file),
                Descriptor::Epoll(_) | Descriptor::Kernel => None,
            });
        let sets = departure
            .entries()
            .filter_map(|entry| match entry.descriptor {
                Descriptor::Epoll(set) => Some(set),
                Descriptor::Stack(_) | Descriptor::Kernel => None,
            });
        family.adopt_child(pid, files, sets);
    });
}

/// Names a program on stderr whose sockets will be the kernel's.
pub(crate) fn announce(program: Program, environment: List) {
    announce_program(program, environment, false);
}

fn announce_program(program: Program, environment: List, gets_preload: bool) -> Known {
    let mut known = Known::CannotRun;
    guarded(|| {
        let name = |path: &CStr| {
            // SAFETY: the list is the program's own, as exec(3) asks.
            known = unsafe { outside::name(path, environment, gets_preload) };
        };
        // SAFETY: the program names what it wants to run by C strings.
        unsafe { program.find(name) };
    });
    known
}

/// What a process has given up before an exec.
#[derive(Default)]
struct Released {
    files: Vec<FileId>,
    /// Its place in the family, since nothing of it was left.
    place: bool,
}

impl Released {
    fn before_exec(&mut self, family: &Family, carries: bool) {
        let member = family.member();
        let mut stays = carries;
        let entered = family.enter(|state, now| {
            for (fd, descriptor) in descriptors::all() {
                match descriptor {
                    Descriptor::Stack(file)
                        if !carried::stays_open(fd) && state.files.is_shared(file, member) =>
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
        } else if carries {
            family.set_executing(true);
        }
    }

    fn take_back(self, family: &Family) {
        if self.place
            && let Some(member) = family.fork_prepare(core::iter::empty())
        {
            family.fork_child(member);
        }
        family.set_executing(false);
        let member = family.member();
        let _ = family.enter(|state, _| {
            for file in self.files {
                state.files.hold(file, member);
            }
        });
    }
}
