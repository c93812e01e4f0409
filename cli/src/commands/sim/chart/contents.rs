//! What there is to see in a report.

use sim::{Direction, Look, Report, Scenario};

use super::flows;
use super::legend::Key;
use super::panel::{Line, Panel};
use super::scale::{self, Unit};
use super::style::LineStyle;
use crate::commands::sim::goodput;
use crate::commands::sim::series::{self, Step};

/// Empty if no connection was ever open.
pub(super) fn panels(scenario: &Scenario, report: &Report) -> Vec<Panel> {
    if report.flows.iter().all(|flow| flow.samples.is_empty()) {
        return Vec::new();
    }
    let mut panels = vec![goodput_of_link(scenario, report)];
    if report.flows.len() > 1 {
        panels.push(of_flows(scenario, report, &GOODPUT));
    }
    panels.extend(MORE.iter().map(|kind| of_flows(scenario, report, kind)));
    panels.push(queue(report));
    panels
}

/// A panel with a line for each flow.
struct OfFlows {
    name: &'static str,
    units: &'static [Unit],
    value: fn(&Step) -> f64,
}

const GOODPUT: OfFlows = OfFlows {
    name: "goodput of each flow",
    units: scale::RATES,
    value: |step| step.goodput_bits,
};

const MORE: [OfFlows; 3] = [
    OfFlows {
        name: "congestion window",
        units: scale::BYTES,
        value: |step| step.cwnd_bytes as f64,
    },
    OfFlows {
        name: "in flight",
        units: scale::BYTES,
        value: |step| step.in_flight_bytes as f64,
    },
    OfFlows {
        name: "smoothed round trip",
        units: scale::TIMES,
        value: |step| f64::from(step.srtt_us) / 1e6,
    },
];

fn of_flows(scenario: &Scenario, report: &Report, panel: &OfFlows) -> Panel {
    let line = |(number, flow)| Line {
        style: flows::style(report, number),
        points: series::steps(scenario, report, flow)
            .map(|step| (step.at.as_secs_f64(), (panel.value)(&step)))
            .collect(),
    };
    Panel {
        name: panel.name,
        units: panel.units,
        lines: report.flows.iter().enumerate().map(line).collect(),
        keys: Vec::new(),
        limit: None,
    }
}

/// All flows of a direction together. A single flow is drawn as itself.
fn goodput_of_link(scenario: &Scenario, report: &Report) -> Panel {
    let rate = scenario.pair.forward.bits_per_second as f64;
    let limit = Some((rate, "the line's rate"));
    if report.flows.len() == 1 {
        let panel = OfFlows {
            name: "goodput",
            ..GOODPUT
        };
        return Panel {
            limit,
            ..of_flows(scenario, report, &panel)
        };
    }
    let (lines, keys) = of_directions(report, |direction| {
        let arrivals = report
            .looks
            .iter()
            .map(move |look| (look.at, look.arrived[direction.sender()]));
        let averaging_time = goodput::averaging_time(scenario, report, direction);
        goodput::rates(arrivals, averaging_time).collect()
    });
    Panel {
        name: "goodput of all flows",
        units: scale::RATES,
        lines,
        keys,
        limit,
    }
}

fn queue(report: &Report) -> Panel {
    let (lines, keys) = of_directions(report, |direction| {
        let waiting = |look: &Look| look.queue_bytes[direction.sender()] as f64;
        report.looks.iter().map(waiting).collect()
    });
    Panel {
        name: "waiting for the line",
        units: scale::BYTES,
        lines,
        keys,
        limit: None,
    }
}

/// A line for each direction in which a flow sends; keys only if there are two.
fn of_directions(report: &Report, values: impl Fn(Direction) -> Vec<f64>) -> (Vec<Line>, Vec<Key>) {
    let directions = [Direction::Forward, Direction::Backward];
    let is_used = |direction: &Direction| {
        let mut flows = report.flows.iter();
        flows.any(|flow| flow.spec.direction == *direction)
    };
    let used: Vec<Direction> = directions.into_iter().filter(is_used).collect();
    let line = |&direction: &Direction| {
        let times = report.looks.iter().map(|look| look.at.as_secs_f64());
        Line {
            style: LineStyle::DIRECTIONS[direction.sender()],
            points: times.zip(values(direction)).collect(),
        }
    };
    let key = |&direction: &Direction| Key {
        style: LineStyle::DIRECTIONS[direction.sender()],
        name: flows::direction_name(direction).into(),
    };
    let keys = if used.len() > 1 {
        used.iter().map(key).collect()
    } else {
        Vec::new()
    };
    (used.iter().map(line).collect(), keys)
}
