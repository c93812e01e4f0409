//! What the keeper is started with.

use std::sync::atomic::Ordering;

use nicio::{DeviceSpec, HANDLE_FDS_MAX, Handles};
use sys::{OwnedFd, RawFd};

use super::Keeper;
use super::sleep::WATCH_GAP;
use crate::error::StartError;
use crate::family::Family;
use crate::named_socket::NamedSocket;
use crate::wakers::WAKERS;
use crate::{capture, fd_list, spawn};

impl Keeper {
    /// From the keeper's arguments. Three are for who lists processes: the device, the stack's addresses, and the program
    /// that the keeper was started for. Then come the rendezvous name, the tag of the device's handles, how many
    /// descriptors a capture has, and the list of descriptors: of region, wakers, capture and device.
    ///
    /// # Errors
    /// One line's worth of what is wrong.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, StartError> {
        let [device, _, _, name, tag, capture_fds, fds] = arguments else {
            return Err(StartError::Keeper("it was started without arguments"));
        };
        let spec: DeviceSpec = device
            .parse()
            .map_err(|_| StartError::Keeper("bad device"))?;
        let fds = fd_list::read(fds).ok_or(StartError::Keeper("bad descriptors"))?;
        let missing = StartError::Keeper("descriptors are missing");
        let capture_fds = capture_fds.parse().unwrap_or(0);
        let parts = fds.split_first().and_then(|(region, rest)| {
            let (wakers, rest) = rest.split_first_chunk::<WAKERS>()?;
            let (capture, device) = rest.split_at_checked(capture_fds)?;
            Some((region, wakers, capture, device))
        });
        let Some((region, wakers, capture, device)) = parts else {
            return Err(missing);
        };
        if device.len() > HANDLE_FDS_MAX {
            return Err(StartError::Keeper("bad device"));
        }
        let tag = tag.parse().map_err(|_| StartError::Keeper("bad device"))?;
        spawn::settle(&fds);
        // One for each member.
        sys::raise_open_files();
        // SAFETY: the keeper was started with these descriptors and nobody else in it owns them.
        let own = |fd: &RawFd| unsafe { OwnedFd::from_raw(*fd) };
        let device = Handles {
            fds: device.iter().map(own).collect(),
            tag,
        };
        let capture = capture.iter().map(own);
        let recorder = capture::recorder(capture);
        let family = Family::keep(spec, own(region), *wakers, device, recorder)?;
        family
            .words()
            .keeper_pid
            .store(sys::process_id(), Ordering::Release);
        // One that was killed has left its holds to this place.
        let member = family.member();
        let _ = family.enter(|state, now| state.release_all(now, member));
        let listener = NamedSocket::bind(name);
        let waker = family.wakers.take(family.words(), family.pid());
        Ok(Self {
            family,
            name: name.clone(),
            listener,
            waker,
            watched: Vec::new(),
            unborn: Vec::new(),
            held: Vec::new(),
            leaving: Vec::new(),
            bridges: Vec::new(),
            idle_since: None,
            watch_gap: WATCH_GAP,
            last_poll_seen: 0,
            own_poll: u64::MAX,
        })
    }
}

#[cfg(test)]
mod tests;
