//! exec(3) of a program without the library: in place of its connections it gets unix sockets, between which and the stack the
//! keeper copies.

use core::ffi::c_int;

use family::{AnnouncedExec, BRIDGES_MAX, Family, FileId};
use stack::SockKind;
use sys::OwnedFd;

use crate::descriptors::{self, Descriptor};
use crate::guard::guarded;
use crate::{carried, entering, errno, placeholder};

/// Whether this process has sockets of ours.
pub(crate) fn concerns_us() -> bool {
    descriptors::all().any(|(_, descriptor)| matches!(descriptor, Descriptor::Stack(_)))
}

/// Runs such an exec. When it has happened the keeper closes what the new program cannot use, and begins to copy.
pub(crate) fn exec(family: &Family, real: impl FnOnce() -> c_int) -> c_int {
    let mut bridged = None;
    guarded(|| bridged = Bridged::make(family));
    let result = real();
    let errno = errno::last();
    guarded(|| {
        if let Some(bridged) = bridged {
            bridged.undo();
        }
    });
    errno::set(errno);
    result
}

struct Bridged {
    exec: AnnouncedExec,
    /// Numbers that lead to unix sockets for the moment.
    numbers: Vec<c_int>,
}

/// A connection, and the pair that stands for it.
struct Pair {
    file: FileId,
    program_s: OwnedFd,
    keeper_s: OwnedFd,
}

impl Bridged {
    /// `None`: the keeper does not answer.
    fn make(family: &Family) -> Option<Self> {
        let stay: Vec<(c_int, FileId)> = carried::entries_that_stay()
            .filter_map(|entry| match entry.descriptor {
                Descriptor::Stack(file) if !entry.is_undecided => Some((entry.fd, file)),
                Descriptor::Stack(_) | Descriptor::Epoll(_) | Descriptor::Kernel => None,
            })
            .collect();
        let mut pairs: Vec<Pair> = Vec::new();
        for (_, file) in &stay {
            let is_known = pairs.iter().any(|pair| pair.file == *file);
            if !is_known && pairs.len() < BRIDGES_MAX {
                pairs.extend(Pair::make(*file));
            }
        }
        let ends: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.file, pair.keeper_s.as_raw()))
            .collect();
        let exec = family.announce_exec(&ends)?;
        let mut numbers = Vec::new();
        for (fd, file) in stay {
            if let Some(pair) = pairs.iter().find(|pair| pair.file == file)
                && placeholder::lay(pair.program_s.as_raw(), fd).is_ok()
            {
                numbers.push(fd);
            }
        }
        Some(Self { exec, numbers })
    }

    /// The exec has failed.
    fn undo(self) {
        for fd in self.numbers {
            let _ = placeholder::lay_over(fd);
        }
        self.exec.stay();
    }
}

impl Pair {
    /// `None`: the file can be no connection, or there are no descriptors left.
    fn make(file: FileId) -> Option<Self> {
        let flags = entering::on_socket(file, |state, _, sock| {
            // One that was reset has no peer any more, and the program shall learn it.
            let may_be_connected =
                state.stack.kind(sock) == Some(SockKind::Stream) && !state.stack.is_listener(sock);
            let flags = state.files.get(file).map_or(0, |record| record.flags);
            may_be_connected.then_some(flags)
        });
        let flags = flags.ok()??;
        let (program_s, keeper_s) = sys::socketpair().ok()?;
        if flags & libc::O_NONBLOCK as u32 != 0 {
            let _ = sys::set_nonblocking(program_s.as_raw());
        }
        Some(Self {
            file,
            program_s,
            keeper_s,
        })
    }
}
