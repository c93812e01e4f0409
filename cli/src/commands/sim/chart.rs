//! What happened over time, drawn: goodput, window, round trip and queue, one line per flow.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use sim::{FlowReport, Report};

use super::series::{self, Step};

type Failed = DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>;

/// Writes a picture.
pub(super) fn write_svg(report: &Report, title: &str, path: &Path) -> Result<(), Failed> {
    let root = SVGBackend::new(path, (WIDTH, HEIGHT)).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(title, ("sans-serif", 18))?;
    let panels = root.split_evenly((PANELS.len(), 1));
    for (panel, content) in panels.iter().zip(PANELS) {
        draw(report, content, panel)?;
    }
    root.present()
}

/// What one panel shows.
struct Panel {
    title: &'static str,
    value: fn(&Step) -> f64,
}

const PANELS: &[Panel] = &[
    Panel {
        title: "goodput, Mbit/s",
        value: |step| step.goodput_bits / 1e6,
    },
    Panel {
        title: "congestion window, KB",
        value: |step| step.cwnd_bytes as f64 / 1e3,
    },
    Panel {
        title: "in flight, KB",
        value: |step| step.in_flight_bytes as f64 / 1e3,
    },
    Panel {
        title: "smoothed round trip, ms",
        value: |step| f64::from(step.srtt_us) / 1e3,
    },
    Panel {
        title: "waiting for the line, KB",
        value: |step| step.queue_bytes as f64 / 1e3,
    },
];

fn draw(
    report: &Report,
    panel: &Panel,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
) -> Result<(), Failed> {
    let points = |flow: &FlowReport| -> Vec<(f64, f64)> {
        series::steps(flow)
            .map(|step| (step.at.as_secs_f64(), (panel.value)(&step)))
            .collect()
    };
    let lines: Vec<_> = report.flows.iter().map(points).collect();
    let most = lines.iter().flatten().map(|(_, y)| *y).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, ("sans-serif", 14))
        .margin_right(20)
        .set_label_area_size(LabelAreaPosition::Left, 70)
        .set_label_area_size(LabelAreaPosition::Bottom, 25)
        .build_cartesian_2d(
            0.0..report.duration.as_secs_f64(),
            0.0..(most * 1.05).max(1.0),
        )?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).y_labels(5).draw()?;
    for (number, (line, flow)) in lines.into_iter().zip(&report.flows).enumerate() {
        let style = Palette99::pick(number).stroke_width(1);
        let drawn = chart.draw_series(LineSeries::new(line, style))?;
        if report.flows.len() <= LEGEND_MAX {
            let label = format!("{} {}", number + 1, flow.spec.congestion.name());
            drawn
                .label(label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 15, y)], style));
        }
    }
    let mut labels = chart.configure_series_labels();
    labels
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.7))
        .draw()
}

const WIDTH: u32 = 1000;
const HEIGHT: u32 = 1100;
/// More flows than these are told apart by colour only.
const LEGEND_MAX: usize = 12;
