//! A packet socket on an interface that the kernel uses, too (packet(7)): the stack has an address of its own there, and the
//! interface's MAC address.
//!
//! Frames come by a ring of slots, which are looked at without a system call. A frame that is longer than a slot, such as a
//! super-frame, is fetched from the socket's queue straight into the stack's buffers. Frames leave by sendmmsg(2), with their
//! segmentation and checksums left to the interface.

mod claim;
mod cursor;
mod filter;
mod ring;
mod socket;
#[cfg(test)]
mod tests;

use arrayvec::ArrayVec;
use libc::{iovec, mmsghdr};
use stack::{Addr, DeviceOffload, MAX_PIECES};
use sys::{Errno, OwnedFd, RawFd};

use crate::interface::Control;
use crate::io_vector::io_vector;
use crate::rx::{RX_FRAME_BUFS, RX_FRAME_START, RxBurst, RxMeta};
use crate::tx::{TX_BURST_MAX, TxBurst, TxSlot};
use crate::vnet::{self, VNET_HEADER_BYTES};
use crate::{Caps, Handles, InterfaceName, Nic, NicError, OpenError, WaitHandle};
use ring::{Frame, Place, Ring};

/// So many looks at an empty ring, and the socket is asked whether its interface has gone.
const LOOKS_PER_QUESTION: u32 = 1024;

/// A packet socket with its ring.
#[derive(Debug)]
pub struct Packet {
    fd: OwnedFd,
    ring: Ring,
    name: InterfaceName,
    index: i32,
    caps: Caps,
    claims: Claims,
    frames_lost: u64,
    empty_looks: u32,
}

/// What keeps the stack's addresses from other stacks.
type Claims = ArrayVec<OwnedFd, 2>;

impl Packet {
    /// Opens the interface `name` of this thread's network namespace for a stack with the addresses `own`.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is left behind.
    pub fn open(name: InterfaceName, own: &[Addr]) -> Result<Self, OpenError> {
        let control = Control::new()?;
        let index = index(&control, name)?;
        let own: ArrayVec<Addr, 2> = own
            .iter()
            .copied()
            .filter(|own| !own.is_unspecified())
            .take(2)
            .collect();
        let claims = own.iter().map(|own| claim::claim(name, index, *own));
        let claims = claims.collect::<Result<Claims, _>>()?;
        let (fd, ring) = socket::open(name, index, control.mtu(name)?, &own)?;
        Self::set_up(fd, ring, name, index, claims)
    }

    /// The device behind handles: the socket, the cursor of its ring, and the claims.
    pub(crate) fn from_handles(
        name: InterfaceName,
        handles: Handles<OwnedFd>,
    ) -> Result<Self, OpenError> {
        let mut fds = handles.fds.into_iter();
        let (Some(fd), Some(cursor)) = (fds.next(), fds.next()) else {
            return Err(OpenError::WrongHandles);
        };
        let index = socket::bound_to(fd.as_raw()).map_err(|_| OpenError::WrongHandles)?;
        let ring = Ring::open(fd.as_raw(), cursor).map_err(|_| OpenError::WrongHandles)?;
        Self::set_up(fd, ring, name, index, fds.collect())
    }

    fn set_up(
        fd: OwnedFd,
        ring: Ring,
        name: InterfaceName,
        index: i32,
        claims: Claims,
    ) -> Result<Self, OpenError> {
        let control = Control::new()?;
        let caps = Caps {
            mtu: control.mtu(name)?,
            mac: Some(control.mac(name)?.ok_or(OpenError::NotEthernet(name))?),
            offload: DeviceOffload::all(),
            max_burst: TX_BURST_MAX,
            queues: 1,
        };
        Ok(Self {
            fd,
            ring,
            name,
            index,
            caps,
            claims,
            frames_lost: 0,
            empty_looks: 0,
        })
    }

    /// Frames that could not be kept or sent since the socket was opened here.
    #[must_use]
    pub fn frames_lost(&self) -> u64 {
        self.frames_lost
    }

    /// Moves the frame at the ring's head into the burst, which has room. Whether it could.
    fn take(&self, frame: Frame, burst: &mut RxBurst) -> bool {
        match frame.place {
            Place::Slot(at) => self.take_from_slot(at, frame.len, burst),
            Place::Queue => self.take_from_queue(burst),
            Place::Nowhere => false,
        }
    }

    fn take_from_slot(&self, at: usize, len: u32, burst: &mut RxBurst) -> bool {
        let mut header = [0; VNET_HEADER_BYTES];
        let place = self.ring.at(at.wrapping_sub(VNET_HEADER_BYTES));
        // SAFETY: the ring has judged that the header lies before the frame, within the slot. Nobody writes there
        // until the slot is given back.
        unsafe {
            header
                .as_mut_ptr()
                .copy_from_nonoverlapping(place, VNET_HEADER_BYTES)
        };
        let (mut done, mut gap) = (0, usize::from(RX_FRAME_START));
        for piece in burst.room() {
            let part = (len as usize - done).min(piece.len().saturating_sub(gap));
            // SAFETY: the part ends within the piece and, as the ring has judged, within the slot. The burst's counts
            // say that nobody else uses the buffer, and the region is mapped.
            unsafe { piece.copy_from(gap, self.ring.at(at + done), part) };
            (done, gap) = (done + part, 0);
            if done == len as usize {
                break;
            }
        }
        burst.received(meta(header, len))
    }

