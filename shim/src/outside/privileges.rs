//! Privileges that a file gives to who runs it: the dynamic linker ignores LD_PRELOAD then (ld.so(8), "secure-execution
//! mode").

use core::ffi::CStr;

const SET_UID: u32 = libc::S_ISUID;
/// Without the group's x the bit means something else (inode(7)).
const SET_GID: u32 = libc::S_ISGID | libc::S_IXGRP;
const ROOT: u32 = 0;

/// Whether the file gives this user rights beyond her own, or this process has some of another user's already.
pub(super) fn gains(path: &CStr) -> bool {
    if sys::has_other_effective_ids() {
        return true;
    }
    let Ok(file) = sys::status_of_path(path) else {
        return false;
    };
    let user = sys::user_id();
    let by_user = file.mode & SET_UID == SET_UID && file.owner != user;
    let by_group = file.mode & SET_GID == SET_GID && file.group != sys::group_id();
    // Root gains nothing by a file's capabilities (`cap_bprm_creds_from_file` in security/commoncap.c).
    by_user || by_group || (user != ROOT && sys::has_capabilities(path))
}
