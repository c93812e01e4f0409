//! What lies in shared memory: see [`nstk_fuzz::records`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nstk_fuzz::records::overwrite(bytes));
