//! Doors for the fuzzer (`fuzz/`), which is outside this crate: the header parsers, and a look at the books. Nothing else of
//! the stack is built differently for it.

mod books;
mod headers;

pub use headers::Parser;
