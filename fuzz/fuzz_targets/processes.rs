//! What other processes say: see [`nstk_fuzz::processes`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nstk_fuzz::processes::hear(bytes));
