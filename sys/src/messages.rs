//! Messages that carry descriptors; unix(7), `SCM_RIGHTS`.

use core::mem::MaybeUninit;

use rustix::cmsg_space;
use rustix::io::{IoSlice, IoSliceMut};
use rustix::net::{
    self, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

use crate::errno::Errno;
use crate::fd::{OwnedFd, RawFd, borrow};

/// Most descriptors in one message.
pub const MESSAGE_FDS_MAX: usize = 96;

const CONTROL_BYTES: usize = cmsg_space!(ScmRights(MESSAGE_FDS_MAX));

/// sendmsg(2) of bytes and descriptors, which never raises SIGPIPE.
pub fn send_message(socket: RawFd, bytes: &[u8], fds: &[RawFd]) -> Result<(), Errno> {
    let socket = borrow(socket)?;
    let mut borrowed = [socket; MESSAGE_FDS_MAX];
    for (to, fd) in borrowed.iter_mut().zip(fds) {
        *to = borrow(*fd)?;
    }
    let fds = borrowed.get(..fds.len()).ok_or(Errno(libc::EINVAL))?;
    let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(fds));
    }
    let bytes = [IoSlice::new(bytes)];
    net::sendmsg(socket, &bytes, &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Waits for a message, recvmsg(2). Answers how many bytes have come; each descriptor that has come goes to `each`.
pub fn receive_message(
    socket: RawFd,
    bytes: &mut [u8],
    each: impl FnMut(OwnedFd),
) -> Result<usize, Errno> {
    receive(socket, bytes, RecvFlags::empty(), each)
}

/// As [`receive_message`], but leaves the message where it is, and does not wait for one.
pub fn peek_message(
    socket: RawFd,
    bytes: &mut [u8],
    each: impl FnMut(OwnedFd),
) -> Result<usize, Errno> {
    receive(socket, bytes, RecvFlags::PEEK | RecvFlags::DONTWAIT, each)
}

fn receive(
    socket: RawFd,
    bytes: &mut [u8],
    flags: RecvFlags,
    mut each: impl FnMut(OwnedFd),
) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [IoSliceMut::new(bytes)];
    let flags = flags | RecvFlags::CMSG_CLOEXEC;
    let received = net::recvmsg(borrow(socket)?, &mut bytes, &mut control, flags)?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            fds.map(OwnedFd::new).for_each(&mut each);
        }
    }
    Ok(received.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptors::is_open;
    use crate::files::status;
    use crate::memfd::memfd;
    use crate::sockets::socketpair;

    #[test]
    fn descriptors_lead_to_the_same_files_at_the_other_end() {
        let (one, other) = socketpair().expect("a pair");
        let files = [c"first", c"second"].map(|name| memfd(name).expect("memory"));
        let fds = [files[0].as_raw(), files[1].as_raw()];
        send_message(one.as_raw(), b"two", &fds).expect("there is room");
        let (mut bytes, mut at) = ([0; 8], 0);
        let received = receive_message(other.as_raw(), &mut bytes, |fd| {
            assert_eq!(status(fd.as_raw()), status(fds[at]));
            at += 1;
        });
        assert_eq!((received, at), (Ok(3), 2));
        assert_eq!(&bytes[..3], b"two");
    }

    #[test]
    fn a_message_that_was_peeked_at_comes_again() {
        let (one, other) = socketpair().expect("a pair");
        let nothing = peek_message(other.as_raw(), &mut [0; 1], drop);
        assert_eq!(nothing, Err(Errno(libc::EAGAIN)));
        let file = memfd(c"file").expect("memory");
        send_message(one.as_raw(), b"x", &[file.as_raw()]).expect("there is room");
        let mut is_same = [false; 2];
        let [first, second] = &mut is_same;
        let is_file = |fd: OwnedFd| status(fd.as_raw()) == status(file.as_raw());
        let peeked = peek_message(other.as_raw(), &mut [0; 1], |fd| *first = is_file(fd));
        let received = receive_message(other.as_raw(), &mut [0; 1], |fd| *second = is_file(fd));
        assert_eq!((peeked, received, is_same), (Ok(1), Ok(1), [true; 2]));
    }

    #[test]
    fn what_cannot_be_sent_is_an_error() {
        let (one, _other) = socketpair().expect("a pair");
        let many = [one.as_raw(); MESSAGE_FDS_MAX + 1];
        let sent = send_message(one.as_raw(), b"x", &many);
        assert_eq!(sent, Err(Errno(libc::EINVAL)));
        let sent = send_message(one.as_raw(), b"x", &[-1]);
        assert_eq!(sent, Err(Errno(libc::EBADF)));
        send_message(one.as_raw(), b"x", &many[1..]).expect("that many fit");
    }

    #[test]
    fn a_descriptor_that_is_not_kept_is_closed() {
        let (one, other) = socketpair().expect("a pair");
        send_message(one.as_raw(), b"x", &[one.as_raw()]).expect("there is room");
        let mut number = -1;
        let received = receive_message(other.as_raw(), &mut [0; 1], |fd| number = fd.as_raw());
        assert_eq!(received, Ok(1));
        assert!(number >= 0 && !is_open(number));
    }
}
