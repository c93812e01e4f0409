//! Socket options of TCP that the program set, tcp(7).

use super::rtt::RTO_INITIAL_NS;
use crate::config::Config;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Options of one socket; accepted connections inherit the listener's.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Settings {
    /// `TCP_KEEPIDLE`, s.
    pub(crate) keep_idle_s: u32,
    /// `TCP_KEEPINTVL`, s.
    pub(crate) keep_interval_s: u32,
    /// `TCP_KEEPCNT`.
    pub(crate) keep_count: u32,
    /// `TCP_USER_TIMEOUT`, ms; 0: by retransmissions.
    pub(crate) user_timeout_ms: u32,
    /// `TCP_LINGER2`: seconds an orphan stays in FIN_WAIT_2; 0: by `net.ipv4.tcp_fin_timeout`, negative: not at all.
    pub(crate) linger2_s: i32,
    /// `TCP_DEFER_ACCEPT`, s; 0: off.
    pub(crate) defer_accept_s: u32,
    /// `TCP_WINDOW_CLAMP`, bytes; 0: none.
    pub(crate) window_clamp: u32,
    /// `TCP_NOTSENT_LOWAT`, bytes; `u32::MAX`: no bound.
    pub(crate) notsent_lowat: u32,
    /// `TCP_MAXSEG`; 0: not set.
    pub(crate) max_segment: u16,
    /// `TCP_SYNCNT`; 0: not set.
    pub(crate) syn_count: u8,
    /// `TCP_NODELAY`.
    pub(crate) no_delay: u8,
    /// `TCP_CORK`.
    pub(crate) cork: u8,
    _pad: [u8; 3],
}

impl Settings {
    /// What a new socket starts with.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            keep_idle_s: config.keepalive_time_s,
            keep_interval_s: config.keepalive_intvl_s,
            keep_count: u32::from(config.keepalive_probes),
            user_timeout_ms: 0,
            linger2_s: 0,
            defer_accept_s: 0,
            window_clamp: 0,
            notsent_lowat: config.notsent_lowat,
            max_segment: 0,
            syn_count: 0,
            no_delay: 0,
            cork: 0,
            _pad: [0; 3],
        }
    }

    /// How often a SYN is repeated.
    pub(crate) const fn syn_retries(&self, config: &Config) -> u8 {
        match self.syn_count {
            0 => config.syn_retries,
            count => count,
        }
    }

    /// How often a listener repeats a SYN-ACK.
    pub(crate) const fn syn_ack_retries(&self, config: &Config) -> u8 {
        match self.syn_count {
            0 => config.synack_retries,
            count => count,
        }
    }

    /// `TCP_DEFER_ACCEPT` as a number of timeouts of a SYN-ACK: as many as begin within the time (Linux: secs_to_retrans).
    pub(crate) fn defer_accept_timeouts(&self, config: &Config) -> u8 {
        let (mut wait_ms, mut begun_ms, mut timeouts) = (RTO_INITIAL_NS / 1_000_000, 0, 0u8);
        while begun_ms < u64::from(self.defer_accept_s) * 1000 && timeouts < u8::MAX {
            begun_ms += wait_ms;
            wait_ms = (wait_ms * 2).min(u64::from(config.rto_max_ms).max(1));
            timeouts += 1;
        }
        timeouts
    }

    /// Seconds an orphan stays in FIN_WAIT_2; `None`: not at all.
    pub(crate) fn fin_wait_2_s(&self, config: &Config) -> Option<u32> {
        match self.linger2_s {
            0 => Some(config.fin_timeout_s),
            seconds => u32::try_from(seconds).ok(),
        }
    }
}

/// `TCP_LINGER2` is taken as this at most, s (Linux: TCP_FIN_TIMEOUT_MAX).
pub(crate) const LINGER2_MAX_S: i32 = 120;
