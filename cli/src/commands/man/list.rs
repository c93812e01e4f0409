//! Lists of names and what each means.

use clap_mangen::roff::{Roff, bold, roman};

pub(super) fn list(roff: &mut Roff, entries: &[(String, String)]) {
    for (name, text) in entries {
        entry(roff, name, text);
    }
}

pub(super) fn entry(roff: &mut Roff, name: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    roff.text([roman(text)]);
}
