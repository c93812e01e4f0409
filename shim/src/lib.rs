//! libnstk.so: put before a program by `LD_PRELOAD`, it gives the program's internet sockets to a
//! TCP/IP stack in the program itself. Everything else goes to libc as before.

mod address;
mod alloc;
mod blocking;
mod child;
mod closing;
mod control;
mod dead;
mod descriptors;
mod duplicating;
mod environment;
mod epoll;
mod errno;
mod few;
mod files;
mod hook;
mod hooks;
mod lock;
mod log;
mod messages;
mod opening;
mod options;
mod panics;
mod pid;
mod program;
mod readiness;
mod receiving;
mod replay;
mod roomy;
mod route;
mod sending;
mod signals;
mod start;
mod surroundings;
mod sys;
mod template;
mod thread;
mod user;

#[global_allocator]
static HEAP: alloc::ProcessHeap = alloc::ProcessHeap::new();
