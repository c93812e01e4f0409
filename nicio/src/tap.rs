//! A tap interface: frames to and from the kernel of this machine, super-segments and unfinished
//! checksums included (Documentation/networking/tuntap.rst).

mod check;
mod holder;
mod plain;
mod proc_files;

use core::iter;

use arrayvec::ArrayVec;
use libc::{c_int, iovec};
use stack::{DeviceOffload, MAX_PIECES};
use sys::{Errno, OwnedFd, RawFd};

use crate::interface::{Control, IfReq, ifreq};
use crate::io_vector::io_vector;
use crate::rx::{RX_FRAME_BUFS, RX_FRAME_START, RxBurst, RxMeta};
use crate::tap_defs as defs;
use crate::tx::{TX_BURST_MAX, TxBurst, TxSlot};
use crate::vnet::{self, VNET_HEADER_BYTES};
pub(crate) use check::check;
pub use holder::{Holder, is_keeper};
pub(crate) use holder::{find as find_holder, has_keeper};
pub use plain::use_plain_calls;

use crate::{Caps, Handles, InterfaceName, Nic, NicError, OpenError, WaitHandle};

/// An attached tap, one queue.
#[derive(Debug)]
pub struct Tap {
    fd: OwnedFd,
    name: InterfaceName,
    caps: Caps,
    frames_lost: u64,
}

impl Tap {
    /// Attaches to the existing interface `name` of this thread's network namespace.
    ///
    /// The interface may be down, or its carrier not up yet; frames are lost until it is.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is left behind.
    pub fn open(name: &str) -> Result<Self, OpenError> {
        let name: InterfaceName = name.parse()?;
        let control = Control::new()?;
        let index = control.index(name)?;
        let fd = open_tun(libc::O_NONBLOCK)?;
        attach(&fd, name, defs::IFF_VNET_HDR)?;
        // Had the interface gone in between, a privileged process would have made a new one.
        if control.index(name)? != index {
            return Err(OpenError::NoDevice(name));
        }
        Self::set_up(fd, name, &control)
    }

    /// The tap behind handles: its descriptor is all that they hold.
    pub(crate) fn from_handles(handles: Handles<OwnedFd>) -> Result<Self, OpenError> {
        let mut fds = handles.fds.into_iter();
        match (fds.next(), fds.next()) {
            (Some(fd), None) => Self::from_fd(fd),
            (None, _) | (Some(_), Some(_)) => Err(OpenError::WrongHandles),
        }
    }

    /// Takes over a descriptor that another process of the family attached with [`Self::open`].
    ///
    /// # Errors
    /// The descriptor is no attached tap, or its interface has gone.
    pub fn from_fd(fd: impl Into<OwnedFd>) -> Result<Self, OpenError> {
        let fd = fd.into();
        let mut request = IfReq {
            name: [0; libc::IFNAMSIZ],
            value: [0; 24],
        };
        // SAFETY: TUNGETIFF fills in an ifreq.
        unsafe {
            sys::ioctl(
                fd.as_raw(),
                defs::TUNGETIFF,
                (&raw mut request).expose_provenance(),
            )
        }
        .map_err(|errno| OpenError::Io("TUNGETIFF", errno))?;
        let name = request
            .name
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default();
        let name = str::from_utf8(name).unwrap_or_default().parse()?;
        Self::set_up(fd, name, &Control::new()?)
    }

    /// The interface's name.
    #[must_use]
    pub fn name(&self) -> InterfaceName {
        self.name
    }

    /// Frames that the kernel refused since the tap was opened, mostly because the interface is down.
    #[must_use]
    pub fn frames_lost(&self) -> u64 {
        self.frames_lost
    }

    fn set_up(fd: OwnedFd, name: InterfaceName, control: &Control) -> Result<Self, OpenError> {
        // The interface may remember another length from its last user.
        let header_bytes = VNET_HEADER_BYTES as libc::c_int;
        // SAFETY: TUNSETVNETHDRSZ reads an int.
        unsafe {
            sys::ioctl(
                fd.as_raw(),
                defs::TUNSETVNETHDRSZ,
                (&raw const header_bytes).expose_provenance(),
            )
        }
        .map_err(|errno| OpenError::Io("TUNSETVNETHDRSZ", errno))?;
        let takes = defs::TUN_F_CSUM | defs::TUN_F_TSO4 | defs::TUN_F_TSO6;
        // SAFETY: TUNSETOFFLOAD takes a number.
        unsafe { sys::ioctl(fd.as_raw(), defs::TUNSETOFFLOAD, takes) }
            .map_err(|errno| OpenError::Io("TUNSETOFFLOAD", errno))?;
        let caps = Caps {
            mtu: control.mtu(name)?,
            mac: None,
            offload: DeviceOffload::all(),
            max_burst: TX_BURST_MAX,
            queues: 1,
        };
        Ok(Self {
            fd,
            name,
            caps,
            frames_lost: 0,
        })
    }

