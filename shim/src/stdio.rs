//! stdio streams over our sockets. libc's stdio reads and writes by calls of its own, which no hook sees. So such a stream is
//! one of fopencookie(3), whose functions lead back to the hooks.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

use libc::{FILE, off64_t};

use crate::descriptors::{self, Descriptor};
use crate::errno::{Failed, fail};
use crate::libc_stdio::{self, Functions};
use crate::membership;

/// A stream with a buffer whose bytes go by the hooks. Null, with errno: there is none.
///
/// # Safety
/// `mode` must be what fdopen(3) takes.
pub(crate) unsafe fn open(fd: c_int, mode: *const c_char) -> *mut FILE {
    // SAFETY: the functions stay where they are, and need nothing but the number.
    let stream = unsafe { libc_stdio::fopencookie(cookie(fd), mode, FUNCTIONS) };
    if let Some(fields) = Fields::of(stream).filter(|fields| fields.fileno == NO_FILENO) {
        // For fileno(3). glibc makes no call of its own with it on such a stream.
        fields.fileno = fd;
    }
    ARE_OPEN.store(true, Ordering::Relaxed);
    stream
}

/// A descriptor has been made by dup(2) or one of its relatives: [`redirect`], if it leads to a socket of ours.
pub(crate) fn follow(fd: c_int) {
    let is_standard = (libc::STDIN_FILENO..=libc::STDERR_FILENO).contains(&fd);
    if is_standard
        && matches!(descriptors::get(fd), Descriptor::Stack(_))
        && membership::may_enter()
    {
        redirect(fd);
    }
}

/// The program's standard input, output or error output is a socket of ours: the stream of that name is one that reaches
/// it from here on, wherever the descriptor leads to later.
#[cold]
pub(crate) fn redirect(fd: c_int) {
    let is_replaced = usize::try_from(fd).ok().and_then(|at| REPLACED.get(at));
    if is_replaced.is_none_or(|is_replaced| is_replaced.swap(true, Ordering::Relaxed)) {
        return;
    }
    match fd {
        libc::STDIN_FILENO => replace(c"stdin", fd, c"r"),
        libc::STDOUT_FILENO => replace(c"stdout", fd, c"w"),
        _ => replace(c"stderr", fd, c"w"),
    }
}

/// Writes out what is in the buffers of streams, while that is possible: libc does it when the program has ended for us.
pub(crate) fn flush() {
    if ARE_OPEN.load(Ordering::Relaxed) {
        // SAFETY: null means all streams.
        unsafe { libc_stdio::fflush(core::ptr::null_mut()) };
    }
}

/// Whether there has been a stream of ours.
static ARE_OPEN: AtomicBool = AtomicBool::new(false);

/// The streams that have been replaced.
static REPLACED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// Lets the variable of this name lead to a stream over the descriptor.
fn replace(variable: &CStr, fd: c_int, mode: &CStr) {
    // The program may have its own copy of the variable, which is the one that counts for all.
    // SAFETY: the name is a C string.
    let variable = unsafe { libc::dlsym(libc::RTLD_DEFAULT, variable.as_ptr()) };
    // SAFETY: the variable of this name is such a pointer.
    let Some(stream) = (unsafe { variable.cast::<*mut FILE>().as_mut() }) else {
        return;
    };
    // SAFETY: the mode is one of fdopen(3).
    let new = unsafe { open(fd, mode.as_ptr()) };
    if new.is_null() {
        return;
    }
    let before = core::mem::replace(stream, new);
    let Some(fields) = Fields::of(before) else {
        return;
    };
    let buffering = match fields.flags {
        flags if flags & UNBUFFERED != 0 => libc::_IONBF,
        flags if flags & LINE_BUFFERED != 0 => libc::_IOLBF,
        _ => libc::_IOFBF,
    };
    // SAFETY: a stream that nobody has used yet.
    unsafe { libc_stdio::setvbuf(new, core::ptr::null_mut(), buffering, BUFFER) };
    // What was not flushed yet goes where the descriptor leads to now.
    let pending = (fields.write_ptr as usize).saturating_sub(fields.write_base as usize);
    if pending > 0 {
        // SAFETY: the bytes lie in the stream's buffer.
        let _ = unsafe { libc_stdio::fwrite(fields.write_base.cast(), 1, pending, new) };
        fields.write_ptr = fields.write_base;
    }
}

