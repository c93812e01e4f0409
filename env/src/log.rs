//! NSTK_LOG: what is logged, as tracing-subscriber's `Targets` reads it.

use crate::problem::Problem;
use crate::text::{nearest, quoted};

/// Beginnings of targets: the library's rooms.
const ROOMS: [&str; 5] = [
    "nstk",
    "nstk_family",
    "nstk_nicio",
    "nstk_region",
    "nstk_stack",
];

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// The part of a filter that is understood, and what is wrong with each other part.
pub(crate) fn read(text: &str) -> (Option<String>, Vec<Problem>) {
    let mut good = Vec::new();
    let mut problems = Vec::new();
    let directives = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    for directive in directives {
        match check(directive) {
            Ok(()) => good.push(directive),
            Err(problem) => problems.push(problem),
        }
    }
    let good = (!good.is_empty()).then(|| good.join(","));
    (good, problems)
}

/// `level`, `room` or `room=level`.
fn check(directive: &str) -> Result<(), Problem> {
    let (target, level) = match directive.split_once('=') {
        Some((target, level)) => (Some(target), Some(level)),
        None if is_level(directive) => (None, Some(directive)),
        None => (Some(directive), None),
    };
    if let Some(target) = target.filter(|target| !is_target(target)) {
        let known = ROOMS.into_iter().chain(LEVELS);
        return Err(Problem::LogWord(quoted(target), nearest(target, known)));
    }
    match level.filter(|level| !is_level(level)) {
        Some(level) => Err(Problem::LogWord(quoted(level), nearest(level, LEVELS))),
        None => Ok(()),
    }
}

fn is_level(word: &str) -> bool {
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
}

/// A target begins with a room, or is the beginning of some.
fn is_target(word: &str) -> bool {
    let within = |room: &str| {
        room.starts_with(word)
            || word
                .strip_prefix(room)
                .is_some_and(|rest| rest.starts_with("::"))
    };
    !word.is_empty() && ROOMS.into_iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_rooms_are_taken() {
        for text in [
            "info",
            "TRACE",
            "nstk",
            "nstk_stack=debug",
            "nstk_stack::ip=trace,nstk_family=off,warn",
        ] {
            assert_eq!(read(text), (Some(text.to_owned()), vec![]));
        }
        assert_eq!(read(" info , ,"), (Some("info".to_owned()), vec![]));
    }

    #[test]
    fn a_word_that_is_neither_is_left_out_and_named() {
        for (text, word, meant) in [
            ("foo", "foo", None),
            ("debgu", "debgu", Some("debug")),
            ("nstk_stak=info", "nstk_stak", Some("nstk_stack")),
            ("nstk_stack=inf", "inf", Some("info")),
            ("nstk_stack=", "", None),
            ("=info", "", None),
        ] {
            let problem = Problem::LogWord(word.to_owned(), meant);
            assert_eq!(
                read(&format!("{text},nstk=warn")),
                (Some("nstk=warn".to_owned()), vec![problem.clone()])
            );
            assert_eq!(read(text), (None, vec![problem]));
        }
    }
}
