//! Every header parser, chosen by the first byte: small parsers are done within seconds, and one program for all of them is
//! built and run at once.
#![no_main]

use stack::fuzzing::Parser;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((&first, bytes)) = bytes.split_first() {
        Parser::ALL[usize::from(first) % Parser::ALL.len()].check(bytes);
    }
});
