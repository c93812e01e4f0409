//! NSTK_LOOPBACK: whose the loopback addresses are.

use crate::bypass::Route;
use crate::problem::Problem;

/// Reads `kernel` or `stack`.
pub(crate) fn parse_loopback(text: &str) -> Result<Route, Problem> {
    match text {
        "kernel" => Ok(Route::Kernel),
        "stack" => Ok(Route::Stack),
        _ => Err(Problem::LoopbackWord),
    }
}
