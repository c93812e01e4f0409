//! The calls that make processes and replace them. Of those that make them inside libc (posix_spawn, system, popen) only the
//! program's name is of interest. The handlers in `fork` see other forks inside libc.

use core::arch::naked_asm;
use core::ffi::{c_char, c_int, c_long, c_void};

use libc::pid_t;
use sys::Errno;

use crate::environment::{List, current};
use crate::errno::fail;
use crate::exec_search::Program;
use crate::hook::{hook, passing_hook, real};
use crate::{carried, exec, exit, membership, start, told};

hook! {
    /// fork(2).
    fn fork() -> pid_t {
        if start::is_wanted() {
            told::share();
        }
        crate::fork::fork(|| real!(fork()))
    }
}

hook! {
    /// _Fork(3), which runs no handlers. libc puts the records of the thread right.
    fn _Fork() -> pid_t {
        clone_memory(0, || real!(_Fork()).into()) as pid_t
    }
}

/// A call that makes a child with a copy of our memory, unless its flags (clone(2)) say otherwise.
pub(super) fn clone_memory(flags: u64, real: impl FnOnce() -> c_long) -> c_long {
    if flags & libc::CLONE_VM as u64 != 0 {
        return real();
    }
    crate::fork::clone(flags, real)
}

passing_hook! {
    /// unshare(2).
    fn unshare(flags: c_int) = SYS_unshare, |passed| {
        if passed.is_ok() && flags != 0 {
            crate::fork::note_namespaces(flags);
        }
    }
}

passing_hook! {
    /// setns(2).
    fn setns(fd: c_int, kind: c_int) = SYS_setns, |passed| {
        if passed.is_ok() {
            crate::fork::note_namespaces(kind);
        }
    }
}

hook! {
    /// _exit(2).
    fn _exit(status: c_int) {
        exit::exit();
        real!(_exit(status))
    }
}

hook! {
    /// _Exit(3), the same by the name of C.
    fn _Exit(status: c_int) {
        exit::exit();
        real!(_Exit(status))
    }
}

/// vfork(2). It returns twice on one stack, so nothing of ours may stay there. The return address is kept in a register,
/// of which parent and child have one each.
///
/// # Safety
/// As vfork(2): the child may do nothing but exec or end.
#[unsafe(naked)]
#[cfg_attr(not(test), unsafe(no_mangle))]
#[cfg_attr(test, allow(dead_code, reason = "see `hook!`"))]
pub(crate) unsafe extern "C" fn vfork() -> pid_t {
    naked_asm!(
        "sub rsp, 8",
        "call {lend}",
        "add rsp, 8",
        "pop rdi",
        "mov eax, {number}",
        "syscall",
        "push rdi",
        "test rax, rax",
        "jz 2f",
        "mov rdi, rax",
        "sub rsp, 8",
        "call {vforked}",
        "add rsp, 8",
        "2:",
        "ret",
        lend = sym lend,
        vforked = sym vforked,
        number = const libc::SYS_vfork,
    )
}

extern "C" fn lend() {
    membership::lend_memory();
}

/// The parent's side: the child has its own memory or is gone.
extern "C" fn vforked(result: c_long) -> pid_t {
    membership::take_memory_back();
    adopt_child(result);
    // The kernel answers with a process id or a small negative error.
    if result < 0 {
        fail(Errno(-result as c_int))
    } else {
        result as pid_t
    }
}

/// The child of this thread has done its exec, or has ended. 0 or less: there is none.
fn adopt_child(pid: c_long) {
    if let Some(departure) = carried::take_left()
        && let Ok(pid @ 1..) = u32::try_from(pid)
    {
        exec::adopt_child(pid, departure);
    }
}

type CloneFunction = extern "C" fn(*mut c_void) -> c_int;

hook! {
    /// clone(2) of libc. Variadic in C: arguments that were not given are not looked at. A child with a copy of our memory begins in
    /// `function`, and finds its place at its first call.
    fn clone(
        function: CloneFunction,
        stack: *mut c_void,
        flags: c_int,
        argument: *mut c_void,
        parent_tid: *mut pid_t,
        tls: *mut c_void,
        child_tid: *mut pid_t,
    ) -> c_int {
        let lends = flags & (libc::CLONE_VM | libc::CLONE_VFORK) == libc::CLONE_VM | libc::CLONE_VFORK;
        if lends {
            membership::lend_memory();
        }
        let result = clone_memory(flags as u32 as u64, || {
            real!(clone(function, stack, flags, argument, parent_tid, tls, child_tid)).into()
        }) as c_int;
        if lends {
            membership::take_memory_back();
            adopt_child(result.into());
        }
        result
    }
}

hook! {
    /// execve(2).
    fn execve(path: *const c_char, arguments: List, environment: List) -> c_int {
        exec::exec(Program::Path(path), environment, |environment| real!(execve(path, arguments, environment)))
    }
}

