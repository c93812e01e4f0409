//! SYN cookies: a SYN-ACK whose first number and clock hold all that must be known of the SYN, so that nothing is kept
//! (RFC 4987 §3.6; Linux: syncookies.c).
//!
//! The number is a secret hash of the ends, plus the peer's first number, plus the minute in the upper 8 bits and, in the
//! lower 24, the index of the peer's segment size, hidden by a hash of the ends, the peer's first number and the minute. The clock's lowest 6 bits
//! hold the scale and whether SACK is on.

use super::narrow::low32;
use super::options::{Options, Timestamps};
use super::seq::Seq;
use crate::addr::Endpoint;
use crate::config::Config;
use crate::index::HashKey;
use crate::time::Instant;
use zerocopy::IntoBytes;

/// How long the ACK of a cookie may take, at least; ns (Linux: MAX_SYNCOOKIE_AGE minutes).
pub(crate) const VALID_NS: u64 = AGE_MAX as u64 * MINUTE_NS;

const AGE_MAX: u32 = 2;
const MINUTE_NS: u64 = 60_000_000_000;
/// Segment sizes that a cookie can hold, as Linux chose them from what is common.
const SIZES_V4: [u16; 4] = [536, 1300, 1440, 1460];
const SIZES_V6: [u16; 4] = [1220, 1420, 1440, 8940];
/// Bits of the number below the minute.
const DATA_BITS: u32 = 24;
const DATA_MASK: u32 = (1 << DATA_BITS) - 1;
/// Bits of the clock that hold options.
const CLOCK_BITS: u32 = 6;
const CLOCK_MASK: u32 = (1 << CLOCK_BITS) - 1;
const SCALE_MASK: u32 = 0xf;
/// No scaling: no scale is that large.
const NO_SCALE: u32 = 0xf;
const SACK: u32 = 1 << 4;

/// Makes and checks the cookies of one pair of ends.
pub(crate) struct Cookies<'a> {
    secret: &'a HashKey,
    local: Endpoint,
    remote: Endpoint,
    minute: u32,
}

impl<'a> Cookies<'a> {
    pub(crate) fn new(
        secret: &'a HashKey,
        local: Endpoint,
        remote: Endpoint,
        now: Instant,
    ) -> Self {
        let minute = now.as_nanos() / MINUTE_NS;
        Self {
            secret,
            local,
            remote,
            minute: low32(minute),
        }
    }

    /// Our first number for a SYN with this number and segment size.
    pub(crate) fn number(&self, irs: Seq, mss: u16) -> Seq {
        let sizes = self.sizes();
        let index = sizes.iter().rposition(|&size| size <= mss).unwrap_or(0);
        let hidden = self
            .hash(hiding(irs, self.minute).as_bytes())
            .wrapping_add(low32(index as u64));
        self.base(irs)
            .add(self.minute << DATA_BITS)
            .add(hidden & DATA_MASK)
    }

    /// The segment size in a cookie that comes back, unless it is too old or none of ours.
    pub(crate) fn check(&self, irs: Seq, number: Seq) -> Option<u16> {
        let value = number.distance(self.base(irs));
        let age = (self.minute.wrapping_sub(value >> DATA_BITS)) & (u32::MAX >> DATA_BITS);
        if age >= AGE_MAX {
            return None;
        }
        let hidden = self.hash(hiding(irs, self.minute.wrapping_sub(age)).as_bytes());
        let index = value.wrapping_sub(hidden) & DATA_MASK;
        self.sizes().get(usize::try_from(index).ok()?).copied()
    }

    fn base(&self, irs: Seq) -> Seq {
        irs.add(self.hash(b""))
    }

    fn hash(&self, what: &[u8]) -> u32 {
        let (local, remote) = (self.local.as_bytes(), self.remote.as_bytes());
        low32(self.secret.bytes(&[b"cookie  ", local, remote, what]))
    }

    fn sizes(&self) -> &'static [u16; 4] {
        if self.remote.addr.is_v4() {
            &SIZES_V4
        } else {
            &SIZES_V6
        }
    }
}

/// What hides the index of a segment size.
const fn hiding(irs: Seq, minute: u32) -> [u32; 2] {
    [irs.raw(), minute]
}

/// The clock (without offset) that holds what was agreed on: the latest not after `clock` with the right lowest bits.
pub(crate) fn clock_with(clock: u32, agreed: &Options) -> u32 {
    let scale = agreed.window_scale.map_or(NO_SCALE, u32::from);
    let sack = if agreed.sack_permitted { SACK } else { 0 };
    let options = scale | sack;
    let behind = (clock & CLOCK_MASK).wrapping_sub(options) & CLOCK_MASK;
    clock.wrapping_sub(behind)
}

