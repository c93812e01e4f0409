//! The value that getsockopt(2) gives.

use core::ffi::c_int;

use stack::{CcKind, Error, TcpInfo};
use zerocopy::IntoBytes;

use super::CONGESTION_NAME_MAX;

/// An option's value.
#[expect(
    clippy::large_enum_variant,
    reason = "gone with the call; no heap in a socket call"
)]
pub(super) enum Answer {
    Int(c_int),
    /// Options of ip(7), which also fit into one byte.
    ByteOrInt(c_int),
    Wide(u64),
    /// `SO_LINGER`: on, seconds.
    Linger([c_int; 2]),
    /// A timeval: seconds, microseconds.
    Time([i64; 2]),
    Name([u8; CONGESTION_NAME_MAX]),
    Info(TcpInfo),
    /// No bytes: the name of no interface.
    Nothing,
}

impl Answer {
    /// The value as bytes, for a program that has room for `room` of them. It may be longer than that.
    pub(super) fn bytes(&self, room: usize) -> &[u8] {
        match self {
            // The machine is little-endian: the first byte is the lowest.
            Self::ByteOrInt(number) if (1..size_of::<c_int>()).contains(&room) => {
                &number.as_bytes()[..1]
            }
            Self::Int(number) | Self::ByteOrInt(number) => number.as_bytes(),
            Self::Wide(number) if room < size_of::<u64>() => &number.as_bytes()[..4],
            Self::Wide(number) => number.as_bytes(),
            Self::Linger(pair) => pair.as_bytes(),
            Self::Time(pair) => pair.as_bytes(),
            Self::Name(name) => name.as_slice(),
            Self::Info(info) => info.as_bytes(),
            Self::Nothing => &[],
        }
    }
}

/// Makes an answer from the number that the stack gives for an option.
pub(super) type Form = fn(u64) -> Result<Answer, Error>;

pub(super) fn int(value: u64) -> Result<Answer, Error> {
    Ok(Answer::Int(c_int::try_from(value).unwrap_or(c_int::MAX)))
}

pub(super) fn byte_or_int(value: u64) -> Result<Answer, Error> {
    Ok(Answer::ByteOrInt(
        c_int::try_from(value).unwrap_or(c_int::MAX),
    ))
}

/// The stack answers with the seconds plus one, 0 for off.
pub(super) fn linger(value: u64) -> Result<Answer, Error> {
    let seconds = c_int::try_from(value.saturating_sub(1)).unwrap_or(c_int::MAX);
    Ok(Answer::Linger([c_int::from(value != 0), seconds]))
}

pub(super) fn congestion(value: u64) -> Result<Answer, Error> {
    let kind = u8::try_from(value)
        .ok()
        .and_then(CcKind::from_u8)
        .ok_or(Error::InvalidArgument)?;
    let mut name = [0; CONGESTION_NAME_MAX];
    for (to, from) in name.iter_mut().zip(kind.name().bytes()) {
        *to = from;
    }
    Ok(Answer::Name(name))
}

pub(super) fn time(ns: u64) -> Answer {
    let micros = i64::try_from(ns.div_ceil(1000)).unwrap_or(i64::MAX);
    Answer::Time([micros / 1_000_000, micros % 1_000_000])
}
