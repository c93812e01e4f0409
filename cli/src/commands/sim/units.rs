//! Numbers with a unit: `10gbit`, `100ms`, `1%`, `100MB`.

use std::time::Duration;

/// Bits per second: `9600bit`, `500kbit`, `1.5mbit`, `10gbit`.
pub(super) fn rate(text: &str) -> Result<u64, String> {
    let bits = scaled(text, RATES).ok_or("write it like 500kbit, 100mbit or 10gbit")?;
    if !(1e3..=1e13).contains(&bits) {
        return Err("must lie between 1kbit and 10000gbit".into());
    }
    Ok(bits.round() as u64)
}

/// A time: `10ns`, `50us`, `100ms`, `2s`, `1min`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let nanos = scaled(text, TIMES).ok_or("write it like 50us, 100ms, 2s or 1min")?;
    if nanos > 3.6e12 * 24.0 {
        return Err("must be less than a day".into());
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
}

/// A time that is not zero.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    let time = time(text)?;
    if time.is_zero() {
        return Err("must be more than zero".into());
    }
    Ok(time)
}

/// A share, in millionths: `1%`, `0.05%`.
pub(super) fn share(text: &str) -> Result<u32, String> {
    let ppm = scaled(text, &[("%", 10_000.0)]).ok_or("write it like 1% or 0.05%")?;
    if ppm > 1e6 {
        return Err("must be at most 100%".into());
    }
    Ok(ppm.round() as u32)
}

/// Bytes: `1500`, `64KB` (thousands), `64KiB` (1024s), `100MB`, `1GB`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let bytes = scaled(text, SIZES).ok_or("write it like 1500, 64KB, 64KiB or 100MB")?;
    if bytes > 1e15 {
        return Err("is too large".into());
    }
    Ok(bytes.round() as u64)
}

/// The number times what its unit says. `None`: not a number, negative, or a unit that the table does not have.
fn scaled(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let (number, unit) = text.split_at(text.find(|c| !digits(c)).unwrap_or(text.len()));
    let unit = unit.trim();
    let (_, factor) = units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    Some(number.parse::<f64>().ok()? * factor)
}

const RATES: &[(&str, f64)] = &[
    ("bit", 1.0),
    ("kbit", 1e3),
    ("mbit", 1e6),
    ("gbit", 1e9),
    ("tbit", 1e12),
];

const TIMES: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("min", 60e9),
];

const SIZES: &[(&str, f64)] = &[
    ("", 1.0),
    ("B", 1.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1024.0 * 1024.0),
    ("GiB", 1024.0 * 1024.0 * 1024.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_what_their_units_say() {
        assert_eq!(rate("10gbit"), Ok(10_000_000_000));
        assert_eq!(rate("1.5 Mbit"), Ok(1_500_000));
        assert_eq!(time("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(time("0.5us"), Ok(Duration::from_nanos(500)));
        assert_eq!(time("1min"), Ok(Duration::from_secs(60)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        assert_eq!(share("1%"), Ok(10_000));
        assert_eq!(share("0.0001%"), Ok(1));
        assert_eq!(size("100MB"), Ok(100_000_000));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("1500"), Ok(1500));
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for text in [
            "10", "10mb", "10mbps", "fast", "", "-1mbit", "1e3mbit", "0bit",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
        for text in ["100", "1h", "ms", "1.2.3s", "9999999s"] {
            assert!(time(text).is_err(), "{text}");
        }
        for text in ["1", "0.01", "101%", "%"] {
            assert!(share(text).is_err(), "{text}");
        }
        for text in ["1TBit", "x", "1e99"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(some_time("0s").is_err());
    }
}
