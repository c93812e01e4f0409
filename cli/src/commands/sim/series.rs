//! What happened over time: numbers for a file, one row per look and flow.

use std::io::{self, Write};
use std::time::Duration;

use sim::{FlowReport, Report, Sample};

/// A sender between two looks at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) goodput_bits: f64,
    pub(super) cwnd_bytes: u64,
    pub(super) in_flight_bytes: u64,
    pub(super) pacing_bits: u64,
    pub(super) srtt_us: u32,
    pub(super) queue_bytes: u64,
    pub(super) resent: u32,
}

/// Every look at a flow but the first, with what came since the one before.
pub(super) fn steps(flow: &FlowReport) -> impl Iterator<Item = Step> {
    let pairs = flow.samples.iter().zip(flow.samples.iter().skip(1));
    pairs.map(|(before, now)| {
        let Sample {
            at,
            received,
            info,
            queue_bytes,
        } = *now;
        let seconds = at.saturating_sub(before.at).as_secs_f64();
        let bits = (received - before.received) as f64 * 8.0;
        let mss = u64::from(info.snd_mss);
        Step {
            at,
            goodput_bits: if seconds > 0.0 { bits / seconds } else { 0.0 },
            cwnd_bytes: u64::from(info.snd_cwnd) * mss,
            in_flight_bytes: u64::from(now.in_flight()) * mss,
            // No pacing yet: nothing to draw.
            pacing_bits: if info.pacing_rate == u64::MAX {
                0
            } else {
                info.pacing_rate.saturating_mul(8)
            },
            srtt_us: info.rtt,
            queue_bytes,
            resent: info.total_retrans,
        }
    })
}

/// Comma-separated values with a header line.
pub(super) fn write_csv(report: &Report, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "time_s,flow,cc,goodput_bps,cwnd_bytes,inflight_bytes,srtt_ms,pacing_bps,queue_bytes,retransmissions"
    )?;
    for (number, flow) in report.flows.iter().enumerate() {
        let kind = flow.spec.congestion.name();
        for step in steps(flow) {
            let Step {
                at,
                goodput_bits,
                cwnd_bytes,
                in_flight_bytes,
                pacing_bits,
                srtt_us,
                queue_bytes,
                resent,
            } = step;
            let (at, srtt) = (at.as_secs_f64(), f64::from(srtt_us) / 1e3);
            let number = number + 1;
            writeln!(
                out,
                "{at:.6},{number},{kind},{goodput_bits:.0},{cwnd_bytes},{in_flight_bytes},{srtt:.3},{pacing_bits},{queue_bytes},{resent}"
            )?;
        }
    }
    Ok(())
}
