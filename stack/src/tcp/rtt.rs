//! Round-trip time and retransmission timeout: RFC 6298 with Linux's bounds and its variance,
//! which follows the greatest deviation of a round and falls slowly.

use super::seq::Seq;
use crate::config::Config;
use crate::time::Instant;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Timeout before the first sample (RFC 6298 §2.1; Linux: TCP_TIMEOUT_INIT).
pub(crate) const RTO_INITIAL_NS: u64 = 1_000_000_000;

/// Estimator of one connection. All-zero bytes are one that has no samples and waits for nothing.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Rtt {
    srtt8_ns: u64,
    mdev4_ns: u64,
    mdev_max4_ns: u64,
    var4_ns: u64,
    min: WindowedMin,
    round_end: Seq,
    rto_min_us: u32,
    rto_max_ms: u32,
    min_window_s: u32,
}

impl Rtt {
    /// An estimator without samples, with the bounds of the settings.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            rto_min_us: config
                .rto_min_us
                .min(config.rto_max_ms.saturating_mul(1000)),
            rto_max_ms: config.rto_max_ms,
            min_window_s: config.min_rtt_wlen_s,
            ..Self::default()
        }
    }

    /// Least variance, hence least timeout beyond the smoothed round trip, ns (Linux: tcp_rto_min).
    pub(crate) fn rto_min_ns(&self) -> u64 {
        u64::from(self.rto_min_us) * 1000
    }

    /// Greatest timeout, ns (Linux: tcp_rto_max).
    pub(crate) fn rto_max_ns(&self) -> u64 {
        u64::from(self.rto_max_ms) * 1_000_000
    }

    /// Smoothed round trip in ns; 0 before the first sample.
    pub(crate) fn srtt_ns(&self) -> u64 {
        self.srtt8_ns >> 3
    }

    /// Mean deviation in ns, as `tcpi_rttvar` gives it.
    pub(crate) fn deviation_ns(&self) -> u64 {
        self.mdev4_ns >> 2
    }

    /// Least sample of the last minutes (`net.ipv4.tcp_min_rtt_wlen`) in ns; `None` before the first.
    pub(crate) fn min_ns(&self) -> Option<u64> {
        self.min.get()
    }

    /// Timeout without backoff in ns: smoothed round trip + four deviations, within the bounds.
    pub(crate) fn rto_ns(&self) -> u64 {
        match self.srtt8_ns {
            0 => RTO_INITIAL_NS.min(self.rto_max_ns()),
            srtt8 => (srtt8 >> 3)
                .saturating_add(self.var4_ns)
                .max(self.rto_min_ns())
                .min(self.rto_max_ns()),
        }
    }

    /// The timeout doubled `backoffs` times, in ns, RFC 6298 §5.5.
    pub(crate) fn rto_after_ns(&self, backoffs: u8) -> u64 {
        let doubled = self.rto_ns().saturating_mul(1 << backoffs.min(30));
        doubled.min(self.rto_max_ns())
    }

    /// Takes a sample of a segment that was sent once (Karn), in ns. `una` and `next` are what is
    /// acknowledged and what is sent; a round ends when `una` passes the `next` it began with.
    pub(crate) fn sample(&mut self, rtt_ns: u64, una: Seq, next: Seq) {
        // A sample of 0 would read as "none yet".
        let ns = rtt_ns.min(self.rto_max_ns()).max(1);
        if self.srtt8_ns == 0 {
            self.srtt8_ns = ns << 3;
            self.mdev4_ns = ns << 1;
            self.var4_ns = self.mdev4_ns.max(self.rto_min_ns());
            self.mdev_max4_ns = self.var4_ns;
            self.round_end = next;
            return;
        }
        self.smooth(ns);
        if self.mdev4_ns > self.mdev_max4_ns {
            self.mdev_max4_ns = self.mdev4_ns;
            self.var4_ns = self.var4_ns.max(self.mdev_max4_ns);
        }
        if una.after(self.round_end) {
            self.var4_ns -= self.var4_ns.saturating_sub(self.mdev_max4_ns) >> 2;
            self.round_end = next;
            self.mdev_max4_ns = self.rto_min_ns();
        }
    }

    /// Takes a sample in ns for the minimum only; ambiguous ones must not come here either.
    pub(crate) fn sample_min(&mut self, now: Instant, rtt_ns: u64) {
        let window_ns = u64::from(self.min_window_s) * 1_000_000_000;
        self.min.update(now, rtt_ns.max(1), window_ns);
    }

    fn smooth(&mut self, ns: u64) {
        let error = ns as i64 - (self.srtt8_ns >> 3) as i64;
        self.srtt8_ns = self.srtt8_ns.saturating_add_signed(error).max(1);
        let mut spread = error.abs() - (self.mdev4_ns >> 2) as i64;
        // Linux: a round trip that fell must not raise the variance as fast as one that rose.
        if error < 0 && spread > 0 {
            spread >>= 3;
        }
        self.mdev4_ns = self.mdev4_ns.saturating_add_signed(spread);
    }
}

