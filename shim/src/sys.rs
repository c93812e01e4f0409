//! The library's own system calls. They go past libc: its functions of these names are our hooks,
//! and are cancellation points.

use core::ffi::{CStr, c_int, c_long, c_void};

use crate::errno::Errno;

/// Does one system call.
///
/// # Safety The arguments must be what call `number` takes: pointers valid for what the kernel
/// reads and writes through them.
#[inline]
pub(crate) unsafe fn raw(number: c_long, args: [usize; 6]) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the arguments.
    unsafe { region::syscall(number, args) }.map_err(Errno)
}

/// An int argument of a system call, with its sign.
fn int(value: c_int) -> usize {
    value as isize as usize
}

/// A descriptor that a system call has returned.
fn descriptor(value: usize) -> c_int {
    value as c_int
}

/// Prints one line for the user, with one write(2).
pub(crate) fn complain(line: core::fmt::Arguments<'_>) {
    let mut text = Line::<512>::new();
    let _ = core::fmt::Write::write_fmt(&mut text, format_args!("nstk: {line}"));
    text.print();
}

/// A line of text of limited length; what does not fit is left out.
pub(crate) struct Line<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Line<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// The text; empty if a character was cut at the end.
    pub(crate) fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Writes it to stderr, with a line feed.
    pub(crate) fn print(&mut self) {
        let end = self.len.min(N - 1);
        self.bytes[end] = b'\n';
        let _ = write(libc::STDERR_FILENO, &self.bytes[..=end]);
    }
}

impl<const N: usize> core::fmt::Write for Line<N> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        // The last byte is kept for the line feed.
        let room = N - 1 - self.len;
        let fits = text.len().min(room);
        self.bytes[self.len..self.len + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        Ok(())
    }
}

/// write(2)
pub(crate) fn write(fd: c_int, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the slice is readable for its length.
    unsafe {
        raw(
            libc::SYS_write,
            [int(fd), bytes.as_ptr() as usize, bytes.len(), 0, 0, 0],
        )
    }
}

/// openat(2) from the current directory, of a file that exists.
pub(crate) fn open(path: &CStr, flags: c_int) -> Result<c_int, Errno> {
    let arguments = [
        int(libc::AT_FDCWD),
        path.as_ptr() as usize,
        int(flags),
        0,
        0,
        0,
    ];
    // SAFETY: the path ends in a zero byte.
    unsafe { raw(libc::SYS_openat, arguments) }.map(descriptor)
}

/// Whether a descriptor is one of a regular file (fstat(2)).
pub(crate) fn is_regular_file(fd: c_int) -> Result<bool, Errno> {
    let mut stat = core::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the kernel fills in the structure.
    unsafe {
        raw(
            libc::SYS_fstat,
            [int(fd), stat.as_mut_ptr() as usize, 0, 0, 0, 0],
        )
    }?;
    // SAFETY: plain numbers, which all zeros are too.
    let stat = unsafe { stat.assume_init() };
    Ok(stat.st_mode & libc::S_IFMT == libc::S_IFREG)
}

/// close(2)
pub(crate) fn close(fd: c_int) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { raw(libc::SYS_close, [int(fd), 0, 0, 0, 0, 0]) }.map(drop)
}

/// fcntl(2) with a number as argument.
pub(crate) fn fcntl(fd: c_int, command: c_int, argument: c_int) -> Result<c_int, Errno> {
    // SAFETY: only called with commands that take a number.
    unsafe {
        raw(
            libc::SYS_fcntl,
            [int(fd), int(command), int(argument), 0, 0, 0],
        )
    }
    .map(descriptor)
}

/// dup3(2); equal numbers are an error (`EINVAL`).
pub(crate) fn dup3(from: c_int, to: c_int, flags: c_int) -> Result<c_int, Errno> {
    // SAFETY: no pointers.
    unsafe { raw(libc::SYS_dup3, [int(from), int(to), int(flags), 0, 0, 0]) }.map(descriptor)
}