    /// Reads one frame into the burst.
    fn read_frame(&self, burst: &mut RxBurst) -> Result<Read, NicError> {
        if !burst.has_room() {
            return Ok(Read::Nothing);
        }
        let mut header = [0; VNET_HEADER_BYTES];
        let mut into = ArrayVec::<iovec, { 1 + RX_FRAME_BUFS }>::new();
        into.push(io_vector(header.as_mut_ptr(), header.len()));
        let mut gap = RX_FRAME_START as usize;
        for piece in burst.room().take(RX_FRAME_BUFS) {
            into.push(io_vector(
                piece.as_ptr().wrapping_add(gap),
                piece.len().saturating_sub(gap),
            ));
            gap = 0;
        }
        let capacity: usize = into.iter().map(|io| io.iov_len).sum();
        // SAFETY: the header is on this stack; the buffers are mapped, and the burst's counts on them
        // say that nobody else uses their content.
        let bytes = match unsafe { plain::readv(self.fd.as_raw(), &into) } {
            Ok(bytes) => bytes,
            Err(Errno(libc::EBADFD | libc::EBADF)) => return Err(NicError::Gone),
            // EFAULT: a reader that was in the queue when the interface went; EBADFD comes next.
            Err(Errno(libc::EAGAIN | libc::EINTR | libc::EFAULT)) => return Ok(Read::Nothing),
            Err(errno) => return Err(NicError::Io(errno)),
        };
        let len = bytes.saturating_sub(VNET_HEADER_BYTES);
        let (checksum, gso_size) = vnet::decode(header);
        let Ok(len) = u32::try_from(len) else {
            return Ok(Read::Lost);
        };
        let meta = RxMeta {
            start: RX_FRAME_START,
            len,
            checksum,
            gso_size,
        };
        // A frame that fills everything has probably lost its end.
        let taken = bytes < capacity && burst.received(meta);
        Ok(if taken { Read::Frame } else { Read::Lost })
    }

    /// Writes one frame.
    fn write_frame(&self, frame: &TxSlot) -> Result<Written, NicError> {
        let mut from = ArrayVec::<iovec, { 1 + MAX_PIECES }>::new();
        from.push(io_vector(
            frame.head().as_ptr().cast_mut(),
            frame.head().len(),
        ));
        from.extend(
            frame
                .pieces()
                .iter()
                .map(|piece| io_vector(piece.as_ptr(), piece.len())),
        );
        // SAFETY: the head is borrowed, the pieces are mapped and pinned by the burst's counts; the
        // kernel only reads.
        match unsafe { plain::writev(self.fd.as_raw(), &from) } {
            Ok(_) => Ok(Written::Whole),
            Err(Errno(libc::EBADFD | libc::EBADF)) => Err(NicError::Gone),
            Err(Errno(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM | libc::EINTR)) => {
                Ok(Written::Full)
            }
            // EIO: the interface is down, as good as an unplugged cable. EINVAL and the like: the
            // kernel dislikes this frame, and would dislike it again.
            Err(_) => Ok(Written::Lost),
        }
    }
}

impl Nic for Tap {
    fn caps(&self) -> &Caps {
        &self.caps
    }

    fn rx_burst(&mut self, burst: &mut RxBurst) -> Result<usize, NicError> {
        let mut frames = 0;
        loop {
            match self.read_frame(burst)? {
                Read::Frame => frames += 1,
                Read::Lost => self.frames_lost += 1,
                Read::Nothing => return Ok(frames),
            }
        }
    }

    fn tx_burst(&mut self, burst: &mut TxBurst) -> Result<usize, NicError> {
        let mut frames = 0;
        while let Some(frame) = burst.frame(0) {
            match self.write_frame(frame)? {
                Written::Whole => {}
                Written::Lost => self.frames_lost += 1,
                Written::Full => break,
            }
            burst.sent(1);
            frames += 1;
        }
        Ok(frames)
    }

    fn wait_handle(&self) -> WaitHandle {
        WaitHandle::kernel(self.fd.as_raw())
    }

    fn handles(&self) -> Handles<RawFd> {
        Handles {
            fds: iter::once(self.fd.as_raw()).collect(),
            tag: 0,
        }
    }
}

enum Read {
    Frame,
    /// It came, but it cannot be kept.
    Lost,
    /// None has come, or there is no room for one.
    Nothing,
}

enum Written {
    Whole,
    /// Never to be sent.
    Lost,
    /// Not now.
    Full,
}

/// Attaches to the tap `name`, which is made if this process may and there is none, to be one end of a wire: a read or a write of the descriptor
/// moves one Ethernet frame that fits the interface's MTU and has its checksums, with nothing before it. A read waits for a frame.
///
/// # Errors
/// See [`OpenError`].
pub fn wire_end(name: &str) -> Result<std::os::fd::OwnedFd, OpenError> {
    let name = name.parse()?;
    let fd = open_tun(0)?;
    attach(&fd, name, 0)?;
    // The interface may remember what its last user took.
    // SAFETY: TUNSETOFFLOAD takes a number.
    unsafe { sys::ioctl(fd.as_raw(), defs::TUNSETOFFLOAD, 0) }
        .map_err(|errno| OpenError::Io("TUNSETOFFLOAD", errno))?;
    // SAFETY: the descriptor is open, and given away.
    Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(fd.into_raw()) })
}

fn open_tun(flags: c_int) -> Result<OwnedFd, OpenError> {
    let flags = flags | libc::O_RDWR | libc::O_CLOEXEC;
    sys::open(c"/dev/net/tun", flags, 0).map_err(|errno| match errno.0 {
        libc::EACCES | libc::EPERM => OpenError::TunPermission,
        _ => OpenError::NoTun(errno),
    })
}

fn attach(fd: &OwnedFd, name: InterfaceName, flags: u16) -> Result<(), OpenError> {
    let mut request = ifreq(name, flags | defs::IFF_TAP | defs::IFF_NO_PI);
    // SAFETY: TUNSETIFF reads an ifreq and fills in its name and flags.
    unsafe {
        sys::ioctl(
            fd.as_raw(),
            defs::TUNSETIFF,
            (&raw mut request).expose_provenance(),
        )
    }
    .map(|_| ())
    .map_err(|errno| match errno.0 {
        libc::EBUSY => OpenError::Busy(name),
        libc::EPERM => OpenError::Permission(name),
        libc::EINVAL => OpenError::NotATap(name),
        _ => OpenError::Io("TUNSETIFF", errno),
    })
}

#[cfg(test)]
mod tests;
