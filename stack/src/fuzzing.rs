//! Doors for the fuzzer (`fuzz/`), which is outside this crate: the header parsers. Nothing else of the stack is built differently for it.

mod headers;

pub use headers::Parser;
