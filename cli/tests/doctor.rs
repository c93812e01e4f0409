//! `nstk doctor` on files made by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// A directory that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nstk-doctor-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        Self(path)
    }

    /// An executable file.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The directory is left where it cannot be removed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn doctor(programs: &[PathBuf]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nstk"));
    command
        .arg("doctor")
        .args(programs)
        .output()
        .expect("nstk starts")
}

/// What the doctor says of one file, and whether all is well with it.
fn verdict(path: &Path) -> (String, bool) {
    let output = doctor(&[path.to_path_buf()]);
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).expect("text");
    let well = match output.status.code() {
        Some(0) => true,
        Some(1) => false,
        code => panic!("exit code {code:?}: {said}"),
    };
    assert_eq!(well, !said.contains("\n  no "), "{said}");
    (said, well)
}

/// The smallest ELF files that tell what is to be told.
struct Elf {
    class: u8,
    machine: u16,
    kind: u16,
    loader: Option<&'static str>,
    section: &'static str,
}

const PROGRAM: Elf = Elf {
    class: 2,
    #[cfg(target_arch = "x86_64")]
    machine: 62,
    #[cfg(target_arch = "aarch64")]
    machine: 183,
    kind: 3,
    loader: Some("/lib64/ld-linux-x86-64.so.2"),
    section: ".text",
};

impl Elf {
    /// Header, one program header, the loader's name, the names of sections, and the headers of three sections: none, the names' own, the one asked for.
    fn bytes(&self) -> Vec<u8> {
        const HEADER: usize = 64;
        const SEGMENT: usize = 56;
        let loader = self
            .loader
            .map(|path| format!("{path}\0"))
            .unwrap_or_default();
        let names = format!("\0.shstrtab\0{}\0", self.section);
        let loader_at = HEADER + SEGMENT;
        let names_at = loader_at + loader.len();
        let sections_at = (names_at + names.len()).next_multiple_of(8);

        let mut bytes = vec![0x7f, b'E', b'L', b'F', self.class, 1, 1];
        bytes.resize(16, 0);
        let mut put = |values: &[(u64, usize)]| {
            for &(value, size) in values {
                bytes.extend_from_slice(&value.to_le_bytes()[..size]);
            }
        };
        put(&[
            (self.kind.into(), 2),
            (self.machine.into(), 2),
            (1, 4),
            (0, 8),
        ]);
        put(&[(HEADER as u64, 8), (sections_at as u64, 8), (0, 4)]);
        put(&[(64, 2), (56, 2), (1, 2), (64, 2), (3, 2), (1, 2)]);
        // PT_INTERP or PT_LOAD
        let segment = if self.loader.is_some() { 3 } else { 1 };
        put(&[(segment, 4), (4, 4), (loader_at as u64, 8), (0, 8), (0, 8)]);
        put(&[(loader.len() as u64, 8), (loader.len() as u64, 8), (1, 8)]);
        bytes.extend_from_slice(loader.as_bytes());
        bytes.extend_from_slice(names.as_bytes());
        bytes.resize(sections_at + 64, 0);
        // SHT_STRTAB, SHT_PROGBITS; name, type, flags, address, offset, size, link, info, alignment, entry size
        for (name, kind, offset, size) in [(1, 3, names_at, names.len()), (11, 1, loader_at, 0)] {
            let mut put =
                |value: u64, size: usize| bytes.extend_from_slice(&value.to_le_bytes()[..size]);
            put(name, 4);
            put(kind, 4);
            put(0, 8);
            put(0, 8);
            put(offset as u64, 8);
            put(size as u64, 8);
            put(0, 8);
            put(1, 8);
            put(0, 8);
        }
        bytes
    }
}

#[test]
fn a_program_for_glibc_is_well() {
    let scratch = Scratch::new();
    let (said, well) = verdict(&scratch.file("program", &PROGRAM.bytes()));
    assert!(well, "{said}");
    let (said, well) = verdict(Path::new("sh"));
    assert!(well, "{said}");
    let linker = Path::new(PROGRAM.loader.expect("one"));
    if linker.is_file() {
        let (said, well) = verdict(linker);
        assert!(well, "{said}");
    }
}

#[test]
fn what_keeps_the_library_out_is_named() {
    let scratch = Scratch::new();
    for (elf, reason) in [
        (
            Elf {
                loader: None,
                ..PROGRAM
            },
            "statically linked",
        ),
        (
            Elf {
                loader: None,
                kind: 2,
                ..PROGRAM
            },
            "statically linked",
        ),
        (
            Elf {
                loader: Some("/lib/ld-musl-x86_64.so.1"),
                ..PROGRAM
            },
            "/lib/ld-musl-x86_64.so.1",
        ),
        (
            Elf {
                loader: Some("/system/bin/linker64"),
                ..PROGRAM
            },
            "/system/bin/linker64",
        ),
        (
            Elf {
                section: ".go.buildinfo",
                loader: None,
                ..PROGRAM
            },
            "Go program",
        ),
        (
            Elf {
                section: ".go.buildinfo",
                ..PROGRAM
            },
            "Go program",
        ),
        (
            Elf {
                class: 1,
                ..PROGRAM
            },
            "another kind of processor",
        ),
        (
            Elf {
                machine: 243,
                ..PROGRAM
            },
            "another kind of processor",
        ),
        (Elf { kind: 1, ..PROGRAM }, "an object file"),
    ] {
        let (said, well) = verdict(&scratch.file("program", &elf.bytes()));
        assert!(!well && said.contains(reason), "{reason}: {said}");
    }
}

