//! Children made behind libc's back: they know what they are, and their deaths harm nobody.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use libc::{c_int, pid_t};
use nstk_region::{ForkGuard, Region, Shared, Table};

use crate::child::{Child, End, die_with_the_parent};
use crate::sealed::Sealed;

unsafe extern "C" {
    /// fork without atfork handlers, glibc 2.34.
    safe fn _Fork() -> pid_t;
}

static GUARD: ForkGuard = ForkGuard::new();

fn is_marked() -> bool {
    GUARD.get() == Some(1)
}

fn fresh() -> Shared<Table<Sealed>> {
    let region = Region::create(16 << 20).expect("memfd");
    let table = region.table(0, 100).expect("table");
    Shared::new(region, table)
}

/// `clone` as fork would do it, but past libc.
fn raw_clone() -> pid_t {
    // SAFETY: no shared memory and no new stack: a plain fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    pid as pid_t
}

/// Makes a child that says whether it is marked, then waits to be killed.
fn marked_in_the_child_of(make: fn() -> pid_t) -> bool {
    let mut pipe = [0; 2];
    // SAFETY: there is room for two descriptors.
    let made = unsafe { libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC) };
    assert_eq!(made, 0, "pipe");
    let pid = make();
    if pid == 0 {
        die_with_the_parent();
        let answer = [u8::from(is_marked())];
        // SAFETY: one readable byte.
        unsafe { libc::write(pipe[1], answer.as_ptr().cast(), 1) };
        loop {
            // SAFETY: touches no memory.
            unsafe { libc::pause() };
        }
    }
    let child = Child::adopt(pid);
    let mut answer = [9u8];
    // SAFETY: one writable byte.
    let count = unsafe { libc::read(pipe[0], answer.as_mut_ptr().cast(), 1) };
    for fd in pipe {
        // SAFETY: opened above.
        unsafe { libc::close(fd) };
    }
    child.kill();
    assert_eq!((child.wait(), count), (End::Signal(libc::SIGKILL), 1));
    answer == [1]
}

/// A stretch of a region's work under one lock, with a child made and killed in the middle.
fn goes_on_while(children: u64, mut make_and_kill: impl FnMut(&mut Table<Sealed>)) {
    let shared = fresh();
    for round in 0..children {
        let mut table = shared.lock().expect("alive");
        let id = table.insert(Sealed::new(round)).expect("room");
        make_and_kill(&mut table);
        table.get_mut(id).expect("there").change(round + 1);
        drop(table);
        let mut table = shared.try_lock().expect("alive").expect("free");
        assert!(table.remove(id).expect("there").is_whole());
    }
}

#[test]
fn the_mark_is_gone_in_every_kind_of_forked_child() {
    GUARD.set(1).expect("a page");
    for make in [
        raw_clone,
        || _Fork(),
        || {
            // SAFETY: the child only writes, waits and is killed.
            unsafe { libc::fork() }
        },
    ] {
        assert!(!marked_in_the_child_of(make));
    }
    assert!(is_marked());
}

#[test]
fn a_forked_child_can_mark_itself_anew() {
    GUARD.set(1).expect("a page");
    let child = Child::fork(|| {
        let before = GUARD.get();
        let marked = GUARD.set(1).is_ok();
        i32::from(before != Some(0) || !marked || !is_marked())
    });
    assert_eq!(child.wait(), End::Exit(0));
}

#[test]
fn raw_clone_and_fork_children_killed_while_their_maker_is_inside_change_nothing() {
    goes_on_while(100, |_| {
        for make in [raw_clone, || _Fork()] {
            assert!(!marked_in_the_child_of(make));
        }
    });
}

/// Written by the vfork child, which shares our memory, so that somebody can kill it.
static VFORK_CHILD: AtomicI32 = AtomicI32::new(0);

extern "C" fn vfork_child(_: *mut c_void) -> c_int {
    // SAFETY: touches no memory of ours.
    VFORK_CHILD.store(
        unsafe { libc::syscall(libc::SYS_getpid) } as pid_t,
        Ordering::Release,
    );
    loop {
        std::hint::spin_loop();
    }
}

#[test]
fn vfork_children_killed_while_their_maker_is_inside_change_nothing() {
    let done = AtomicBool::new(false);
    let mut stack = vec![0u128; 4096];
    std::thread::scope(|scope| {
        // The maker is suspended until its child is gone: another thread has to kill.
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                match VFORK_CHILD.swap(0, Ordering::AcqRel) {
                    0 => std::thread::yield_now(),
                    // SAFETY: the child was not waited for, so the number is still its own.
                    pid => assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0),
                }
            }
        });
        goes_on_while(100, |_| {
            let top = stack.as_mut_ptr_range().end.cast::<c_void>();
            let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
            // SAFETY: the child runs on a stack of its own and touches one atomic.
            let pid = unsafe { libc::clone(vfork_child, top, flags, std::ptr::null_mut()) };
            assert_eq!(Child::adopt(pid).wait(), End::Signal(libc::SIGKILL));
        });
        done.store(true, Ordering::Release);
    });
}
