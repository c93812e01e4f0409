//! Sockets of a stack that has died.
//!
//! Each process that learns of the death takes over its own sockets. From then on epoll, poll and select report errors for
//! connections, until the program closes them. They report nothing for listeners, as on an interface that is gone: a
//! program whose accept(2) fails would call it again at once, for ever. The tables here are this process's own, since
//! nothing in the dead region may be changed.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use family::{EpollId, Family, FileId, Interest, SharedState};
use libc::epoll_event;
use stack::Ready;
use sys::Errno;

use crate::descriptors::{self, Descriptor};
use crate::lock::{Found, ProcessLock};
use crate::thread;

/// What a dead socket was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dead {
    Connection,
    Listener,
}

/// What the descriptors of dead sockets lead to: ids of no file. 0 would be a descriptor of the kernel's.
const CONNECTION: FileId = FileId::from_bits(1);
const LISTENER: FileId = FileId::from_bits(2);

/// What the descriptor of an epoll set leads to if the set has no living stack socket.
pub(crate) const NO_SET: EpollId = EpollId::from_bits(1);

/// A dead socket in an epoll set.
struct Watched {
    epfd: c_int,
    fd: c_int,
    dead: Dead,
    interest: Interest,
    /// It has been reported, and is not again until the program changes its interest.
    told: bool,
}

static WATCHED: ProcessLock<Vec<Watched>> = ProcessLock::new(Vec::new());
/// Whether there is any. If not, calls on living sockets look no further.
static ANY: AtomicBool = AtomicBool::new(false);
/// The stack whose sockets were taken over last.
static TAKEN_OVER: AtomicPtr<Family> = AtomicPtr::new(core::ptr::null_mut());

/// Whether the file is a dead one, and which.
pub(crate) fn of(file: FileId) -> Option<Dead> {
    if file.is_some() {
        return None;
    }
    Some(if file == LISTENER {
        Dead::Listener
    } else {
        Dead::Connection
    })
}

impl Dead {
    /// What it reports: everything ends in an error.
    pub(crate) fn ready(self) -> u32 {
        match self {
            Self::Connection => {
                let all = Ready::IN | Ready::OUT | Ready::ERR | Ready::HUP;
                family::poll_bits(all) | libc::EPOLLRDHUP as u32
            }
            Self::Listener => 0,
        }
    }
}

/// Takes over the sockets of a stack that has died. `true`: this is the first time.
pub(crate) fn take_over(family: &'static Family) -> bool {
    with_watched(|watched| {
        let address = core::ptr::from_ref(family).cast_mut();
        if TAKEN_OVER.swap(address, Ordering::AcqRel) == address {
            return false;
        }
        // If nothing is left to look at, every socket counts as a connection that nobody watches.
        let mut listeners = Vec::new();
        family.look_at_remains(|state| {
            for (fd, descriptor) in descriptors::all() {
                match descriptor {
                    Descriptor::Stack(file) if is_listener(state, file) => listeners.push(file),
                    Descriptor::Epoll(set) => {
                        state.epolls.each_file(set, |file, number, interest| {
                            let dead = kind(is_listener(state, file));
                            watched.push(Watched::new((fd, number), dead, interest));
                        });
                    }
                    Descriptor::Stack(_) | Descriptor::Kernel => {}
                }
            }
        });
        for (fd, descriptor) in descriptors::all() {
            let dead = match descriptor {
                Descriptor::Stack(file) if listeners.contains(&file) => Descriptor::Stack(LISTENER),
                Descriptor::Stack(_) => Descriptor::Stack(CONNECTION),
                Descriptor::Epoll(_) => Descriptor::Epoll(NO_SET),
                Descriptor::Kernel => continue,
            };
            let _ = descriptors::set(fd, dead);
        }
        ANY.store(!watched.is_empty(), Ordering::Release);
        true
    })
}

fn is_listener(state: &SharedState, file: FileId) -> bool {
    let sock = state.files.get(file).map(|record| record.sock);
    sock.is_some_and(|sock| state.stack.is_listener(sock))
}

fn kind(is_listener: bool) -> Dead {
    if is_listener {
        Dead::Listener
    } else {
        Dead::Connection
    }
}

impl Watched {
    fn new((epfd, fd): (c_int, c_int), dead: Dead, interest: Interest) -> Self {
        Self {
            epfd,
            fd,
            dead,
            interest,
            told: false,
        }
    }

    /// What is to be reported now.
    fn events(&self) -> u32 {
        let wanted = family::wanted(self.interest.events);
        if self.told {
            0
        } else {
            self.dead.ready() & wanted
        }
    }
}

fn with_watched<R>(work: impl FnOnce(&mut Vec<Watched>) -> R) -> R {
    let _inside = thread::inside();
    WATCHED.with(|watched, found| {
        if found == Found::Broken {
            // A thread of the parent was changing it: what it holds is not to be touched.
            core::mem::forget(core::mem::take(watched));
        }
        work(watched)
    })
}

/// epoll_ctl(2) on a dead socket.
pub(crate) fn control(
    operation: c_int,
    (epfd, fd): (c_int, c_int),
    dead: Dead,
    interest: Interest,
) -> Result<(), Errno> {
    if descriptors::get(epfd) == Descriptor::Kernel
        && !descriptors::set(epfd, Descriptor::Epoll(NO_SET))
    {
        return Err(Errno(libc::ENOSPC));
    }
    with_watched(|watched| {
        let found = watched
            .iter()
            .position(|known| known.epfd == epfd && known.fd == fd);
        match (operation, found) {
            (libc::EPOLL_CTL_ADD, None) => {
                watched.push(Watched::new((epfd, fd), dead, interest));
                ANY.store(true, Ordering::Release);
                Ok(())
            }
            (libc::EPOLL_CTL_ADD, Some(_)) => Err(Errno(libc::EEXIST)),
            (libc::EPOLL_CTL_MOD, Some(at)) => {
                watched[at] = Watched::new((epfd, fd), dead, interest);
                Ok(())
            }
            (libc::EPOLL_CTL_DEL, Some(at)) => {
                watched.swap_remove(at);
                Ok(())
            }
            (libc::EPOLL_CTL_MOD | libc::EPOLL_CTL_DEL, None) => Err(Errno(libc::ENOENT)),
            _ => Err(Errno(libc::EINVAL)),
        }
    })
}

/// The descriptor is not ours any more.
pub(crate) fn forget(fd: c_int) {
    if !ANY.load(Ordering::Acquire) {
        return;
    }
    with_watched(|watched| {
        watched.retain(|known| known.fd != fd && known.epfd != fd);
        ANY.store(!watched.is_empty(), Ordering::Release);
    });
}

/// Fills in the events of a set's dead sockets; returns how many. Those that were looked at go to the end of the list.
pub(crate) fn collect(epfd: c_int, out: &mut [epoll_event]) -> usize {
    if !ANY.load(Ordering::Acquire) {
        return 0;
    }
    with_watched(|watched| {
        let (mut filled, mut seen) = (0, 0);
        for known in watched.iter_mut() {
            let Some(slot) = out.get_mut(filled) else {
                break;
            };
            seen += 1;
            let events = known.events();
            if known.epfd != epfd || events == 0 {
                continue;
            }
            *slot = epoll_event {
                events,
                u64: known.interest.data,
            };
            filled += 1;
            let once = (libc::EPOLLET | libc::EPOLLONESHOT) as u32;
            known.told = known.interest.events & once != 0;
        }
        watched.rotate_left(seen);
        filled
    })
}
