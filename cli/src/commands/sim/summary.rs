//! What came of a run, for people.

use std::fmt::Write;
use std::time::Duration;

use sim::{Direction, FlowReport, LineCounters, Report, Scenario};

use super::progress::Cost;
use crate::layout::{self, Align, Column};

/// The whole of it, lines ended. `width`: of the terminal, if it is to fit one.
pub(super) fn text(
    scenario: &Scenario,
    report: &Report,
    cost: Cost,
    width: Option<usize>,
) -> String {
    let rows: Vec<Vec<String>> = report
        .flows
        .iter()
        .enumerate()
        .map(|(index, flow)| row(index + 1, flow, report.duration))
        .collect();
    let mut out = layout::table(&COLUMNS, &rows, width);
    let mut rest = String::new();
    // Writing into a string does not fail.
    let _ = write(&mut rest, scenario, report, cost);
    for line in rest.lines() {
        let (head, text) = line.split_at_checked(HEAD).unwrap_or((line, ""));
        out.push_str(&layout::hanging(head, text, width));
    }
    out
}

const COLUMNS: [Column; 8] = [
    Column {
        head: "flow",
        align: Align::Right,
    },
    Column {
        head: "cc",
        align: Align::Left,
    },
    Column {
        head: "start",
        align: Align::Right,
    },
    Column {
        head: "direction",
        align: Align::Left,
    },
    Column {
        head: "goodput",
        align: Align::Right,
    },
    Column {
        head: "sent again",
        align: Align::Right,
    },
    Column {
        head: "RTT min / mean / max ms",
        align: Align::Left,
    },
    Column {
        head: "limited by",
        align: Align::Left,
    },
];

/// Columns of what begins the lines below the table.
const HEAD: usize = 19;

fn row(number: usize, flow: &FlowReport, duration: Duration) -> Vec<String> {
    let [least, mean, most] = flow.round_trips().map(millis);
    let direction = match flow.spec.direction {
        Direction::Forward => "forward",
        Direction::Backward => "reverse",
    };
    let ended = flow.error.map(|error| format!("; ended early: {error}"));
    vec![
        number.to_string(),
        flow.spec.congestion.name().to_owned(),
        format!("{:.1} s", flow.spec.start.as_secs_f64()),
        direction.to_owned(),
        mbit(flow.goodput(duration)),
        flow.retransmissions().to_string(),
        format!("{least:.2} / {mean:.2} / {most:.2}"),
        limits(flow) + &ended.unwrap_or_default(),
    ]
}

fn write(
    out: &mut String,
    scenario: &Scenario,
    report: &Report,
    cost: Cost,
) -> Result<(), std::fmt::Error> {
    writeln!(out)?;
    let sum = mbit(report.goodput());
    writeln!(out, "goodput of all     {sum}")?;
    if report.flows.len() > 1 {
        let fairness = report.fairness();
        writeln!(
            out,
            "fairness (Jain)    {fairness:.3}, from the last start on; 1 is equal shares"
        )?;
    }
    for (name, counters, link) in [
        ("packets forward", &report.lines[0], scenario.pair.forward),
        ("packets back", &report.lines[1], scenario.pair.backward),
    ] {
        writeln!(out, "{name:<18} {}", packets(counters))?;
        let (mean, most) = (millis(counters.queued_mean()), millis(counters.queued_max));
        let room = link.queue_bytes / 1000;
        writeln!(
            out,
            "  queue            {mean:.3} ms mean, {most:.3} ms at most; room for {room} KB"
        )?;
    }
    let (virtual_s, real_s, cpu_s) = (
        report.duration.as_secs_f64(),
        cost.elapsed.as_secs_f64(),
        cost.cpu.as_secs_f64(),
    );
    writeln!(
        out,
        "simulated          {virtual_s:.1} s in {real_s:.1} s, {cpu_s:.1} s of CPU"
    )?;
    let (seed, digest) = (scenario.pair.seed, report.trace_hash);
    writeln!(
        out,
        "to repeat          --seed {seed}; digest of every packet {digest:016x}"
    )
}

fn packets(counters: &LineCounters) -> String {
    let LineCounters {
        offered,
        overflowed,
        lost,
        corrupted,
        duplicated,
        late,
        ..
    } = *counters;
    let mut text =
        format!("{offered} sent, {lost} lost at random, {overflowed} dropped by the queue");
    for (count, what) in [
        (corrupted, "corrupted"),
        (duplicated, "duplicated"),
        (late, "reordered"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text
}

/// What kept the sender from sending more, as far as its own counters know, in percent of its busy time.
fn limits(flow: &FlowReport) -> String {
    let Some(info) = flow.samples.last().map(|sample| sample.info) else {
        return "it never was open".into();
    };
    let percent = |part: u64| part * 100 / info.busy_time.max(1);
    let known = [
        (info.rwnd_limited, "receive window"),
        (info.sndbuf_limited, "send buffer"),
    ];
    let known = known.map(|(time, what)| (percent(time), what));
    let named: Vec<String> = known
        .iter()
        .filter(|(percent, _)| *percent >= 5)
        .map(|(percent, what)| format!("{what} {percent} %"))
        .collect();
    if named.is_empty() {
        "congestion control".into()
    } else {
        named.join(", ")
    }
}

pub(super) fn mbit(bits_per_second: u64) -> String {
    format!("{:.1} Mbit/s", bits_per_second as f64 / 1e6)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
