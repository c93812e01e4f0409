//! A delay that wanders: what a packet waits beside a link's fixed delay.

use std::time::Duration;

use stack::Instant;

use crate::random::Random;

/// The extra delay at a moment, between 0 and the link's jitter.
///
/// It runs straight from one random point to the next. The points are two jitters apart, so that it never falls faster
/// than half of the time that passes: no packet overtakes another. A number of its own for each packet would have to be
/// held back to keep the order, and at high rates all of them would wait for the slowest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Jitter {
    from: Point,
    to: Point,
}

#[derive(Clone, Copy, Debug, Default)]
struct Point {
    at: Instant,
    extra_ns: u64,
}

impl Jitter {
    /// For a packet that leaves at `at`; never asked about the past.
    pub(crate) fn extra(&mut self, at: Instant, jitter: Duration, random: &mut Random) -> Duration {
        let jitter_ns = u64::try_from(jitter.as_nanos()).unwrap_or(u64::MAX);
        if jitter_ns == 0 {
            return Duration::ZERO;
        }
        let period = jitter.saturating_mul(2);
        if at >= self.to.at {
            // After a pause longer than a period the last point means nothing any more.
            self.from = if at < self.to.at + period {
                self.to
            } else {
                Point {
                    at,
                    extra_ns: random.below(jitter_ns),
                }
            };
            self.to = Point {
                at: self.from.at + period,
                extra_ns: random.below(jitter_ns),
            };
        }
        let Self { from, to } = *self;
        let span = to.at.nanos_since(from.at).max(1);
        let passed = at.nanos_since(from.at).min(span);
        let share = |ns: u64, part: u64| u128::from(ns) * u128::from(part) / u128::from(span);
        let extra = share(from.extra_ns, span - passed) + share(to.extra_ns, passed);
        Duration::from_nanos(u64::try_from(extra).unwrap_or(u64::MAX)).min(jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_wanders_over_its_whole_range_and_nothing_overtakes() {
        for gap_ns in [1_000, 100_000, 30_000_000] {
            let (mut random, mut wandering) = (Random::new(9), Jitter::default());
            let jitter = Duration::from_millis(10);
            let (mut arrived, mut extras) = (Instant::ZERO, Vec::new());
            for number in 0..50_000_u64 {
                let at = Instant::from_nanos(number * gap_ns);
                let extra = wandering.extra(at, jitter, &mut random);
                assert!(extra <= jitter);
                assert!(at + extra >= arrived, "{number} at gaps of {gap_ns} ns");
                (arrived, _) = (at + extra, extras.push(extra));
            }
            if gap_ns > 1_000 {
                let mean = extras.iter().sum::<Duration>() / 50_000;
                assert!((4..6).contains(&mean.as_millis()), "{mean:?}");
                assert!(extras.iter().max() > Some(&Duration::from_millis(9)));
                assert!(extras.iter().min() < Some(&Duration::from_millis(1)));
            }
        }
    }
}
