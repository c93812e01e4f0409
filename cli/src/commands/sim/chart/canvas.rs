//! What everything is drawn on.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::style::INK;

/// A part of the paper.
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) type Failed = DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>;

/// Writes words from a point on, which is their upper left corner.
pub(super) fn write(
    canvas: &Canvas<'_>,
    words: &str,
    (x, y): (u32, u32),
    (size, weight): (u32, FontStyle),
) -> Result<(), Failed> {
    let font = ("sans-serif", size).into_font().style(weight).color(&INK);
    canvas.draw(&Text::new(words, (x as i32, y as i32), font))
}

/// Of a picture.
pub(super) const WIDTH: u32 = 1000;
/// On its sides.
pub(super) const LEFT: u32 = 70;
pub(super) const RIGHT: u32 = 30;
/// Size and weight of ordinary text.
pub(super) const TEXT: (u32, FontStyle) = (16, FontStyle::Normal);
