//! `nstk sim`: what it prints, writes and refuses.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    let nstk = Command::new(env!("CARGO_BIN_EXE_nstk"))
        .arg("sim")
        .args(arguments)
        .output();
    nstk.expect("nstk starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A file that is gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("nstk-sim-{}-{name}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("a path of text")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const SHORT: [&str; 6] = ["--rate", "20mbit", "--rtt", "10ms", "--duration", "1s"];

#[test]
fn a_run_tells_what_became_of_every_flow() {
    let arguments = [
        &SHORT[..],
        &[
            "--flow",
            "cc=bbr",
            "--flow",
            "cc=reno,start=200ms,reverse",
            "--loss",
            "1%",
        ],
    ]
    .concat();
    let output = sim(&arguments);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "no bar without a terminal");
    for part in [
        "   1  bbr",
        "   2  reno",
        "reverse",
        "goodput of all",
        "fairness (Jain)",
        "lost at random",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn the_same_options_give_the_same_packets_and_another_seed_others() {
    let digest = |seed: &str| {
        let output = sim(&[
            &SHORT[..],
            &["--loss", "2%", "--jitter", "1ms", "--seed", seed],
        ]
        .concat());
        let out = text(&output.stdout);
        out.lines()
            .last()
            .map(|line| line.replace(&format!("--seed {seed};"), ""))
    };
    assert_eq!(digest("3"), digest("3"));
    assert_ne!(digest("3"), digest("4"));
}

#[test]
fn the_course_of_it_is_written_as_numbers_and_as_a_picture() {
    let (csv, svg) = (Scratch::new("course.csv"), Scratch::new("course.svg"));
    let output = sim(&[
        &SHORT[..],
        &[
            "--flows",
            "2",
            "--interval",
            "10ms",
            "--csv",
            csv.path(),
            "--svg",
            svg.path(),
        ],
    ]
    .concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows = fs::read_to_string(&csv.0).expect("a file");
    let columns = rows
        .lines()
        .next()
        .map_or(0, |header| header.split(',').count());
    assert_eq!(columns, 10);
    assert!(
        rows.lines().count() > 150,
        "two flows, a hundred looks: {}",
        rows.lines().count()
    );
    assert!(rows.lines().all(|row| row.split(',').count() == columns));
    let picture = fs::read_to_string(&svg.0).expect("a file");
    assert!(picture.starts_with("<svg") && picture.contains("smoothed round trip"));
    assert!(
        picture.matches("<polyline").count() >= 10,
        "five panels, two lines each"
    );
}

#[test]
fn a_sysctl_governs_the_run() {
    let goodput = |sysctl: &str| {
        let output = sim(&[&SHORT[..], &["--sysctl", sysctl]].concat());
        let out = text(&output.stdout).to_owned();
        let number = out
            .split("goodput of all")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        number
            .and_then(|number| number.parse::<f64>().ok())
            .expect("a number")
    };
    let (small, large) = (
        "net.ipv4.tcp_rmem=4096 8192 8192",
        "net.ipv4.tcp_rmem=4096 131072 1000000",
    );
    assert!(goodput(small) < goodput(large) / 2.0);
}

#[test]
fn what_cannot_be_obeyed_is_said_in_a_line_and_ends_with_its_status() {
    for (arguments, status, complaint) in [
        (&["--rate", "10"] as &[&str], 2, "write it like 500kbit"),
        (&["--rtt", "100"], 2, "write it like 50us"),
        (&["--loss", "0.01"], 2, "write it like 1%"),
        (&["--queue", "1foo"], 2, "write it like 1500"),
        (&["--cc", "vegas"], 2, "must be one of cubic, bbr, reno"),
        (&["--cc", "bbr2"], 2, "did you mean bbr?"),
        (&["--flow", "cc=BBR"], 2, "did you mean bbr?"),
        (
            &["--sysctl", "net.core.wmem_max=100MB"],
            2,
            "write bytes: 100000000",
        ),
        (&["--flow", "cc=bbr,begin=2s"], 2, "write it like cc=bbr"),
        (
            &["--sysctl", "net.ipv4.tcp_smack=1"],
            2,
            "did you mean net.ipv4.tcp_sack?",
        ),
        (
            &["--experiment", "founding", "--csv", "x"],
            2,
            "cannot be used with",
        ),
        (
            &["--experiment", "founding", "--loss", "5%"],
            2,
            "cannot be used with",
        ),
        (
            &["--flow", "start=99s", "--duration", "1s"],
            2,
            "after the end",
        ),
        (
            &["--csv", "/no/such/directory/file"],
            1,
            "/no/such/directory/file: ",
        ),
    ] {
        let output = sim(arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(output.stdout.is_empty());
        let error = text(&output.stderr);
        assert!(error.contains(complaint), "{arguments:?}: {error}");
    }
}

#[test]
fn a_published_experiment_is_printed_beside_our_numbers() {
    let output = sim(&[
        "--experiment",
        "clock",
        "--rate",
        "100mbit",
        "--duration",
        "200ms",
    ]);
    let out = text(&output.stdout);
    assert!(output.status.success());
    assert!(
        out.lines()
            .any(|line| line.contains("bbr, clock in steps of 10 ms") && line.contains(" 456 ")),
        "{out}"
    );
}
