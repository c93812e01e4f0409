//! Children: which of them have a part in the stack, and which must keep their hands off.
//!
//! A child of fork(3) does: its parent has taken a place in the family for it beforehand, with a count for
//! each of its descriptors, so that the parent may close its own at once. A child made behind libc's back
//! (`_Fork`, raw clone) does not, nor does one that shares its parent's memory until it execs (vfork):
//! their calls go to the kernel, where the placeholders answer with errors.

use core::cell::Cell;
use core::ffi::c_int;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering};

use family::{Family, FileId, Member};

use crate::descriptors::{self, Descriptor};
use crate::errno;
use crate::hook::guarded;
use crate::program::Program;
use crate::{start, sys, thread};

/// Bytes asked for the guard; the kernel gives whole pages.
const GUARD_BYTES: usize = 4096;

/// A byte that is 1 in this process and that the kernel clears in every child with a copy of our memory.
static GUARD: AtomicPtr<AtomicU8> = AtomicPtr::new(core::ptr::null_mut());

/// Threads of this process that wait for a child in their memory to exec.
static LENDING: AtomicU32 = AtomicU32::new(0);

/// What a thread that forks leaves for its child to find.
#[derive(Clone, Copy)]
enum Forking {
    No,
    /// The family has no place for the child.
    Alone,
    /// The family is dead, in the child as in its parent.
    Dead,
    With(Member),
}

struct Thread {
    forking: Cell<Forking>,
    /// The fork goes through our hook, which learns how it ends.
    hooked: Cell<bool>,
    /// A child runs in this thread's memory and place.
    lent: Cell<bool>,
}

std::thread_local! {
    static THREAD: Thread = const {
        Thread { forking: Cell::new(Forking::No), hooked: Cell::new(false), lent: Cell::new(false) }
    };
}

/// Whether this process may use the stack and write our tables.
#[inline]
pub(crate) fn may_enter() -> bool {
    guard_is_up() && LENDING.load(Ordering::Relaxed) == 0 || look_closer()
}

#[cold]
fn look_closer() -> bool {
    if !guard_is_up() {
        // A fork's child, in which somebody else's handler runs before ours, or one without a part.
        after_in_child();
    }
    guard_is_up() && !THREAD.with(|thread| thread.lent.get())
}

fn guard() -> Option<&'static AtomicU8> {
    // SAFETY: null, or a page that is never given back.
    unsafe { GUARD.load(Ordering::Relaxed).as_ref() }
}

fn guard_is_up() -> bool {
    guard().is_none_or(|guard| guard.load(Ordering::Relaxed) != 0)
}

/// Watches for children from now on: the stack has just started. The error says why that cannot be done.
pub(crate) fn watch() -> Result<(), &'static str> {
    let page = sys::map(GUARD_BYTES);
    if page.is_null() {
        return Err("no memory to tell children from their parent");
    }
    let arguments = [
        page as usize,
        GUARD_BYTES,
        libc::MADV_WIPEONFORK as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the page is ours alone.
    if unsafe { sys::raw(libc::SYS_madvise, arguments) }.is_err() {
        return Err(
            "the kernel cannot tell children from their parent (MADV_WIPEONFORK, Linux 4.14)",
        );
    }
    GUARD.store(page.cast(), Ordering::Release);
    raise_guard();
    // SAFETY: the functions stay where they are, since the library is never unloaded.
    let registered =
        unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) };
    if registered == 0 {
        Ok(())
    } else {
        Err("no memory for fork handlers")
    }
}

fn raise_guard() {
    if let Some(guard) = guard() {
        guard.store(1, Ordering::Relaxed);
    }
}

/// Runs a fork of which the handlers below are told the parts, and this function the result.
pub(crate) fn fork(real: impl FnOnce() -> c_int) -> c_int {
    THREAD.with(|thread| thread.hooked.set(true));
    let child = real();
    if child == 0 {
        return 0;
    }
    let errno = errno::last();
    THREAD.with(|thread| thread.hooked.set(false));
    if let Forking::With(member) = take_forking()
        && let Some(family) = start::family()
    {
        guarded(|| family.fork_parent(member, u32::try_from(child).ok()));
    }
    errno::set(errno);
    child
}

