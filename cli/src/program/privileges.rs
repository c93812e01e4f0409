//! Privileges that a file gives to who runs it: the dynamic linker then ignores LD_PRELOAD (ld.so(8), "secure-execution mode").

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::getxattr;
use rustix::process::{getegid, geteuid};

use super::Obstacle;

const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;
const GROUP_EXECUTES: u32 = 0o010;

/// What running the file would give this user beyond what she has.
pub(crate) fn gained(path: &Path) -> Option<Obstacle> {
    let file = metadata(path).ok()?;
    let (user, group) = (geteuid(), getegid());
    if file.mode() & SET_UID != 0 && file.uid() != user.as_raw() {
        return Some(Obstacle::SetId("set-user-id"));
    }
    // Without the group's x the bit means something else (inode(7)).
    let set_gid = SET_GID | GROUP_EXECUTES;
    if file.mode() & set_gid == set_gid && file.gid() != group.as_raw() {
        return Some(Obstacle::SetId("set-group-id"));
    }
    // Root gains nothing by a file's capabilities (`cap_bprm_creds_from_file` in security/commoncap.c).
    let has_capabilities = getxattr(path, "security.capability", &mut [0u8; 64]).is_ok();
    (has_capabilities && !user.is_root()).then_some(Obstacle::Capabilities)
}