/// What was agreed on, from the clock (without offset) that comes back beside the peer's. `None`: the settings do not
/// allow it, so it is none of ours.
pub(crate) fn agreed_from(config: &Config, echo: Option<u32>, value: u32) -> Option<Options> {
    let Some(echo) = echo else {
        return Some(Options::default());
    };
    let scale = echo & SCALE_MASK;
    let window_scale = (scale != NO_SCALE).then(|| u8::try_from(scale).unwrap_or(0));
    let sack_permitted = echo & SACK != 0;
    let is_allowed = config.timestamps != 0
        && (window_scale.is_none() || config.window_scaling != 0)
        && (!sack_permitted || config.sack != 0);
    is_allowed.then_some(Options {
        window_scale,
        sack_permitted,
        timestamps: Some(Timestamps { value, echo }),
        ..Options::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Addr;
    use core::time::Duration;

    const SECRET: HashKey = HashKey::new([1, 2]);

    fn ends(v4: bool) -> (Endpoint, Endpoint) {
        let addr = |last| {
            if v4 {
                Addr::v4([10, 0, 0, last])
            } else {
                Addr::v6([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last])
            }
        };
        (Endpoint::new(addr(1), 80), Endpoint::new(addr(9), 4000))
    }

    fn of(secret: &HashKey, (local, remote): (Endpoint, Endpoint), at_s: u64) -> Cookies<'_> {
        let now = Instant::ZERO + Duration::from_secs(at_s);
        Cookies::new(secret, local, remote, now)
    }

    #[test]
    fn a_cookie_gives_back_the_largest_common_size_that_fits() {
        let sizes = [
            (true, 100, 536),
            (true, 536, 536),
            (true, 1400, 1300),
            (true, 1460, 1460),
            (true, 9000, 1460),
            (false, 1220, 1220),
            (false, 1440, 1440),
            (false, 9000, 8940),
        ];
        for (v4, mss, expected) in sizes {
            let cookies = of(&SECRET, ends(v4), 1000);
            let irs = Seq::new(77);
            let number = cookies.number(irs, mss);
            assert_eq!(cookies.check(irs, number), Some(expected), "{mss}");
        }
    }

    #[test]
    fn a_cookie_is_good_for_a_minute_at_least_and_for_two_at_most() {
        let irs = Seq::new(u32::MAX - 3);
        // The last one: the minute's 8 bits go round.
        for start in [0, 59, 60, 255 * 60 + 30] {
            let number = of(&SECRET, ends(true), start).number(irs, 1460);
            let check = |later| of(&SECRET, ends(true), start + later).check(irs, number);
            assert_eq!(check(0), Some(1460));
            assert_eq!(check(60), Some(1460));
            assert_eq!(check(120), None);
        }
    }

    #[test]
    fn a_cookie_is_good_for_one_connection_and_one_secret() {
        let (local, remote) = ends(true);
        let irs = Seq::new(77);
        let cookies = of(&SECRET, (local, remote), 1000);
        let number = cookies.number(irs, 1460);
        let other = Endpoint::new(remote.addr, remote.port + 1);
        let check = |secret, ends| of(secret, ends, 1000).check(irs, number);
        assert_eq!(check(&SECRET, (local, other)), None);
        assert_eq!(check(&HashKey::new([1, 3]), (local, remote)), None);
        assert_eq!(cookies.check(irs.add(1), number), None);
        assert_eq!(cookies.check(irs, number.add(1 << 20)), None);
    }

    #[test]
    fn few_guesses_are_cookies() {
        let cookies = of(&SECRET, ends(true), 1000);
        let good = (0..1 << 16)
            .filter(|guess| {
                cookies
                    .check(Seq::new(77), Seq::new(guess << 16 | 5))
                    .is_some()
            })
            .count();
        assert!(good <= 2, "{good} of 65536");
    }

    #[test]
    fn the_clock_holds_what_was_agreed_on_and_is_never_ahead() {
        let config = Config::default();
        for clock in [0u32, 1, 63, 64, 1000, u32::MAX] {
            for window_scale in [None, Some(0), Some(7), Some(14)] {
                for sack_permitted in [false, true] {
                    let agreed = Options {
                        window_scale,
                        sack_permitted,
                        ..Options::default()
                    };
                    let sent = clock_with(clock, &agreed);
                    assert!(clock.wrapping_sub(sent) < 64);
                    let back = agreed_from(&config, Some(sent), 5).expect("allowed");
                    assert_eq!(back.window_scale, window_scale);
                    assert_eq!(back.sack_permitted, sack_permitted);
                    assert_eq!(back.timestamps.map(|stamps| stamps.value), Some(5));
                }
            }
        }
    }

    #[test]
    fn a_clock_that_the_settings_forbid_is_none_of_ours() {
        let agreed = Options {
            window_scale: Some(7),
            sack_permitted: true,
            ..Options::default()
        };
        let sent = clock_with(1000, &agreed);
        let forbidden: [fn(&mut Config); 3] = [
            |config| config.timestamps = 0,
            |config| config.window_scaling = 0,
            |config| config.sack = 0,
        ];
        for forbid in forbidden {
            let mut config = Config::default();
            forbid(&mut config);
            assert_eq!(agreed_from(&config, Some(sent), 5), None);
            assert_eq!(agreed_from(&config, None, 0), Some(Options::default()));
        }
    }
}