/// Runs an exec, which returns only if it fails. What would be closed by it is let go now where others hold
/// it too: peers must see it closed when those others close it. What nobody else holds stays until this
/// process ends, since after a failed exec it must still be there.
pub(crate) fn exec(program: Program, real: impl FnOnce() -> c_int) -> c_int {
    let Some(family) = start::family().filter(|_| may_enter()) else {
        return real();
    };
    let mut is_there = false;
    // SAFETY: the program names what it wants to run by C strings, as exec(3) asks.
    guarded(|| is_there = unsafe { program.is_there() });
    if !is_there {
        return real();
    }
    let mut let_go = LetGo::default();
    guarded(|| let_go.before_exec(family));
    let result = real();
    let errno = errno::last();
    guarded(|| let_go.take_back(family));
    errno::set(errno);
    result
}

/// What a process has given up for an exec.
#[derive(Default)]
struct LetGo {
    files: Vec<FileId>,
    /// Its place in the family, since nothing of it was left.
    place: bool,
}

impl LetGo {
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

/// The process is about to end: what it has open is closed now, as its parent may expect when it hears of
/// the end. What is cut short by a signal is left to the keeper.
pub(crate) fn exit() {
    let family = start::family().filter(|_| may_enter() && !thread::is_inside());
    let Some(family) = family else { return };
    let member = family.member();
    guarded(|| {
        // A stack that is gone has nothing to be closed.
        let _ = family.enter(|state, now| {
            for (_, descriptor) in descriptors::all() {
                match descriptor {
                    Descriptor::Stack(file) => {
                        state.release(now, file, member);
                    }
                    Descriptor::Epoll(set) => {
                        state.epolls.release(set, member, &mut state.files);
                    }
                    Descriptor::Kernel => {}
                }
            }
        });
        family.flush_capture();
    });
}

/// Run by the loader when the program returns or calls exit(3), after the program's own handlers.
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = at_exit;

extern "C" fn at_exit() {
    exit();
}

/// The calling thread lends its memory to a child until [`taken_back`].
pub(crate) fn lend() {
    THREAD.with(|thread| thread.lent.set(true));
    LENDING.fetch_add(1, Ordering::Relaxed);
}

/// The child has its own memory now, or is gone, or never was.
pub(crate) fn taken_back() {
    LENDING.fetch_sub(1, Ordering::Relaxed);
    THREAD.with(|thread| thread.lent.set(false));
}

fn take_forking() -> Forking {
    THREAD.with(|thread| thread.forking.replace(Forking::No))
}

extern "C" fn before() {
    let mut forking = Forking::Alone;
    if let Some(family) = start::family().filter(|_| may_enter()) {
        guarded(|| match prepare(family) {
            Some(member) => forking = Forking::With(member),
            None if family.is_dead() => {
                start::ended(family);
                forking = Forking::Dead;
            }
            None => sys::complain(format_args!(
                "the stack has no place for another process: this child uses the kernel's sockets, and those that it inherits do not work"
            )),
        });
    }
    THREAD.with(|thread| thread.forking.set(forking));
}

fn prepare(family: &Family) -> Option<Member> {
    let member = family.fork_prepare(files())?;
    let held = family.enter(|state, _| {
        for set in epoll_sets() {
            state.epolls.hold(set, member);
        }
    });
    held.ok().map(|()| member)
}

fn files() -> impl Iterator<Item = FileId> {
    descriptors::all().filter_map(|(_, descriptor)| match descriptor {
        Descriptor::Stack(file) => Some(file),
        Descriptor::Kernel | Descriptor::Epoll(_) => None,
    })
}

fn epoll_sets() -> impl Iterator<Item = family::EpollId> {
    descriptors::all().filter_map(|(_, descriptor)| match descriptor {
        Descriptor::Epoll(set) => Some(set),
        Descriptor::Kernel | Descriptor::Stack(_) => None,
    })
}

extern "C" fn after_in_parent() {
    // A fork inside libc (daemon, forkpty): if there is a child, it tells the family its id itself.
    if !THREAD.with(|thread| thread.hooked.get()) {
        take_forking();
    }
}

/// Takes the place that the parent has prepared. Takes no lock.
extern "C" fn after_in_child() {
    let member = match take_forking() {
        Forking::With(member) => member,
        // None that there is.
        Forking::Dead => Member::MAX,
        Forking::No | Forking::Alone => return,
    };
    LENDING.store(0, Ordering::Relaxed);
    THREAD.with(|thread| thread.hooked.set(false));
    if let Some(family) = start::family() {
        family.fork_child(member);
        raise_guard();
    }
}
