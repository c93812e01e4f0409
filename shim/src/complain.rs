//! Lines of text for the user, on stderr.

use core::ffi::c_int;
use core::time::Duration;

/// Longest line that is printed whole.
const LINE_MAX: usize = 1024;

/// Prints one line for the user, with one write(2).
pub(crate) fn complain(line: core::fmt::Arguments<'_>) {
    let mut text = Line::<LINE_MAX>::new();
    let _ = core::fmt::Write::write_fmt(&mut text, format_args!("nstk: {line}"));
    text.print();
}

/// A line of text of limited length; what does not fit is left out.
pub(crate) struct Line<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Line<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// The text; empty if a character was cut at the end.
    pub(crate) fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Writes it to stderr, with a line feed.
    pub(crate) fn print(&mut self) {
        let end = self.len.min(N - 1);
        self.bytes[end] = b'\n';
        if takes_messages(libc::STDERR_FILENO) {
            let _ = sys::write(libc::STDERR_FILENO, &self.bytes[..=end]);
        }
    }
}

impl<const N: usize> core::fmt::Write for Line<N> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        // The last byte is kept for the line feed.
        let room = N - 1 - self.len;
        let fits = text.len().min(room);
        self.bytes[self.len..self.len + fits].copy_from_slice(&text.as_bytes()[..fits]);
        self.len += fits;
        Ok(())
    }
}

/// Whether a line may go there: not into a pipe without a reader, which would be SIGPIPE for the program, nor to the peer
/// of a socket that has got the number.
fn takes_messages(fd: c_int) -> bool {
    let mut poll = [libc::pollfd {
        fd,
        events: libc::POLLOUT,
        revents: 0,
    }];
    let polled = sys::ppoll(&mut poll, Some(Duration::ZERO), None);
    let [libc::pollfd { revents, .. }] = poll;
    let is_broken = polled.is_ok() && revents & (libc::POLLERR | libc::POLLNVAL) != 0;
    let is_internet = matches!(sys::socket_domain(fd), Ok(libc::AF_INET | libc::AF_INET6));
    !is_broken && !is_internet
}
