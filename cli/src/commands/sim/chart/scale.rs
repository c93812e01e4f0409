//! Units in which numbers of a panel are neither tiny nor huge.

/// A unit's name, and what one of it is.
pub(super) type Unit = (&'static str, f64);

/// The largest unit that `most` has one of; the smallest if it has none.
pub(super) fn unit(units: &'static [Unit], most: f64) -> Unit {
    let mut fitting = units.iter().rev().filter(|(_, one)| *one <= most);
    let smallest = units.first().copied().unwrap_or(("", 1.0));
    fitting.next().copied().unwrap_or(smallest)
}

/// A number of an axis, without the digits that only arithmetic has put there.
pub(super) fn label(number: f64) -> String {
    let rounded = (number * 1e6).round() / 1e6;
    rounded.to_string()
}

pub(super) const RATES: &[Unit] = &[
    ("bit/s", 1.0),
    ("kbit/s", 1e3),
    ("Mbit/s", 1e6),
    ("Gbit/s", 1e9),
];
pub(super) const BYTES: &[Unit] = &[("bytes", 1.0), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9)];
/// Of seconds.
pub(super) const TIMES: &[Unit] = &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_leaves_a_number_of_one_to_a_thousand() {
        assert_eq!(unit(RATES, 100e6), ("Mbit/s", 1e6));
        assert_eq!(unit(RATES, 999.0), ("bit/s", 1.0));
        assert_eq!(unit(BYTES, 1e3), ("KB", 1e3));
        assert_eq!(unit(BYTES, 0.0), ("bytes", 1.0));
        assert_eq!(unit(TIMES, 0.5), ("ms", 1e-3));
        assert_eq!(unit(TIMES, 90.0), ("s", 1.0));
    }

    #[test]
    fn a_label_has_no_digits_of_arithmetic() {
        assert_eq!(label(0.1 + 0.2), "0.3");
        assert_eq!(label(250.0), "250");
        assert_eq!(label(0.0), "0");
    }
}
