//! The machine and its kernel.

use core::ffi::CStr;
use core::fmt;

use rustix::system::{self, Uname};

/// What runs this machine; shown as `Linux 6.18.0 x86_64`.
pub struct SystemName(Uname);

/// uname(2).
#[must_use]
pub fn system_name() -> SystemName {
    SystemName(system::uname())
}

impl fmt::Display for SystemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &CStr, f: &mut fmt::Formatter<'_>| match name.to_str() {
            Ok(name) => f.write_str(name),
            Err(_) => f.write_str("?"),
        };
        text(self.0.sysname(), f)?;
        f.write_str(" ")?;
        text(self.0.release(), f)?;
        f.write_str(" ")?;
        text(self.0.machine(), f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    #[test]
    fn a_system_is_named_by_kernel_release_and_machine() {
        let name = super::system_name().to_string();
        let words: std::vec::Vec<&str> = name.split(' ').collect();
        assert_eq!((words.len(), words[0]), (3, "Linux"), "{name}");
    }
}
