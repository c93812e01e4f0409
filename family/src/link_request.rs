//! Asking for an end of a link.

use core::time::Duration;
use std::ffi::CStr;

use nicio::link::CABLE_FDS;
use nicio::{DeviceSpec, Handles};
use stack::Addr;
use sys::OwnedFd;

use crate::error::StartError;
use crate::link_broker::{FULL, LINK_BROKER, SAME_ADDRESS, WELCOME};
use crate::named_socket::{self, NamedSocket};
use crate::rendezvous::PATIENCE_MS;
use crate::socket_names::device_socket;
use crate::unix_messages::{self, Message};
use crate::{own_directory, spawn};

/// Tries to reach a link broker that is just ending, and the pause between them.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);

const SILENT: StartError = StartError::LinkBroker("it does not answer");
const NO_PLACE: StartError = StartError::LinkBroker(
    "no directory for its name can be made in /run/user (as root, /run), /dev/shm or /tmp",
);

/// An end of the link for a stack with this address, from its broker, which is started if there is none.
pub(crate) fn get_end(
    spec: &DeviceSpec,
    address: Addr,
    program: Option<&CStr>,
) -> Result<Handles<OwnedFd>, StartError> {
    let name = device_socket(spec);
    for _ in 0..TRIES {
        let found = named_socket::connect(&name, PATIENCE_MS).map_err(|_| SILENT)?;
        if let Some(socket) = found {
            if let Some(handles) = ask(spec, address, socket)? {
                return Ok(handles);
            }
        } else if let Some(listener) = NamedSocket::bind(&name) {
            start(&name, program, listener)?;
            // Connect without a pause: one that does not come up counts as one that does not answer.
            continue;
        } else if own_directory::find_or_make().is_empty() {
            return Err(NO_PLACE);
        }
        sys::pause(PAUSE);
    }
    Err(StartError::LinkBroker("it does not stay"))
}

/// `Ok(None)`: the link broker has ended instead of answering.
fn ask(
    spec: &DeviceSpec,
    address: Addr,
    socket: OwnedFd,
) -> Result<Option<Handles<OwnedFd>>, StartError> {
    if !unix_messages::send(&socket, &address.octets(), &[]) {
        return Ok(None);
    }
    let Message { bytes, fds } = match unix_messages::receive(&socket) {
        Ok(message) => message,
        Err(sys::Errno(libc::ECONNRESET)) => return Ok(None),
        Err(_) => return Err(SILENT),
    };
    match *bytes.as_slice() {
        [WELCOME, _] if fds.len() != CABLE_FDS => {
            Err(StartError::LinkBroker("its descriptors are missing"))
        }
        // The end is free again when the link closes the socket.
        [WELCOME, tag] => Ok(Some(Handles {
            fds: fds.into_iter().chain([socket]).collect(),
            tag,
        })),
        [FULL] => Err(StartError::LinkFull(spec.clone())),
        [SAME_ADDRESS] => Err(StartError::SameAddress(address)),
        [] => Ok(None),
        _ => Err(StartError::LinkBroker("its answer cannot be understood")),
    }
}

fn start(name: &str, program: Option<&CStr>, listener: NamedSocket) -> Result<(), StartError> {
    const FAILED: StartError =
        StartError::LinkBroker("nstk-keeper does not start; is it beside libnstk.so?");
    let program = program.ok_or(FAILED)?;
    let fd = listener.fd();
    let arguments = [
        LINK_BROKER.to_owned(),
        fd.to_string(),
        listener.directory(),
        name.to_owned(),
    ];
    spawn::spawn(program, &arguments, &[fd]).ok_or(FAILED)?;
    listener.hand_over();
    Ok(())
}

#[cfg(test)]
mod tests;
