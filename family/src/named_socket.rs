//! Listening sockets with names in a directory of this user's own. At most one process of the user has a name.

use std::ffi::CString;

use sys::{Errno, OwnedFd, RawFd};

use crate::own_directory::{self, Directories, OwnDirectory};
use crate::unix_messages::{self, Listener};

/// A listening socket. Its name is removed with the value.
pub(crate) struct NamedSocket {
    socket: OwnedFd,
    directory: OwnDirectory,
    name: CString,
    /// What the name must lead to; another number: somebody has removed it.
    inode: u64,
    /// Readable when names have gone from the directory. Without it a removed name goes unnoticed.
    removals: Option<OwnedFd>,
}

/// No file has it.
const NO_INODE: u64 = 0;

/// The socket behind `name`, connected to. `Ok(None)`: nobody of this user listens there.
///
/// # Errors
/// Somebody listens, but lets nobody in within `patience_ms`.
pub(crate) fn connect(name: &str, patience_ms: u32) -> Result<Option<OwnedFd>, Errno> {
    let Ok(name) = CString::new(name) else {
        return Ok(None);
    };
    for directory in own_directory::find() {
        let user = sys::user_id();
        if let Some(socket) = unix_messages::connect(directory.fd(), &name, user, patience_ms)? {
            return Ok(Some(socket));
        }
    }
    Ok(None)
}

/// For root: the sockets of other users behind `name`, connected to.
pub(crate) fn connect_to_others(name: &str, patience_ms: u32) -> Vec<OwnedFd> {
    let Ok(name) = CString::new(name) else {
        return Vec::new();
    };
    let connect = |(directory, owner): (OwnDirectory, u32)| {
        unix_messages::connect(directory.fd(), &name, owner, patience_ms).ok()?
    };
    own_directory::find_of_others()
        .into_iter()
        .filter_map(connect)
        .collect()
}

impl NamedSocket {
    /// Listens behind a name. `None`: another process has the name, or is just binding or removing one, or there
    /// is no directory for it.
    pub(crate) fn bind(name: &str) -> Option<Self> {
        let name = CString::new(name).ok()?;
        let directories = own_directory::find_or_make();
        if !lock(&directories) || !own_directory::are_all(&directories) {
            return None;
        }
        for directory in &directories {
            remove_dead(directory);
        }
        let is_there = |directory: &OwnDirectory| sys::status_inside(directory.fd(), &name).is_ok();
        if directories.iter().any(is_there) {
            return None;
        }
        directories.iter().find_map(|directory| {
            let socket = unix_messages::listen(directory.fd(), &name)?;
            // Opened anew: the lock goes with the others.
            let directory = OwnDirectory::at(directory.path())?;
            Self::new(socket, directory, name.clone())
        })
    }

    /// A socket that another process bound: its [`NamedSocket::fd`], directory and name.
    pub(crate) fn take_over(socket: OwnedFd, directory: &str, name: &str) -> Option<Self> {
        let directory = OwnDirectory::at(&CString::new(directory).ok()?)?;
        Self::new(socket, directory, CString::new(name).ok()?)
    }

    fn new(socket: OwnedFd, directory: OwnDirectory, name: CString) -> Option<Self> {
        let inode = sys::status_inside(directory.fd(), &name).ok()?.inode;
        Some(Self {
            removals: watch_removals(&directory).ok(),
            socket,
            directory,
            name,
            inode,
        })
    }

    /// The path of its directory.
    pub(crate) fn directory(&self) -> String {
        self.directory.path().to_string_lossy().into_owned()
    }

    /// Closes this process's descriptors of a socket that another process has taken over.
    pub(crate) fn hand_over(mut self) {
        self.inode = NO_INODE;
    }

    /// Binds again if there is no socket, or somebody has removed its name.
    pub(crate) fn restore(socket: &mut Option<Self>, name: &str) {
        if !socket.as_ref().is_some_and(Self::is_named) {
            *socket = Self::bind(name);
        }
    }

    /// Readable when somebody has connected.
    pub(crate) fn fd(&self) -> RawFd {
        self.socket.as_raw()
    }

    /// Readable when the name may have gone; `None`: nobody can tell.
    pub(crate) fn removals_fd(&self) -> Option<RawFd> {
        self.removals.as_ref().map(OwnedFd::as_raw)
    }

    /// Whether the name still leads here.
    fn is_named(&self) -> bool {
        if let Some(removals) = self.removals_fd() {
            let mut events = [0; 4096];
            while sys::read(removals, &mut events).is_ok() {}
        }
        sys::status_inside(self.directory.fd(), &self.name)
            .is_ok_and(|status| status.inode == self.inode)
    }
}

impl Drop for NamedSocket {
    fn drop(&mut self) {
        // Nobody takes the name while the socket is open.
        if self.is_named() {
            let _ = sys::unlink(self.directory.fd(), &self.name);
        }
        self.directory.remove_if_empty();
    }
}

/// Keeps other processes of this user from binding names until the directories are closed. `false`: one of
/// them is at it.
///
/// Two processes that look at the same time may find different directories, if one is made meanwhile. So each
/// looks once more under its locks, and gives up if there is a directory that it has not locked. The second of
/// the two to look finds the one that the first has a name in.
fn lock(directories: &Directories) -> bool {
    !directories.is_empty()
        && directories
            .iter()
            .all(|directory| sys::lock_file(directory.fd()).is_ok())
}

/// A descriptor that becomes readable when something goes from the directory, or it goes itself.
fn watch_removals(directory: &OwnDirectory) -> Result<OwnedFd, Errno> {
    let watch = sys::inotify()?;
    let path = CString::new(format!("/proc/self/fd/{}", directory.fd())).unwrap_or_default();
    let events = libc::IN_DELETE | libc::IN_MOVED_FROM | libc::IN_DELETE_SELF | libc::IN_ONLYDIR;
    sys::watch(watch.as_raw(), &path, events)?;
    Ok(watch)
}

/// Removes names whose processes were killed.
fn remove_dead(directory: &OwnDirectory) {
    let mut dead = Vec::new();
    let mut names = Vec::with_capacity(sys::NAMES_BYTES);
    let room = names.spare_capacity_mut();
    sys::for_each_name(directory.fd(), room, |name| {
        if unix_messages::probe(directory.fd(), name) == Listener::Dead {
            dead.push(name.to_owned());
        }
        true
    });
    for name in dead {
        let _ = sys::unlink(directory.fd(), &name);
    }
}

#[cfg(test)]
mod tests;
