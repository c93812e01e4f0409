//! Congestion control: what the transport saw goes in, what it may do comes out.
//!
//! Controllers read no clock, own no timer and keep only plain integers, inside one [`CcBlock`] of the connection's
//! record. Windows are counted in segments of the connection's MSS, as Linux counts them; times are nanoseconds.

mod any_cc;
mod bbr;
mod ca_state;
mod control;
mod cubic;
mod cwnd;
mod decision;
mod hystart;
mod pacing;
mod reno;
mod view;
mod window;

pub(crate) use self::any_cc::CcBlock;
pub(crate) use self::ca_state::CaState;
pub(crate) use self::control::CongestionControl;
pub(crate) use self::cwnd::{CongestionWindow, INITIAL_WINDOW};
pub(crate) use self::decision::Decision;
pub(crate) use self::pacing::window_pacing_rate;
pub(crate) use self::view::{CcView, Episode, INFINITE_SSTHRESH};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
