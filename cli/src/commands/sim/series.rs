//! What happened over time: numbers for a file, one row per look and flow.

use std::fmt::{self, Write};
use std::time::Duration;

use sim::{FlowReport, Report, Sample, Scenario};

use super::goodput;

/// A sender at a look at it.
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

/// Every look at a flow from the moment it was open.
pub(super) fn steps(
    scenario: &Scenario,
    report: &Report,
    flow: &FlowReport,
) -> impl Iterator<Item = Step> {
    let opened = flow.samples.first().map_or(Duration::MAX, |first| first.at);
    let before = report.looks.iter().map(|look| (look.at, 0));
    let before = before.take_while(move |(at, _)| *at < opened);
    let arrivals = flow
        .samples
        .iter()
        .map(|sample| (sample.at, sample.arrived));
    let averaging_time = goodput::averaging_time(scenario, report, flow.spec.direction);
    let goodput = goodput::rates(before.clone().chain(arrivals), averaging_time);
    let goodput = goodput.skip(before.count());
    flow.samples.iter().zip(goodput).map(|(now, goodput_bits)| {
        let Sample {
            at,
            info,
            queue_bytes,
            ..
        } = *now;
        let mss = u64::from(info.snd_mss);
        Step {
            at,
            goodput_bits,
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
pub(super) fn csv(scenario: &Scenario, report: &Report) -> String {
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = write_csv(scenario, report, &mut out);
    out
}

fn write_csv(scenario: &Scenario, report: &Report, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "time_s,flow,cc,goodput_bps,cwnd_bytes,inflight_bytes,srtt_ms,pacing_bps,queue_bytes,retransmissions"
    )?;
    for (number, flow) in report.flows.iter().enumerate() {
        let kind = flow.spec.congestion.name();
        for step in steps(scenario, report, flow) {
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
