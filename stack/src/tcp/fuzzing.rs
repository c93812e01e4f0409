//! TCP behind the fuzzer's doors ([`crate::fuzzing`]).

use super::header::{HEADER_LEN, Header};
use super::options::{OPTIONS_LEN_MAX, Options};
use zerocopy::IntoBytes;

pub(crate) fn check_header(bytes: &[u8]) {
    if let Some((header, len)) = Header::parse(bytes) {
        let again = Header::parse(header.emit(len - HEADER_LEN, 0).as_bytes());
        assert_eq!(again, Some((header, len)));
    }
}

/// SACK blocks for which there is no room beside the rest are left out.
pub(crate) fn check_options(bytes: &[u8]) {
    let options = Options::parse(bytes);
    let mut out = [0; OPTIONS_LEN_MAX];
    let len = options.emit(&mut out);
    assert_eq!(len % 4, 0);
    let again = Options::parse(&out[..len]);
    assert!(options.sack.starts_with(&again.sack));
    let expected = Options {
        sack: again.sack.clone(),
        ..options
    };
    assert_eq!(again, expected);
}
