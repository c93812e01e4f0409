//! libnstk.so: preloaded by `LD_PRELOAD`, it gives the program's internet sockets to a TCP/IP stack in the
//! program itself. Everything else goes to libc as before.
//!
//! - `hooks/` has the functions that stand before libc's, each a few lines: is the descriptor ours? If not, the
//!   real function is called at once.
//! - `descriptors/` maps a number of the program to a file of the family.
//! - `route` decides, at `connect`, `bind` or `listen`, whether a socket is the stack's or the kernel's.
//! - `start` makes or joins the stack at the first internet socket.
//!
//! Nothing here may use std's I/O, allocate in a hook that only passes through, or panic across the border: the
//! program's memory, errno, signals and descriptors are not ours.

mod address;
mod alloc;
mod answer;
mod big_stack;
mod blocking;
mod bridged;
mod carried;
mod closing;
mod complain;
mod control;
mod dead;
mod death;
mod descriptors;
mod dup;
mod entering;
mod environment;
mod epoll;
mod errno;
mod exec;
mod exec_search;
mod exit;
mod fcntl;
mod fork;
mod guard;
mod hook;
mod hooks;
mod host_addresses;
mod inherited;
mod ioctl;
mod kernel_use;
mod libc_stdio;
mod limits;
mod load;
mod lock;
mod log;
mod membership;
mod messages;
mod opening;
mod options;
mod outside;
mod panics;
mod phase;
mod pid;
mod placeholder;
mod process_hooks;
mod readiness;
mod receiving;
mod replay;
mod report;
mod rights;
mod route;
mod routed;
mod running;
mod sandbox;
mod sendfile;
mod sending;
mod signals;
mod start;
mod stdio;
mod surroundings;
mod symbols;
mod thread;
mod told;
mod user;

// Not in unit tests: a failing one prints a backtrace, which takes more than this heap has.
#[cfg_attr(not(test), global_allocator)]
#[cfg_attr(test, allow(dead_code, reason = "see above"))]
static HEAP: alloc::ProcessHeap = alloc::ProcessHeap::new();
