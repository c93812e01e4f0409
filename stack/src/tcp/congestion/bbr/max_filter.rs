//! The largest value of a sliding window in constant space (Kathleen Nichols' windowed filter, as in Linux's `win_minmax`).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The best, second and third best value of the window, each more recent than the one before.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct MaxFilter {
    best: [Entry; 3],
}

#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Entry {
    value: u64,
    time: u64,
}

impl MaxFilter {
    /// The largest value of the window, 0 before the first.
    pub(super) fn max(&self) -> u64 {
        self.best[0].value
    }

    /// Takes in a value seen at `time` (any monotonic count) and lets go of those older than `window`.
    pub(super) fn update(&mut self, window: u64, time: u64, value: u64) {
        let new = Entry { value, time };
        let [first, second, third] = self.best;
        if value >= first.value || time.saturating_sub(third.time) > window {
            self.best = [new; 3];
            return;
        }
        if value >= second.value {
            self.best = [first, new, new];
        } else if value >= third.value {
            self.best = [first, second, new];
        }
        self.expire(window, new);
    }

    /// Moves the runners-up forward when the best has aged, and takes fresh ones from later parts of the window.
    fn expire(&mut self, window: u64, new: Entry) {
        let [first, second, third] = self.best;
        let age = new.time.saturating_sub(first.time);
        if age > window {
            self.best = [second, third, new];
            let [first, second, third] = self.best;
            if new.time.saturating_sub(first.time) > window {
                self.best = [second, third, new];
            }
        } else if second.time == first.time && age > window / 4 {
            self.best = [first, new, new];
        } else if third.time == second.time && age > window / 2 {
            self.best = [first, second, new];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MaxFilter;

    #[test]
    fn the_maximum_is_forgotten_when_the_window_has_passed() {
        let mut filter = MaxFilter::default();
        filter.update(10, 0, 100);
        for time in 1..=10 {
            filter.update(10, time, 40);
            assert_eq!(filter.max(), 100, "at {time}");
        }
        filter.update(10, 11, 40);
        assert_eq!(filter.max(), 40);
    }

    #[test]
    fn a_runner_up_takes_over_when_the_best_expires() {
        let mut filter = MaxFilter::default();
        filter.update(10, 0, 100);
        filter.update(10, 5, 80);
        for time in 6..=10 {
            filter.update(10, time, 20);
        }
        filter.update(10, 11, 20);
        assert_eq!(filter.max(), 80);
    }

    #[test]
    fn after_a_long_silence_only_the_new_value_counts() {
        let mut filter = MaxFilter::default();
        filter.update(10, 0, 100);
        filter.update(10, 1000, 1);
        assert_eq!(filter.max(), 1);
    }

    #[test]
    fn it_never_forgets_a_maximum_of_the_window_and_never_keeps_one_for_two() {
        let mut filter = MaxFilter::default();
        let mut values = [0u64; 400];
        let mut seed = 7u64;
        for time in 0..400usize {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            values[time] = seed >> 40;
            filter.update(10, time as u64, values[time]);
            let newest = values[time];
            let oldest = values[time.saturating_sub(20)..=time].iter().copied().max();
            assert!(filter.max() >= newest, "at {time}");
            assert!(Some(filter.max()) <= oldest, "at {time}");
        }
    }
}
