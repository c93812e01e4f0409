//! Which flow has which line, and what it is called.

use sim::{Direction, FlowReport, Report};
use stack::CcKind;

use super::legend::Key;
use super::style::{self, LineStyle};

/// Each flow has its own line. If they are too many to be told apart, those that are alike have the same.
pub(super) fn style(report: &Report, number: usize) -> LineStyle {
    if are_told_apart(report) {
        return LineStyle::of_flow(number);
    }
    let kind = report.flows.get(number).map(kind);
    let place = kinds(report).iter().position(|other| Some(*other) == kind);
    LineStyle::of_flow(place.unwrap_or(0))
}

pub(super) fn keys(report: &Report) -> Vec<Key> {
    let flows = report.flows.iter().enumerate();
    if are_told_apart(report) {
        return flows
            .map(|(number, flow)| Key {
                style: LineStyle::of_flow(number),
                name: name(number, flow),
            })
            .collect();
    }
    let count = |wanted| {
        report
            .flows
            .iter()
            .filter(|flow| kind(flow) == wanted)
            .count()
    };
    let kinds = kinds(report).into_iter().enumerate();
    kinds
        .map(|(place, kind)| Key {
            style: LineStyle::of_flow(place),
            name: match count(kind) {
                1 => format!("{}, 1 flow", kind_name(kind)),
                count => format!("{}, {count} flows", kind_name(kind)),
            },
        })
        .collect()
}

pub(super) fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Backward => "reverse",
    }
}

fn are_told_apart(report: &Report) -> bool {
    report.flows.len() <= style::FLOWS
}

fn name(number: usize, flow: &FlowReport) -> String {
    let mut name = format!("{} {}", number + 1, kind_name(kind(flow)));
    if !flow.spec.start.is_zero() {
        name += &format!(", from {:?}", flow.spec.start);
    }
    if flow.samples.is_empty() {
        name += ", never open";
    }
    name
}

type Kind = (CcKind, Direction);

fn kind(flow: &FlowReport) -> Kind {
    (flow.spec.congestion, flow.spec.direction)
}

fn kind_name((congestion, direction): Kind) -> String {
    match direction {
        Direction::Forward => congestion.name().into(),
        Direction::Backward => format!("{}, {}", congestion.name(), direction_name(direction)),
    }
}

/// In the order of their first flows.
fn kinds(report: &Report) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for kind in report.flows.iter().map(kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}