/// socket(2)
pub(crate) fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Result<c_int, Errno> {
    // SAFETY: no pointers.
    unsafe {
        raw(
            libc::SYS_socket,
            [int(domain), int(kind), int(protocol), 0, 0, 0],
        )
    }
    .map(descriptor)
}

/// bind(2) with an address in its kernel form.
pub(crate) fn bind(fd: c_int, address: &[u8]) -> Result<(), Errno> {
    // SAFETY: the slice is readable for its length.
    unsafe {
        raw(
            libc::SYS_bind,
            [int(fd), address.as_ptr() as usize, address.len(), 0, 0, 0],
        )
    }
    .map(drop)
}

/// listen(2)
pub(crate) fn listen(fd: c_int, backlog: c_int) -> Result<(), Errno> {
    // SAFETY: no pointers.
    unsafe { raw(libc::SYS_listen, [int(fd), int(backlog), 0, 0, 0, 0]) }.map(drop)
}

/// setsockopt(2)
pub(crate) fn setsockopt(fd: c_int, level: c_int, name: c_int, value: &[u8]) -> Result<(), Errno> {
    let arguments = [
        int(fd),
        int(level),
        int(name),
        value.as_ptr() as usize,
        value.len(),
        0,
    ];
    // SAFETY: the slice is readable for its length.
    unsafe { raw(libc::SYS_setsockopt, arguments) }.map(drop)
}

/// pread(2), or read(2) where `offset` is `None`, to memory that may be shared with other
/// processes.
///
/// # Safety
/// `to` must be writable for `len` bytes.
pub(crate) unsafe fn read_at(
    fd: c_int,
    to: *mut u8,
    len: usize,
    offset: Option<i64>,
) -> Result<usize, Errno> {
    let (number, offset) = match offset {
        Some(offset) => (libc::SYS_pread64, offset as usize),
        None => (libc::SYS_read, 0),
    };
    // SAFETY: the caller vouches for the memory.
    unsafe { raw(number, [int(fd), to as usize, len, offset, 0, 0]) }
}

/// Sends `signal` to this thread alone.
pub(crate) fn signal_self(signal: c_int) {
    let [pid, tid] = [libc::SYS_getpid, libc::SYS_gettid].map(|number| {
        // SAFETY: no arguments, and they do not fail.
        unsafe { raw(number, [0; 6]) }.unwrap_or(0)
    });
    // SAFETY: no pointers.
    let _ = unsafe { raw(libc::SYS_tgkill, [pid, tid, int(signal), 0, 0, 0]) };
}

/// Bytes of the kernel's signal mask, in which bit `number - 1` is a signal's.
pub(crate) const SIGNAL_MASK_BYTES: usize = 8;

/// Changes which signals of this thread are blocked, by one of the `SIG_*` of sigprocmask(2); returns the mask
/// before.
pub(crate) fn change_signal_mask(how: c_int, mask: u64) -> u64 {
    let mut before = 0u64;
    let (new, old): (*const u64, *mut u64) = (&raw const mask, &raw mut before);
    let arguments = [
        int(how),
        new as usize,
        old as usize,
        SIGNAL_MASK_BYTES,
        0,
        0,
    ];
    // SAFETY: both masks outlive the call and have the length that is given.
    let _ = unsafe { raw(libc::SYS_rt_sigprocmask, arguments) };
    before
}

/// Id of this process, asked of the kernel: right also in children made behind libc's back.
pub(crate) fn process_id() -> u32 {
    // SAFETY: no arguments.
    unsafe { raw(libc::SYS_getpid, [0; 6]) }.map_or(0, |pid| pid as u32)
}

/// Sleeps for a moment, until another thread has done something short.
pub(crate) fn pause_us(microseconds: i64) {
    let time = libc::timespec {
        tv_sec: 0,
        tv_nsec: microseconds * 1000,
    };
    let pointer: *const libc::timespec = &raw const time;
    // SAFETY: the structure outlives the call.
    let _ = unsafe { raw(libc::SYS_nanosleep, [pointer as usize, 0, 0, 0, 0, 0]) };
}

