use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::*;

/// A file of this test's own.
struct Made(PathBuf);

impl Made {
    fn new(test: &str, bytes: &[u8]) -> Self {
        let name = format!("nstk-outside-{}-{test}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).expect("a file");
        Self(path)
    }

    fn found(&self) -> Option<Outside> {
        let path = CString::new(self.0.as_os_str().as_bytes()).expect("no zero byte");
        find(&path)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// This test's own program, which is dynamically linked, with `change` made to its bytes.
fn changed(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = fs::read("/proc/self/exe").expect("a program");
    change(&mut bytes);
    bytes
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = bytes.windows(from.len()).position(|found| found == from);
    let at = at.expect("it is in the file");
    bytes[at..at + to.len()].copy_from_slice(to);
}

/// Program headers follow the ELF header of 64 bytes, and have 56 each; the type comes first.
fn hide_interpreter(bytes: &mut [u8]) {
    const PT_INTERP: u32 = 3;
    let header = bytes[64..].chunks_exact_mut(56).take(16);
    for header in header.filter(|header| header[..4] == PT_INTERP.to_le_bytes()) {
        header[..4].fill(0);
    }
}

#[test]
fn a_dynamic_program_has_the_library() {
    assert_eq!(Made::new("plain", &changed(|_| ())).found(), None);
    assert_eq!(find(c"/bin/sh"), None);
}

#[test]
fn a_program_without_a_dynamic_linker_is_static() {
    let made = Made::new("static", &changed(hide_interpreter));
    assert_eq!(made.found(), Some(Outside::Static));
}

#[test]
fn another_machine_and_another_libc_are_told_apart() {
    let machine = changed(|bytes| bytes[18] ^= 0xff);
    assert_eq!(
        Made::new("machine", &machine).found(),
        Some(Outside::Machine)
    );
    let short = changed(|bytes| bytes[4] = 1);
    assert_eq!(Made::new("short", &short).found(), Some(Outside::Machine));
    let musl = changed(|bytes| replace(bytes, b"/ld-linux", b"/ld-musl-"));
    assert_eq!(Made::new("musl", &musl).found(), Some(Outside::Loader));
}

#[test]
fn a_script_is_what_its_interpreter_is() {
    let interpreter = Made::new("interpreter", &changed(hide_interpreter));
    let line = format!("#! {} -x\nexit\n", interpreter.0.display());
    let script = Made::new("script", line.as_bytes());
    assert_eq!(script.found(), Some(Outside::Static));
    let script = Made::new("shell-script", b"#!/bin/sh\nexit\n");
    assert_eq!(script.found(), None);
}

#[test]
fn nothing_is_said_of_files_that_are_no_programs() {
    for (test, bytes) in [
        ("empty", &b""[..]),
        ("text", b"hello"),
        ("magic", b"\x7fELF"),
        ("blank", b"#!  \n"),
        ("header", &changed(|_| ())[..70]),
    ] {
        assert_eq!(Made::new(test, bytes).found(), None, "{test}");
    }
    assert_eq!(find(c"/no/such/file"), None);
}
