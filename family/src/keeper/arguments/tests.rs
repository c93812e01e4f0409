use std::sync::atomic::Ordering;
use std::thread;

use nicio::link::{Cable, End};

use super::Keeper;
use crate::error::StartError;
use crate::fd_list;
use crate::process_hooks::ProcessHooks;
use crate::rendezvous::request_join;
use crate::testing::{end_of, fork, linked_family, listen, settings};
use crate::wakers::WAKERS;
use crate::{Family, members};

/// The arguments of a keeper with these descriptors: region, wakers and, at the end, the device's.
fn arguments(name: &str, fds: &[i32]) -> [String; 7] {
    let tag = End::First.to_byte().to_string();
    let fds = fd_list::write(fds);
    ["link:it", "10.0.0.1", "test", name, &tag, "0", &fds].map(str::to_owned)
}

fn refused(arguments: &[String]) -> &'static str {
    match Keeper::from_arguments(arguments) {
        Err(StartError::Keeper(why)) => why,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was started"),
    }
}

#[test]
fn a_keeper_with_wrong_arguments_is_refused() {
    // Numbers that are not open: nothing must come of them.
    let fds: Vec<i32> = (1000..).take(1 + WAKERS + 5).collect();
    assert_eq!(refused(&arguments("it", &fds)), "bad device", "5 of them");
    assert_eq!(
        refused(&arguments("it", &fds[..WAKERS])),
        "descriptors are missing"
    );
    let right = arguments("it", &fds[..1 + WAKERS + 4]);
    let changed = |at: usize, text: &str| {
        let mut arguments = right.clone();
        arguments[at] = text.to_owned();
        refused(&arguments)
    };
    assert_eq!(changed(0, "it"), "bad device");
    assert_eq!(changed(4, "it"), "bad device");
    assert_eq!(changed(5, "9"), "descriptors are missing");
    assert_eq!(changed(6, "it"), "bad descriptors");
    assert_eq!(refused(&right[1..]), "it was started without arguments");
}

#[test]
fn a_keeper_keeps_a_listener_until_another_program_comes() {
    let cable = Cable::make().expect("there is memory");
    let settings = settings(&[]);
    let program = linked_family(&settings, &cable);
    listen(&program);
    let handles = end_of(&cable, End::First);
    let mut fds = vec![program.shared.region().fd().expect("it has one")];
    fds.extend(program.wakers.fds());
    fds.extend(handles.fds.iter().map(sys::OwnedFd::as_raw));
    let name = format!("test-arguments-{}", std::process::id());
    let arguments = arguments(&name, &fds);
    let life = fork(|| {
        let keeper = Keeper::from_arguments(&arguments);
        keeper.expect("its arguments are right").run();
    });
    let words = program.words();
    while words.keeper_pid.load(Ordering::Relaxed) != life.pid() {
        thread::yield_now();
    }
    // The program leaves without closing its listener, as one does that is replaced by exec.
    members::unregister(words, program.member());
    let handed = loop {
        match request_join(&name, &[]) {
            Ok(Some(handed)) => break handed,
            // It may not have its name yet.
            Ok(None) => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let joined = Family::join(&settings, ProcessHooks::none(), handed, None);
    let joined = joined.expect("nothing is wrong").expect("it is sound");
    let listeners = joined.enter(|state, _| state.stack.live_connections());
    assert_eq!(listeners, Ok(1));
    joined.give_up();
    joined.wakers.wake_all();
    assert!(life.ends_well(), "its stack is dead");
}
