//! The value that setsockopt(2) is given.

use core::ffi::{c_int, c_void};

use libc::socklen_t;
use sys::Errno;

use super::CONGESTION_NAME_MAX;
use crate::replay;

/// The value as the program gave it, without what is longer than any option.
pub(super) struct Value {
    bytes: [u8; replay::VALUE_MAX],
    len: usize,
}

impl Value {
    /// # Safety
    /// `from` must be null or readable for `len` bytes.
    pub(super) unsafe fn read(from: *const c_void, len: socklen_t) -> Result<Self, Errno> {
        let len = c_int::try_from(len).map_err(|_| Errno(libc::EINVAL))?;
        let len = (len.unsigned_abs() as usize).min(replay::VALUE_MAX);
        if from.is_null() && len > 0 {
            return Err(Errno(libc::EFAULT));
        }
        let mut bytes = [0; replay::VALUE_MAX];
        if len > 0 {
            // SAFETY: whoever calls `read` promises `len` readable bytes; the array has room for as many.
            unsafe { core::ptr::copy_nonoverlapping(from.cast(), bytes.as_mut_ptr(), len) };
        }
        Ok(Self { bytes, len })
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn part<const N: usize>(&self, at: usize) -> Result<[u8; N], Errno> {
        let part = self.as_bytes().get(at..at + N).ok_or(Errno(libc::EINVAL))?;
        part.try_into().map_err(|_| Errno(libc::EINVAL))
    }

    pub(super) fn int(&self) -> Result<c_int, Errno> {
        Ok(c_int::from_ne_bytes(self.part(0)?))
    }

    pub(super) fn ints(&self) -> Result<[c_int; 2], Errno> {
        Ok([
            c_int::from_ne_bytes(self.part(0)?),
            c_int::from_ne_bytes(self.part(4)?),
        ])
    }

    pub(super) fn flag(&self) -> Result<bool, Errno> {
        Ok(self.int()? != 0)
    }

    pub(super) fn within(&self, lowest: c_int, highest: c_int) -> Result<u32, Errno> {
        let value = self.int()?;
        if !(lowest..=highest).contains(&value) {
            return Err(Errno(libc::EINVAL));
        }
        Ok(value.cast_unsigned())
    }

    /// ip(7) options may be given as one byte.
    pub(super) fn byte_or_int(&self) -> Result<c_int, Errno> {
        match self.as_bytes() {
            [byte, rest @ ..] if rest.len() < 3 => Ok(c_int::from(*byte)),
            _ => self.int(),
        }
    }

    /// `SO_MAX_PACING_RATE`: 4 or 8 bytes, all ones for no limit.
    pub(super) fn rate(&self) -> Result<u64, Errno> {
        if let Ok(wide) = self.part(0) {
            return Ok(u64::from_ne_bytes(wide));
        }
        let narrow = self.int()?.cast_unsigned();
        Ok(if narrow == u32::MAX {
            u64::MAX
        } else {
            u64::from(narrow)
        })
    }

    /// A timeval in nanoseconds; 0: no timeout. A negative time has passed already.
    pub(super) fn timeout_ns(&self) -> Result<u64, Errno> {
        let seconds = i64::from_ne_bytes(self.part(0)?);
        let micros = i64::from_ne_bytes(self.part(8)?);
        if !(0..1_000_000).contains(&micros) {
            return Err(Errno(libc::EDOM));
        }
        let Ok(seconds) = u64::try_from(seconds) else {
            return Ok(1);
        };
        let ns = micros.unsigned_abs() * 1000;
        Ok(seconds.saturating_mul(1_000_000_000).saturating_add(ns))
    }

    /// Text, with or without a zero byte.
    pub(super) fn name(&self) -> Result<&str, Errno> {
        let bytes = self.as_bytes();
        let bytes = &bytes[..bytes.len().min(CONGESTION_NAME_MAX - 1)];
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        match core::str::from_utf8(&bytes[..end]) {
            Ok("") => Err(Errno(libc::EINVAL)),
            Ok(name) => Ok(name),
            Err(_) => Err(Errno(libc::ENOENT)),
        }
    }
}
