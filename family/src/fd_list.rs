//! A list of descriptors as one argument of a program: `4037,4005-4036`, in order.

use core::ops::RangeInclusive;

use sys::RawFd;

/// More than a keeper gets.
const FDS_MAX: usize = 1024;

pub(crate) fn write(fds: &[RawFd]) -> String {
    let ranges = fds.chunk_by(|one, next| one + 1 == *next);
    let texts = ranges.filter_map(|range| match (range.first()?, range.last()?) {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first}-{last}")),
    });
    texts.collect::<Vec<_>>().join(",")
}

/// `None`: it is no such list, or an endless one.
pub(crate) fn read(text: &str) -> Option<Vec<RawFd>> {
    let mut fds = Vec::new();
    for part in text.split(',') {
        let range = range(part)?;
        let room = FDS_MAX.checked_sub(fds.len())?;
        fds.extend(range.clone().take(room));
        if fds.last() != Some(range.end()) {
            return None;
        }
    }
    Some(fds)
}

fn range(text: &str) -> Option<RangeInclusive<RawFd>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse().ok().filter(|fd| *fd >= 0);
    let range: RangeInclusive<RawFd> = number(first)?..=number(last)?;
    (!range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_short_and_keeps_its_order() {
        let fds = [4037, 4005, 4006, 4007, 4001, 3, 5, 4];
        assert_eq!(write(&fds), "4037,4005-4007,4001,3,5,4");
        assert_eq!(read(&write(&fds)), Some(fds.to_vec()));
        assert_eq!(read("7"), Some(vec![7]));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [
            "",
            "a",
            "-1",
            "3,",
            "5-3",
            "3-",
            "1-2-3",
            "0-2000000000",
            "0-1023,7",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