/// The beginning of a stream of glibc's, which programs are compiled against (bits/types/struct_FILE.h).
#[repr(C)]
struct Fields {
    flags: c_int,
    read: [*mut c_char; 3],
    write_base: *mut c_char,
    write_ptr: *mut c_char,
    others: [*mut c_void; 8],
    fileno: c_int,
}

impl Fields {
    /// Those of a stream, if libc is glibc.
    fn of<'a>(stream: *mut FILE) -> Option<&'a mut Self> {
        // SAFETY: null, or a stream that lives on.
        let fields = unsafe { stream.cast::<Self>().as_mut() }?;
        (fields.flags.cast_unsigned() & MAGIC_MASK == MAGIC).then_some(fields)
    }
}

const MAGIC: u32 = 0xfbad_0000;
const MAGIC_MASK: u32 = 0xffff_0000;
const UNBUFFERED: c_int = 2;
const LINE_BUFFERED: c_int = 0x200;
/// The number of a stream of fopencookie(3).
const NO_FILENO: c_int = -2;
/// What glibc takes for a stream without a file.
const BUFFER: usize = 8192;

const FUNCTIONS: Functions = Functions {
    read,
    write,
    seek,
    close,
};

fn cookie(fd: c_int) -> *mut c_void {
    core::ptr::without_provenance_mut(fd as usize)
}

fn number(cookie: *mut c_void) -> c_int {
    cookie.addr() as c_int
}

mod hooks {
    use core::ffi::{c_int, c_void};

    // Of the names that this library exports its own calls find the hooks.
    unsafe extern "C-unwind" {
        pub(super) fn read(fd: c_int, buf: *mut c_void, len: usize) -> isize;
        pub(super) fn write(fd: c_int, buf: *const c_void, len: usize) -> isize;
        pub(super) fn close(fd: c_int) -> c_int;
    }
}

unsafe extern "C-unwind" fn read(cookie: *mut c_void, buf: *mut c_char, len: usize) -> isize {
    // SAFETY: libc gives room for `len` bytes.
    unsafe { hooks::read(number(cookie), buf.cast(), len) }
}

/// Writes all, as libc does for a file: it takes less for an error.
unsafe extern "C-unwind" fn write(cookie: *mut c_void, buf: *const c_char, len: usize) -> isize {
    let mut done = 0;
    while done < len {
        let rest = buf.wrapping_add(done);
        // SAFETY: libc gives `len` bytes.
        let written = unsafe { hooks::write(number(cookie), rest.cast(), len - done) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => done += written,
            _ => break,
        }
    }
    done.cast_signed()
}

unsafe extern "C-unwind" fn seek(_: *mut c_void, _: *mut off64_t, _: c_int) -> c_int {
    fail(libc::ESPIPE)
}

unsafe extern "C-unwind" fn close(cookie: *mut c_void) -> c_int {
    // SAFETY: the program gives the descriptor up with the stream.
    unsafe { hooks::close(number(cookie)) }
}

/// Writes a text that libc has made in memory (`vasprintf`, whose result is `len`), and frees it.
///
/// # Safety
/// `text` must be what vasprintf(3) has stored.
pub(crate) unsafe fn write_text(fd: c_int, text: *mut c_char, len: c_int) -> c_int {
    let Ok(wanted) = usize::try_from(len) else {
        return c_int::FAILED;
    };
    // SAFETY: the text has `len` bytes.
    let written = unsafe { write(cookie(fd), text, wanted) };
    let errno = crate::errno::last();
    // SAFETY: vasprintf(3) gives it to the caller.
    unsafe { libc_stdio::free(text.cast()) };
    crate::errno::set(errno);
    if written.cast_unsigned() == wanted {
        len
    } else {
        c_int::FAILED
    }
}
