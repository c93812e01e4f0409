//! What we offer a peer in our SYN or SYN-ACK: segment size, window, scale.

use super::options::{Options, Scale, WINDOW_SCALE_MAX};
use crate::addr::Endpoint;
use crate::config::Config;
use crate::sock::{Sock, SockFlags};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Segment size of a peer that does not say (RFC 9293 §3.7.1).
pub(crate) const MSS_DEFAULT: u16 = 536;
/// Segment sizes below this are not believed (Linux: TCP_MIN_MSS).
pub(crate) const MSS_MIN: u16 = 88;
/// First windows fit the field without scaling.
pub(crate) const FIRST_WINDOW_MAX: u32 = 65_535;
/// Payload per byte of receive buffer assumed at first, of 256 (Linux: half).
pub(crate) const FILL_DEFAULT: u8 = 128;

/// What we offer in our SYN or SYN-ACK.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Offer {
    /// First receive window, bytes; it fits the field without scaling.
    pub(crate) window: u32,
    /// Most we ever advertise.
    pub(crate) clamp: u32,
    /// Segment size that we announce.
    pub(crate) mss: u16,
    /// Our scale; none without scaling.
    pub(crate) scale: Scale,
    _pad: u8,
}

impl Offer {
    /// What goes with an endpoint's buffer and options (Linux: tcp_select_initial_window).
    pub(crate) fn of(sock: &Sock, config: &Config, remote: Endpoint, scaling: Scaling) -> Self {
        let settings = &sock.tcp.settings;
        let full = config.mtu.saturating_sub(headers(remote)).max(MSS_MIN);
        let mss = match settings.max_segment {
            0 => full,
            user => full.min(user.max(MSS_MIN)),
        };
        let largest = FIRST_WINDOW_MAX << WINDOW_SCALE_MAX;
        let clamp = match settings.window_clamp {
            0 => largest,
            user => user.min(largest),
        };
        let buffer = sock.receive_buffer;
        let usable = buffer.saturating_mul(u64::from(FILL_DEFAULT)) >> 8;
        let mut window = u32::try_from(usable).unwrap_or(u32::MAX).min(clamp);
        if window > u32::from(mss) {
            window -= window % u32::from(mss);
        }
        let scale = match scaling {
            Scaling::No => Scale::NONE,
            Scaling::Yes => {
                let most = if sock.has(SockFlags::RECEIVE_BUFFER_SET) {
                    buffer
                } else {
                    buffer.max(config.tcp_rmem[2]).max(config.rmem_max)
                };
                let most = u32::try_from(most).unwrap_or(u32::MAX).min(clamp).max(1);
                let bits = u8::try_from(most.ilog2().saturating_sub(15)).unwrap_or(0);
                Scale::new(bits.min(WINDOW_SCALE_MAX))
            }
        };
        Self {
            window: window.min(FIRST_WINDOW_MAX),
            clamp: clamp.min(scale.window(u16::MAX)),
            mss,
            scale,
            _pad: 0,
        }
    }
}

/// Whether windows are scaled (RFC 7323 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scaling {
    Yes,
    No,
}

impl Scaling {
    /// As the options of a SYN have it.
    pub(crate) const fn of(options: &Options) -> Self {
        match options.window_scale {
            Some(_) => Self::Yes,
            None => Self::No,
        }
    }
}

/// Bytes of IP and TCP header without options.
pub(crate) const fn headers(remote: Endpoint) -> u16 {
    if remote.addr.is_v4() { 40 } else { 60 }
}