/// Least value of a sliding window, kept as the best, second and third best in order of age
/// (Kathleen Nichols' algorithm, as in Linux's win_minmax).
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct WindowedMin {
    best: [Sample; 3],
}

#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Sample {
    at_ns: u64,
    value: u64,
}

impl WindowedMin {
    fn get(&self) -> Option<u64> {
        let [best, ..] = self.best;
        (best.value != 0).then_some(best.value)
    }

    fn update(&mut self, now: Instant, value: u64, window_ns: u64) {
        let sample = Sample {
            at_ns: now.as_nanos(),
            value,
        };
        let age = |old: Sample| sample.at_ns.saturating_sub(old.at_ns);
        let [first, second, third] = self.best;
        if first.value == 0 || value <= first.value || age(third) > window_ns {
            self.best = [sample; 3];
            return;
        }
        self.best = if value <= second.value {
            [first, sample, sample]
        } else if value <= third.value {
            [first, second, sample]
        } else {
            self.best
        };
        let [first, second, third] = self.best;
        if age(first) > window_ns {
            self.best = [second, third, sample];
        } else if second.at_ns == first.at_ns && age(second) > window_ns / 4 {
            self.best = [first, sample, sample];
        } else if third.at_ns == second.at_ns && age(third) > window_ns / 2 {
            self.best = [first, second, sample];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    const MS: u64 = 1_000_000;

    fn sampled(samples_ms: &[u64]) -> Rtt {
        let mut rtt = Rtt::new(&Config::default());
        let mut una = Seq::new(0);
        for &ms in samples_ms {
            una = una.add(10);
            rtt.sample(ms * MS, una, una.add(1));
        }
        rtt
    }

    #[test]
    fn before_the_first_sample_the_timeout_is_one_second() {
        assert_eq!(Rtt::new(&Config::default()).rto_ns(), 1000 * MS);
        assert_eq!(Rtt::new(&Config::default()).min_ns(), None);
    }

    #[test]
    fn the_timeout_is_never_below_round_trip_plus_200_ms() {
        let rtt = sampled(&[10; 50]);
        assert_eq!(rtt.rto_ns(), 210 * MS);
        assert_eq!(rtt.srtt_ns(), 10 * MS);
    }

    #[test]
    fn the_first_sample_sets_deviation_to_half_of_it() {
        let rtt = sampled(&[1000]);
        assert_eq!(rtt.rto_ns(), 3000 * MS);
        assert_eq!(rtt.deviation_ns(), 500 * MS);
    }

    #[test]
    fn backoff_doubles_up_to_two_minutes() {
        let rtt = sampled(&[10; 50]);
        assert_eq!(rtt.rto_after_ns(1), 420 * MS);
        assert_eq!(rtt.rto_after_ns(3), 1680 * MS);
        assert_eq!(rtt.rto_after_ns(255), 120_000 * MS);
    }

    #[test]
    fn a_sample_of_nothing_counts_as_a_nanosecond() {
        let rtt = sampled(&[0]);
        assert_eq!(rtt.srtt_ns(), 1);
    }

    #[test]
    fn the_variance_rises_at_once() {
        let calm = sampled(&[100; 60]);
        assert_eq!(calm.rto_ns(), 300 * MS);
        let mut rtt = calm;
        rtt.sample(1000 * MS, Seq::new(5), Seq::new(6));
        // RFC 6298 §2.3 with a deviation that was next to nothing: four times a quarter of 900 ms.
        let expected = (100 * MS + 900 * MS / 8) + 900 * MS;
        assert!(rtt.rto_ns().abs_diff(expected) < 100, "{}", rtt.rto_ns());
    }

    #[test]
    fn the_variance_falls_by_a_quarter_of_the_excess_each_round() {
        // RFC 6298 §2.3 with Linux's mdev_max: a deviation of 500 ms that the samples no longer show.
        let mut timeouts = Vec::new();
        for samples in 1..=6 {
            timeouts.push(sampled(&vec![1000; samples]).rto_ns() / 1000);
        }
        assert_eq!(
            timeouts,
            [
                3_000_000, 3_000_000, 2_781_250, 2_546_875, 2_318_359, 2_107_421
            ]
        );
        assert_eq!(sampled(&[1000; 60]).rto_ns() / 1000, 1_200_000);
    }

    #[test]
    fn the_variance_does_not_fall_within_a_round() {
        let mut rtt = Rtt::new(&Config::default());
        for _ in 0..50 {
            rtt.sample(1000 * MS, Seq::new(10), Seq::new(11));
        }
        assert_eq!(rtt.rto_ns(), 3000 * MS);
        rtt.sample(1000 * MS, Seq::new(11), Seq::new(12));
        assert_eq!(rtt.rto_ns(), 3000 * MS, "up to the end of the round");
        // The round that ends here has seen the first deviation; the next has not.
        rtt.sample(1000 * MS, Seq::new(12), Seq::new(13));
        assert_eq!(rtt.rto_ns(), 3000 * MS);
        rtt.sample(1000 * MS, Seq::new(14), Seq::new(15));
        assert_eq!(rtt.rto_ns(), 2550 * MS);
    }

    #[test]
    fn a_round_trip_that_fell_raises_the_deviation_by_an_eighth_only() {
        // Linux: tcp_rtt_estimator. After a calm time a sample 80 ms above or below.
        for (ms, deviation_ms_of_8) in [(180, 160), (20, 20)] {
            let mut rtt = sampled(&[100; 200]);
            rtt.sample(ms * MS, Seq::new(5), Seq::new(6));
            let expected = deviation_ms_of_8 * MS / 8;
            let deviation = rtt.deviation_ns();
            assert!(deviation.abs_diff(expected) < 100, "{ms} ms: {deviation}");
        }
    }

    #[test]
    fn the_timeout_stays_between_its_bounds() {
        // tcp_rto_min_us, tcp_rto_max_ms, samples in ms; the timeout in ms.
        let table: [(u32, u32, &[u64], u64); 7] = [
            (200_000, 120_000, &[], 1000),
            (200_000, 500, &[], 500),
            (200_000, 120_000, &[10; 60], 210),
            (5_000, 120_000, &[10; 60], 15),
            (5_000_000, 1500, &[10; 60], 1500),
            (200_000, 1500, &[10_000], 1500),
            (200_000, 1500, &[1000], 1500),
        ];
        for (rto_min_us, rto_max_ms, samples, timeout) in table {
            let mut rtt = Rtt::new(&Config {
                rto_min_us,
                rto_max_ms,
                ..Config::default()
            });
            let mut una = Seq::new(0);
            for &ms in samples {
                una = una.add(10);
                rtt.sample(ms * MS, una, una.add(1));
            }
            let what = std::format!("{rto_min_us}, {rto_max_ms}, {samples:?}");
            assert_eq!(rtt.rto_ns() / 1000, timeout * 1000, "{what}");
            assert!(rtt.rto_after_ns(255) <= u64::from(rto_max_ms) * MS);
        }
    }

    #[test]
    fn the_minimum_is_forgotten_after_five_minutes() {
        let mut rtt = Rtt::new(&Config::default());
        rtt.sample_min(Instant::from_millis(1), 10 * MS);
        for minute in 1..=4 {
            rtt.sample_min(Instant::from_millis(minute * 60_000), 20 * MS);
        }
        assert_eq!(rtt.min_ns(), Some(10 * MS));
        rtt.sample_min(Instant::from_millis(301_000), 20 * MS);
        assert_eq!(rtt.min_ns(), Some(20 * MS));
    }
}
