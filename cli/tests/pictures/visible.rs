//! What is drawn can be seen: on light and on dark paper, by the colour-blind, too.

use std::collections::BTreeMap;
use std::fs;

use roxmltree::Document;

use crate::colors::{self, Color, contrast, least_difference};
use crate::drawn::{Picture, all};

/// The colours of a style sheet: selector and property, and what it is.
type Rules = BTreeMap<(String, String), Color>;

/// On light paper, and on dark.
fn sheets(xml: &Document<'_>) -> [Rules; 2] {
    let style = all(xml, "style").next().expect("a style sheet");
    let text = style.text().expect("its text");
    let (light, dark) = text
        .split_once("@media (prefers-color-scheme: dark)")
        .expect("a dark one");
    let (_, dark) = dark.split_once('{').expect("its beginning");
    let light = rules(light);
    let dark = light.clone().into_iter().chain(rules(dark)).collect();
    [light, dark]
}

fn rules(sheet: &str) -> Rules {
    let mut rules = Rules::new();
    for rule in sheet.split('}') {
        let Some((selector, declarations)) = rule.split_once('{') else {
            continue;
        };
        for (property, value) in declarations
            .split(';')
            .filter_map(|one| one.split_once(':'))
        {
            if let Some(color) = colors::parse(value.trim()) {
                rules.insert((selector.trim().into(), property.trim().into()), color);
            }
        }
    }
    rules
}

#[test]
fn lines_and_text_of_a_run_stand_out_on_light_and_on_dark_paper() {
    let picture = Picture::of("colors", "--duration 300ms --flow reverse --flow cc=bbr");
    let twelve = Picture::of("colors-twelve", "--duration 300ms --flows 12");
    for picture in [picture, twelve] {
        let xml = picture.xml();
        for sheet in sheets(&xml) {
            let shown = |what: &str, color: &str| {
                let selector = format!("[{what}=\"{color}\"]");
                let rule = sheet.get(&(selector, what.into())).copied();
                rule.or(colors::parse(color))
            };
            let of = |tag, what| {
                let elements = all(&xml, tag).filter_map(move |node| node.attribute(what));
                elements
                    .filter_map(|color| shown(what, color))
                    .collect::<Vec<_>>()
            };
            let [paper] = of("rect", "fill")[..] else {
                panic!("one paper")
            };
            for text in of("text", "fill") {
                assert!(contrast(text, paper) >= 4.5, "{text:?} on {paper:?}");
            }
            for line in of("polyline", "stroke") {
                assert!(contrast(line, paper) >= 3.0, "{line:?} on {paper:?}");
            }
        }
    }
}

#[test]
fn the_colour_blind_can_tell_four_flows_apart() {
    let picture = Picture::of("blind", "--duration 300ms --flows 4");
    let xml = picture.xml();
    for sheet in sheets(&xml) {
        let mut flows: Vec<Color> = Vec::new();
        // The first lines are the keys of the flows.
        for line in all(&xml, "polyline").take(4) {
            let color = line.attribute("stroke").expect("a colour");
            let rule = sheet.get(&(format!("[stroke=\"{color}\"]"), "stroke".into()));
            flows.extend(rule.copied().or(colors::parse(color)));
        }
        let least = least_difference(&flows);
        assert!(flows.len() == 4 && least > 15.0, "{flows:?}: {least:.1}");
    }
}

#[test]
fn the_picture_of_the_benchmarks_is_as_visible_and_says_what_it_shows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/netperf.svg");
    let text = fs::read_to_string(path).expect("a file");
    let xml = Document::parse(&text).expect("well-formed XML");
    let root = xml.root_element();
    for (tag, reference) in [("title", "aria-labelledby"), ("desc", "aria-describedby")] {
        let node = all(&xml, tag).next().expect("an element");
        assert_eq!(node.attribute("id"), root.attribute(reference), "{tag}");
        assert!(node.text().is_some_and(|text| text.len() > 10), "{tag}");
    }
    for sheet in sheets(&xml) {
        let color = |class: &str| {
            let mut rules = sheet.iter();
            let rule = rules.find(|((selector, _), _)| selector == class);
            *rule.unwrap_or_else(|| panic!("{class}")).1
        };
        let paper = color(".paper");
        for (class, least) in [
            (".text", 4.5),
            (".faint", 4.5),
            (".kernel", 3.0),
            (".nstk", 3.0),
            (".range", 3.0),
        ] {
            let contrast = contrast(color(class), paper);
            assert!(contrast >= least, "{class}: {contrast:.2}");
        }
        let bars = least_difference(&[color(".kernel"), color(".nstk")]);
        assert!(bars > 15.0, "{bars:.1}");
    }
}
