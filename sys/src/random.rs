//! Random numbers of the kernel.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::errno::Errno;

/// Fresh random bytes, as many as fit.
pub fn random<const N: usize>() -> Result<[u8; N], Errno> {
    let mut bytes = [0; N];
    let got = getrandom(&mut bytes, GetRandomFlags::empty())?;
    // Up to 256 bytes are never cut short.
    if got == N {
        Ok(bytes)
    } else {
        Err(Errno(libc::EINTR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random::<16>(), random());
    }
}
