//! Raw system calls: no libc symbol is involved, so no hook of libnstk.so sees them and errno stays
//! as it is. Each is as its man page in section 2 says, but answers `Err` with the error number.

use core::ffi::{CStr, c_int};
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr;

use libc::{c_long, iovec, pollfd, timespec};

/// An error number, as in errno(3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Errno(pub c_int);

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "errno {}", self.0)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A signal set as the kernel takes it: bit `n - 1` is signal `n`.
pub type KernelSigset = u64;

/// read(2).
pub fn read(fd: c_int, into: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes at most `len` bytes into a slice that is ours alone.
    unsafe {
        syscall(
            libc::SYS_read,
            [num(fd), into.as_mut_ptr().addr(), into.len(), 0, 0, 0],
        )
    }
}

/// write(2).
pub fn write(fd: c_int, from: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads `len` bytes of a live slice.
    unsafe {
        syscall(
            libc::SYS_write,
            [num(fd), from.as_ptr().addr(), from.len(), 0, 0, 0],
        )
    }
}

/// readv(2).
///
/// # Safety
/// The kernel may write to everything `into` names.
pub unsafe fn readv(fd: c_int, into: &[iovec]) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the memory behind the vectors.
    unsafe {
        syscall(
            libc::SYS_readv,
            [num(fd), into.as_ptr().addr(), into.len(), 0, 0, 0],
        )
    }
}

/// writev(2).
///
/// # Safety
/// Everything `from` names is mapped memory of this process.
pub unsafe fn writev(fd: c_int, from: &[iovec]) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the memory behind the vectors.
    unsafe {
        syscall(
            libc::SYS_writev,
            [num(fd), from.as_ptr().addr(), from.len(), 0, 0, 0],
        )
    }
}

/// open(2), relative to the working directory; `mode` matters only for a file that is created.
pub fn open(path: &CStr, flags: c_int, mode: u32) -> Result<region::OwnedFd, Errno> {
    let args = [
        num(libc::AT_FDCWD),
        path.as_ptr().addr(),
        num(flags),
        mode as usize,
        0,
        0,
    ];
    // SAFETY: the path is a live C string.
    unsafe { syscall(libc::SYS_openat, args) }.and_then(owned)
}

/// socket(2).
pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Result<region::OwnedFd, Errno> {
    // SAFETY: no memory is handed over.
    unsafe {
        syscall(
            libc::SYS_socket,
            [num(domain), num(kind), num(protocol), 0, 0, 0],
        )
    }
    .and_then(owned)
}

/// A memfd, empty, close-on-exec, open to sealing; memfd_create(2).
pub fn memfd(name: &CStr) -> Result<region::OwnedFd, Errno> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let args = [name.as_ptr().addr(), flags as usize, 0, 0, 0, 0];
    // SAFETY: the name is a live C string.
    unsafe { syscall(libc::SYS_memfd_create, args) }.and_then(owned)
}

/// An eventfd that counts from 0, close-on-exec, never blocking; eventfd2(2).
pub fn eventfd() -> Result<region::OwnedFd, Errno> {
    let flags = num(libc::EFD_NONBLOCK | libc::EFD_CLOEXEC);
    // SAFETY: no memory is handed over.
    unsafe { syscall(libc::SYS_eventfd2, [0, flags, 0, 0, 0, 0]) }.and_then(owned)
}

/// ftruncate(2), of a file that nobody has mapped.
pub fn set_length(fd: c_int, bytes: usize) -> Result<(), Errno> {
    // SAFETY: no memory is handed over.
    unsafe { syscall(libc::SYS_ftruncate, [num(fd), bytes, 0, 0, 0, 0]) }.map(drop)
}

/// A file's length in bytes, by lseek(2): its position is nobody's, or its end.
pub fn length(fd: c_int) -> Result<usize, Errno> {
    let args = [num(fd), 0, num(libc::SEEK_END), 0, 0, 0];
    // SAFETY: no memory is handed over.
    unsafe { syscall(libc::SYS_lseek, args) }
}

/// Adds seals (`F_SEAL_…`) to a memfd.
pub fn seal(fd: c_int, seals: u32) -> Result<(), Errno> {
    // SAFETY: the command takes a number and touches no descriptor in use.
    unsafe { fcntl(fd, libc::F_ADD_SEALS, seals as usize) }.map(drop)
}

/// The seals of a memfd.
pub fn seals(fd: c_int) -> Result<u32, Errno> {
    // SAFETY: the command takes no argument.
    let seals = unsafe { fcntl(fd, libc::F_GET_SEALS, 0) }?;
    u32::try_from(seals).map_err(|_| Errno(libc::EINVAL))
}

