//! NSTK_FAIL: what to do when the stack cannot be had.

use crate::problem::Problem;
use crate::text::bare;

/// What to do when the stack cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// Go on with the kernel's stack.
    #[default]
    Kernel,
    /// End the program with [`OnFailure::STATUS`]; refuse each socket that only the kernel's stack could serve, unless a
    /// documented rule gives it to the kernel.
    Exit,
}

impl OnFailure {
    /// Exit status of a program that ends since the stack cannot be had: `EX_UNAVAILABLE` of sysexits.h.
    pub const STATUS: i32 = 69;

    /// What the variables NSTK_FAIL and NSTK_CONFIG ask for by themselves. The settings file is not read here, so that
    /// nobody knows what it says: it counts as `exit`. Nothing is allocated.
    #[must_use]
    pub fn unread(fail: Option<&[u8]>, config: Option<&[u8]>) -> Self {
        let names_file = config.is_some_and(|path| str::from_utf8(path).map(bare) != Ok(""));
        let unsaid = if names_file {
            Self::Exit
        } else {
            Self::default()
        };
        fail.and_then(Self::said).unwrap_or(unsaid)
    }

    /// What a value of the setting asks for.
    pub(crate) fn of(text: Option<&str>) -> Self {
        text.and_then(|text| Self::said(text.as_bytes()))
            .unwrap_or_default()
    }

    /// What a value asks for. Whoever sets it means to be safe, so that a word which is wrong itself counts as `exit`.
    /// `None`: it is blank, which counts as not set.
    pub(crate) fn said(text: &[u8]) -> Option<Self> {
        match str::from_utf8(text).map(bare) {
            Ok("") => None,
            Ok(word) => Some(Self::parse(word).unwrap_or(Self::Exit)),
            Err(_) => Some(Self::Exit),
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "kernel" => Ok(Self::Kernel),
            "exit" => Ok(Self::Exit),
            _ => Err(Problem::FailWord),
        }
    }
}
