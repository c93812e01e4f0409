//! What keeps the library out of a program.

use std::fmt;

/// A reason why a program's sockets would be the kernel's all the same. Displays as the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Nothing that can be run, and why.
    NotAProgram(String),
    /// Made for another processor, or for 32 bits.
    Architecture,
    /// No dynamic linker, so nobody to load the library.
    Static,
    /// Another libc's dynamic linker.
    Loader(String),
    /// Changes user or group when it is run.
    SetId(&'static str),
    /// Is given capabilities when it is run.
    Capabilities,
    /// A Go program: it calls the kernel itself.
    Go,
    /// ThreadSanitizer's run-time is linked in.
    ThreadSanitizer,
}

impl Obstacle {
    /// What to do about it.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::NotAProgram(_) => "give it a program or a script",
            Self::Architecture => "use a 64-bit build for this machine",
            Self::Static => "use a dynamically linked build of it",
            Self::Loader(_) => "use a build for glibc",
            Self::SetId(_) | Self::Capabilities => {
                "run a copy of the file, which has no such privileges, or run it as root"
            }
            Self::Go => "no build of it can be intercepted yet",
            Self::ThreadSanitizer => "use a build without -fsanitize=thread",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAProgram(reason) => f.write_str(reason),
            Self::Architecture => f.write_str("it is made for another kind of processor"),
            Self::Static => {
                f.write_str("it is statically linked, so no library can be loaded into it")
            }
            Self::Loader(path) => write!(f, "it is loaded by {path}, which is not glibc's"),
            Self::SetId(which) => write!(
                f,
                "it is {which}, so libraries of the user's are not loaded into it"
            ),
            Self::Capabilities => f.write_str(
                "the file gives it capabilities, so libraries of the user's are not loaded into it",
            ),
            Self::Go => {
                f.write_str("it is a Go program, which makes its system calls without libc")
            }
            Self::ThreadSanitizer => f.write_str(
                "it runs under ThreadSanitizer, which does not get along with the library",
            ),
        }
    }
}
