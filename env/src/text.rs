//! Text from the user, tidied up for reading and for messages.

/// Longest part of a user's text that a message repeats, in characters.
const QUOTED_MAX: usize = 64;

/// Without the blanks and quotes around it, which survive from shell scripts and unit files.
pub(crate) fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'')
}

/// Fit for a one-line message: control characters escaped, cut when long.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(QUOTED_MAX)
        .flat_map(char::escape_debug)
        .collect();
    if text.chars().nth(QUOTED_MAX).is_some() {
        short.push_str("...");
    }
    short
}