#[test]
fn the_word_io_uring_is_found_anywhere_in_the_file() {
    let scratch = Scratch::new();
    let mut bytes = PROGRAM.bytes();
    let (said, _) = verdict(&scratch.file("program", &bytes));
    assert!(said.contains("does not know of it"), "{said}");
    bytes.extend_from_slice(b"... io_uring_setup failed");
    let (said, well) = verdict(&scratch.file("program", &bytes));
    assert!(well && said.contains("mentions it"), "{said}");
}

#[test]
fn scripts_are_judged_by_what_runs_them() {
    let scratch = Scratch::new();
    let elf = Elf {
        loader: None,
        ..PROGRAM
    };
    let runner = scratch.file("static", &elf.bytes());
    let looped = scratch.0.join("looped");
    for (first_line, reason, expected) in [
        ("#!/bin/sh -e".to_owned(), "/bin/sh", true),
        ("#! /usr/bin/env sh".to_owned(), "/sh", true),
        ("#!/usr/bin/env -S LANG=C sh -e".to_owned(), "/sh", true),
        (
            format!("#!{}", runner.display()),
            "statically linked",
            false,
        ),
        ("#!/no/such/interpreter".to_owned(), "is not there", false),
        (
            "#!/usr/bin/env no-such-interpreter".to_owned(),
            "not in PATH",
            false,
        ),
        ("#!".to_owned(), "names no interpreter", false),
        (format!("#!{}", looped.display()), "and so on", false),
        ("echo hello".to_owned(), "no program that Linux runs", false),
    ] {
        let path = scratch.file("looped", format!("{first_line}\n").as_bytes());
        let (said, well) = verdict(&path);
        assert!(
            well == expected && said.contains(reason),
            "{first_line}: {said}"
        );
    }
}

#[test]
fn what_is_no_program_is_said_to_be_none() {
    let scratch = Scratch::new();
    let plain = scratch.file("plain", &PROGRAM.bytes());
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).expect("own file");
    let pipe = scratch.0.join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("coreutils are installed").success());
    for (path, reason) in [
        (pipe, "is a pipe"),
        ("/dev/null".into(), "or device"),
        (plain, "not executable"),
        (scratch.0.clone(), "is a directory"),
        (scratch.0.join("nothing"), "is not there"),
        ("no-such-program".into(), "no such program in PATH"),
        (scratch.file("empty", b""), "no program that Linux runs"),
    ] {
        let (said, well) = verdict(&path);
        assert!(!well && said.contains(reason), "{reason}: {said}");
    }
}

#[test]
fn no_damaged_file_upsets_the_doctor() {
    let scratch = Scratch::new();
    let whole = Elf {
        section: ".go.buildinfo",
        ..PROGRAM
    }
    .bytes();
    let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
    let changed = (0..whole.len()).flat_map(|place| {
        [0x00, 0x7f, 0xff].map(|value| {
            let mut bytes = whole.clone();
            bytes[place] = value;
            bytes
        })
    });
    let files: Vec<PathBuf> = cut
        .chain(changed)
        .enumerate()
        .map(|(number, bytes)| scratch.file(&number.to_string(), &bytes))
        .collect();
    let output = doctor(&files);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let sections = said.lines().filter(|line| line.starts_with('/')).count();
    assert_eq!(sections, files.len());
}

#[test]
fn json_says_the_same_as_the_lines() {
    let scratch = Scratch::new();
    let elf = Elf {
        loader: None,
        ..PROGRAM
    };
    let path = scratch.file("a \"quoted\"\nname", &elf.bytes());
    let mut command = Command::new(env!("CARGO_BIN_EXE_nstk"));
    let output = command
        .args(["doctor", "--json"])
        .arg(&path)
        .output()
        .expect("nstk starts");
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said[0]["about"], path.to_str().expect("text"));
    let findings = said[0]["findings"].as_array().expect("a list");
    let linking = findings
        .iter()
        .find(|finding| finding["topic"] == "linking");
    assert_eq!(linking.expect("a finding")["state"], "no");
}

#[test]
fn a_bad_setting_is_told_as_nstk_run_would() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nstk"));
    let settings = [("NSTK_IF", "tap:nstk0"), ("NSTK_ADDR", "nowhere")];
    let output = command
        .arg("doctor")
        .envs(settings)
        .output()
        .expect("nstk starts");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = said.lines().find(|line| line.starts_with("  no  settings"));
    assert!(
        line.is_some_and(|line| line.contains("NSTK_ADDR=nowhere")),
        "{said}"
    );
}

#[test]
fn a_missing_library_and_a_narrow_address_space_are_essential() {
    let script = format!(
        "ulimit -v 60000; exec {} doctor",
        env!("CARGO_BIN_EXE_nstk")
    );
    let mut command = Command::new("bash");
    command
        .args(["-c", &script])
        .env("NSTK_LIBRARY", "/no/such/libnstk.so");
    let output = command.output().expect("bash is installed");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    for (topic, reason) in [
        ("library", "/no/such/libnstk.so"),
        ("address space", "58 MiB"),
    ] {
        let line = said
            .lines()
            .find(|line| line[4..].trim_start().starts_with(topic) && line.contains("  no  "));
        assert!(
            line.is_some_and(|line| line.contains(reason)),
            "{topic}: {said}"
        );
    }
}
