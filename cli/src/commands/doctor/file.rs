//! A program file.

use std::ffi::OsStr;

use super::finding::Finding;
use super::section::Section;
use crate::program::{self, IoUring, Obstacle, Program};

pub(super) fn examine(name: &OsStr) -> Section {
    let Some(path) = program::find(name) else {
        let finding = Finding::missing("file", "there is no such program in PATH")
            .remedy("write its path, such as ./program");
        return Section {
            about: name.display().to_string(),
            findings: vec![finding],
        };
    };
    let program = Program::inspect(&path);
    let mut findings = vec![matter(&program, "file", &kind(&program))];
    if program.is_binary {
        findings.extend(MATTERS.map(|(topic, good)| matter(&program, topic, good)));
        findings.push(io_uring(&program));
    }
    Section {
        about: path.display().to_string(),
        findings,
    }
}

/// What there is to say about every program, and what is said when it is as it should be.
const MATTERS: [(&str, &str); 4] = [
    ("linking", "dynamic, for glibc"),
    (
        "privileges",
        "running it gives none that would keep the library out",
    ),
    ("language", "it is no Go program"),
    ("sanitizer", "it has no ThreadSanitizer"),
];

fn matter(program: &Program, topic: &'static str, good: &str) -> Finding {
    match program
        .obstacles
        .iter()
        .find(|obstacle| topic_of(obstacle) == topic)
    {
        Some(obstacle) => Finding::missing(topic, obstacle.to_string()).remedy(obstacle.remedy()),
        None => Finding::good(topic, good),
    }
}

fn topic_of(obstacle: &Obstacle) -> &'static str {
    match obstacle {
        Obstacle::NotAProgram(_) | Obstacle::Architecture => "file",
        Obstacle::Static | Obstacle::Loader(_) => "linking",
        Obstacle::SetId(_) | Obstacle::Capabilities => "privileges",
        Obstacle::Go => "language",
        Obstacle::ThreadSanitizer => "sanitizer",
    }
}

fn kind(program: &Program) -> String {
    if program.scripts.is_empty() {
        "a program for this processor".to_owned()
    } else {
        format!(
            "a script; what runs is {}, which the rest is about",
            program.path.display()
        )
    }
}

fn io_uring(program: &Program) -> Finding {
    const TOPIC: &str = "io_uring";
    match program.io_uring() {
        IoUring::Absent => Finding::good(TOPIC, "it does not know of it"),
        IoUring::Mentioned => Finding::good(
            TOPIC,
            "it mentions it; syscall(io_uring_setup) is answered with ENOSYS, after which most programs do without",
        ),
        IoUring::Linked => Finding::wanted(
            TOPIC,
            "it is linked with liburing, whose calls are not intercepted",
        )
        .remedy("switch io_uring off in the program's settings"),
    }
}
