//! The hooks, by what they are about.

mod aliases;
mod clock;
mod data;
mod epoll;
mod fd;
mod names;
mod options;
mod poll;
mod process;
mod raw_syscall;
mod sandbox;
mod select;
mod signal;
mod socket;
mod stdio;

#[cfg(test)]
mod tests;
