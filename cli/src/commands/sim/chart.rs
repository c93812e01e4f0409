//! What happened over time, drawn: goodput, window, data in flight, round trip and queue.

mod canvas;
mod contents;
mod document;
mod flows;
mod head;
mod legend;
mod panel;
mod scale;
mod style;

use plotters::prelude::*;
use sim::{Report, Scenario};

use self::canvas::{Failed, LEFT, TEXT, WIDTH};
use self::head::Head;
use self::panel::Panel;
use self::style::PAPER;
use super::summary;

/// A picture, as the text of an SVG file.
pub(super) fn svg(scenario: &Scenario, report: &Report, title: &str) -> Result<String, Failed> {
    let seed = scenario.pair.seed;
    let heading = format!("nstk sim {}, seed {seed}", env!("CARGO_PKG_VERSION"));
    let page = Page {
        scenario,
        head: Head::new(&heading, title, flows::keys(report)),
        panels: contents::panels(scenario, report),
    };
    let mut drawn = String::new();
    page.draw(&mut drawn)?;
    let title = format!("{heading}: {title}");
    Ok(document::complete(
        &drawn,
        &title,
        &page.description(report),
    ))
}

struct Page<'a> {
    scenario: &'a Scenario,
    head: Head,
    panels: Vec<Panel>,
}

impl Page<'_> {
    fn draw(&self, drawn: &mut String) -> Result<(), Failed> {
        let head = self.head.height();
        let panels: u32 = self.panels.iter().map(Panel::height).sum();
        let size = (WIDTH, head + panels.max(EMPTY_HEIGHT));
        let root = SVGBackend::with_string(drawn, size).into_drawing_area();
        root.fill(&PAPER)?;
        let (upper, mut rest) = root.split_vertically(head);
        self.head.draw(&upper)?;
        if self.panels.is_empty() {
            canvas::write(&rest, NEVER_OPEN, (LEFT, 0), TEXT)?;
        }
        for panel in &self.panels {
            let (area, below) = rest.split_vertically(panel.height());
            panel.draw(self.scenario.duration, &area)?;
            rest = below;
        }
        root.present()
    }

    /// The picture in words.
    fn description(&self, report: &Report) -> String {
        if self.panels.is_empty() {
            return NEVER_OPEN.into();
        }
        let names: Vec<_> = self.panels.iter().map(|panel| panel.name).collect();
        let mut words = format!(
            "Charts over time, one below the other: {}.",
            names.join(", ")
        );
        let together = summary::mbit(report.goodput());
        words += &format!(" All flows together: {together} on average.");
        let has_key_of_its_own = report.flows.len() == self.head.keys.len();
        for (key, flow) in self.head.keys.iter().zip(&report.flows) {
            if has_key_of_its_own {
                let goodput = summary::mbit(flow.goodput(report.duration));
                words += &format!(" Flow {}: {goodput}.", key.name);
            }
        }
        words
    }
}

const NEVER_OPEN: &str = "Nothing to draw: no connection was open before the end. \
    Opening one takes two and a half round trips or more, one of them for ARP.";
const EMPTY_HEIGHT: u32 = 40;
