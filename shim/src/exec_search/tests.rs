use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;

/// A directory of this test's own with a program, a plain file and a nested directory with another program.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let name = format!("nstk-exec-search-{}-{test}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("nested")).expect("a directory");
        for (file, mode) in [
            ("program", 0o755),
            ("plain", 0o644),
            ("nested/inner", 0o755),
        ] {
            let file = path.join(file);
            fs::write(&file, "#!/bin/sh\n").expect("a file");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        }
        Self(path)
    }

    fn has(&self, name: &str) -> bool {
        is_found_in(self.0.as_os_str().as_bytes(), name.as_bytes())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Whether it is found, under a path that ends in the name.
fn is_found_in(path: &[u8], name: &[u8]) -> bool {
    let mut ends_in_name = false;
    let is_found = find_in(path, name, |found| {
        ends_in_name = found.to_bytes().ends_with(name);
    });
    assert_eq!(is_found, ends_in_name);
    is_found
}

fn path_is_there(path: &Path) -> bool {
    let path = CString::new(path.as_os_str().as_bytes()).expect("no zero byte");
    // SAFETY: a C string.
    unsafe { Program::Path(path.as_ptr()).find(|_| ()) }
}

fn name_is_there(name: &[u8]) -> bool {
    let name = CString::new(name).expect("no zero byte");
    // SAFETY: a C string.
    unsafe { Program::Name(name.as_ptr()).find(|_| ()) }
}

#[test]
fn a_path_leads_to_a_file_that_may_be_executed() {
    let directory = Directory::new("path");
    assert!(path_is_there(&directory.0.join("program")));
    assert!(!path_is_there(&directory.0.join("plain")));
    assert!(!path_is_there(&directory.0.join("nobody")));
}

#[test]
fn a_name_is_looked_for_in_each_directory_of_the_path() {
    let directory = Directory::new("name");
    assert!(directory.has("program"));
    assert!(!directory.has("plain"));
    assert!(!directory.has("inner"));
    let there = directory.0.to_str().expect("text");
    for path in [
        format!("/nowhere:{there}"),
        format!("{there}:/nowhere"),
        format!("{there}/nested/..:"),
    ] {
        assert!(is_found_in(path.as_bytes(), b"program"), "{path}");
    }
    assert!(!is_found_in(b"/nowhere:/nor/here", b"program"));
}

#[test]
fn an_empty_directory_of_the_path_is_the_working_directory() {
    let directory = Directory::new("empty");
    let before = std::env::current_dir().expect("a working directory");
    std::env::set_current_dir(&directory.0).expect("a directory");
    for path in ["", ":/nowhere", "/nowhere:", "/nowhere::/nor/here"] {
        assert!(is_found_in(path.as_bytes(), b"program"), "{path:?}");
    }
    std::env::set_current_dir(before).expect("the directory before");
}

#[test]
fn a_name_with_a_slash_is_a_path() {
    let directory = Directory::new("slash");
    assert!(name_is_there(
        directory.0.join("program").as_os_str().as_bytes()
    ));
    assert!(!directory.has("nobody/program"));
    assert!(!name_is_there(b"./no/such/program"));
    // PATH is not asked.
    assert!(name_is_there(b"sh"));
    assert!(!name_is_there(b"./sh"));
}

#[test]
fn a_path_that_is_too_long_leads_nowhere() {
    let longest = libc::PATH_MAX as usize;
    assert!(!is_found_in(&vec![b'/'; longest], b"sh"));
    assert!(!is_found_in(b"/bin", &vec![b'a'; longest]));
    // The longest that fits, with the slash between and the zero byte.
    let slashes = vec![b'/'; longest - b"bin/sh".len() - 1];
    let directory = [&slashes[..], b"bin"].concat();
    assert!(is_found_in(&directory, b"sh"));
    let directory = [b"/", &directory[..]].concat();
    assert!(!is_found_in(&directory, b"sh"));
}

#[test]
fn null_is_nowhere_and_a_descriptor_is_there() {
    // SAFETY: null is allowed.
    unsafe {
        assert!(!Program::Path(core::ptr::null()).find(|_| ()));
    }
    // SAFETY: null is allowed.
    unsafe {
        assert!(!Program::Name(core::ptr::null()).find(|_| ()));
    }
    // SAFETY: nothing is read.
    unsafe {
        assert!(Program::Descriptor(7).find(|path| assert_eq!(path, c"/proc/self/fd/7")));
    }
}
