//! NSTK_WAIT: how long to wait for a device that another program has.

use core::time::Duration;

use crate::problem::Problem;
use crate::sysctl::{Range, Unit};

/// Reads a number of seconds.
pub(crate) fn parse_wait(text: &str) -> Result<Duration, Problem> {
    let seconds = WAIT_RANGE.parse(text);
    seconds
        .map(Duration::from_secs)
        .ok_or(Problem::Number(WAIT_RANGE))
}

/// At most a day.
pub(crate) const WAIT_RANGE: Range = Range {
    first: 0,
    last: 86_400,
    unit: Unit::Seconds,
};