/// A second descriptor for the same open file, close-on-exec.
pub fn duplicate(fd: c_int) -> Result<region::OwnedFd, Errno> {
    // SAFETY: the command takes a number and touches no descriptor in use.
    unsafe { fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) }.and_then(owned)
}

/// fallocate(2) from the beginning of a file on: it is at least this long, and has pages for all of it.
pub fn fallocate(fd: c_int, bytes: usize) -> Result<(), Errno> {
    // SAFETY: no memory is handed over.
    unsafe { syscall(libc::SYS_fallocate, [num(fd), 0, 0, bytes, 0, 0]) }.map(drop)
}

/// lseek(2) to this byte of a file.
pub fn seek(fd: c_int, at: usize) -> Result<(), Errno> {
    let args = [num(fd), at, num(libc::SEEK_SET), 0, 0, 0];
    // SAFETY: no memory is handed over.
    unsafe { syscall(libc::SYS_lseek, args) }.map(drop)
}

/// flock(2), exclusive and without waiting: `EWOULDBLOCK` if another open file has the lock.
pub fn lock_file(fd: c_int) -> Result<(), Errno> {
    let how = num(libc::LOCK_EX | libc::LOCK_NB);
    // SAFETY: no memory is handed over.
    unsafe { syscall(libc::SYS_flock, [num(fd), how, 0, 0, 0, 0]) }.map(drop)
}

/// What a descriptor is of, for who must not be fooled about it; fstat(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file of the effective user.
    Own,
    /// A regular file of another user.
    Foreign,
    /// Something else, or it is not known.
    Other,
}

/// What kind of file a descriptor is of.
pub fn file_kind(fd: c_int) -> FileKind {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    let args = [num(fd), stat.as_mut_ptr().addr(), 0, 0, 0, 0];
    // SAFETY: the second argument has room for a stat.
    let known = unsafe { syscall(libc::SYS_fstat, args) };
    // SAFETY: integers only; all zero or filled in by the kernel.
    let stat = unsafe { stat.assume_init() };
    if known.is_err() || stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return FileKind::Other;
    }
    // SAFETY: takes no arguments and touches no memory.
    let user = unsafe { syscall(libc::SYS_geteuid, [0; 6]) };
    if user.is_ok_and(|user| user == stat.st_uid as usize) {
        FileKind::Own
    } else {
        FileKind::Foreign
    }
}

/// RLIMIT_FSIZE: the longest file that this process may make, bytes. Beyond it the kernel sends SIGXFSZ.
pub fn file_limit() -> u64 {
    let mut limit = libc::rlimit64 {
        rlim_cur: libc::RLIM64_INFINITY,
        rlim_max: libc::RLIM64_INFINITY,
    };
    let place = (&raw mut limit).addr();
    let args = [0, libc::RLIMIT_FSIZE as usize, 0, place, 0, 0];
    // SAFETY: asks only, and the fourth argument has room for the answer.
    let _ = unsafe { syscall(libc::SYS_prlimit64, args) };
    limit.rlim_cur
}

/// Two connected sockets for single bytes, close-on-exec.
pub fn socketpair() -> Result<(region::OwnedFd, region::OwnedFd), Errno> {
    let mut pair: [c_int; 2] = [-1; 2];
    let kind = num(libc::SOCK_STREAM | libc::SOCK_CLOEXEC);
    let args = [num(libc::AF_UNIX), kind, 0, pair.as_mut_ptr().addr(), 0, 0];
    // SAFETY: the fourth argument has room for two descriptors.
    unsafe { syscall(libc::SYS_socketpair, args) }?;
    // SAFETY: the kernel has just opened them for us, and nobody else knows them.
    let [one, other] = pair.map(|fd| unsafe { region::OwnedFd::from_raw(fd) });
    Ok((one, other))
}

/// send(2), which never blocks and never raises SIGPIPE.
pub fn send(fd: c_int, bytes: &[u8]) -> Result<usize, Errno> {
    let flags = num(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL);
    let args = [num(fd), bytes.as_ptr().addr(), bytes.len(), flags, 0, 0];
    // SAFETY: the kernel reads a live slice.
    unsafe { syscall(libc::SYS_sendto, args) }
}

/// What runs this machine, as `Linux 6.18.0 x86_64`; uname(2).
pub fn system_name() -> String {
    let mut names = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the argument has room for the names.
    let _ = unsafe { syscall(libc::SYS_uname, [names.as_mut_ptr().addr(), 0, 0, 0, 0, 0]) };
    // SAFETY: arrays of bytes; all zero or filled in by the kernel.
    let names = unsafe { names.assume_init() };
    [names.sysname, names.release, names.machine]
        .map(|name| {
            let bytes = name.map(|byte| byte.cast_unsigned());
            CStr::from_bytes_until_nul(&bytes).map_or_else(
                |_| String::new(),
                |name| name.to_string_lossy().into_owned(),
            )
        })
        .join(" ")
}

