//! The pacing rate of connections whose controller names none.

use super::view::CcView;

/// The window spread over a round trip, times `net.ipv4.tcp_pacing_ss_ratio` in slow start or
/// `net.ipv4.tcp_pacing_ca_ratio` near and above `ssthresh` (percent), as Linux's `tcp_update_pacing_rate`, but over the
/// least round trip: one sample that held a timeout or a delayed ACK would slow a small window down for dozens of round
/// trips, where Linux without the fq qdisc does not pace these controllers at all.
///
/// Bytes per second, at most `SO_MAX_PACING_RATE`; without a round-trip sample that limit itself.
pub(crate) fn window_pacing_rate(
    view: &CcView,
    slow_start_percent: u32,
    avoidance_percent: u32,
) -> u64 {
    let round_trip_ns = match view.min_rtt_ns {
        0 => view.srtt_ns,
        least => least.min(view.srtt_ns),
    };
    if round_trip_ns == 0 {
        return view.pacing_rate_max;
    }
    let percent = if view.cwnd < view.ssthresh / 2 {
        slow_start_percent
    } else {
        avoidance_percent
    };
    let window = u64::from(view.mss).saturating_mul(u64::from(view.cwnd.max(view.packets_out)));
    // 2^32 bytes of window times 10^9 / 100 times a percentage fits 128 bits; the quotient is clamped to 64.
    let scaled = u128::from(window) * u128::from(percent) * u128::from(NANOS_PER_PERCENT);
    let rate = scaled / u128::from(round_trip_ns);
    u64::try_from(rate)
        .unwrap_or(u64::MAX)
        .clamp(1, view.pacing_rate_max.max(1))
}

/// Nanoseconds of a second, divided by the hundred of the percentages.
const NANOS_PER_PERCENT: u64 = 1_000_000_000 / 100;
