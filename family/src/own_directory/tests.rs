use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::{Directories, OwnDirectory, Place, are_all, find, find_or_make};
use crate::named_socket::NamedSocket;

/// A directory that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(tag: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nstk-{tag}-{}", std::process::id()));
        fs::create_dir(&path).expect("a fresh name");
        Self(path)
    }

    fn place(&self) -> Option<Place> {
        Place::open(self.0.to_str().expect("plain letters"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn only_a_private_directory_of_one_s_own_counts() {
    let scratch = Scratch::new("private");
    let place = scratch.place().expect("only its owner writes there");
    let path = scratch.0.join("it");
    fs::create_dir(&path).expect("mkdir");
    for (mode, counts) in [
        (0o700, true),
        (0o755, false),
        (0o777, false),
        (0o710, false),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
        assert_eq!(place.directory(c"it").is_some(), counts, "{mode:o}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("chmod");
    symlink(&path, scratch.0.join("link")).expect("symlink");
    assert!(place.directory(c"link").is_none());
    fs::write(scratch.0.join("file"), "").expect("write");
    assert!(place.directory(c"file").is_none());
    assert!(place.directory(c"missing").is_none());
}

#[test]
fn a_place_where_others_may_remove_what_is_not_theirs_is_none() {
    let scratch = Scratch::new("sticky");
    for (mode, safe) in [
        (0o755, true),
        (0o1777, true),
        (0o777, false),
        (0o775, false),
    ] {
        fs::set_permissions(&scratch.0, Permissions::from_mode(mode)).expect("chmod");
        assert_eq!(scratch.place().is_some(), safe, "{mode:o}");
    }
}

#[test]
fn a_directory_that_was_made_is_found_and_is_private() {
    let scratch = Scratch::new("made");
    let place = scratch.place().expect("safe");
    place.make().expect("there is room");
    let made: Vec<_> = fs::read_dir(&scratch.0)
        .expect("it is there")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    let [name] = made.as_slice() else {
        panic!("{made:?}");
    };
    let prefix = format!("nstk-{}-", sys::user_id());
    let is_named = |name: &str| name.starts_with(&prefix) && name.len() == prefix.len() + 16;
    assert!(name.to_str().is_some_and(is_named), "{name:?}");
}

#[test]
fn there_is_a_directory_of_one_s_own_once_it_was_asked_for() {
    // Another test may take it away again as long as nothing is in it.
    while find_or_make().is_empty() || find().is_empty() {}
}

#[test]
fn a_place_is_a_directory() {
    let scratch = Scratch::new("file");
    let path = scratch.0.join("it");
    fs::write(&path, "").expect("write");
    assert!(Place::open(path.to_str().expect("plain letters")).is_none());
    assert!(Place::open("/nowhere").is_none());
}

/// A private directory in a scratch directory, by its path.
fn own(scratch: &Scratch) -> OwnDirectory {
    let path = scratch.0.join("it");
    fs::create_dir(&path).expect("mkdir");
    fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("chmod");
    let path = CString::new(path.to_str().expect("plain letters")).expect("no zero");
    let own = OwnDirectory::at(&path).expect("it is private");
    assert_eq!(own.path(), path.as_c_str());
    own
}

#[test]
fn a_directory_is_opened_by_its_path_and_goes_when_it_is_empty() {
    let scratch = Scratch::new("at");
    let own = own(&scratch);
    let it = scratch.0.join("it");
    fs::write(it.join("name"), "").expect("write");
    assert!(sys::status_inside(own.fd(), c"name").is_ok());
    own.remove_if_empty();
    assert!(it.exists());
    fs::remove_file(it.join("name")).expect("it is there");
    own.remove_if_empty();
    assert!(!it.exists());
    assert!(OwnDirectory::at(own.path()).is_none());
    assert!(OwnDirectory::at(c"it").is_none(), "no path");
}

#[test]
fn all_directories_are_known_unless_there_is_another_one() {
    // With a name in it, it stays.
    let socket = loop {
        let name = format!("test-known-{}", std::process::id());
        if let Some(socket) = NamedSocket::bind(&name) {
            break socket;
        }
    };
    assert!(!are_all(&Directories::new()));
    let scratch = Scratch::new("known");
    let mut unrelated = Directories::new();
    unrelated.push(own(&scratch));
    assert!(!are_all(&unrelated));
    // Other tests make and remove some meanwhile.
    while !are_all(&find()) {}
    let directory = CString::new(socket.directory()).expect("no zero");
    assert!(find().iter().any(|own| own.is_at(&directory)));
    assert!(find_or_make().iter().any(|own| own.is_at(&directory)));
}
