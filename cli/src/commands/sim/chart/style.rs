//! Colours and dashes, on light and on dark paper.

use std::fmt::Write;

use plotters::style::{Color, RGBColor, ShapeStyle};

pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);
pub(super) const INK: RGBColor = RGBColor(0x1f, 0x23, 0x28);
pub(super) const GRID: RGBColor = RGBColor(0xd1, 0xd9, 0xe0);

/// What one line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineStyle {
    color: RGBColor,
    dash: Dash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dash {
    Solid,
    Dashed,
    Dotted,
}

impl LineStyle {
    /// What a line has to stay below.
    pub(super) const LIMIT: Self = Self {
        color: RGBColor(0x6e, 0x77, 0x81),
        dash: Dash::Dotted,
    };

    /// Each direction of the link.
    pub(super) const DIRECTIONS: [Self; 2] = [
        Self {
            color: INK,
            dash: Dash::Solid,
        },
        Self {
            color: INK,
            dash: Dash::Dashed,
        },
    ];

    /// Of one flow among several. The first `FLOWS` are all different.
    pub(super) fn of_flow(number: usize) -> Self {
        let dash = number / FLOW_COLORS.len() % DASHES.len();
        Self {
            color: FLOW_COLORS[number % FLOW_COLORS.len()],
            dash: DASHES[dash],
        }
    }

    pub(super) fn stroke(self, width: u32) -> ShapeStyle {
        self.marked_color().stroke_width(width)
    }

    /// plotters knows no dashes that scale well. So each has a colour of its own, a trace of blue away, by which the
    /// rules of the picture know it.
    fn marked_color(self) -> RGBColor {
        let RGBColor(red, green, blue) = self.color;
        let mark = match self.dash {
            Dash::Solid => 0,
            Dash::Dashed => 1,
            Dash::Dotted => 2,
        };
        RGBColor(red, green, blue ^ mark)
    }
}

/// The rules of the picture: dashes, and other colours for dark paper.
pub(super) fn sheet() -> String {
    let mut sheet = String::from("polyline { stroke-linejoin: round; stroke-width: 1.5 }\n");
    for style in all_lines() {
        let pattern = match style.dash {
            Dash::Solid => continue,
            Dash::Dashed => "7 4",
            Dash::Dotted => "2 3",
        };
        let color = hex(style.marked_color());
        // Writing into a string does not fail.
        let _ = writeln!(
            sheet,
            "[stroke=\"{color}\"] {{ stroke-dasharray: {pattern} }}"
        );
    }
    sheet += "@media (prefers-color-scheme: dark) {\n";
    let lines = all_lines().map(|line| (line.marked_color(), line.color));
    let strokes = lines.chain([(INK, INK), (GRID, GRID)]);
    let strokes = strokes.map(|(shown, color)| ("stroke", shown, color));
    let fills = [("fill", PAPER, PAPER), ("fill", INK, INK)];
    for (what, shown, color) in strokes.chain(fills) {
        if dark(color) != color {
            let (shown, dark) = (hex(shown), hex(dark(color)));
            let _ = writeln!(sheet, "[{what}=\"{shown}\"] {{ {what}: {dark} }}");
        }
    }
    sheet + "}\n"
}

/// What a colour is on dark paper.
fn dark(color: RGBColor) -> RGBColor {
    let row = DARK.iter().find(|(light, _)| *light == color);
    row.map_or(color, |(_, dark)| *dark)
}

fn all_lines() -> impl Iterator<Item = LineStyle> {
    let flows = (0..FLOWS).map(LineStyle::of_flow);
    let others = LineStyle::DIRECTIONS.into_iter().chain([LineStyle::LIMIT]);
    flows.chain(others)
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Flows that can be told apart.
pub(super) const FLOWS: usize = FLOW_COLORS.len() * DASHES.len();
/// Okabe and Ito's blue, vermillion, bluish green and reddish purple: those that are visible on light and on dark
/// paper. The colour-blind can tell them apart.
const FLOW_COLORS: [RGBColor; 4] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
];
const DASHES: [Dash; 3] = [Dash::Solid, Dash::Dashed, Dash::Dotted];
/// What is another colour on dark paper.
const DARK: [(RGBColor, RGBColor); 4] = [
    (PAPER, RGBColor(0x0d, 0x11, 0x17)),
    (INK, RGBColor(0xf0, 0xf6, 0xfc)),
    (GRID, RGBColor(0x3d, 0x44, 0x4d)),
    // The lighter one of their two blues.
    (FLOW_COLORS[0], RGBColor(0x56, 0xb4, 0xe9)),
];
