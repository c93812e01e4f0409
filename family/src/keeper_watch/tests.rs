use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread;

use nicio::link::Cable;
use stack::Instant;

use super::{ABSENT, FAILED, LOOK_GAP_NS, STARTED};
use crate::family::{Family, Role};
use crate::members::programs;
use crate::testing::{ended, join, linked_family, lone_family, settings};
use crate::{fd_list, spawn};

fn state(family: &Family) -> u32 {
    family.words().keeper_state.load(Ordering::Relaxed)
}

#[test]
fn a_keeper_that_does_not_start_is_not_tried_again() {
    let (mut family, _wire) = lone_family();
    family.keeper_program = Some(c"/nowhere/nstk-keeper".into());
    family.ensure_keeper();
    assert_eq!(state(&family), FAILED);
    family.keeper_program = Some(c"/bin/true".into());
    family.ensure_keeper();
    assert_eq!(state(&family), FAILED);
}

#[test]
fn there_is_one_keeper_which_starts_none() {
    let (mut member, _wire) = lone_family();
    let (mut keeper, _wire2) = join(&member, Role::Keeper, ended());
    for family in [&mut member, &mut keeper] {
        family.keeper_program = Some(c"/bin/true".into());
    }
    keeper.ensure_keeper();
    assert_eq!(state(&member), ABSENT);
    member.ensure_keeper();
    assert_eq!(state(&member), STARTED);
    member.keeper_program = None;
    member.ensure_keeper();
    assert_eq!(state(&member), STARTED, "not a second time");
}

#[test]
fn who_may_lack_system_calls_starts_no_keeper() {
    let (mut family, _wire) = lone_family();
    family.keeper_program = Some(c"/bin/true".into());
    family.expect_filter();
    family.ensure_keeper();
    assert_eq!(state(&family), ABSENT, "another member may");
}

/// A program that leaves its arguments and its descriptors behind. Its files go with the value.
struct Witness(PathBuf);

impl Witness {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("nstk-witness-{}", std::process::id()));
        let script =
            "#!/bin/sh\n{ printf '%s\\n' \"$@\"; ls /proc/$$/fd; } > $0.part\nmv $0.part $0.out\n";
        fs::write(&path, script).expect("there is room");
        fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("chmod");
        Self(path)
    }

    fn program(&self) -> CString {
        CString::new(self.0.to_str().expect("plain letters")).expect("no zero")
    }

    /// Waits for what it has to say, line by line.
    fn lines(&self) -> Vec<String> {
        loop {
            if let Ok(text) = fs::read_to_string(self.0.with_extension("out")) {
                return text.lines().map(str::to_owned).collect();
            }
            thread::yield_now();
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.0.with_extension("out"));
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_keeper_is_told_what_it_keeps_and_has_its_descriptors() {
    let cable = Cable::make().expect("there is memory");
    let settings = settings(&[("NSTK_ADDR", "10.0.0.7/24,fd00::7/64")]);
    let mut family = linked_family(&settings, &cable);
    let witness = Witness::new();
    family.keeper_program = Some(witness.program());
    family.ensure_keeper();
    let lines = witness.lines();
    let [device, own, name, socket, tag, capture, fds, open @ ..] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(
        (device.as_str(), own.as_str()),
        ("link:it", "10.0.0.7,fd00::7")
    );
    assert_eq!((name, socket), (&spawn::own_name(), &family.name));
    assert_eq!((tag.as_str(), capture.as_str()), ("0", "0"));
    let mut kept = vec![family.shared.region().fd().expect("it has one")];
    kept.extend(family.wakers.fds());
    kept.extend(&family.device_handles.fds);
    assert_eq!(fd_list::read(fds), Some(kept.clone()));
    for fd in kept {
        assert!(open.contains(&fd.to_string()), "{fd} is closed");
    }
}

#[test]
fn a_keeper_that_was_killed_is_forgotten_at_the_next_look() {
    let (member, _wire) = lone_family();
    let killed = ended();
    let (keeper, _wire2) = join(&member, Role::Keeper, killed);
    let words = member.words();
    words.keeper_pid.store(killed, Ordering::Relaxed);
    words.keeper_state.store(STARTED, Ordering::Relaxed);
    assert!(keeper.own_device().is_some());
    let is_known = || words.keeper_pid.load(Ordering::Relaxed) == killed;
    member.watch_keeper(Instant::from_nanos(LOOK_GAP_NS - 1));
    assert!(is_known(), "it is too early for a look");
    keeper.watch_keeper(Instant::from_nanos(LOOK_GAP_NS));
    assert!(is_known(), "a keeper does not look for itself");
    member.watch_keeper(Instant::from_nanos(LOOK_GAP_NS));
    assert!(!is_known());
    assert_eq!(state(&member), ABSENT);
    assert!(!member.device_is_owned(), "what it held is free");
    assert_eq!(words.members[1].pid.load(Ordering::Relaxed), 0);
    let alone: Vec<_> = programs(words).collect();
    assert_eq!(alone, [(member.member(), member.pid())]);
}

#[test]
fn a_keeper_that_lives_is_left_alone() {
    let (member, _wire) = lone_family();
    let alive = std::process::id();
    member.words().keeper_pid.store(alive, Ordering::Relaxed);
    let now = Instant::from_nanos(LOOK_GAP_NS);
    member.watch_keeper(now);
    let words = member.words();
    assert_eq!(words.keeper_pid.load(Ordering::Relaxed), alive);
    // The next look is a gap away.
    words.keeper_pid.store(ended(), Ordering::Relaxed);
    member.watch_keeper(now + core::time::Duration::from_nanos(LOOK_GAP_NS - 1));
    assert_ne!(words.keeper_pid.load(Ordering::Relaxed), 0);
}

#[test]
fn without_a_keeper_nobody_is_looked_for() {
    let (member, _wire) = lone_family();
    let words = member.words();
    words.keeper_state.store(FAILED, Ordering::Relaxed);
    member.watch_keeper(Instant::from_nanos(LOOK_GAP_NS));
    assert_eq!(state(&member), FAILED);
    assert_eq!(member.keeper_seen_ns.load(Ordering::Relaxed), 0);
}