hook! {
    /// execv(3).
    fn execv(path: *const c_char, arguments: List) -> c_int {
        exec::exec(Program::Path(path), current(), |environment| {
            if environment == current() {
                real!(execv(path, arguments))
            } else {
                real!(execve(path, arguments, environment))
            }
        })
    }
}

hook! {
    /// execvp(3).
    fn execvp(file: *const c_char, arguments: List) -> c_int {
        exec::exec(Program::Name(file), current(), |environment| {
            if environment == current() {
                real!(execvp(file, arguments))
            } else {
                real!(execvpe(file, arguments, environment))
            }
        })
    }
}

hook! {
    /// execvpe(3).
    fn execvpe(file: *const c_char, arguments: List, environment: List) -> c_int {
        exec::exec(Program::Name(file), environment, |environment| {
            real!(execvpe(file, arguments, environment))
        })
    }
}

/// The calls with a list of arguments. Five of them came in registers. They are pushed below those that lie on the
/// stack, which makes one array of all, up to the null pointer.
macro_rules! listed {
    ($($(#[$meta:meta])* $name:ident => $array:ident),* $(,)?) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// As exec(3): strings up to a null pointer.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[cfg_attr(test, allow(dead_code, reason = "see `hook!`"))]
        pub(crate) unsafe extern "C" fn $name(path: *const c_char, first: *const c_char) -> c_int {
            naked_asm!(
                "pop rax",
                "push r9",
                "push r8",
                "push rcx",
                "push rdx",
                "push rsi",
                "mov rsi, rsp",
                "push rax",
                "call {array}",
                "pop rcx",
                "add rsp, 40",
                "push rcx",
                "ret",
                array = sym $array,
            )
        }
    )*};
}

listed! {
    /// execl(3).
    execl => execv,
    /// execlp(3).
    execlp => execvp,
    /// execle(3).
    execle => exec_with_environment,
}

/// The environment comes after the null pointer.
unsafe extern "C-unwind" fn exec_with_environment(path: *const c_char, arguments: List) -> c_int {
    let mut end = arguments;
    // SAFETY: the program's list ends in a null pointer, behind which the environment is.
    while !unsafe { *end }.is_null() {
        // SAFETY: this is not the list's end, so there is one more.
        end = unsafe { end.add(1) };
    }
    // SAFETY: execle(3) obliges the program to pass the environment behind the null pointer.
    let environment = unsafe { end.add(1) };
    // SAFETY: the program has passed a pointer there.
    let environment = unsafe { *environment };
    // SAFETY: the program's own arguments.
    unsafe { execve(path, arguments, environment.cast()) }
}

hook! {
    /// fexecve(3).
    fn fexecve(fd: c_int, arguments: List, environment: List) -> c_int {
        exec::exec(Program::Descriptor(fd), environment, |environment| {
            real!(fexecve(fd, arguments, environment))
        })
    }
}

type Actions = *const libc::posix_spawn_file_actions_t;
type Attributes = *const libc::posix_spawnattr_t;

hook! {
    /// posix_spawn(3).
    fn posix_spawn(
        pid: *mut pid_t,
        path: *const c_char,
        actions: Actions,
        attributes: Attributes,
        arguments: List,
        environment: List,
    ) -> c_int {
        exec::announce(Program::Path(path), environment);
        real!(posix_spawn(pid, path, actions, attributes, arguments, environment))
    }
}

hook! {
    /// posix_spawnp(3).
    fn posix_spawnp(
        pid: *mut pid_t,
        file: *const c_char,
        actions: Actions,
        attributes: Attributes,
        arguments: List,
        environment: List,
    ) -> c_int {
        exec::announce(Program::Name(file), environment);
        real!(posix_spawnp(pid, file, actions, attributes, arguments, environment))
    }
}

hook! {
    /// system(3).
    fn system(command: *const c_char) -> c_int {
        if !command.is_null() {
            announce_shell();
        }
        real!(system(command))
    }
}

hook! {
    /// popen(3).
    fn popen(command: *const c_char, mode: *const c_char) -> *mut libc::FILE {
        announce_shell();
        real!(popen(command, mode))
    }
}

/// libc starts the shell with the environment as it is then.
fn announce_shell() {
    exec::announce(Program::Path(c"/bin/sh".as_ptr()), current());
}

hook! {
    /// execveat(2).
    fn execveat(
        directory: c_int,
        path: *const c_char,
        arguments: List,
        environment: List,
        flags: c_int,
    ) -> c_int {
        let program = if flags & libc::AT_EMPTY_PATH != 0 {
            Program::Descriptor(directory)
        } else {
            Program::Path(path)
        };
        exec::exec(program, environment, |environment| {
            real!(execveat(directory, path, arguments, environment, flags))
        })
    }
}
