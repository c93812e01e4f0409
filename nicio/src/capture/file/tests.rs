use super::super::testing::Place;
use super::*;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn a_file_is_made_for_its_owner_alone_and_begins_as_a_capture() {
    let place = Place::new();
    let file = create(&place.c_path(), "tap:nstk0").expect("the directory is there");
    let mode = fs::metadata(place.path())
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    drop(file);
    let parsed = place.parse();
    assert_eq!((parsed.packets.len(), parsed.statistics), (0, None));
}

#[test]
fn what_was_in_the_file_is_gone() {
    let place = Place::new();
    fs::write(place.path(), [7; 100_000]).expect("it can be written");
    create(&place.c_path(), "mem")
        .map(drop)
        .expect("it is there");
    assert!(place.bytes() < 1000);
    place.parse();
}

#[test]
fn a_file_that_another_capture_has_is_left_alone() {
    let place = Place::new();
    let file = create(&place.c_path(), "mem").expect("the directory is there");
    let before = place.bytes();
    let refused = create(&place.c_path(), "mem").map(drop);
    assert_eq!(refused, Err(CaptureError::InUse));
    assert_eq!(place.bytes(), before);
    drop(file);
    create(&place.c_path(), "mem")
        .map(drop)
        .expect("it is free");
}

#[test]
fn links_are_followed() {
    let (place, link) = (Place::new(), Place::new());
    fs::write(place.path(), "").expect("it can be written");
    symlink(place.path(), link.path()).expect("it can be made");
    create(&link.c_path(), "mem")
        .map(drop)
        .expect("it is there");
    place.parse();
}

#[test]
fn what_is_no_file_or_cannot_be_made_is_refused() {
    let pipe = Place::new();
    let made = std::process::Command::new("mkfifo")
        .arg(pipe.path())
        .status();
    assert!(made.expect("mkfifo runs").success());
    for (path, error) in [
        (pipe.c_path().as_c_str(), CaptureError::NotAFile),
        (c"/dev/null", CaptureError::NotAFile),
        (c"/dev", CaptureError::Open(Errno(libc::EISDIR))),
        (c"/no/such/place", CaptureError::Open(Errno(libc::ENOENT))),
    ] {
        assert_eq!(create(path, "mem").map(drop), Err(error), "{path:?}");
    }
}
