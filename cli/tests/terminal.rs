//! What `nstk` writes to a terminal: a narrow one, and one that shows ASCII only.

use std::process::{Command, Stdio};

const COMMANDS: [&str; 8] = [
    "help",
    "run --help",
    "doctor",
    "doctor true",
    "sysctl --all --explain",
    "sim --duration 300ms --flow cc=bbr --flow cc=reno,reverse --loss 1%",
    "sim --experiment clock --rate 10mbit --duration 50ms",
    "run --if tap0 true",
];

#[test]
fn a_narrow_terminal_breaks_no_table() {
    for command in COMMANDS {
        for line in shown(command, 40, "C.UTF-8").lines() {
            // A path or a key may be longer; standard error is not laid out.
            let fits = line.chars().count() <= 40 || line.trim_start().split(' ').count() == 1;
            assert!(fits || line.starts_with("nstk: "), "{command}: {line}");
        }
    }
}

#[test]
fn a_wide_terminal_has_each_row_on_a_line() {
    let sim = shown(COMMANDS[5], 120, "C.UTF-8");
    assert!(sim.contains("\n   2  reno"), "{sim}");
}

#[test]
fn without_utf_8_everything_is_ascii() {
    for command in COMMANDS {
        let said = terminal(command, 80, "C");
        assert!(said.is_ascii(), "{command}: {said}");
    }
    let bar = terminal(COMMANDS[5], 80, "C.UTF-8");
    assert!(!bar.is_ascii(), "a bar of blocks: {bar}");
}

#[test]
fn a_manual_page_is_shown_and_not_its_source() {
    if Command::new("man").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "man is missing");
        println!("SKIPPED: man is missing");
        return;
    }
    let said = terminal("man run", 80, "C.UTF-8");
    assert!(said.contains("User Commands"), "{said}");
    assert!(!said.contains(".SH"), "{said}");
}

/// What stays on the screen. A bar is drawn over, with "erase in line" (ECMA-48).
fn shown(command: &str, columns: u16, locale: &str) -> String {
    let said = terminal(command, columns, locale);
    let lines = said
        .lines()
        .map(|line| line.rsplit("\x1b[2K").next().unwrap_or_default());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// What the command writes to a terminal of its own.
fn terminal(command: &str, columns: u16, locale: &str) -> String {
    let nstk = env!("CARGO_BIN_EXE_nstk");
    let line = format!("stty rows 24 cols {columns}; {nstk} {command}");
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("NSTK_") {
            script.env_remove(name);
        }
    }
    script
        .env("LC_ALL", locale)
        .env("TERM", "xterm")
        .env("MANPAGER", "cat")
        .stdin(Stdio::null());
    let output = script.output().expect("util-linux is installed");
    String::from_utf8(output.stdout)
        .expect("text")
        .replace('\r', "")
}
