//! syscall(2): system calls by number go to the same hooks as calls by name. libuv closes its sockets like that.

use core::ffi::{c_int, c_long};

use sys::Errno;

use super::{clock, data, epoll, fd, names, options, poll, process, sandbox, select, socket};
use crate::errno::fail;
use crate::exit;
use crate::hook::{hook, real};

/// The sixth argument of pselect6: a mask and its length, since there is no seventh.
#[repr(C)]
#[derive(Clone, Copy)]
struct SixthOfPselect {
    mask: *const libc::sigset_t,
    bytes: usize,
}

/// `$module::$name(arguments..)` of the words that syscall(2) was given, each as what its place is.
macro_rules! pass {
    ($module:ident::$name:ident($($word:expr),*)) => {{
        // SAFETY: the program's words, for the call that it names; only their types are told to the compiler.
        let result = unsafe { $module::$name($(Word($word).into()),*) };
        result as c_long
    }};
}

hook! {
    /// syscall(2). Variadic in C: words that were not given are not looked at.
    fn syscall(number: c_long, a: usize, b: usize, c: usize, d: usize, e: usize, f: usize) -> c_long {
        match number {
            libc::SYS_read => pass!(data::read(a, b, c)),
            libc::SYS_write => pass!(data::write(a, b, c)),
            libc::SYS_readv => pass!(data::readv(a, b, c)),
            libc::SYS_writev => pass!(data::writev(a, b, c)),
            libc::SYS_recvfrom => pass!(data::recvfrom(a, b, c, d, e, f)),
            libc::SYS_sendto => pass!(data::sendto(a, b, c, d, e, f)),
            libc::SYS_recvmsg => pass!(data::recvmsg(a, b, c)),
            libc::SYS_sendmsg => pass!(data::sendmsg(a, b, c)),
            libc::SYS_recvmmsg => pass!(data::recvmmsg(a, b, c, d, e)),
            libc::SYS_sendmmsg => pass!(data::sendmmsg(a, b, c, d)),
            libc::SYS_sendfile => pass!(data::sendfile(a, b, c, d)),
            libc::SYS_close => pass!(fd::close(a)),
            libc::SYS_close_range => pass!(fd::close_range(a, b, c)),
            libc::SYS_dup => pass!(fd::dup(a)),
            libc::SYS_dup2 => pass!(fd::dup2(a, b)),
            libc::SYS_dup3 => pass!(fd::dup3(a, b, c)),
            libc::SYS_fcntl => pass!(fd::fcntl(a, b, c)),
            libc::SYS_ioctl => pass!(fd::ioctl(a, b, c)),
            libc::SYS_getsockname => pass!(names::getsockname(a, b, c)),
            libc::SYS_getpeername => pass!(names::getpeername(a, b, c)),
            libc::SYS_getsockopt => pass!(options::getsockopt(a, b, c, d, e)),
            libc::SYS_setsockopt => pass!(options::setsockopt(a, b, c, d, e)),
            libc::SYS_socket => pass!(socket::socket(a, b, c)),
            libc::SYS_bind => pass!(socket::bind(a, b, c)),
            libc::SYS_listen => pass!(socket::listen(a, b)),
            libc::SYS_connect => pass!(socket::connect(a, b, c)),
            libc::SYS_accept => pass!(socket::accept(a, b, c)),
            libc::SYS_accept4 => pass!(socket::accept4(a, b, c, d)),
            libc::SYS_shutdown => pass!(socket::shutdown(a, b)),
            libc::SYS_select => pass!(select::select(a, b, c, d, e)),
            libc::SYS_pselect6 => pass!(select::pselect(a, b, c, d, e, mask_of_pselect(f))),
            libc::SYS_poll => pass!(poll::poll(a, b, c)),
            libc::SYS_ppoll => pass!(poll::ppoll(a, b, c, d)),
            libc::SYS_epoll_create => pass!(epoll::epoll_create(a)),
            libc::SYS_epoll_create1 => pass!(epoll::epoll_create1(a)),
            libc::SYS_epoll_ctl => pass!(epoll::epoll_ctl(a, b, c, d)),
            libc::SYS_epoll_wait => pass!(epoll::epoll_wait(a, b, c, d)),
            libc::SYS_epoll_pwait => pass!(epoll::epoll_pwait(a, b, c, d, e)),
            libc::SYS_epoll_pwait2 => pass!(epoll::epoll_pwait2(a, b, c, d, e)),
            libc::SYS_nanosleep => pass!(clock::nanosleep(a, b)),
            // libc's function returns the error, the kernel's call -1.
            libc::SYS_clock_nanosleep => match pass!(clock::clock_nanosleep(a, b, c, d)) {
                0 => 0,
                error => fail(Errno(error as c_int)),
            },
            libc::SYS_clock_gettime => pass!(clock::clock_gettime(a, b)),
            libc::SYS_gettimeofday => pass!(clock::gettimeofday(a, b)),
            libc::SYS_time => pass!(clock::time(a)),
            libc::SYS_execve => pass!(process::execve(a, b, c)),
            libc::SYS_exit_group => {
                exit::exit();
                real!(syscall(number, a, b, c, d, e, f))
            }
            // A ring would use our sockets past our hooks. Programs take this error for an older kernel.
            libc::SYS_io_uring_setup => fail(Errno(libc::ENOSYS)),
            _ => of_processes(number, [a, b, c, d, e, f]),
        }
    }
}

