//! Numbers that are likely to be interesting.

use arbitrary::{Result, Unstructured};

/// `value` mostly, else something near it, seldom anything.
pub(super) fn near(bytes: &mut Unstructured<'_>, value: u32) -> Result<u32> {
    Ok(match bytes.arbitrary::<u8>()? {
        0..=159 => value,
        160..=199 => value.wrapping_add(small(bytes)?),
        200..=243 => value.wrapping_sub(small(bytes)?),
        244..=255 => bytes.arbitrary()?,
    })
}

/// Small mostly, seldom anything.
pub(super) fn small(bytes: &mut Unstructured<'_>) -> Result<u32> {
    Ok(match bytes.arbitrary::<u8>()? {
        small @ 0..=127 => small.into(),
        128..=239 => bytes.arbitrary::<u16>()?.into(),
        240..=255 => bytes.arbitrary()?,
    })
}

/// Bytes of a packet's payload: none, a few, full packets, seldom as many as a coalesced frame has.
pub(super) fn payload_len(bytes: &mut Unstructured<'_>) -> Result<usize> {
    Ok(match bytes.arbitrary::<u8>()? {
        0..=99 => 0,
        100..=149 => bytes.arbitrary::<u8>()?.into(),
        150..=219 => 1448,
        220..=239 => usize::from(bytes.arbitrary::<u16>()?) % 4096,
        240..=255 => usize::from(bytes.arbitrary::<u16>()?) % 60_000,
    })
}

/// Once in `times` on average; never with the bytes 0, so that what is short is plain.
pub(super) fn seldom(bytes: &mut Unstructured<'_>, times: u8) -> Result<bool> {
    Ok(bytes.arbitrary::<u8>()? > u8::MAX - u8::MAX / times)
}

/// One of `choices`.
pub(super) fn one_of<T: Copy>(bytes: &mut Unstructured<'_>, choices: &[T]) -> Result<T> {
    bytes.choose(choices).copied()
}
