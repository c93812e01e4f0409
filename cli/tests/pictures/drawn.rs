//! A picture that was drawn, and where things are in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use roxmltree::{Document, Node};

/// A picture that was drawn, in a file that is gone when the test ends.
pub(crate) struct Picture {
    path: PathBuf,
    pub(crate) text: String,
}

impl Picture {
    pub(crate) fn of(name: &str, arguments: &str) -> Self {
        let path = scratch(&format!("{name}.svg"));
        let output = sim(&format!("{arguments} --svg {}", path.display()));
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments}: {error}");
        let text = fs::read_to_string(&path).expect("a file");
        Self { path, text }
    }

    pub(crate) fn xml(&self) -> Document<'_> {
        Document::parse(&self.text).expect("well-formed XML")
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

pub(crate) fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("nstk-pictures-{}-{name}", std::process::id()))
}

pub(crate) fn sim(arguments: &str) -> Output {
    let nstk = Command::new(env!("CARGO_BIN_EXE_nstk"))
        .arg("sim")
        .args(arguments.split_whitespace())
        .output();
    nstk.expect("nstk starts")
}

/// Left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Area(
    pub(crate) f64,
    pub(crate) f64,
    pub(crate) f64,
    pub(crate) f64,
);

impl Area {
    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }

    pub(crate) fn grown(self, by: f64) -> Self {
        Self(self.0 - by, self.1 - by, self.2 + by, self.3 + by)
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 <= other.0 && self.1 <= other.1 && other.2 <= self.2 && other.3 <= self.3
    }
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    let value = node.attribute(name).and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("{name} of {node:?}"))
}

pub(crate) fn all<'a>(
    xml: &'a Document<'a>,
    tag: &'static str,
) -> impl Iterator<Item = Node<'a, 'a>> {
    xml.descendants().filter(move |node| node.has_tag_name(tag))
}

pub(crate) fn paper(xml: &Document<'_>) -> Area {
    let root = xml.root_element();
    Area(0.0, 0.0, number(root, "width"), number(root, "height"))
}

/// What a text takes, by the width of an ordinary font.
pub(crate) fn area_of_text(node: Node<'_, '_>) -> Area {
    let size = number(node, "font-size");
    let width = words(node).chars().count() as f64 * size * 0.55;
    let (x, y) = (number(node, "x"), number(node, "y"));
    let left = match node.attribute("text-anchor") {
        Some("end") => x - width,
        Some("middle") => x - width / 2.0,
        _ => x,
    };
    let top = match node.attribute("dy") {
        Some("0.76em") => y,
        Some("0.5ex") => y - size / 2.0,
        _ => y - size,
    };
    Area(left, top, left + width, top + size)
}

pub(crate) fn words<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

/// Where lines are drawn: as wide as the lines across, as high as those upright.
pub(crate) fn plots(xml: &Document<'_>) -> Vec<Area> {
    let mut plots: Vec<Area> = Vec::new();
    let ends = |line| ["x1", "y1", "x2", "y2"].map(|name| number(line, name));
    let across = all(xml, "line")
        .map(ends)
        .filter(|[x1, y1, x2, y2]| y1 == y2 && x2 - x1 > 100.0);
    let (left, right) = across.fold((f64::MAX, 0.0f64), |(left, right), [x1, _, x2, _]| {
        (left.min(x1), right.max(x2))
    });
    for [x1, y1, x2, y2] in all(xml, "line").map(ends) {
        let plot = Area(left, y1.min(y2), right, y1.max(y2));
        if x1 == x2 && plot.3 - plot.1 > 50.0 && !plots.iter().any(|other| other.meets(plot)) {
            plots.push(plot);
        }
    }
    plots
}

pub(crate) fn points(line: Node<'_, '_>) -> Vec<(f64, f64)> {
    let text = line.attribute("points").expect("points");
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',').expect("a pair");
        (x.parse().expect("a number"), y.parse().expect("a number"))
    };
    text.split_whitespace().map(point).collect()
}

pub(crate) fn area_of_line(line: Node<'_, '_>) -> Area {
    let points = points(line);
    let of = |pick: fn(&(f64, f64)) -> f64, worse: fn(f64, f64) -> f64| {
        points.iter().map(pick).reduce(worse).expect("a point")
    };
    let (x, y) = (|p: &(f64, f64)| p.0, |p: &(f64, f64)| p.1);
    Area(
        of(x, f64::min),
        of(y, f64::min),
        of(x, f64::max),
        of(y, f64::max),
    )
}

/// Lines in each plot.
pub(crate) fn lines_in_plots(xml: &Document<'_>) -> Vec<usize> {
    let count = |plot: &Area| {
        let inside = |line: &Node<'_, '_>| plot.contains(area_of_line(*line));
        all(xml, "polyline").filter(inside).count()
    };
    plots(xml).iter().map(count).collect()
}
