//! What a picture is of: a heading, the link, and which line is which flow.

use plotters::style::FontStyle;

use super::canvas::{self, Canvas, Failed, LEFT, RIGHT, TEXT, WIDTH};
use super::legend::{self, Key};

/// What is above the panels.
pub(super) struct Head {
    heading: String,
    lines: Vec<String>,
    pub(super) keys: Vec<Key>,
}

impl Head {
    pub(super) fn new(heading: &str, text: &str, keys: Vec<Key>) -> Self {
        Self {
            heading: heading.into(),
            lines: lines_of(text),
            keys,
        }
    }

    pub(super) fn height(&self) -> u32 {
        let rows = legend::rows(&self.keys, KEYS_WIDTH);
        self.keys_at() + rows * legend::ROW + MARGIN
    }

    pub(super) fn draw(&self, canvas: &Canvas<'_>) -> Result<(), Failed> {
        canvas::write(canvas, &self.heading, (LEFT, MARGIN), (20, FontStyle::Bold))?;
        for (y, line) in (HEADING..).step_by(LINE as usize).zip(&self.lines) {
            canvas::write(canvas, line, (LEFT, y), TEXT)?;
        }
        legend::draw(&self.keys, canvas, (LEFT, self.keys_at()), KEYS_WIDTH)
    }

    fn keys_at(&self) -> u32 {
        HEADING + LINE * u32::try_from(self.lines.len()).unwrap_or(0) + MARGIN
    }
}

/// Broken between words.
fn lines_of(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= LINE_CHARACTERS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

const KEYS_WIDTH: u32 = WIDTH - LEFT - RIGHT;
const MARGIN: u32 = 12;
const HEADING: u32 = 38;
const LINE: u32 = 19;
const LINE_CHARACTERS: usize = 120;
