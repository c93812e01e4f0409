//! What `nstk` says and how it ends, without a network.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs nstk with these arguments and no settings of whoever runs the tests.
fn nstk(arguments: &[&str]) -> Output {
    command(arguments).output().expect("nstk starts")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nstk"));
    command.args(arguments).env_remove("LD_PRELOAD");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("NSTK_") {
            command.env_remove(name);
        }
    }
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

const COMMANDS: [&str; 8] = [
    "run",
    "ps",
    "lab",
    "doctor",
    "sysctl",
    "sim",
    "completion",
    "man",
];

#[test]
fn help_names_every_command_and_every_command_has_help_with_an_example() {
    let overview = stdout(&nstk(&["--help"]));
    assert_eq!(stdout(&nstk(&["help"])), overview);
    for command in COMMANDS {
        assert!(overview.contains(&format!("\n  {command} ")), "{overview}");
        let output = nstk(&[command, "--help"]);
        assert!(output.status.success());
        let help = stdout(&output);
        assert!(help.contains("Example"), "{help}");
        assert_eq!(stdout(&nstk(&["help", command])), help);
        assert!(help.contains(&format!("nstk {command}")), "{help}");
    }
    assert!(!overview.contains("lab-inside"), "{overview}");
}

#[test]
fn the_version_is_the_crates() {
    let version = stdout(&nstk(&["--version"]));
    assert_eq!(version, format!("nstk {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_is_not_understood_ends_with_status_2() {
    for arguments in [
        &["no-such-command"] as &[&str],
        &["run"],
        &["lab", "--no-such-option", "--", "true"],
        &["run", "--fail=perhaps", "--", "true"],
        &["completion", "tcsh"],
        &[],
    ] {
        let output = nstk(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_bad_setting_is_one_line_and_status_2() {
    let good = ["--if=tap:nstk0", "--addr=10.0.0.2/24"];
    for (bad, named) in [
        ("--if=nstk0", "NSTK_IF"),
        ("--if=tap:a name", "NSTK_IF"),
        ("--addr=10.0.0.2", "NSTK_ADDR"),
        ("--gateway=192.0.2.1", "NSTK_GATEWAY"),
        ("--mac=here", "NSTK_MAC"),
        ("--mtu=1", "NSTK_MTU"),
        ("--bypass=never", "NSTK_BYPASS"),
        ("--log=a=b=c", "NSTK_LOG"),
        ("--pcap-limit=1K", "NSTK_PCAP_LIMIT"),
        ("--cc=vegas", "net.ipv4.tcp_congestion_control"),
        ("--sysctl=net.ipv4.tcp_sack=2", "net.ipv4.tcp_sack"),
        (
            "--sysctl=net.ipv4.tcp_sacks=1",
            "did you mean net.ipv4.tcp_sack?",
        ),
    ] {
        let option = bad.split_once('=').expect("an option has a value").0;
        let others = good.iter().filter(|good| !good.starts_with(option));
        let arguments: Vec<&str> = ["run", bad]
            .into_iter()
            .chain(others.copied())
            .chain(["--", "true"])
            .collect();
        let output = nstk(&arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{bad}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn an_option_with_a_slip_is_not_taken_for_the_program() {
    for (arguments, meant) in [
        (&["run", "--adr=10.0.0.2/24", "true"] as &[&str], "--addr"),
        (&["run", "--loq", "info", "--", "true"], "--log"),
        (&["lab", "--halp"], "--help"),
    ] {
        let output = nstk(arguments);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(meant), "{said}");
    }
}

#[test]
fn a_setting_that_ends_the_command_is_not_said_to_be_ignored() {
    let output = nstk(&["run", "--cc=vegas", "--", "true"]);
    let said = stderr(&output);
    assert!(!said.contains("ignored"), "{said}");
}

#[test]
fn without_a_device_the_lab_is_pointed_at() {
    let output = nstk(&["run", "--", "true"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("nstk lab"), "{}", stderr(&output));
}

#[test]
fn a_missing_library_is_said_to_be_missing() {
    let empty = concat!(env!("CARGO_TARGET_TMPDIR"), "/empty");
    fs::create_dir_all(empty).expect("a directory");
    for (named, looked_for) in [
        ("/no/such/libnstk.so", "/no/such/libnstk.so is not there"),
        (empty, "/empty/libnstk.so is not there"),
        ("/bin/sh", "/bin/sh is another file"),
    ] {
        let mut command = command(&RUN_TRUE);
        let output = command.env("NSTK_LIBRARY", named).output();
        let output = output.expect("nstk starts");
        assert_eq!(output.status.code(), Some(125));
        assert!(stderr(&output).contains(looked_for), "{}", stderr(&output));
    }
}

#[test]
fn the_library_may_be_named_by_its_directory() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("directory");
    fs::create_dir_all(&directory).expect("a directory");
    fs::write(directory.join("libnstk.so"), "").expect("a file");
    let mut command = command(&RUN_TRUE);
    let output = command.env("NSTK_LIBRARY", &directory).output();
    let said = stderr(&output.expect("nstk starts"));
    let keeper = directory.join("nstk-keeper").display().to_string();
    assert!(said.contains(&keeper), "{said}");
}

#[test]
fn a_command_that_was_installed_alone_tells_how_to_get_the_rest() {
    let output = run_installed("alone", |_| ());
    assert_eq!(output.status.code(), Some(125));
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("scripts/install"), "{said}");
}

#[test]
fn an_installed_command_finds_the_library_below_lib() {
    let output = run_installed("prefix", |library| {
        fs::write(library.join("libnstk.so"), "").expect("a file");
    });
    let keeper = "prefix/lib/nstk/nstk-keeper";
    assert!(stderr(&output).contains(keeper), "{}", stderr(&output));
}

/// Starts a copy of nstk from below a prefix of its own. `fill` is told where an installation has the library.
fn run_installed(prefix: &str, fill: impl FnOnce(&Path)) -> Output {
    let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join(prefix);
    let (bin, library) = (prefix.join("bin"), prefix.join("lib/nstk"));
    for directory in [&bin, &library] {
        fs::create_dir_all(directory).expect("a directory");
    }
    fill(&library);
    let program = bin.join("nstk");
    fs::copy(env!("CARGO_BIN_EXE_nstk"), &program).expect("a copy");
    let mut command = Command::new(program);
    command.args(RUN_TRUE).env_clear();
    let output = command.env("PATH", "/usr/bin:/bin").output();
    output.expect("nstk starts")
}

const RUN_TRUE: [&str; 5] = ["run", "--if=tap:nstk0", "--addr=10.0.0.2/24", "--", "true"];

#[test]
fn every_shell_gets_a_completion_script() {
    for (shell, words) in [
        ("bash", "complete -F _nstk nstk"),
        ("zsh", "#compdef nstk"),
        ("fish", "complete --command nstk"),
    ] {
        let script = stdout(&nstk(&["completion", shell]));
        assert!(script.contains(words), "{script}");
    }
}

#[test]
fn there_is_a_manual_page_for_all_and_one_for_every_command() {
    let page = stdout(&nstk(&["man"]));
    assert!(page.contains(".TH nstk 1"), "{page}");
    for command in COMMANDS {
        assert!(
            page.contains(&format!("\\fBnstk\\-{command}\\fR(1)")),
            "{page}"
        );
        let page = stdout(&nstk(&["man", command]));
        assert!(page.contains(&format!(".TH nstk-{command} 1")), "{page}");
        assert!(page.contains(env!("CARGO_PKG_VERSION")), "{page}");
    }
    assert_eq!(nstk(&["man", "walk"]).status.code(), Some(2));
}

#[test]
fn every_manual_page_has_the_usual_sections_in_the_usual_order() {
    const SECTIONS: [&str; 10] = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMMANDS",
        "ENVIRONMENT",
        "\"EXIT STATUS\"",
        "NOTES",
        "EXAMPLES",
        "\"SEE ALSO\"",
    ];
    // Not every page has these.
    const SOME: [&str; 3] = ["COMMANDS", "ENVIRONMENT", "NOTES"];
    for about in [
        "",
        "run",
        "ps",
        "lab",
        "doctor",
        "sysctl",
        "sim",
        "completion",
        "man",
    ] {
        let arguments = ["man", about];
        let arguments = if about.is_empty() {
            &arguments[..1]
        } else {
            &arguments
        };
        let page = stdout(&nstk(arguments));
        let sections: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        let expected = SECTIONS
            .iter()
            .filter(|section| !SOME.contains(section) || sections.contains(section));
        assert!(sections.iter().eq(expected), "{about}: {sections:?}");
    }
}

#[test]
fn the_page_of_run_shows_values_variables_and_exit_codes() {
    let page = stdout(&nstk(&["man", "run"]));
    for part in [
        "[\\fB\\-\\-if\\fR \\fIDEVICE\\fR]",
        "[\\-\\-] \\fIPROGRAM\\fR [\\fIARGUMENT\\fR]...",
        "\\fBNSTK_SYSCTL\\fR\n",
        "\\fBLKL_SYSCTL\\fR\n",
        "\\fB127\\fR\nthe program was not found\n",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_reader_that_goes_is_no_failure() {
    let script = format!(
        "set -o pipefail; {} man | head -c 1",
        env!("CARGO_BIN_EXE_nstk")
    );
    let output = Command::new("bash").args(["-c", &script]).output();
    let output = output.expect("bash is installed");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn output_that_cannot_be_written_is_one_line_and_status_1() {
    for arguments in [&["man"] as &[&str], &["sim", "--duration=10ms"]] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let mut command = command(arguments);
        command.stdout(full.expect("the kernel has it"));
        let output = command.output().expect("nstk starts");
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}
