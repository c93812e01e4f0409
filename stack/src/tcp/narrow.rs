//! Narrowing that is meant.

/// The lower half: counters and clocks of 32 bits go round.
pub(crate) fn low32(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::low32;

    #[test]
    fn the_upper_half_is_dropped() {
        assert_eq!(low32(0x1_0000_0007), 7);
        assert_eq!(low32(u64::MAX), u32::MAX);
    }
}
