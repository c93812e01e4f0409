//! What a user may have meant by a value that its key cannot have.

use stack::{CcKind, Config};

use super::row::Row;
use super::value::Unit;
use crate::text::{did_you_mean, nearest};

impl Row {
    /// Why the key cannot have this value, and what may be meant by it.
    #[must_use]
    pub fn refusal(&self, value: &str) -> String {
        format!("must be {}{}", self.accepts(), cure(self, value))
    }
}

/// `; ` and what to write, or nothing where nothing is near.
fn cure(row: &Row, value: &str) -> String {
    if value.contains('=') {
        return "; separate entries by `;`".to_owned();
    }
    let Some(range) = row.range() else {
        return did_you_mean(nearest(value, CcKind::ALL.map(CcKind::name)));
    };
    let fits = |text: &String| row.set(&mut Config::default(), text).is_some();
    let words = value
        .split([',', ' ', '\t'])
        .filter(|word| !word.is_empty());
    let numbers: Option<Vec<String>> = words
        .map(|word| Some(number(word, range.unit)?.to_string()))
        .collect();
    let Some(plain) = numbers.map(|numbers| numbers.join(" ")) else {
        return String::new();
    };
    if fits(&plain) {
        return format!("; write {}{plain}", name(range.unit));
    }
    let all = lone_number(row, &plain).filter(fits);
    all.map_or_else(String::new, |all| format!("; write all three: {all}"))
}

/// A single number where three are due is most likely the highest.
fn lone_number(row: &Row, plain: &str) -> Option<String> {
    let default = row.default_text();
    let (lower, _) = default.rsplit_once(' ').filter(|_| row.is_triple())?;
    (!plain.contains(' ')).then(|| format!("{lower} {plain}"))
}

/// What a number counts, with a colon; nothing for mere counts.
fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count | Unit::Switch | Unit::Ports => "",
        Unit::Bytes => "bytes: ",
        Unit::Pages => "pages of 4096 bytes: ",
        Unit::Percent => "percent: ",
        Unit::Seconds => "seconds: ",
        Unit::Milliseconds => "milliseconds: ",
        Unit::Microseconds => "microseconds: ",
    }
}

/// The number of `unit`s that a word such as `100MB`, `2s`, `on` or `1_000` means; `None`: it means none.
fn number(word: &str, unit: Unit) -> Option<u64> {
    let word = word.replace('_', "").to_ascii_lowercase();
    if unit == Unit::Switch {
        return match word.as_str() {
            "on" | "yes" | "true" => Some(1),
            "off" | "no" | "false" => Some(0),
            _ => word.parse().ok(),
        };
    }
    let digits = word.find(|c: char| !c.is_ascii_digit());
    let (number, suffix) = word.split_at(digits.unwrap_or(word.len()));
    let number: u64 = number.parse().ok()?;
    if suffix.is_empty() {
        return Some(number);
    }
    let (one, suffixes) = scale(unit)?;
    let (_, factor) = suffixes.iter().find(|(name, _)| *name == suffix)?;
    let whole = number.checked_mul(*factor)?;
    whole.is_multiple_of(one).then(|| whole / one)
}

/// One of a unit, and suffixes of the same measure: in bytes, in nanoseconds, in percent.
fn scale(unit: Unit) -> Option<(u64, &'static [(&'static str, u64)])> {
    match unit {
        Unit::Bytes => Some((1, SIZES)),
        Unit::Pages => Some((4096, SIZES)),
        Unit::Seconds => Some((1_000_000_000, TIMES)),
        Unit::Milliseconds => Some((1_000_000, TIMES)),
        Unit::Microseconds => Some((1_000, TIMES)),
        Unit::Percent => Some((1, &[("%", 1)])),
        Unit::Count | Unit::Switch | Unit::Ports => None,
    }
}

/// K, M and G are powers of 1024, as in NSTK_PCAP_LIMIT.
const SIZES: &[(&str, u64)] = &[
    ("b", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

const TIMES: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_meant_is_written_out() {
        for (key, value, cure_text) in [
            (
                "net.ipv4.tcp_congestion_control",
                "bbr2",
                "; did you mean bbr?",
            ),
            (
                "net.ipv4.tcp_congestion_control",
                "BBR",
                "; did you mean bbr?",
            ),
            ("net.ipv4.tcp_congestion_control", "vegas", ""),
            ("net.core.wmem_max", "100MB", "; write bytes: 100000000"),
            ("net.core.wmem_max", "100M", "; write bytes: 104857600"),
            ("net.core.wmem_max", "1_000_000", "; write bytes: 1000000"),
            ("net.core.wmem_max", "1", ""),
            ("net.core.wmem_max", "100TB", ""),
            (
                "net.ipv4.tcp_wmem",
                "4096 16384 100MB",
                "; write bytes: 4096 16384 100000000",
            ),
            (
                "net.ipv4.tcp_wmem",
                "4096,16384,100000000",
                "; write bytes: 4096 16384 100000000",
            ),
            (
                "net.ipv4.tcp_wmem",
                "100MB",
                "; write all three: 4096 16384 100000000",
            ),
            ("net.ipv4.tcp_wmem", "16384 4096 100000000", ""),
            (
                "net.ipv4.tcp_mem",
                "1GiB 1GiB 2GiB",
                "; write pages of 4096 bytes: 262144 262144 524288",
            ),
            ("net.ipv4.tcp_fin_timeout", "2min", "; write seconds: 120"),
            ("net.ipv4.tcp_fin_timeout", "500ms", ""),
            ("net.ipv4.tcp_sack", "off", "; write 0"),
            (
                "net.ipv4.tcp_pacing_ca_ratio",
                "120%",
                "; write percent: 120",
            ),
            (
                "net.ipv4.tcp_sack",
                "0,net.ipv4.tcp_timestamps=0",
                "; separate entries by `;`",
            ),
            ("net.ipv4.tcp_sack", "", ""),
        ] {
            let row = super::super::find(key).expect("a key");
            assert_eq!(cure(row, value), cure_text, "{key}={value}");
        }
    }
}