    fn take_from_queue(&self, burst: &mut RxBurst) -> bool {
        let mut header = [0; VNET_HEADER_BYTES];
        let mut into = ArrayVec::<iovec, { 1 + RX_FRAME_BUFS }>::new();
        into.push(io_vector(header.as_mut_ptr(), header.len()));
        let mut gap = usize::from(RX_FRAME_START);
        for piece in burst.room().take(RX_FRAME_BUFS) {
            let rest = piece.len().saturating_sub(gap);
            into.push(io_vector(piece.as_ptr().wrapping_add(gap), rest));
            gap = 0;
        }
        let capacity: usize = into.iter().map(|io| io.iov_len).sum();
        // SAFETY: the header is on this stack; the buffers are mapped, and the burst's counts on them say that nobody
        // else uses their content.
        let Ok(bytes) = (unsafe { sys::readv(self.fd.as_raw(), &into) }) else {
            return false;
        };
        let len = u32::try_from(bytes.saturating_sub(VNET_HEADER_BYTES));
        // A frame that fills everything has probably lost its end.
        bytes < capacity && len.is_ok_and(|len| burst.received(meta(header, len)))
    }

    /// Nothing is in the ring. An error that waits would keep sleepers awake until somebody takes it, so it is taken now and then.
    fn look_for_errors(&mut self) -> Result<(), NicError> {
        self.empty_looks = self.empty_looks.wrapping_add(1);
        if !self.empty_looks.is_multiple_of(LOOKS_PER_QUESTION) {
            return Ok(());
        }
        match sys::socket_error(self.fd.as_raw()) {
            Ok(()) => Ok(()),
            Err(_) if self.is_gone() => Err(NicError::Gone),
            Err(_) => Ok(()),
        }
    }

    /// Whether the interface has gone, or its name is another's now.
    fn is_gone(&self) -> bool {
        let index = Control::new().and_then(|control| control.index(self.name));
        index != Ok(self.index)
    }
}

/// What the kernel says about a received frame.
fn meta(header: [u8; VNET_HEADER_BYTES], len: u32) -> RxMeta {
    let (checksum, gso_size) = vnet::decode(header);
    RxMeta {
        start: RX_FRAME_START,
        len,
        checksum,
        gso_size,
    }
}

/// The interface's number.
fn index(control: &Control, name: InterfaceName) -> Result<i32, OpenError> {
    control.index(name).map_err(|error| {
        if error == OpenError::NoDevice(name) {
            OpenError::NoInterface(name)
        } else {
            error
        }
    })
}

/// Whether the interface is there, and this process may make packet sockets.
///
/// # Errors
/// See [`OpenError`].
pub(crate) fn check(name: InterfaceName) -> Result<(), OpenError> {
    let control = Control::new()?;
    index(&control, name)?;
    if control.mac(name)?.is_none() {
        return Err(OpenError::NotEthernet(name));
    }
    socket::unbound(name).map(drop)
}

/// The messages of a burst, one for each frame.
struct Messages {
    vectors: ArrayVec<iovec, { TX_BURST_MAX * (1 + MAX_PIECES) }>,
    headers: ArrayVec<mmsghdr, TX_BURST_MAX>,
}

impl Messages {
    const fn new() -> Self {
        Self {
            vectors: ArrayVec::new_const(),
            headers: ArrayVec::new_const(),
        }
    }

    /// Describes the frames. The vectors must not move as long as the headers are used.
    fn describe<'a>(&mut self, frames: impl Iterator<Item = &'a TxSlot>) {
        for frame in frames {
            let from = self.vectors.len();
            let head = frame.head();
            self.vectors
                .push(io_vector(head.as_ptr().cast_mut(), head.len()));
            let pieces = frame.pieces().iter();
            self.vectors
                .extend(pieces.map(|piece| io_vector(piece.as_ptr(), piece.len())));
            self.headers.push(sys::message(&mut self.vectors[from..]));
        }
    }
}

impl Nic for Packet {
    fn caps(&self) -> &Caps {
        &self.caps
    }

    fn rx_burst(&mut self, burst: &mut RxBurst) -> Result<usize, NicError> {
        let mut frames = 0;
        while burst.has_room() {
            let Some(frame) = self.ring.head() else {
                if frames == 0 {
                    self.look_for_errors()?;
                }
                break;
            };
            let taken = self.take(frame, burst);
            self.ring.advance();
            if taken {
                frames += 1;
            } else {
                self.frames_lost += 1;
            }
        }
        Ok(frames)
    }

    fn tx_burst(&mut self, burst: &mut TxBurst) -> Result<usize, NicError> {
        let mut frames = 0;
        while !burst.is_empty() {
            let mut messages = Messages::new();
            messages.describe((0..burst.len()).filter_map(|index| burst.frame(index)));
            // SAFETY: heads are borrowed, pieces are mapped and pinned by the burst's counts; the kernel only reads.
            let sent = match unsafe { sys::send_messages(self.fd.as_raw(), &mut messages.headers) }
            {
                Ok(sent) => sent,
                Err(Errno(libc::ENXIO | libc::ENODEV | libc::EBADF)) => return Err(NicError::Gone),
                Err(Errno(libc::EAGAIN | libc::ENOMEM | libc::EINTR)) => break,
                // ENETDOWN: as good as an unplugged cable. ENOBUFS: a queue was full. Others: the kernel dislikes this
                // frame, and would dislike it again.
                Err(_) => {
                    self.frames_lost += 1;
                    1
                }
            };
            burst.sent(sent);
            frames += sent;
        }
        Ok(frames)
    }

    fn wait_handle(&self) -> WaitHandle {
        WaitHandle::kernel(self.fd.as_raw())
    }

    fn handles(&self) -> Handles<RawFd> {
        let own = [self.fd.as_raw(), self.ring.cursor()].into_iter();
        Handles {
            fds: own.chain(self.claims.iter().map(OwnedFd::as_raw)).collect(),
            tag: 0,
        }
    }
}
