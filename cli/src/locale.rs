//! Which characters the user's terminal shows.

use std::env::var;

/// Whether the locale has more than ASCII, as locale(7) says where the answer stands.
pub(crate) fn is_utf8() -> bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"].map(|name| var(name).unwrap_or_default());
    let set = names.into_iter().find(|value| !value.is_empty());
    let name = set.unwrap_or_default().to_ascii_lowercase();
    name.ends_with("utf-8") || name.ends_with("utf8")
}
