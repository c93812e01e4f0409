//! The commands in README.md, docs/ and examples/ run. Needs Python, curl, nginx and Redis.

use std::path::{Path, PathBuf};
use std::process::Command;

use nstk_tests::{Outcome, nstk_command};

/// Before a block of commands that cannot be run here, with the reason behind it.
const NOT_RUN: &str = "<!-- not run by the tests";

#[test]
fn commands_of_the_readme_run() {
    let said = run_blocks(&root().join("README.md"));
    assert!(said.contains("curl came from 10.77.1.2"), "{said}");
}

#[test]
fn commands_of_the_documents_run() {
    for file in std::fs::read_dir(root().join("docs")).expect("docs/ is there") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            run_blocks(&path);
        }
    }
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
    let text = std::fs::read_to_string(file).expect("a document");
    let mut said = String::new();
    let mut before = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "```sh" && !before.starts_with(NOT_RUN) {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            said.push_str(&run(&block.join("\n")));
        }
        before = line;
    }
    said
}

/// Runs commands as a user would who has built nstk and put it into PATH.
fn run(commands: &str) -> String {
    let nstk = nstk_command();
    let mut path = Path::new(nstk.get_program())
        .parent()
        .expect("a directory")
        .to_path_buf()
        .into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", commands]).current_dir(root());
    shell.stdin(std::process::Stdio::null()).env("PATH", path);
    Outcome::of(&mut shell).success()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
