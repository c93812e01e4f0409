//! The pictures of `nstk sim --svg`: what is drawn, and where.

mod colors;
mod drawn;
mod visible;

use std::fs;

use drawn::{
    Area, Picture, all, area_of_line, area_of_text, lines_in_plots, paper, plots, points, scratch,
    sim, words,
};

const SHORT: &str = "--rate 20mbit --rtt 10ms --duration 600ms --loss 0.5%";

fn scenarios() -> Vec<(&'static str, String)> {
    let twelve =
        "--flow cc=bbr --flow cc=cubic,start=100ms --flow cc=reno,start=50ms,reverse ".repeat(4);
    let many_faults = "--reorder 1% --duplicate 1% --corrupt 0.1% --jitter 1ms --both-ways";
    vec![
        ("one", SHORT.into()),
        (
            "two",
            format!("{SHORT} --flow cc=bbr --flow cc=cubic,reverse,start=100ms"),
        ),
        ("twelve", format!("{SHORT} {twelve}")),
        ("thirty", format!("{SHORT} --flows 30")),
        (
            "faults",
            format!("{SHORT} {many_faults} --seed {}", u64::MAX),
        ),
        ("slow", "--rate 9600bit --duration 20s".into()),
        (
            "idle",
            "--rate 10gbit --rtt 100ms --loss 1% --duration 500ms".into(),
        ),
        ("tiny", "--rate 100mbit --rtt 50us --duration 1ms".into()),
        ("dot", format!("{SHORT} --interval 1s")),
        ("never", "--duration 1ms".into()),
    ]
}

#[test]
fn no_text_covers_a_plot_or_another_text_or_leaves_the_paper() {
    for (name, arguments) in scenarios() {
        let picture = Picture::of(&format!("texts-{name}"), &arguments);
        let xml = picture.xml();
        let (paper, plots) = (paper(&xml), plots(&xml));
        let texts: Vec<_> = all(&xml, "text")
            .map(|node| (words(node), area_of_text(node)))
            .collect();
        for (place, (words, area)) in texts.iter().enumerate() {
            assert!(paper.contains(*area), "{name}: {words} {area:?}");
            let met = plots.iter().find(|plot| plot.meets(*area));
            assert_eq!(met, None, "{name}: {words} {area:?}");
            let met = texts[..place].iter().find(|(_, other)| other.meets(*area));
            assert_eq!(met, None, "{name}: {words} {area:?}");
        }
    }
}

#[test]
fn every_line_lies_in_a_plot_or_in_a_key_beside_its_name() {
    for (name, arguments) in scenarios() {
        let picture = Picture::of(&format!("lines-{name}"), &arguments);
        let xml = picture.xml();
        let plots = plots(&xml);
        let names: Vec<_> = all(&xml, "text").map(area_of_text).collect();
        for line in all(&xml, "polyline") {
            let area = area_of_line(line);
            let beside = Area(area.2, area.1 - 1.0, area.2 + 10.0, area.3 + 1.0);
            let is_key = points(line).len() == 2 && names.iter().any(|name| name.meets(beside));
            // The axes and their ticks are lines, too, and run along the edges.
            let mut plots = plots.iter().map(|plot| plot.grown(6.0));
            let is_plotted = plots.any(|plot| plot.contains(area));
            assert!(is_key != is_plotted, "{name}: {line:?}");
        }
    }
}

#[test]
fn every_picture_names_itself_its_version_and_its_seed() {
    for (name, arguments) in scenarios() {
        let picture = Picture::of(&format!("title-{name}"), &format!("{arguments} --mtu 1400"));
        let xml = picture.xml();
        let root = xml.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let child = |tag: &'static str, reference: &str| {
            let node = all(&xml, tag).next().expect("an element");
            assert_eq!(
                node.attribute("id"),
                root.attribute(reference),
                "{name}: {tag}"
            );
            words(node)
        };
        let title = child("title", "aria-labelledby");
        let seed = if name == "faults" { u64::MAX } else { 1 };
        let expected = format!("nstk sim {}, seed {seed}", env!("CARGO_PKG_VERSION"));
        assert!(
            title.starts_with(&format!("{expected}: ")),
            "{name}: {title}"
        );
        assert!(
            all(&xml, "text").any(|text| words(text) == expected),
            "{name}"
        );
        let description = child("desc", "aria-describedby");
        let part = if name == "never" {
            "no connection"
        } else {
            "Mbit/s on average"
        };
        assert!(description.contains(part), "{name}: {description}");
    }
}

#[test]
fn goodput_stays_below_the_lines_rate() {
    for (name, arguments) in scenarios() {
        let picture = Picture::of(&format!("rate-{name}"), &arguments);
        let xml = picture.xml();
        let Some(plot) = plots(&xml).into_iter().next() else {
            continue;
        };
        let inside = all(&xml, "polyline").map(|line| (line, area_of_line(line)));
        let mut inside = inside.filter(|(_, area)| plot.contains(*area));
        let is_named = |part: &str| all(&xml, "text").any(|text| words(text).contains(part));
        if is_named("far above") {
            continue;
        }
        let (limit, area) = inside.next().expect("the limit is drawn first");
        assert_eq!(points(limit).len(), 2, "{name}");
        assert!(
            area.0 == plot.0 && area.2 == plot.2,
            "{name}: {area:?} in {plot:?}"
        );
        for (_, goodput) in inside {
            assert!(goodput.1 >= area.1, "{name}: {goodput:?} above {area:?}");
        }
        assert!(is_named("the line's rate"), "{name}");
    }
}

