//! System calls without libc.
//!
//! Inside libnstk.so the libc functions of these names are our own hooks, they are cancellation points, and they
//! change the program's errno. The calls here do none of that, and allocate nothing. Each is as its man page in
//! section 2 says, but answers `Err` with the error number.
//!
//! What rustix has is rustix's: its `linux_raw` backend makes the calls itself. The rest is in inline assembly
//! (`trap.rs`), each with a line that says what rustix lacks.
//!
//! Most functions take plain numbers of descriptors, because many belong to the program. A number that is not
//! open is an error (`EBADF`).

#![deny(clippy::wildcard_enum_match_arm)]
#![no_std]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod descriptors;
mod directories;
mod epoll;
mod errno;
mod errno_defs;
mod fd;
mod files;
mod inotify;
mod interfaces;
mod limits;
mod machine;
mod memfd;
mod memory;
mod message_bursts;
mod messages;
mod polling;
mod processes;
mod program;
mod random;
mod signal_actions;
mod signal_mask;
mod sockets;
mod thread_records;
mod threads;
mod time;
mod transfer;
mod trap;
mod unix_sockets;

pub use descriptors::{
    close_range, dup3, duplicate, duplicate_above, fd_flags, ioctl, is_open, set_fd_flags,
    set_nonblocking,
};
pub use directories::{
    NAMES_BYTES, for_each_name, make_directory, open_inside, remove_directory, set_mode,
    status_inside, unlink,
};
pub use epoll::{epoll_ctl, epoll_take};
pub use errno::Errno;
pub use fd::{OwnedFd, RawFd, close};
pub use files::{
    Status, check_readable, fallocate, has_capabilities, is_executable, length, link_target,
    lock_file, open, seek, set_length, status, status_of_path,
};
pub use inotify::{inotify, watch};
pub use interfaces::{interface_addresses, interface_index, interface_request};
pub use limits::{
    address_space_limit, end_after_cpu_time, file_limit, open_files_limit, raise_open_files,
    stack_limit,
};
pub use machine::{SystemName, system_name};
pub use memfd::{memfd, seal, seals};
pub use memory::{
    Access, Advice, PAGE_BYTES, advise, extend, forbid, is_readable, map_private, map_shared,
    map_with_children, reserve, unmap,
};
pub use message_bursts::{message, send_messages};
pub use messages::{MESSAGE_FDS_MAX, peek_message, receive_message, send_message};
pub use polling::{eventfd, poll_now, ppoll};
pub use processes::{
    group_id, has_other_effective_ids, new_session, pidfd_open, process_id, process_runs, user_id,
    wait_for_clone,
};
pub use program::{execute, exit, exit_thread};
pub use random::random;
pub use signal_actions::{
    SignalAction, alternate_stack, queue_signal_again, set_alternate_stack, set_signal_action,
    signal_action,
};
pub use signal_mask::{
    SignalMask, block_all_signals, block_signals, kernel_mask, set_signal_mask, unblock_signals,
};
pub use sockets::{
    accept, bind, listen, local_address, own_address, receive, send, set_timeouts, setsockopt,
    shutdown, socket, socket_cookie, socket_domain, socket_error, socketpair, tcp_state,
};
pub use thread_records::ThreadRecords;
pub use threads::{is_first_thread, pause, sched_yield, set_name, signal_self, thread_exists};
pub use time::{kernel_time, monotonic};
pub use transfer::{read, read_at, readv, write, writev};
pub use trap::pass_on;
pub use unix_sockets::{
    ABSTRACT_NAME_MAX, AbstractName, Peer, abstract_name, abstract_name_of_peer,
    bind_to_abstract_name, bind_to_path, connect_to_path, peer,
};
