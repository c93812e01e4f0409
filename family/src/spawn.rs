//! Starting the keeper's program: a process of its own that is nobody's child.
//!
//! `clone(CLONE_VM | CLONE_VFORK)` twice and an exec: the cost does not grow with the program's heap, the program
//! sees no child and gets no SIGCHLD, and the second clone's parent is gone at once.

use core::ffi::{c_char, c_int, c_void};
use std::ffi::{CStr, CString};

use sys::RawFd;

/// The program's name; it lies beside libnstk.so.
pub(crate) const PROGRAM: &str = "nstk-keeper";
/// Stack of each of the two clones, which only make system calls.
const STACK_BYTES: usize = 65_536;

/// Starts the keeper's program as nobody's child, with `keep` as its only descriptors.
pub(crate) fn spawn(program: &CStr, arguments: &[String], keep: &[RawFd]) -> Option<()> {
    let texts = core::iter::once(PROGRAM).chain(arguments.iter().map(String::as_str));
    let arguments: Option<Vec<CString>> = texts.map(|text| CString::new(text).ok()).collect();
    let arguments = arguments?;
    let mut argv: Vec<*const c_char> = arguments.iter().map(|text| text.as_ptr()).collect();
    argv.push(core::ptr::null());
    let mut stacks = vec![0u8; 2 * STACK_BYTES];
    let top = stacks.as_mut_ptr_range().end;
    let mut plan = Plan {
        program: program.as_ptr(),
        argv: argv.as_ptr(),
        keep: keep.as_ptr(),
        keep_len: keep.len(),
        // The lower half is the second clone's stack.
        second_stack: stacks.as_mut_ptr().wrapping_add(STACK_BYTES).cast(),
        failed: false,
    };
    // Handlers of the program must not run in the clones, which share its memory.
    let mask = sys::block_all_signals();
    let flags = libc::CLONE_VM | libc::CLONE_VFORK;
    let argument = core::ptr::from_mut(&mut plan).cast();
    // SAFETY: stack and plan outlive the clone, which ends or execs before this call returns (CLONE_VFORK).
    let child = unsafe { libc::clone(first, top.cast(), flags, argument) };
    let is_made = child.is_positive();
    if is_made {
        // Only a wait with __WCLONE sees a clone without an exit signal, so the program's own waits do not.
        sys::wait_for_clone(child);
    }
    sys::set_signal_mask(mask);
    drop(stacks);
    (is_made && !plan.failed).then_some(())
}

/// At the start of a process made by [`spawn`]: closes every descriptor that it did not get for its work, pipes
/// of the program above all.
pub(crate) fn settle(keep: &[RawFd]) {
    let mut keep: Vec<u32> = keep
        .iter()
        .filter_map(|fd| u32::try_from(*fd).ok())
        .collect();
    keep.sort_unstable();
    let mut from = 0;
    for fd in keep {
        if fd > from {
            // SAFETY: this process has just begun, and owns none of them.
            let _ = unsafe { sys::close_range(from, fd - 1, 0) };
        }
        from = fd + 1;
    }
    // SAFETY: this process has just begun, and owns none of them.
    let _ = unsafe { sys::close_range(from, u32::MAX, 0) };
    // A panic's message must not go into a file that happens to become descriptor 2.
    for standard in 0..3 {
        if let Ok(null) = sys::open(c"/dev/null", libc::O_RDWR, 0)
            && null.as_raw() == standard
        {
            let _ = null.into_raw();
        }
    }
    // The program may have ignored the signal that ends a process which has used too much CPU time.
    // SAFETY: the default is no handler.
    unsafe { libc::signal(libc::SIGPROF, libc::SIG_DFL) };
    // All signals were blocked while the program started us. Here they work as in any other process.
    sys::set_signal_mask(0);
}

struct Plan {
    program: *const c_char,
    argv: *const *const c_char,
    keep: *const c_int,
    keep_len: usize,
    second_stack: *mut c_void,
    failed: bool,
}

extern "C" fn first(plan: *mut c_void) -> c_int {
    // SAFETY: `spawn` passes its plan, which lives until this process has ended.
    let plan_ref = unsafe { &mut *plan.cast::<Plan>() };
    let flags = libc::CLONE_VM | libc::CLONE_VFORK;
    // SAFETY: the stack is half of what `spawn` keeps, with the plan, until the clone has ended or called exec.
    let child = unsafe { libc::clone(second, plan_ref.second_stack, flags, plan) };
    plan_ref.failed |= child.is_negative();
    sys::exit_thread(0)
}

extern "C" fn second(plan: *mut c_void) -> c_int {
    // SAFETY: `first` passes the plan on, which lives until this process has called exec.
    let plan = unsafe { &mut *plan.cast::<Plan>() };
    sys::new_session();
    // SAFETY: `keep` and its length describe a slice that outlives the clone.
    for fd in unsafe { core::slice::from_raw_parts(plan.keep, plan.keep_len) } {
        // Exec leaves it open.
        let _ = sys::set_fd_flags(*fd, 0);
    }
    let nothing: [*const c_char; 1] = [core::ptr::null()];
    // SAFETY: program, arguments and the empty environment are C strings and lists that outlive the call.
    let _ = unsafe { sys::execute(plan.program, plan.argv, nothing.as_ptr()) };
    plan.failed = true;
    sys::exit_thread(1)
}

/// This program's name, as ps(1) shows it.
pub(crate) fn own_name() -> String {
    let mut name = [0; 16];
    let file = sys::open(c"/proc/self/comm", libc::O_RDONLY | libc::O_CLOEXEC, 0);
    let len = file.and_then(|file| sys::read(file.as_raw(), &mut name));
    let name = name.get(..len.unwrap_or(0)).unwrap_or_default();
    String::from_utf8_lossy(name).trim_end().to_owned()
}

/// The keeper's path: in the directory of the library that this code lies in.
pub(crate) fn program_path() -> Option<CString> {
    // SAFETY: an all-zero Dl_info is a valid value of that plain structure.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    let here = program_path as *const c_void;
    // SAFETY: dladdr takes any address; `info` is a valid place for the result.
    let found = unsafe { libc::dladdr(here, &mut info) };
    if found == 0 {
        return None;
    }
    // SAFETY: dladdr found the object, so the name is a C string of the loader's.
    let library = unsafe { CStr::from_ptr(info.dli_fname) };
    let mut absolute = [0u8; libc::PATH_MAX as usize];
    // SAFETY: the name is a C string and the room is PATH_MAX bytes, as realpath(3) asks.
    let resolved = unsafe { libc::realpath(library.as_ptr(), absolute.as_mut_ptr().cast()) };
    if resolved.is_null() {
        return None;
    }
    let library = CStr::from_bytes_until_nul(&absolute).ok()?.to_bytes();
    let slash = library.iter().rposition(|byte| *byte == b'/')?;
    let mut path = library.get(..=slash)?.to_vec();
    path.extend_from_slice(PROGRAM.as_bytes());
    CString::new(path).ok()
}

#[cfg(test)]
mod tests;
