//! One panel: a caption with the keys of its own, and the plot under it.

use std::time::Duration;

use plotters::prelude::*;

use super::canvas::{self, Canvas, Failed, LEFT, RIGHT, WIDTH};
use super::legend::{self, Key};
use super::scale::{self, Unit};
use super::style::{GRID, INK, LineStyle};

/// Some lines over time.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) name: &'static str,
    pub(super) units: &'static [Unit],
    pub(super) lines: Vec<Line>,
    /// Keys of lines that only this panel has.
    pub(super) keys: Vec<Key>,
    /// What no line may exceed, and its name.
    pub(super) limit: Option<(f64, &'static str)>,
}

/// Seconds and values.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) style: LineStyle,
    pub(super) points: Vec<(f64, f64)>,
}

impl Panel {
    pub(super) fn height(&self) -> u32 {
        match self.lines.len() {
            _ if self.most() <= 0.0 => CAPTION,
            0..=FEW => HEIGHT,
            _ => HEIGHT_OF_MANY,
        }
    }

    pub(super) fn draw(&self, duration: Duration, canvas: &Canvas<'_>) -> Result<(), Failed> {
        let (caption, plot) = canvas.split_vertically(CAPTION);
        if self.most() <= 0.0 {
            return write(&caption, &format!("{}: always 0", self.name));
        }
        let shown_limit = self.limit.filter(|(limit, _)| *limit <= self.most() * FAR);
        let top = shown_limit.map_or(0.0, |(limit, _)| limit).max(self.most());
        let unit = scale::unit(self.units, top);
        self.draw_caption(unit, shown_limit.is_some(), &caption)?;
        self.draw_plot(duration, (unit, top), shown_limit, &plot)
    }

    fn most(&self) -> f64 {
        let points = self.lines.iter().flat_map(|line| &line.points);
        points.map(|(_, value)| *value).fold(0.0, f64::max)
    }

    fn draw_caption(
        &self,
        (unit, _): Unit,
        is_limit_shown: bool,
        canvas: &Canvas<'_>,
    ) -> Result<(), Failed> {
        let mut caption = format!("{}, {unit}", self.name);
        let mut keys = self.keys.clone();
        if let Some((limit, name)) = self.limit {
            let (unit, one) = scale::unit(self.units, limit);
            let limit = format!("{name}: {} {unit}", scale::label(limit / one));
            if is_limit_shown {
                keys.push(Key {
                    style: LineStyle::LIMIT,
                    name: limit,
                });
            } else {
                caption += &format!(" ({limit}, far above)");
            }
        }
        write(canvas, &caption)?;
        let width = legend::width(&keys);
        let left = (WIDTH - RIGHT).saturating_sub(width);
        legend::draw(&keys, canvas, (left, 4), width)
    }

    fn draw_plot(
        &self,
        duration: Duration,
        ((_, one), top): (Unit, f64),
        limit: Option<(f64, &str)>,
        canvas: &Canvas<'_>,
    ) -> Result<(), Failed> {
        let end = duration.as_secs_f64();
        let (time, second) = scale::unit(scale::TIMES, end);
        let top = top / one * HEADROOM;
        let mut chart = ChartBuilder::on(canvas)
            .margin_right(RIGHT)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .set_label_area_size(LabelAreaPosition::Bottom, 25)
            .build_cartesian_2d(0.0..end / second, 0.0..top)?;
        let text = ("sans-serif", 14).into_font().color(&INK);
        let with_unit = |number: &f64| format!("{} {time}", scale::label(*number));
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(INK)
            .label_style(text)
            .y_labels(5)
            .x_label_formatter(&with_unit)
            .y_label_formatter(&|number| scale::label(*number))
            .draw()?;
        if let Some((limit, _)) = limit {
            let ends = [0.0, end / second].map(|x| (x, limit / one));
            chart.draw_series(LineSeries::new(ends, LineStyle::LIMIT.stroke(1)))?;
        }
        for Line { style, points } in &self.lines {
            let scaled = points.iter().map(|(x, y)| (x / second, y / one));
            let line = LineSeries::new(scaled, style.stroke(1));
            // A line of one point has no length.
            let dot = if points.len() == 1 { DOT } else { 0 };
            chart.draw_series(line.point_size(dot))?;
        }
        Ok(())
    }
}

fn write(canvas: &Canvas<'_>, caption: &str) -> Result<(), Failed> {
    canvas::write(canvas, caption, (LEFT, 6), (16, FontStyle::Bold))
}

const CAPTION: u32 = 26;
const HEIGHT: u32 = 210;
/// With the caption, and with more lines than a few.
const HEIGHT_OF_MANY: u32 = 330;
const FEW: usize = 4;
/// The plot is higher than its highest value.
const HEADROOM: f64 = 1.05;
/// A limit this many times above would leave the lines flat, so it is only named.
const FAR: f64 = 10.0;
const DOT: u32 = 3;
