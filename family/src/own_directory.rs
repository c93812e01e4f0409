//! Directories that belong to this user alone, where its sockets have their names: another user can neither
//! connect to them, nor take their names, nor remove them.
//!
//! Their names are random, and found by looking: where everybody may write, somebody else could take a fixed name.
//! There are several places, as not every system and not every user has all of them. There are several directories
//! in one place if two programs have made one at the same time.

use core::ffi::CStr;
use std::ffi::CString;

use arrayvec::ArrayVec;
use sys::{OwnedFd, RawFd};

/// Most directories of one user that are looked at: one for each place, and those made at the same time.
pub(crate) const DIRECTORIES_MAX: usize = 32;

/// Nothing for anybody but the owner.
const PRIVATE: u32 = 0o700;
const PERMISSIONS: u32 = 0o777;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// A directory of this user's own.
pub(crate) struct OwnDirectory {
    fd: OwnedFd,
    path: CString,
}

pub(crate) type Directories = ArrayVec<OwnDirectory, DIRECTORIES_MAX>;

impl OwnDirectory {
    /// The one at this path, if it is this user's own.
    pub(crate) fn at(path: &CStr) -> Option<Self> {
        let bytes = path.to_bytes();
        let slash = bytes.iter().rposition(|byte| *byte == b'/')?;
        let (parent, name) = bytes.split_at_checked(slash)?;
        let parent = Place::open(core::str::from_utf8(parent).ok()?)?;
        parent.directory(&CString::new(name.get(1..)?).ok()?)
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.fd.as_raw()
    }

    pub(crate) fn path(&self) -> &CStr {
        &self.path
    }

    fn is_at(&self, path: &CStr) -> bool {
        self.path.as_c_str() == path
    }

    /// Takes the directory away if nothing is in it.
    pub(crate) fn remove_if_empty(&self) {
        let _ = sys::remove_directory(&self.path);
    }
}

/// All directories of this user.
pub(crate) fn find() -> Directories {
    let prefix = prefix();
    let mut found = Directories::new();
    let mut names = Vec::with_capacity(sys::NAMES_BYTES);
    for place in places() {
        sys::for_each_name(place.fd.as_raw(), names.spare_capacity_mut(), |name| {
            if name.to_bytes().starts_with(prefix.as_bytes())
                && let Some(directory) = place.directory(name)
            {
                let _ = found.try_push(directory);
            }
            !found.is_full()
        });
    }
    found
}

/// The same. Makes one first if there is none.
pub(crate) fn find_or_make() -> Directories {
    let found = find();
    if !found.is_empty() {
        return found;
    }
    if places().any(|place| place.make().is_some()) {
        return find();
    }
    found
}

/// For root, who may look into them: the directories of other users, with their owners.
pub(crate) fn find_of_others() -> Vec<(OwnDirectory, u32)> {
    let mut found = Vec::new();
    let mut names = Vec::with_capacity(sys::NAMES_BYTES);
    for place in places_of_others() {
        sys::for_each_name(place.fd.as_raw(), names.spare_capacity_mut(), |name| {
            if let Some(owner) = owner_in(name).filter(|owner| *owner != sys::user_id())
                && let Some(directory) = place.directory_of(owner, name)
            {
                found.push((directory, owner));
            }
            found.len() < DIRECTORIES_MAX
        });
    }
    found
}

/// Whether there are no others than these.
pub(crate) fn are_all(known: &Directories) -> bool {
    let is_known = |one: &OwnDirectory| known.iter().any(|other| other.is_at(one.path()));
    find().iter().all(is_known)
}

fn prefix() -> String {
    format!("nstk-{}-", sys::user_id())
}

/// The user whose directory has this name.
fn owner_in(name: &CStr) -> Option<u32> {
    let (owner, _) = name.to_str().ok()?.strip_prefix("nstk-")?.split_once('-')?;
    owner.parse().ok()
}

/// A directory in which users may have directories.
struct Place {
    fd: OwnedFd,
    path: String,
}

/// Where to look, the best place first. What is in it goes when the user logs out. What is in the second goes when the
/// machine restarts. The third is always there.
fn places() -> impl Iterator<Item = Place> {
    let first = match sys::user_id() {
        0 => "/run".to_owned(),
        user => format!("/run/user/{user}"),
    };
    [first, "/dev/shm".to_owned(), "/tmp".to_owned()]
        .into_iter()
        .filter_map(|path| Place::open(&path))
}

/// Where other users have theirs.
fn places_of_others() -> Vec<Place> {
    let mut paths = vec!["/dev/shm".to_owned(), "/tmp".to_owned()];
    let mut names = Vec::with_capacity(sys::NAMES_BYTES);
    if let Some(users) = Place::open("/run/user") {
        sys::for_each_name(users.fd.as_raw(), names.spare_capacity_mut(), |name| {
            if let Ok(name) = name.to_str() {
                paths.push(format!("/run/user/{name}"));
            }
            paths.len() < DIRECTORIES_MAX
        });
    }
    paths.iter().filter_map(|path| Place::open(path)).collect()
}

impl Place {
    /// `None`: it is not there, or one where others may remove what is not theirs.
    fn open(path: &str) -> Option<Self> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let fd = sys::open(&CString::new(path).ok()?, flags, 0).ok()?;
        let mode = sys::status(fd.as_raw()).ok()?.mode;
        let is_safe = mode & WRITABLE_BY_OTHERS == 0 || mode & libc::S_ISVTX != 0;
        let path = path.to_owned();
        is_safe.then_some(Self { fd, path })
    }

    /// The directory of this name, if it is this user's alone.
    fn directory(&self, name: &CStr) -> Option<OwnDirectory> {
        let directory = self.directory_of(sys::user_id(), name)?;
        // In a user namespace all users that it does not know have one number, perhaps ours. Only the true
        // owner may set the mode.
        sys::set_mode(directory.fd(), PRIVATE).ok()?;
        Some(directory)
    }

    /// The directory of this name, if it is that user's alone.
    fn directory_of(&self, owner: u32, name: &CStr) -> Option<OwnDirectory> {
        let fd = sys::open_inside(self.fd.as_raw(), name).ok()?;
        let status = sys::status(fd.as_raw()).ok()?;
        if status.owner != owner || status.mode & PERMISSIONS != PRIVATE {
            return None;
        }
        let path = format!("{}/{}", self.path, name.to_str().ok()?);
        let path = CString::new(path).ok()?;
        Some(OwnDirectory { fd, path })
    }

    /// Makes a directory with a name that nobody has yet.
    fn make(&self) -> Option<()> {
        let random = u64::from_ne_bytes(sys::random().ok()?);
        let name = CString::new(format!("{}{random:016x}", prefix())).ok()?;
        sys::make_directory(self.fd.as_raw(), &name, PRIVATE).ok()?;
        self.directory(&name).map(drop)
    }
}

#[cfg(test)]
mod tests;
