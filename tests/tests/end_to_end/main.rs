//! Unmodified programs under libnstk.so, in network namespaces of their own. A module is named after the program it needs (`c`: the C compiler).
#![forbid(unsafe_code)]

mod ab;
mod bridges;
mod c;
mod cli;
mod cpython;
mod curl;
mod damage;
mod deviations;
mod documents;
mod exec;
mod iperf3;
mod ipv6;
mod itself;
mod kernel_use;
mod lifecycle;
mod link;
mod lossy;
mod meeting;
mod mistakes;
mod nc;
mod netperf;
mod nginx;
mod node;
mod other_users;
mod pcap;
mod ping;
mod python3;
mod redis;
mod region;
mod rights;
mod sandbox;
mod settings;
mod socat;
mod stdio;
mod strace;
mod turn;
mod uplink;
mod valgrind;
mod wget;
mod wrk;

/// The program that listens on the kernel's stack.
const PEER: &str = env!("CARGO_BIN_EXE_peer");
