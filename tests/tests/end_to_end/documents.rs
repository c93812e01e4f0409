//! The commands in README.md, docs/ and examples/ run. Needs Python, curl, nginx, Redis, netperf, nft and systemd-analyze.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nstk_tests::{MACHINE_ADDRESS, Machine, Outcome, REMOTE_ADDRESS, Scratch, nstk_command};

/// Before a block of commands that cannot be run here, with the reason behind it.
const NOT_RUN: &str = "<!-- not run by the tests";
/// Its commands change the machine's network.
const NETWORK: &str = "docs/network.md";

#[test]
fn commands_of_the_readme_run() {
    let said = run_blocks(&root().join("README.md"));
    assert!(said.contains("curl came from 10.77.1.2"), "{said}");
}

#[test]
fn commands_of_the_documents_run() {
    for file in std::fs::read_dir(root().join("docs")).expect("docs/ is there") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "md") && !path.ends_with(NETWORK) {
            run_blocks(&path);
        }
    }
}

/// The commands change the network of a machine that a namespace plays, and put it back.
#[test]
fn commands_of_the_network_chapter_run() {
    let mut machine = Machine::new();
    machine.serve("exec netserver -D -4");
    let before = machine.state();
    let tools = Scratch::new();
    add_sudo(&tools);
    let mut shell = machine.command("bash");
    shell.env("USER", "root").args(["-e", "-c"]);
    shell.arg(blocks(&root().join(NETWORK)).join("\n"));
    let said = as_a_user(&mut shell, &[tools.path()]);
    assert!(said.contains("curl came from 10.0.0.2"), "{said}");
    for stack in ["10.77.1.2", "10.0.0.2", "192.168.1.77"] {
        let reached = format!("{stack} reached {REMOTE_ADDRESS}");
        assert!(said.contains(&reached), "{stack}: {said}");
    }
    let routed = MACHINE_ADDRESS;
    let itself = "192.168.1.77";
    let visitors = machine.visitors();
    assert_eq!(visitors, [routed, routed, itself, itself, routed, routed]);
    assert_eq!(machine.state(), before);
}

#[test]
fn the_unit_of_the_network_chapter_is_read_as_it_is_meant() {
    let text = std::fs::read_to_string(root().join(NETWORK)).expect("the chapter");
    let (_, unit) = text.split_once("```ini\n").expect("a unit");
    let (unit, _) = unit.split_once("```").expect("its end");
    let unquoted = unit.replace("Environment=\"", "Environment=");
    assert_eq!(complaints_of_systemd(unit), 0);
    assert_ne!(complaints_of_systemd(&unquoted), 0, "quotes are needed");
}

/// How many lines of the unit's environment systemd does not understand.
fn complaints_of_systemd(unit: &str) -> usize {
    let scratch = Scratch::new();
    scratch.write(
        "test.service",
        unit.replace("/usr/local/bin/nstk", "/bin/sh"),
    );
    let mut verify = Command::new("systemd-analyze");
    verify
        .arg("verify")
        .arg(scratch.path().join("test.service"));
    let said = Outcome::of(&mut verify).stderr;
    let complaints = said.lines().filter(|line| line.contains("environment"));
    complaints.count()
}

/// What sudo does to programs for root: it takes the environment away, and has a PATH of its own.
fn add_sudo(tools: &Scratch) {
    let file = tools.path().join("sudo");
    let script = "#!/bin/sh\nexec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \"$@\"\n";
    tools.write("sudo", script);
    std::fs::set_permissions(file, Permissions::from_mode(0o755)).expect("it is ours");
}

#[test]
fn nginx_serves_a_page() {
    let said = run("examples/nginx.sh");
    assert_eq!(said, "hello from nginx on nstk\n");
}

#[test]
fn redis_answers() {
    let said = run("examples/redis.sh");
    assert!(said.contains("hello from redis on nstk"), "{said}");
}

#[test]
fn two_stacks_are_compared() {
    let said = run("examples/compare.sh 1 10");
    assert_eq!(said.lines().count(), 2, "{said}");
}

/// Runs what stands in the file's `sh` blocks. Returns what it printed.
fn run_blocks(file: &Path) -> String {
    blocks(file).iter().map(|block| run(block)).collect()
}

/// The `sh` blocks of a file, without those that cannot be run here.
fn blocks(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a document");
    let mut blocks = Vec::new();
    let mut before = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "```sh" && !before.starts_with(NOT_RUN) {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(block.join("\n"));
        }
        before = line;
    }
    blocks
}

/// Runs commands with bash, in a directory with the examples and nothing else. So does who has installed a package.
fn run(commands: &str) -> String {
    let place = Scratch::new();
    let examples = root()
        .join("examples")
        .canonicalize()
        .expect("they are there");
    std::os::unix::fs::symlink(examples, place.path().join("examples")).expect("a new directory");
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", commands]).current_dir(place.path());
    as_a_user(&mut shell, &[])
}

/// Runs a shell as a user would who has built nstk and put it into PATH, behind other `tools`.
fn as_a_user(shell: &mut Command, tools: &[&Path]) -> String {
    let nstk = nstk_command();
    let built = Path::new(nstk.get_program()).parent();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path);
    let directories = tools.iter().copied().chain(built).map(Path::to_path_buf);
    let path = std::env::join_paths(directories.chain(others)).expect("no colons");
    shell.stdin(Stdio::null());
    Outcome::of(shell.env("PATH", path)).success()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
