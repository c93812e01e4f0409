//! What is what: a short piece of each line, and its name.

use plotters::prelude::*;

use super::canvas::{self, Canvas, Failed};
use super::style::LineStyle;

/// A line's look and name.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) style: LineStyle,
    pub(super) name: String,
}

/// Rows that the keys take in this width.
pub(super) fn rows(keys: &[Key], width: u32) -> u32 {
    places(keys, width).last().map_or(0, |(_, row)| row + 1)
}

/// From the left, row by row.
pub(super) fn draw(
    keys: &[Key],
    canvas: &Canvas<'_>,
    (left, top): (u32, u32),
    width: u32,
) -> Result<(), Failed> {
    for (key, (x, row)) in keys.iter().zip(places(keys, width)) {
        let (x, y) = (left + x, top + row * ROW);
        let middle = (y + ROW / 2) as i32;
        let line = [x, x + SAMPLE].map(|x| (x as i32, middle));
        canvas.draw(&PathElement::new(line, key.style.stroke(1)))?;
        let at = (x + SAMPLE + GAP, y + 1);
        canvas::write(canvas, &key.name, at, (FONT, FontStyle::Normal))?;
    }
    Ok(())
}

/// What the keys take in one row.
pub(super) fn width(keys: &[Key]) -> u32 {
    keys.iter().map(Key::width).sum()
}

/// Where each key begins, and in which row.
fn places(keys: &[Key], width: u32) -> impl Iterator<Item = (u32, u32)> {
    let (mut end, mut row) = (0, 0);
    keys.iter().map(move |key| {
        if end > 0 && end + key.width() > width {
            (end, row) = (0, row + 1);
        }
        let begin = end;
        end += key.width();
        (begin, row)
    })
}

impl Key {
    fn width(&self) -> u32 {
        let characters = u32::try_from(self.name.chars().count()).unwrap_or(0);
        SAMPLE + GAP + characters * CHARACTER + BETWEEN
    }
}

pub(super) const ROW: u32 = 18;
const FONT: u32 = 15;
/// Of that font: the mean width of a character, rounded up.
const CHARACTER: u32 = 7;
/// Length of the piece of line.
const SAMPLE: u32 = 30;
const GAP: u32 = 6;
const BETWEEN: u32 = 14;