/// The calls that make processes and limit them. Apart from the others, as the compiler would make a table of functions of all,
/// which the loader would have to fill in each program.
#[cold]
#[inline(never)]
fn of_processes(number: c_long, [a, b, c, d, e, f]: [usize; 6]) -> c_long {
    match number {
        libc::SYS_setrlimit => pass!(sandbox::setrlimit(a, b)),
        libc::SYS_prlimit64 => pass!(sandbox::prlimit(a, b, c, d)),
        libc::SYS_prctl => pass!(sandbox::prctl(a, b, c, d, e)),
        libc::SYS_unshare => pass!(process::unshare(a)),
        libc::SYS_setns => pass!(process::setns(a, b)),
        _ => {
            let real = || real!(syscall(number, a, b, c, d, e, f));
            match number {
                libc::SYS_fork => process::clone_memory(0, real),
                libc::SYS_clone => process::clone_memory(a as u64, real),
                libc::SYS_clone3 => process::clone_memory(flags_of_clone3(a), real),
                libc::SYS_seccomp => {
                    sandbox::before_seccomp(Word(a).into());
                    real()
                }
                _ => real(),
            }
        }
    }
}

/// The first word of what clone3(2) is given.
fn flags_of_clone3(arguments: usize) -> u64 {
    let arguments = arguments as *const u64;
    // SAFETY: null, or a structure that begins with the flags, as clone3(2) demands.
    unsafe { arguments.as_ref() }.copied().unwrap_or(0)
}

fn mask_of_pselect(sixth: usize) -> usize {
    let sixth = sixth as *const SixthOfPselect;
    // SAFETY: null, or that structure, as pselect6 demands.
    unsafe { sixth.as_ref() }.map_or(0, |sixth| {
        if sixth.bytes == 0 {
            0
        } else {
            sixth.mask as usize
        }
    })
}

/// A register's worth of an argument.
struct Word(usize);

impl From<Word> for usize {
    fn from(word: Word) -> Self {
        word.0
    }
}

impl From<Word> for u64 {
    fn from(word: Word) -> Self {
        word.0 as u64
    }
}

impl From<Word> for c_int {
    fn from(word: Word) -> Self {
        word.0 as c_int
    }
}

impl From<Word> for u32 {
    fn from(word: Word) -> Self {
        word.0 as u32
    }
}

impl<T> From<Word> for *const T {
    fn from(word: Word) -> Self {
        word.0 as *const T
    }
}

impl<T> From<Word> for *mut T {
    fn from(word: Word) -> Self {
        word.0 as *mut T
    }
}
