//! The capture of a family: NSTK_PCAP.
//!
//! Its channel is made before the device is opened or a keeper joined, and its file is opened and its writer
//! started afterwards, so that a program which cannot start leaves the file alone. A program that joins a
//! keeper brings its own channel, or none, in the place of the one that the keeper had.

use core::ffi::CStr;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use arrayvec::ArrayVec;
use env::{OnFailure, Settings};
use nicio::capture::{CHANNEL_FDS, CaptureError, Channel, News, Recorder};
use sys::{OwnedFd, RawFd};

use crate::capture_writer::CAPTURE;
use crate::error::{StartError, one_line};
use crate::process_hooks::ProcessHooks;
use crate::{private_fds, spawn};

/// A capture's descriptors, or none.
pub(crate) type CaptureFds = ArrayVec<RawFd, CHANNEL_FDS>;

/// A running capture, as a member sees it.
#[derive(Clone)]
pub(crate) struct Capture {
    /// For the device, and for the next one when the stack is renewed.
    pub(crate) recorder: Recorder,
    path: PathBuf,
    limit_bytes: u64,
}

/// A capture that has no file yet.
pub(crate) struct Prepared {
    capture: Capture,
    writer: Channel,
}

impl Prepared {
    /// What the settings ask for. `Ok(None)`: they ask for none, or it cannot be made and the program starts without it.
    pub(crate) fn make(
        settings: &Settings,
        hooks: ProcessHooks,
    ) -> Result<Option<Self>, StartError> {
        let Some(wanted) = &settings.capture else {
            return Ok(None);
        };
        let made = Self::make_channel().map(|(channel, writer)| Self {
            capture: Capture {
                recorder: Recorder::new(Arc::new(channel)),
                path: wanted.path.clone(),
                limit_bytes: wanted.limit_bytes,
            },
            writer,
        });
        match made {
            Ok(prepared) => Ok(Some(prepared)),
            Err(why) => missing(settings, hooks, why).map(|()| None),
        }
    }

    /// The members' end is at high descriptor numbers.
    fn make_channel() -> Result<(Channel, Channel), CaptureError> {
        let (low, writer) = Channel::make()?;
        let [memory, socket] = low.fds().map(private_fds::private_copy);
        let (Ok(memory), Ok(socket)) = (memory, socket) else {
            return Err(CaptureError::System("fcntl", sys::Errno(libc::EMFILE)));
        };
        Ok((Channel::from_fds([memory, socket])?, writer))
    }

    pub(crate) fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Makes the file and starts its writer, now that there is a stack.
    pub(crate) fn begin(
        self,
        settings: &Settings,
        hooks: ProcessHooks,
        program: Option<&CStr>,
    ) -> Result<(), StartError> {
        let Self { capture, writer } = self;
        let begun = capture.start_writer(&writer, &settings.device.to_string(), program);
        match begun {
            Ok(()) => Ok(()),
            Err(why) => {
                capture.recorder.channel().close();
                missing(settings, hooks, why)
            }
        }
    }
}

impl Capture {
    fn start_writer(
        &self,
        writer: &Channel,
        interface: &str,
        program: Option<&CStr>,
    ) -> Result<(), CaptureError> {
        // A variable of the environment has no zero in it.
        let path = CString::new(self.path.as_os_str().as_bytes()).unwrap_or_default();
        let file = nicio::capture::create(&path, interface)?;
        let [memory, socket] = writer.fds();
        let fds = [memory, socket, file.as_raw()];
        let numbers = fds.map(|fd| fd.to_string());
        let mut arguments = vec![CAPTURE.to_owned(), self.limit_bytes.to_string()];
        arguments.extend(numbers);
        program
            .and_then(|program| spawn::spawn(program, &arguments, &fds))
            .ok_or(CaptureError::NoWriter)
    }

    pub(crate) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// The same capture for a fresh stack; `None`: it follows that of another process.
    pub(crate) fn renew(&self) -> Option<Self> {
        Some(Self {
            recorder: self.recorder.renew()?,
            ..self.clone()
        })
    }

    pub(crate) fn fds(&self) -> CaptureFds {
        self.recorder.channel().fds().into()
    }

    #[cold]
    pub(crate) fn tell(&self, hooks: ProcessHooks, news: News) {
        let path = one_line(&self.path);
        let stopped = "no more frames are captured";
        match news {
            News::Lossy => (hooks.complain)(format_args!(
                "NSTK_PCAP={path}: frames come faster than they can be written; the file counts those that are missing"
            )),
            News::Full => (hooks.complain)(format_args!(
                "NSTK_PCAP={path}: the file has its {} bytes, {stopped}; NSTK_PCAP_LIMIT sets another limit",
                self.limit_bytes
            )),
            News::Failed(errno) => (hooks.complain)(format_args!(
                "NSTK_PCAP={path}: {}, {stopped}",
                CaptureError::Write(errno)
            )),
            News::NoWriter => (hooks.complain)(format_args!(
                "NSTK_PCAP={path}: the process that writes the file was killed, {stopped}"
            )),
        }
    }
}

/// A recorder over descriptors that another process passed on, if there are any.
pub(crate) fn recorder(fds: impl IntoIterator<Item = OwnedFd>) -> Option<Recorder> {
    let fds: ArrayVec<OwnedFd, CHANNEL_FDS> = fds.into_iter().take(CHANNEL_FDS).collect();
    let channel = Channel::from_fds(fds.into_inner().ok()?).ok()?;
    Some(Recorder::new(Arc::new(channel)))
}

/// There is no capture. Tells the user so or, if she has chosen that, is the error that ends the start.
fn missing(settings: &Settings, hooks: ProcessHooks, why: CaptureError) -> Result<(), StartError> {
    let path = settings.capture.iter().map(|capture| &capture.path);
    let error = StartError::Capture(path.cloned().collect(), why);
    match settings.on_failure.unwrap_or_default() {
        OnFailure::Kernel => {
            (hooks.complain)(format_args!("{error}; going on without a capture"));
            Ok(())
        }
        OnFailure::Exit => Err(error),
    }
}

#[cfg(test)]
mod tests;
