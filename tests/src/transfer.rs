//! A file from one program to another.

use std::process::Command;
use std::time::Duration;

use crate::lab::Lab;
use crate::outcome::Running;
use crate::scratch::{Scratch, noise};

/// Runs two shells side by side, each with a line to do, in a directory with a file `sent` of so many bytes: afterwards `received` must be
/// its equal, and frames must have come by the tap. The one that connects does so again and again until the other listens.
///
/// # Panics
/// When a shell fails, or the bytes differ.
pub fn transfer(
    lab: &Lab,
    bytes: usize,
    (mut listening, listen): (Command, &str),
    (mut connecting, connect): (Command, &str),
) {
    // A path that loses much may leave little of a rate.
    let patience = Duration::from_secs(60 + bytes as u64 / 200_000);
    let scratch = Scratch::new();
    let bytes = noise(bytes);
    scratch.write("sent", &bytes);
    let shell = |command: &mut Command, line: &str| {
        Running::start(command.args(["-c", line]).current_dir(scratch.path()))
    };
    lab.through_tap(|| {
        let server = shell(&mut listening, listen);
        // There is nobody to ask whether the server listens already, and a connection to find out would be the one that it serves.
        let again = format!("until {connect}; do sleep 0.05; done");
        let client = shell(&mut connecting, &again);
        client.finish_within(patience).success();
        server.finish_within(patience).success();
    });
    let received = scratch.read("received");
    assert_eq!(received.len(), bytes.len());
    assert!(received == bytes, "the bytes differ");
}

/// [`transfer`] in a lab of its own; the side that connects is under the library.
pub fn transfer_by_client(bytes: usize, listen: &str, connect: &str) {
    let lab = Lab::new();
    let (kernel, nstk) = (lab.kernel("sh"), lab.nstk("sh"));
    transfer(&lab, bytes, (kernel, listen), (nstk, connect));
}

/// [`transfer`] in a lab of its own; the side that listens is under the library.
pub fn transfer_by_server(bytes: usize, listen: &str, connect: &str) {
    let lab = Lab::new();
    let (kernel, nstk) = (lab.kernel("sh"), lab.nstk("sh"));
    transfer(&lab, bytes, (nstk, listen), (kernel, connect));
}
