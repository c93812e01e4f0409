//! Doors for the fuzzer (`fuzz/`), which is outside this crate: what a keeper and who knocks say to each other. Nothing else
//! here is built differently for it.

use std::os::fd::RawFd;
use std::thread;

use nicio::DeviceSpec;

use crate::door::{self, Door};
use crate::passing;
use crate::rendezvous::{Answer, PATIENCE_MS, knock, open_to_newcomer};

/// A keeper hears a message with descriptors at its door, and refuses whoever is understood.
///
/// # Panics
/// There are no sockets.
pub fn keeper_hears(message: &[u8], fds: &[RawFd]) {
    let name = name("keeper");
    let door = open(&name);
    let newcomer = door::connect(&name, PATIENCE_MS).expect("the door is open");
    // One that cannot say anything leaves, so that nobody waits for it.
    let newcomer = newcomer.filter(|newcomer| passing::send(newcomer, message, fds));
    if let Some(mut heard) = open_to_newcomer(door.fd()) {
        drop(heard.take_capture());
        heard.answer(&Answer::InUse);
    }
    drop(newcomer);
}

/// A newcomer hears this answer, and gives up what it is handed.
///
/// # Panics
/// There are no sockets.
pub fn newcomer_hears(message: &[u8], fds: &[RawFd]) {
    let name = name("newcomer");
    let door = open(&name);
    thread::scope(|scope| {
        let heard = scope.spawn(|| {
            let device: DeviceSpec = "tap:tap0".parse().expect("a device");
            knock(&name, &device, &[])
        });
        // The door does not wait.
        let (socket, _) = loop {
            match passing::accept(door.fd()) {
                Some(accepted) => break accepted,
                None => thread::yield_now(),
            }
        };
        passing::send(&socket, message, fds);
        drop(socket);
        drop(heard.join());
    });
}

/// Other processes of the user open and close doors, too, and then this one has to wait.
fn open(name: &str) -> Door {
    loop {
        match Door::open(name) {
            Some(door) => return door,
            None => thread::yield_now(),
        }
    }
}

/// Fuzzers run side by side.
fn name(who: &str) -> String {
    format!("nstk-fuzz-{who}-{}", std::process::id())
}
