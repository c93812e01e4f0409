//! New namespaces for the network, for mounts and for what is started next.

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use rustix::process::{getgid, getuid};

use crate::reason::reason;

/// What this process may do in the network that it comes from.
#[derive(Clone, Copy)]
pub(super) enum Rights {
    Root,
    /// It is root in its own namespaces only.
    User,
}

/// Moves this process into a network and a mount namespace of its own, and its next child into a process namespace.
/// Who is not allowed to gets a user namespace first, in which she is root.
pub(super) fn enter() -> Result<Rights, String> {
    let wanted = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID;
    match unshare(wanted) {
        Ok(()) => Ok(Rights::Root),
        Err(Errno::EPERM) => enter_as_user(wanted).map(|()| Rights::User),
        Err(error) => Err(format!("network namespaces cannot be made here: {error}")),
    }
}

fn enter_as_user(wanted: CloneFlags) -> Result<(), String> {
    // Afterwards these are nobody's.
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER | wanted).map_err(|error| {
        format!(
            "no permission to make a network namespace ({error}): run as root, or allow user namespaces \
             (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"
        )
    })?;
    write("/proc/self/setgroups", "deny")?;
    // Since Linux 5.12 this takes CAP_SETFCAP from root, who may have lost it, as in a container.
    write("/proc/self/uid_map", &format!("0 {user} 1")).map_err(|why| {
        format!("this user cannot be root in a namespace ({why}): make a tap without nstk lab, as docs/network.md tells")
    })?;
    write("/proc/self/gid_map", &format!("0 {group} 1"))
}

fn write(path: &str, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{path}: {}", reason(&error)))
}
