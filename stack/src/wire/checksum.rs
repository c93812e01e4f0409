//! The Internet checksum (RFC 1071).
//!
//! Partial sums are `u32` values of 16-bit one's complement words in network order, folded or not; they may be added with
//! [`add`] in any order as long as every piece but the last has an even length.

use crate::addr::Addr;

/// Sum of `bytes` on top of `seed`. An odd last byte is padded with zero.
pub(crate) fn sum(bytes: &[u8], seed: u32) -> u32 {
    // Eight bytes at a time in native order; one's complement addition does not care about byte order (RFC 1071 section 2(B)).
    let mut total: u64 = 0;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let (added, carry) = total.overflowing_add(u64::from_ne_bytes(*word));
        total = added + u64::from(carry);
    }
    let mut last = [0u8; 8];
    if let Some(target) = last.get_mut(..rest.len()) {
        target.copy_from_slice(rest);
    }
    let (added, carry) = total.overflowing_add(u64::from_ne_bytes(last));
    let native = fold64(added + u64::from(carry));
    add(seed, u32::from(u16::from_be_bytes(native.to_ne_bytes())))
}

/// The sum of two partial sums.
pub(crate) const fn add(a: u32, b: u32) -> u32 {
    let (sum, carry) = a.overflowing_add(b);
    sum + carry as u32
}

/// The 16-bit one's complement value of a partial sum.
pub(crate) fn fold(sum: u32) -> u16 {
    fold64(u64::from(sum))
}

/// The checksum field for data with this partial sum.
pub(crate) fn finish(sum: u32) -> u16 {
    !fold(sum)
}

/// Partial sum of the pseudo-header (RFC 9293 section 3.1, RFC 768; RFC 8200 section 8.1). It is the same for both
/// versions of IP: what mapping adds to an IPv4 address is 0xffff, which is zero in one's complement.
pub(crate) fn pseudo(src: Addr, dst: Addr, protocol: u8, len: u32) -> u32 {
    let addresses = sum(&dst.octets(), sum(&src.octets(), u32::from(protocol)));
    add(addresses, (len >> 16) + (len & 0xffff))
}

fn fold64(mut sum: u64) -> u16 {
    sum = (sum >> 32) + (sum & 0xffff_ffff);
    sum = (sum >> 32) + (sum & 0xffff_ffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 1071 section 4.1, word for word.
    fn plain(bytes: &[u8]) -> u16 {
        let mut sum = 0u64;
        for pair in bytes.chunks(2) {
            sum += u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
        }
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).expect("folded")
    }

    proptest! {
        #[test]
        fn the_fast_sum_equals_the_one_in_the_rfc(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(fold(sum(&bytes, 0)), plain(&bytes));
        }

        #[test]
        fn pieces_of_even_length_may_be_summed_apart(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..100
        ) {
            let cut = (cut * 2).min(bytes.len() & !1);
            let (a, b) = bytes.split_at(cut);
            prop_assert_eq!(fold(sum(b, sum(a, 0))), plain(&bytes));
            prop_assert_eq!(fold(add(sum(a, 0), sum(b, 0))), plain(&bytes));
        }
    }

    #[test]
    fn the_pseudo_header_of_ipv4_is_that_of_rfc_768() {
        let (src, dst) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let plain = [&src[..], &dst, &[0, 17, 0, 8]].concat();
        assert_eq!(
            fold(pseudo(Addr::v4(src), Addr::v4(dst), 17, 8)),
            fold(sum(&plain, 0))
        );
    }

    #[test]
    fn the_example_of_rfc_1071_comes_out() {
        assert_eq!(
            fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 0)),
            0xddf2
        );
    }
}
