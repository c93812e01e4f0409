//! Payload per second at the receiver's host, averaged so that it is never more than the line carries.

use std::time::Duration;

use sim::{Direction, Report, Scenario};

/// How long to average what comes from one of the hosts.
///
/// A round trip, as windows come in bursts; no less than the time between two looks; and long enough for the line: what
/// was on its way when the time began arrives within it, the rest of a packet and what jitter or a late arrival has
/// held up. The line carries headers, too. In this time they are more than all of that.
pub(super) fn averaging_time(
    scenario: &Scenario,
    report: &Report,
    direction: Direction,
) -> Duration {
    let link = match direction {
        Direction::Forward => scenario.pair.forward,
        Direction::Backward => scenario.pair.backward,
    };
    let payload = u32::from(scenario.pair.config.mtu) - HEADERS;
    let packet = f64::from(payload + OVERHEAD) * 8.0 / link.bits_per_second.max(1) as f64;
    let late = if link.late_ppm > 0 {
        link.late_by
    } else {
        Duration::ZERO
    };
    let held_up = Duration::from_secs_f64(packet) + link.jitter + late;
    let for_the_line = held_up * payload / OVERHEAD;
    let round_trip = round_trip(report, direction);
    for_the_line.max(round_trip).max(scenario.interval)
}

/// Of the flow whose packets wait least.
fn round_trip(report: &Report, direction: Direction) -> Duration {
    let flows = report.flows.iter();
    let open = flows.filter(|flow| flow.spec.direction == direction && !flow.samples.is_empty());
    let means = open.map(|flow| flow.round_trips()[1]);
    means.min().unwrap_or_default()
}

/// Bits per second at every point: what came in the averaging time before it, or since the beginning if that is later.
/// A point is a time, and the bytes that had come by then.
pub(super) fn rates(
    points: impl Iterator<Item = (Duration, u64)> + Clone,
    averaging_time: Duration,
) -> impl Iterator<Item = f64> {
    let mut past = points.clone().peekable();
    let mut begin = (Duration::ZERO, 0);
    points.map(move |(at, bytes)| {
        while let Some(point) = past.next_if(|(past, _)| *past + averaging_time <= at) {
            begin = point;
        }
        let (begin, before) = begin;
        let seconds = at.saturating_sub(begin).as_secs_f64();
        // A receiver that is short of memory may drop what it had.
        let bits = bytes.saturating_sub(before) as f64 * 8.0;
        if seconds > 0.0 { bits / seconds } else { 0.0 }
    })
}

/// Of IPv4 and TCP, without options.
const HEADERS: u32 = 40;
/// What a packet takes of the line beside its payload: these, and Ethernet's header, preamble, check sequence and gap.
const OVERHEAD: u32 = HEADERS + 14 + 24;

#[cfg(test)]
mod tests;
