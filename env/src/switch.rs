//! Settings that are on or off.

use crate::problem::Problem;

/// Reads `1` or `0`.
pub(crate) fn parse_switch(text: &str) -> Result<bool, Problem> {
    match text {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(Problem::Switch),
    }
}
