//! Entry points for the fuzzer (`fuzz/`), which is outside this crate: what a keeper and a program that asks to join say
//! to each other. Nothing else here is built differently for it.

use std::thread;

use sys::RawFd;

use crate::named_socket::{self, NamedSocket};
use crate::rendezvous::{Answer, PATIENCE_MS, request_join};
use crate::unix_messages;
use crate::visitor::{self, Visitor};

/// A keeper receives a message with descriptors, and refuses whoever is understood.
///
/// # Panics
/// There are no sockets.
pub fn keeper_hears(message: &[u8], fds: &[RawFd]) {
    let name = name("keeper");
    let listener = bind(&name);
    let newcomer = named_socket::connect(&name, PATIENCE_MS).expect("somebody listens");
    // One that cannot say anything leaves, so that nobody waits for it.
    let newcomer = newcomer.filter(|newcomer| unix_messages::send(newcomer, message, fds));
    if let Some(mut heard) = visitor::accept(listener.fd()).and_then(Visitor::newcomer) {
        drop(heard.take_capture());
        heard.answer(&Answer::Full);
    }
    drop(newcomer);
}

/// A newcomer hears this answer, and gives up what it is handed.
///
/// # Panics
/// There are no sockets.
pub fn newcomer_hears(message: &[u8], fds: &[RawFd]) {
    let name = name("newcomer");
    let listener = bind(&name);
    thread::scope(|scope| {
        let heard = scope.spawn(|| request_join(&name, &[]));
        // It does not wait.
        let (socket, _) = loop {
            match unix_messages::accept(listener.fd()) {
                Some(accepted) => break accepted,
                None => thread::yield_now(),
            }
        };
        unix_messages::send(&socket, message, fds);
        drop(socket);
        drop(heard.join());
    });
}

/// Other processes of the user bind names, too, and then this one has to wait.
fn bind(name: &str) -> NamedSocket {
    loop {
        match NamedSocket::bind(name) {
            Some(listener) => return listener,
            None => thread::yield_now(),
        }
    }
}

/// Fuzzers run side by side.
fn name(who: &str) -> String {
    format!("nstk-fuzz-{who}-{}", std::process::id())
}
