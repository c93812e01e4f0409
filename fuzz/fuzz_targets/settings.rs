//! What users say: see [`nstk_fuzz::settings`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nstk_fuzz::settings::read(bytes));
