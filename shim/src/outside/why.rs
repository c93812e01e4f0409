//! Why the library does not come into a program.

use core::fmt;

/// Why the library does not come into a program. Displays as the reason and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outside {
    /// No dynamic linker, so nobody to load the library.
    Static,
    /// For another processor, or for 32 bits.
    Machine,
    /// Another libc's dynamic linker.
    Loader,
    /// The file gives privileges, so that the dynamic linker loads no libraries of the user's.
    Privileges,
    /// Its environment does not name the library.
    NoPreload,
    /// It cannot open the library that its environment names.
    Closed,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "it is statically linked; use a dynamically linked build",
            Self::Machine => "it is made for another kind of processor; use a 64-bit build for this machine",
            Self::Loader => "its dynamic linker is not glibc's; use a build for glibc",
            Self::Privileges => {
                "it has privileges that its user has not, and LD_PRELOAD does not count for such programs; run it as root"
            }
            Self::NoPreload => "its environment has no LD_PRELOAD=libnstk.so; start it without `env -i` and the like",
            Self::Closed => {
                "it cannot open the libnstk.so that LD_PRELOAD names; install the library where every user can read it, and name it by its whole path"
            }
        })
    }
}
