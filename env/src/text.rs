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

/// Most lines that a user is shown about one thing.
const LINES_MAX: usize = 20;

/// The first lines, and how many more there are.
pub(crate) fn first_lines(lines: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let more = lines.len().saturating_sub(LINES_MAX);
    let mut first: Vec<_> = lines.take(LINES_MAX).collect();
    if more > 0 {
        first.push(format!("{more} more settings ignored"));
    }
    first
}

/// Words longer than this are not compared with others: no known one is half as long.
const COMPARED_MAX: usize = 64;

/// The known word that the user may have meant by `word`: one that takes few changes to become, or
/// that ends in it. `None`: none is near.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > COMPARED_MAX {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let changes = |candidate: &str| {
        let ends_so = candidate
            .strip_suffix(word.as_str())
            .is_some_and(|rest| rest.ends_with(['.', '_']));
        if ends_so {
            1
        } else {
            strsim::levenshtein(&word, &candidate.to_ascii_lowercase())
        }
    };
    let (changes, candidate) = known
        .into_iter()
        .map(|candidate| (changes(candidate), candidate))
        .min_by_key(|(changes, _)| *changes)?;
    // More changes than these make another word.
    let near = match word.len() {
        0..=3 => 1,
        length => 2.max(length / 6),
    };
    (changes <= near && changes < word.len()).then_some(candidate)
}

/// `; did you mean ...?`, or nothing where nothing is near.
pub(crate) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |word| format!("; did you mean {word}?"))
}
