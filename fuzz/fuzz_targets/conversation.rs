//! Whole conversations: see [`nstk_fuzz::conversation`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nstk_fuzz::conversation::play(bytes));
