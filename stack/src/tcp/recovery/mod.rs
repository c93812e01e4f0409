//! What an ACK says about the fate of what was sent: selective acknowledgements (RFC 2018, 2883),
//! RACK-TLP (RFC 8985), proportional rate reduction (RFC 6937), timeouts (RFC 6298) and their undo
//! (RFC 5682, RFC 3522), in the states of Linux's `tcp_ca_state`.
//!
//! The mechanisms are values with tables of tests: `scoreboard`, `rack`, `prr`, `frto`, `undo`,
//! `tail_probe`, and `machine` above them, whose states they share in one `record`. They are told
//! numbers and answer what to do. The other files walk the segments for them, and do what they say:
//! `clean` and `sack` take an ACK, `mark` takes segments for lost, `carry_out` asks the machine,
//! `control` speaks with congestion control, `timeout` and `probe_timers` are for when no ACK comes.

mod ack_work;
mod actions;
mod carry_out;
mod clean;
mod control;
mod frto;
mod machine;
mod mark;
mod probe_timers;
mod prr;
mod rack;
mod record;
mod sack;
mod scoreboard;
mod tail_probe;
pub(crate) mod timeout;
mod undo;

pub(crate) use self::ack_work::AckWork;
pub(crate) use self::record::Recovery;