/// Fresh private memory from the kernel, zeroed; null if there is none.
pub(crate) fn map(len: usize) -> *mut c_void {
    let protection = int(libc::PROT_READ | libc::PROT_WRITE);
    let flags = int(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: a new mapping, wherever there is room.
    let mapped = unsafe { raw(libc::SYS_mmap, [0, len, protection, flags, int(-1), 0]) };
    mapped.map_or(core::ptr::null_mut(), |address| address as *mut c_void)
}

/// From now on touching this part of a mapping of [`map`] faults.
pub(crate) fn forbid(start: *mut c_void, len: usize) {
    let protection = int(libc::PROT_NONE);
    // SAFETY: the caller's own memory, in which nothing lies.
    let _ = unsafe {
        raw(
            libc::SYS_mprotect,
            [start as usize, len, protection, 0, 0, 0],
        )
    };
}

/// Gives back what [`map`] gave.
pub(crate) fn unmap(start: *mut c_void, len: usize) {
    // SAFETY: nothing lies there any more.
    let _ = unsafe { raw(libc::SYS_munmap, [start as usize, len, 0, 0, 0, 0]) };
}

/// _exit(2) of the whole process.
pub(crate) fn exit(status: c_int) -> ! {
    loop {
        // SAFETY: no pointers. It does not return.
        let _ = unsafe { raw(libc::SYS_exit_group, [int(status), 0, 0, 0, 0, 0]) };
    }
}

/// Fills in one `ifreq` with an IPv4 address for each interface that has one (netdevice(7),
/// `SIOCGIFCONF`); returns how many there are.
pub(crate) fn interface_addresses(
    entries: &mut [[u8; size_of::<libc::ifreq>()]],
) -> Result<usize, Errno> {
    const ENTRY: usize = size_of::<libc::ifreq>();
    // struct ifconf: a length in bytes, and a pointer.
    let mut list = [entries.len() * ENTRY, entries.as_mut_ptr() as usize];
    // SAFETY: the request takes such a structure, and fills in as many bytes as it says.
    unsafe { interface_request(libc::SIOCGIFCONF, &raw mut list as usize) }?;
    Ok((list[0] & 0xffff_ffff) / ENTRY)
}

/// The index of an interface (netdevice(7), `SIOCGIFINDEX`).
pub(crate) fn interface_index(name: &str) -> Option<u32> {
    // An ifreq: 16 bytes of name, then the answer.
    let mut request = [0u8; size_of::<libc::ifreq>()];
    request[..libc::IFNAMSIZ - 1]
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = from);
    // SAFETY: the request takes such a structure and fills in its union.
    unsafe { interface_request(libc::SIOCGIFINDEX, request.as_mut_ptr() as usize) }.ok()?;
    let index = request.get(libc::IFNAMSIZ..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*index))
}

/// ioctl(2) about interfaces (netdevice(7)), on a socket of the kernel's made for it.
///
/// # Safety
/// `argument` must be what the request takes.
pub(crate) unsafe fn interface_request(
    request: libc::c_ulong,
    argument: usize,
) -> Result<usize, Errno> {
    let fd = socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)?;
    // SAFETY: the caller's promise.
    let result = unsafe {
        raw(
            libc::SYS_ioctl,
            [int(fd), request as usize, argument, 0, 0, 0],
        )
    };
    let _ = close(fd);
    result
}

/// close_range(2)
pub(crate) fn close_range(first: u32, last: u32, flags: c_int) -> Result<(), Errno> {
    let arguments = [first as usize, last as usize, int(flags), 0, 0, 0];
    // SAFETY: no pointers.
    unsafe { raw(libc::SYS_close_range, arguments) }.map(drop)
}