#[test]
fn each_direction_has_one_line_for_all_flows_and_one_for_its_queue() {
    let reverse = "--flow cc=cubic --flow cc=cubic,reverse --flow cc=bbr,reverse";
    for (arguments, expected) in [
        // The limit and the flow; window, in flight, round trip, queue.
        ("--flows 1", vec![2, 1, 1, 1, 1]),
        // The limit and all flows; each flow, thrice more; queue.
        ("--flows 5", vec![2, 5, 5, 5, 5, 1]),
        (reverse, vec![3, 3, 3, 3, 3, 2]),
    ] {
        let name = format!("queue-{}", expected.len() + expected[0]);
        let picture = Picture::of(&name, &format!("{SHORT} {arguments}"));
        let xml = picture.xml();
        assert_eq!(lines_in_plots(&xml), expected, "{arguments}");
        let mut lines: Vec<_> = all(&xml, "polyline").map(points).collect();
        lines.retain(|line| line.len() > 100);
        lines.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
        let drawn = lines.len();
        lines.dedup();
        assert_eq!(lines.len(), drawn, "{arguments}: a line is drawn twice");
    }
}

#[test]
fn the_time_axis_has_a_unit_that_suits_the_run() {
    for (duration, ends) in [
        ("900us", ["0 us", "900 us"]),
        ("40ms", ["0 ms", "40 ms"]),
        ("2s", ["0 s", "2 s"]),
    ] {
        let arguments = format!("--rate 100mbit --rtt 50us --duration {duration}");
        let picture = Picture::of(&format!("time-{duration}"), &arguments);
        let xml = picture.xml();
        for end in ends {
            let labels = all(&xml, "text").filter(|text| words(*text) == end).count();
            assert_eq!(labels, plots(&xml).len(), "{end}");
        }
    }
}

#[test]
fn a_run_without_a_connection_says_so_and_has_no_empty_charts() {
    let picture = Picture::of("never", "--duration 1ms");
    let xml = picture.xml();
    assert!(plots(&xml).is_empty());
    assert!(
        all(&xml, "text").any(|text| words(text).starts_with("Nothing to draw: no connection"))
    );
    // One look is a dot in each chart.
    let picture = Picture::of("once", &format!("{SHORT} --interval 1s"));
    let xml = picture.xml();
    assert!(all(&xml, "circle").count() >= 4, "{}", picture.text);
    // What is always zero needs no chart.
    let picture = Picture::of(
        "zero",
        "--rate 10gbit --rtt 100ms --loss 1% --duration 500ms",
    );
    let xml = picture.xml();
    assert!(all(&xml, "text").any(|text| words(text) == "waiting for the line: always 0"));
    assert_eq!(plots(&xml).len(), 4);
}

#[test]
fn twelve_flows_have_twelve_lines_and_more_are_drawn_by_kind() {
    let looks = |arguments: &str| {
        let name = format!("looks-{}", arguments.len());
        let picture = Picture::of(&name, &format!("{SHORT} {arguments}"));
        let xml = picture.xml();
        let plot = plots(&xml)[1];
        let inside = all(&xml, "polyline").filter(|line| plot.contains(area_of_line(*line)));
        let mut looks: Vec<_> = inside
            .map(|line| line.attribute("stroke").map(String::from))
            .collect();
        let lines = looks.len();
        looks.sort();
        looks.dedup();
        let names = all(&xml, "text")
            .map(words)
            .map(String::from)
            .collect::<Vec<_>>();
        (lines, looks.len(), names)
    };
    let (lines, different, names) = looks("--flows 12");
    assert_eq!((lines, different), (12, 12));
    assert!(names.contains(&"12 cubic".into()));
    let (lines, different, names) = looks(&"--flow cc=bbr --flow cc=reno,reverse ".repeat(7));
    assert_eq!((lines, different), (14, 2));
    assert!(names.contains(&"bbr, 7 flows".into()), "{names:?}");
    assert!(
        names.contains(&"reno, reverse, 7 flows".into()),
        "{names:?}"
    );
}

#[test]
fn a_name_for_another_format_is_refused_before_the_run() {
    for (option, extension, expected) in [
        ("--svg", "png", "pictures are SVG: name it "),
        ("--svg", "PDF", "pictures are SVG: name it "),
        (
            "--csv",
            "json",
            "numbers are comma-separated values: name it ",
        ),
    ] {
        let path = scratch(&format!("other.{extension}"));
        let output = sim(&format!("{option} {}", path.display()));
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(output.stdout.is_empty() && !path.exists());
    }
}

#[test]
fn numbers_and_picture_do_not_go_into_one_file() {
    let path = scratch("both");
    let output = sim(&format!("--csv {0} --svg {0}", path.display()));
    let _ = fs::remove_file(&path);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("--csv and --svg name the same file"),
        "{error}"
    );
    let output = sim("--duration 1ms --csv /dev/null --svg /dev/null");
    assert!(output.status.success(), "a device takes both");
}
