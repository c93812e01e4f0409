//! BBR version 1, as Linux's `tcp_bbr.c` behaves (Cardwell et al., ACM Queue 14(5), 2016).
//!
//! Two numbers model the path: the bottleneck's bandwidth, the largest delivery rate of the last ten round trips, and
//! its propagation delay, the smallest round trip of the last ten seconds. The sender paces at their product's rate.
//!
//! ```text
//! Startup -> Drain -> ProbeBw (eight phases, round and round)
//!    ^  \       \       |  ^
//!    |   +-------+------+  |      every 10 s without a new minimum
//!    |                  v  |
//!    +------------ ProbeRtt
//! ```
//!
//! One file per phase, and one per part of the model: `bandwidth`, `aggregation`, `policer`; `model` puts them together,
//! `pacing` and `cwnd` turn the model into a rate and a window, `control` runs all of it for each event.

mod aggregation;
mod bandwidth;
mod control;
mod cwnd;
mod drain;
mod gain;
mod max_filter;
mod model;
mod pacing;
mod phase;
mod policer;
mod probe_bw;
mod probe_rtt;
mod rounds;
mod startup;
mod state;

pub(super) use self::control::SEND_BUFFER_WINDOWS;
pub(crate) use self::model::Bbr;

#[cfg(test)]
mod tests;
