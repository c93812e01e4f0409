//! The capture of a family: NSTK_PCAP.
//!
//! Its channel is made before the device is opened or a keeper joined, and its file is opened and its writer
//! started afterwards, so that a program which cannot start leaves the file alone. A program that joins a
//! keeper brings its own channel, or none, in the place of the one that the keeper had.

use core::ffi::CStr;
use core::time::Duration;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use arrayvec::ArrayVec;
use env::{OnFailure, Settings};
use nicio::capture::{CHANNEL_FDS, CaptureError, Channel, News, Recorder, Writer};
use region::{OwnedFd, RawFd};

use crate::error::{StartError, one_line};
use crate::family::Family;
use crate::host::Host;
use crate::{keeper, own, sys};

/// The first argument that makes the keeper's program a capture's writer.
pub const CAPTURE: &str = "capture";

/// How long a process that ends waits for its last frames to be written.
const FLUSH_PATIENCE: Duration = Duration::from_millis(100);

/// A capture's descriptors, or none.
pub(crate) type CaptureFds = ArrayVec<RawFd, CHANNEL_FDS>;

/// A running capture, as a member sees it.
#[derive(Clone)]
pub(crate) struct Capture {
    /// For the device, and for the next one when the stack is renewed.
    recorder: Recorder,
    path: PathBuf,
    limit_bytes: u64,
}

/// A capture that has no file yet.
pub(crate) struct Prepared {
    capture: Capture,
    writer: Channel,
}

impl Prepared {
    /// What the settings ask for. `Ok(None)`: nothing, or what cannot be had and may be missing.
    pub(crate) fn make(settings: &Settings, host: Host) -> Result<Option<Self>, StartError> {
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
            Err(why) => missing(settings, host, why).map(|()| None),
        }
    }

    /// The members' end is at high descriptor numbers.
    fn make_channel() -> Result<(Channel, Channel), CaptureError> {
        let (low, writer) = Channel::make()?;
        let [memory, bell] = low.fds().map(own::copy_high);
        let (Ok(memory), Ok(bell)) = (memory, bell) else {
            return Err(CaptureError::System("fcntl", sys::Errno(libc::EMFILE)));
        };
        // SAFETY: the copies were made just now and nobody else owns them.
        let high = [memory, bell].map(|fd| unsafe { OwnedFd::from_raw(fd) });
        Ok((Channel::from_fds(high)?, writer))
    }

    pub(crate) fn capture(&self) -> &Capture {
        &self.capture
    }

    /// Makes the file and starts its writer, now that there is a stack.
    pub(crate) fn begin(
        self,
        settings: &Settings,
        host: Host,
        program: Option<&CStr>,
    ) -> Result<(), StartError> {
        let Self { capture, writer } = self;
        let begun = capture.start_writer(&writer, &settings.device.to_string(), program);
        match begun {
            Ok(()) => Ok(()),
            Err(why) => {
                capture.recorder.channel().close();
                missing(settings, host, why)
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
        let [memory, bell] = writer.fds();
        let fds = [memory, bell, file.as_raw()];
        let numbers = fds.map(|fd| fd.to_string());
        let mut arguments = vec![CAPTURE.to_owned(), self.limit_bytes.to_string()];
        arguments.extend(numbers);
        program
            .and_then(|program| keeper::spawn(program, &arguments, &fds))
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
    fn tell(&self, host: Host, news: News) {
        let path = one_line(&self.path);
        let stopped = "no more frames are captured";
        match news {
            News::Lossy => (host.complain)(format_args!(
                "NSTK_PCAP={path}: frames come faster than they can be written; the file counts those that are missing"
            )),
            News::Full => (host.complain)(format_args!(
                "NSTK_PCAP={path}: the file has its {} bytes, {stopped}; NSTK_PCAP_LIMIT sets another limit",
                self.limit_bytes
            )),
            News::Failed(errno) => (host.complain)(format_args!(
                "NSTK_PCAP={path}: {}, {stopped}",
                CaptureError::Write(errno)
            )),
            News::NoWriter => (host.complain)(format_args!(
                "NSTK_PCAP={path}: the process that writes the file was killed, {stopped}"
            )),
        }
    }
}

impl Family {
    /// For the keeper, whose only thread this is: captures over another channel from now on, or not at all.
    pub(crate) fn set_recorder(&mut self, recorder: Option<Recorder>) {
        self.device.get_mut().nic.set_recorder(recorder);
    }

    /// Tells the user what has happened to the capture since.
    pub(crate) fn tell_news(&self) {
        if let Some(capture) = &self.capture
            && let Some(news) = capture.recorder.channel().news()
        {
            capture.tell(self.host, news);
        }
    }

    /// This process is about to end: waits shortly for what it has captured to be in the file.
    pub fn flush_capture(&self) {
        if let Some(capture) = &self.capture {
            capture.recorder.channel().flush(FLUSH_PATIENCE);
            self.tell_news();
        }
    }
}

/// A recorder over descriptors that another process passed on, if there are any.
pub(crate) fn recorder(fds: impl IntoIterator<Item = OwnedFd>) -> Option<Recorder> {
    let fds: ArrayVec<OwnedFd, CHANNEL_FDS> = fds.into_iter().take(CHANNEL_FDS).collect();
    let channel = Channel::from_fds(fds.into_inner().ok()?).ok()?;
    Some(Recorder::new(Arc::new(channel)))
}

/// There is no capture: one line, and by the user's choice no program either.
fn missing(settings: &Settings, host: Host, why: CaptureError) -> Result<(), StartError> {
    let path = settings.capture.iter().map(|capture| &capture.path);
    let error = StartError::Capture(path.cloned().collect(), why);
    match settings.on_failure {
        OnFailure::Kernel => {
            (host.complain)(format_args!("{error}; going on without a capture"));
            Ok(())
        }
        OnFailure::Exit => Err(error),
    }
}

/// The life of a capture's writer.
pub struct CaptureDuty(Writer);

impl CaptureDuty {
    /// From the arguments behind [`CAPTURE`]: the file's limit in bytes, the descriptors of the channel's
    /// writing end and of the file.
    ///
    /// # Errors
    /// One line's worth of what is wrong.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, StartError> {
        let wrong = || StartError::Keeper("bad arguments of a capture");
        let (limit, fds) = arguments.split_first().ok_or_else(wrong)?;
        let limit_bytes = limit.parse().map_err(|_| wrong())?;
        let fds: ArrayVec<RawFd, 3> = fds.iter().filter_map(|text| text.parse().ok()).collect();
        let fds = fds.into_inner().map_err(|_| wrong())?;
        keeper::settle(&fds);
        // It ends with those who record; whatever tells all processes of a service to end shall not end it
        // before them. Nor shall SIGXFSZ.
        sys::block_signals();
        sys::set_name(c"nstk-capture");
        // SAFETY: this process was started with these descriptors and nobody else in it owns them.
        let [memory, bell, file] = fds.map(|fd| unsafe { OwnedFd::from_raw(fd) });
        let channel = Channel::from_fds([memory, bell]).map_err(|_| wrong())?;
        Ok(Self(Writer::new(channel, file, limit_bytes)))
    }

    /// Writes until nobody is left who could record.
    pub fn run(self) {
        self.0.run();
    }
}
