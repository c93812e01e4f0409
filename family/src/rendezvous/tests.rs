use std::os::fd::RawFd;
use std::thread;

use super::{Answer, HANDED, knock, name, open_door, open_to_newcomer};
use crate::error::StartError;
use crate::sys;

fn door(tag: &str) -> (String, RawFd) {
    let name = name(&format!("{tag}-{}", std::process::id()));
    let door = open_door(&name).expect("a fresh name");
    (name, door)
}

fn answer_one(door: RawFd, answer: &Answer<'_>) -> u32 {
    loop {
        let mut fds = [libc::pollfd {
            fd: door,
            events: libc::POLLIN,
            revents: 0,
        }];
        sys::ppoll(&mut fds, None, None).expect("poll");
        if let Some(newcomer) = open_to_newcomer(door) {
            let pid = newcomer.pid;
            newcomer.answer(answer);
            return pid;
        }
    }
}

#[test]
fn without_a_keeper_nobody_answers() {
    let name = name(&format!("none-{}", std::process::id()));
    assert!(matches!(knock(&name, "tap:x"), Ok(None)));
}

#[test]
fn a_newcomer_gets_working_copies_of_all_descriptors_in_order() {
    let (name, door) = door("welcome");
    // SAFETY: eventfd takes no pointers.
    let mut fds: [RawFd; HANDED] = std::array::from_fn(|_| unsafe { libc::eventfd(0, 0) });
    fds.sort_unstable();
    let knocker = thread::spawn(move || knock(&name, "tap:x"));
    assert_eq!(
        answer_one(
            door,
            &Answer::Welcome {
                fds: &fds,
                place: 5
            }
        ),
        std::process::id()
    );
    let handed = knocker
        .join()
        .expect("no panic")
        .expect("no error")
        .expect("a keeper");
    assert_eq!(handed.place, 5);
    for (at, (ours, theirs)) in fds
        .iter()
        .zip([handed.region, handed.device].iter().chain(&handed.bells))
        .enumerate()
    {
        let count = (at as u64 + 1).to_ne_bytes();
        sys::write(*ours, &count).expect("write");
        let mut read = [0; 8];
        sys::read(*theirs, &mut read).expect("read");
        assert_eq!(read, count);
        sys::close(*ours);
        sys::close(*theirs);
    }
    sys::close(door);
}

#[test]
fn a_live_program_is_told_apart_from_a_lone_keeper() {
    let (name, door) = door("busy");
    let knocker = thread::spawn(move || knock(&name, "tap:x"));
    answer_one(door, &Answer::InUse);
    let answer = knocker.join().expect("no panic");
    assert!(matches!(answer, Err(StartError::InUse(device)) if device == "tap:x"));
    sys::close(door);
}
