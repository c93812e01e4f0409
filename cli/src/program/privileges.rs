//! Privileges that a file gives to who runs it: the dynamic linker then ignores LD_PRELOAD (ld.so(8), "secure-execution mode").

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::getxattr;
use rustix::process::{getegid, geteuid};

use super::Obstacle;

/// What running the file would give this user beyond what she has.
pub(super) fn gained(path: &Path) -> Option<Obstacle> {
    let file = metadata(path).ok()?;
    let privileges = Privileges {
        mode: file.mode(),
        user: file.uid(),
        group: file.gid(),
        has_capabilities: getxattr(path, "security.capability", &mut [0u8; 64]).is_ok(),
    };
    privileges.gained_by(geteuid().as_raw(), getegid().as_raw())
}

/// What a file's inode says.
struct Privileges {
    mode: u32,
    user: u32,
    group: u32,
    has_capabilities: bool,
}

const SET_UID: u32 = 0o4000;
/// Without the group's x the bit means something else (inode(7)).
const SET_GID: u32 = 0o2010;
const ROOT: u32 = 0;

impl Privileges {
    fn gained_by(&self, user: u32, group: u32) -> Option<Obstacle> {
        if self.mode & SET_UID == SET_UID && self.user != user {
            return Some(Obstacle::SetId("set-user-id"));
        }
        if self.mode & SET_GID == SET_GID && self.group != group {
            return Some(Obstacle::SetId("set-group-id"));
        }
        // Root gains nothing by a file's capabilities (`cap_bprm_creds_from_file` in security/commoncap.c).
        (self.has_capabilities && user != ROOT).then_some(Obstacle::Capabilities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_user_does_not_have_is_gained() {
        let plain = Privileges {
            mode: 0o755,
            user: ROOT,
            group: 8,
            has_capabilities: false,
        };
        let by_user = Some(Obstacle::SetId("set-user-id"));
        let by_group = Some(Obstacle::SetId("set-group-id"));
        for (mode, has_capabilities, user, group, expected) in [
            (0o755, false, 1000, 1000, None),
            (0o4755, false, 1000, 1000, by_user),
            (0o4755, false, ROOT, ROOT, None),
            (0o2755, false, 1000, 1000, by_group.clone()),
            (0o2755, false, ROOT, ROOT, by_group),
            (0o2755, false, 1000, 8, None),
            (0o2745, false, 1000, 1000, None),
            (0o755, true, 1000, 1000, Some(Obstacle::Capabilities)),
            (0o755, true, ROOT, ROOT, None),
        ] {
            let file = Privileges {
                mode,
                has_capabilities,
                ..plain
            };
            assert_eq!(file.gained_by(user, group), expected, "{mode:o} {user}");
        }
    }
}