/// close(2). An error is of no use to anybody: the number is free either way.
///
/// # Safety
/// Nobody uses this descriptor any more.
pub unsafe fn close(fd: c_int) {
    // SAFETY: the caller gives the descriptor up.
    let _ = unsafe { syscall(libc::SYS_close, [num(fd), 0, 0, 0, 0, 0]) };
}

/// ioctl(2).
///
/// # Safety
/// `arg` is what `request` wants: mostly the address of a structure the kernel may read and write.
pub unsafe fn ioctl(fd: c_int, request: u32, arg: usize) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the argument.
    unsafe { syscall(libc::SYS_ioctl, [num(fd), request as usize, arg, 0, 0, 0]) }
}

/// fcntl(2), for commands whose argument is a number.
///
/// # Safety
/// `arg` is no pointer, or one that is what `command` wants; and no closing or laying over of
/// descriptors in use.
pub unsafe fn fcntl(fd: c_int, command: c_int, arg: usize) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the argument.
    unsafe { syscall(libc::SYS_fcntl, [num(fd), num(command), arg, 0, 0, 0]) }
}

/// ppoll(2). No timeout: for ever. A mask is the thread's for the length of the sleep. Unlike libc's
/// `poll`, the kernel writes the time left into its timeout; here it writes into a copy.
pub fn ppoll(
    fds: &mut [pollfd],
    timeout: Option<timespec>,
    mask: Option<&KernelSigset>,
) -> Result<usize, Errno> {
    let mut timeout = timeout;
    let args = [
        fds.as_mut_ptr().addr(),
        fds.len(),
        timeout
            .as_mut()
            .map_or(ptr::null_mut(), ptr::from_mut)
            .addr(),
        mask.map_or(ptr::null(), ptr::from_ref).addr(),
        size_of::<KernelSigset>(),
        0,
    ];
    // SAFETY: the slice, the timeout and the mask live until the call returns.
    unsafe { syscall(libc::SYS_ppoll, args) }
}

/// sched_yield(2); it cannot fail on Linux.
pub fn sched_yield() {
    // SAFETY: no memory is handed over.
    let _ = unsafe { syscall(libc::SYS_sched_yield, [0; 6]) };
}

/// Any system call by number, with errors taken apart from results.
///
/// # Safety
/// As the call itself: arguments that are addresses must be good for what the kernel does with them,
/// and the call may not pull memory or descriptors away from under Rust's feet.
pub unsafe fn syscall(number: c_long, args: [usize; 6]) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for number and arguments.
    unsafe { region::syscall(number, args) }.map_err(Errno)
}

/// Sign-extended, as the kernel's entry code expects ints that may be negative.
fn num(value: c_int) -> usize {
    (value as isize).cast_unsigned()
}

fn owned(fd: usize) -> Result<region::OwnedFd, Errno> {
    let fd = c_int::try_from(fd).map_err(|_| Errno(libc::EBADF))?;
    // SAFETY: the kernel has just opened it for us, and nobody else knows it.
    Ok(unsafe { region::OwnedFd::from_raw(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_and_error_numbers_are_told_apart() {
        let null = open(c"/dev/null", libc::O_RDWR | libc::O_CLOEXEC, 0).expect("it is there");
        assert_eq!(write(null.as_raw(), b"gone"), Ok(4));
        assert_eq!(read(null.as_raw(), &mut [0; 4]), Ok(0));
        assert_eq!(read(-1, &mut [0; 4]), Err(Errno(libc::EBADF)));
        let missing = open(c"/no/such/file", libc::O_RDONLY, 0).expect_err("it is not there");
        assert_eq!(missing, Errno(libc::ENOENT));
    }

    #[test]
    fn a_poll_without_anything_to_see_ends_with_its_timeout() {
        let short = timespec {
            tv_sec: 0,
            tv_nsec: 1_000_000,
        };
        assert_eq!(ppoll(&mut [], Some(short), Some(&0)), Ok(0));
        let null = open(c"/dev/null", libc::O_RDWR | libc::O_CLOEXEC, 0).expect("it is there");
        let mut fds = [pollfd {
            fd: null.as_raw(),
            events: libc::POLLIN,
            revents: 0,
        }];
        assert_eq!(ppoll(&mut fds, None, None), Ok(1));
        assert_eq!(fds[0].revents, libc::POLLIN);
    }
}
