//! TCP options: what we read and what we write, in Linux's order and padding.
//!
//! RFC 9293 §3.2 (MSS), RFC 7323 (window scale, timestamps), RFC 2018 (SACK).

use super::header::{HEADER_LEN, HEADER_LEN_MAX};
use super::seq::Seq;
use arrayvec::ArrayVec;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Most bytes of options in a header.
pub(crate) const OPTIONS_LEN_MAX: usize = HEADER_LEN_MAX - HEADER_LEN;
/// Bytes the timestamps option takes with its padding.
pub(crate) const TIMESTAMPS_LEN: usize = 12;
/// Most SACK blocks that fit into one header, RFC 2018 §3.
pub(crate) const SACK_BLOCKS_MAX: usize = 4;
/// Greatest window scale, RFC 7323 §2.3; a greater one is taken as this.
pub(crate) const WINDOW_SCALE_MAX: u8 = 14;

const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// A window scale as stored. Whatever the bytes say, it is used as [`WINDOW_SCALE_MAX`] at most.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub(crate) struct Scale(u8);

impl Scale {
    /// No scaling.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn new(scale: u8) -> Self {
        Self(scale)
    }

    /// Places to shift by, 0 to 14.
    pub(crate) fn get(self) -> u8 {
        self.0.min(WINDOW_SCALE_MAX)
    }

    /// The window that a header's field stands for.
    pub(crate) fn window(self, field: u16) -> u32 {
        u32::from(field) << self.get()
    }

    /// Least window that can be told.
    pub(crate) fn unit(self) -> u32 {
        1 << self.get()
    }

    /// The header's field for a window, rounded down; the largest field for one that does not fit.
    pub(crate) fn field(self, window: u32) -> u16 {
        u16::try_from(window >> self.get()).unwrap_or(u16::MAX)
    }
}

/// A range of bytes the receiver holds: `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SackBlock {
    /// First byte.
    pub(crate) start: Seq,
    /// First byte after.
    pub(crate) end: Seq,
}

/// The timestamps option, RFC 7323 §3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timestamps {
    /// The sender's clock.
    pub(crate) value: u32,
    /// The receiver's clock, given back.
    pub(crate) echo: u32,
}

/// SACK blocks in the order they stand in the header.
pub(crate) type SackBlocks = ArrayVec<SackBlock, SACK_BLOCKS_MAX>;

/// The options of one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Greatest segment the sender wants to receive; on SYN only.
    pub(crate) mss: Option<u16>,
    /// The sender's window scale; on SYN only, at most [`WINDOW_SCALE_MAX`].
    pub(crate) window_scale: Option<u8>,
    /// The sender understands SACK; on SYN only.
    pub(crate) sack_permitted: bool,
    /// Clocks.
    pub(crate) timestamps: Option<Timestamps>,
    /// Ranges held by the sender of this segment.
    pub(crate) sack: SackBlocks,
}

impl Options {
    /// Reads the bytes after the fixed header. An option of a wrong length is skipped, one that runs
    /// past the end finishes the list: what was read before it counts.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut options = Self::default();
        if let Some(timestamps) = aligned_timestamps(bytes) {
            options.timestamps = Some(timestamps);
            return options;
        }
        let mut rest = bytes;
        while let Some((&kind, tail)) = rest.split_first() {
            match kind {
                END => break,
                NOP => rest = tail,
                _ => {
                    let Some(&len) = tail.first() else { break };
                    let Some(body_len) = usize::from(len).checked_sub(2) else {
                        break;
                    };
                    let Some(body) = tail.get(1..1 + body_len) else {
                        break;
                    };
                    options.take(kind, body);
                    rest = tail.get(1 + body_len..).unwrap_or_default();
                }
            }
        }
        options
    }

    fn take(&mut self, kind: u8, body: &[u8]) {
        match (kind, body) {
            (MSS, &[a, b]) => self.mss = Some(u16::from_be_bytes([a, b])),
            (WINDOW_SCALE, &[scale]) => self.window_scale = Some(scale.min(WINDOW_SCALE_MAX)),
            (SACK_PERMITTED, &[]) => self.sack_permitted = true,
            (TIMESTAMPS, &[a, b, c, d, e, f, g, h]) => {
                self.timestamps = Some(Timestamps {
                    value: u32::from_be_bytes([a, b, c, d]),
                    echo: u32::from_be_bytes([e, f, g, h]),
                });
            }
            (SACK, body) if body.len() % 8 == 0 => {
                let room = self.sack.remaining_capacity();
                for block in body.chunks_exact(8).take(room) {
                    if let &[a, b, c, d, e, f, g, h] = block {
                        self.sack.push(SackBlock {
                            start: Seq::new(u32::from_be_bytes([a, b, c, d])),
                            end: Seq::new(u32::from_be_bytes([e, f, g, h])),
                        });
                    }
                }
            }
            _ => {}
        }
    }

    /// Writes the options into `out`; returns how many bytes, a multiple of 4.
    /// SACK blocks that no longer fit are left out.
    pub(crate) fn emit(&self, out: &mut [u8; OPTIONS_LEN_MAX]) -> usize {
        let mut writer = Writer { out, at: 0 };
        if let Some(mss) = self.mss {
            let [a, b] = mss.to_be_bytes();
            writer.put(&[MSS, 4, a, b]);
        }
        if let Some(timestamps) = self.timestamps {
            // Linux lets SACK-permitted take the place of the two bytes of padding.
            let lead = if self.sack_permitted {
                [SACK_PERMITTED, 2]
            } else {
                [NOP, NOP]
            };
            writer.put(&lead);
            writer.put(&[TIMESTAMPS, 10]);
            writer.put(&timestamps.value.to_be_bytes());
            writer.put(&timestamps.echo.to_be_bytes());
        } else if self.sack_permitted {
            writer.put(&[NOP, NOP, SACK_PERMITTED, 2]);
        }
        if let Some(scale) = self.window_scale {
            writer.put(&[NOP, WINDOW_SCALE, 3, scale]);
        }
        let room = OPTIONS_LEN_MAX.saturating_sub(writer.at + 4) / 8;
        let blocks = self
            .sack
            .get(..self.sack.len().min(room))
            .unwrap_or_default();
        if !blocks.is_empty() {
            let len = u8::try_from(2 + 8 * blocks.len()).unwrap_or(0);
            writer.put(&[NOP, NOP, SACK, len]);
            for block in blocks {
                writer.put(&block.start.raw().to_be_bytes());
                writer.put(&block.end.raw().to_be_bytes());
            }
        }
        writer.at
    }
}

/// The layout nearly every segment of an open connection has: two NOPs and the timestamps.
fn aligned_timestamps(bytes: &[u8]) -> Option<Timestamps> {
    match *bytes {
        [NOP, NOP, TIMESTAMPS, 10, a, b, c, d, e, f, g, h] => Some(Timestamps {
            value: u32::from_be_bytes([a, b, c, d]),
            echo: u32::from_be_bytes([e, f, g, h]),
        }),
        _ => None,
    }
}

struct Writer<'a> {
    out: &'a mut [u8; OPTIONS_LEN_MAX],
    at: usize,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(room) = self.out.get_mut(self.at..self.at + bytes.len()) {
            room.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn emitted(options: &Options) -> ([u8; OPTIONS_LEN_MAX], usize) {
        let mut out = [0; OPTIONS_LEN_MAX];
        let len = options.emit(&mut out);
        (out, len)
    }

    fn syn() -> Options {
        Options {
            mss: Some(1460),
            window_scale: Some(7),
            sack_permitted: true,
            timestamps: Some(Timestamps { value: 1, echo: 0 }),
            sack: SackBlocks::new(),
        }
    }

    fn block(start: u32, end: u32) -> SackBlock {
        SackBlock {
            start: Seq::new(start),
            end: Seq::new(end),
        }
    }

    #[test]
    fn a_syn_is_laid_out_as_linux_does() {
        let (out, len) = emitted(&syn());
        let expected = [
            2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7,
        ];
        assert_eq!(&out[..len], &expected);
    }

    #[test]
    fn without_timestamps_sack_permitted_is_padded() {
        let options = Options {
            timestamps: None,
            ..syn()
        };
        let (out, len) = emitted(&options);
        assert_eq!(&out[..len], &[2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7]);
    }

    #[test]
    fn only_three_sack_blocks_fit_beside_timestamps() {
        let options = Options {
            timestamps: Some(Timestamps { value: 9, echo: 8 }),
            sack: (0..4).map(|i| block(i * 10, i * 10 + 5)).collect(),
            ..Options::default()
        };
        let (out, len) = emitted(&options);
        assert_eq!(len, OPTIONS_LEN_MAX);
        assert_eq!(Options::parse(&out[..len]).sack.len(), 3);
    }

    #[test]
    fn an_option_of_wrong_length_is_skipped() {
        let options = Options::parse(&[2, 3, 9, 1, 3, 3, 9, 0]);
        assert_eq!(options.mss, None);
        assert_eq!(options.window_scale, Some(9));
    }

    #[test]
    fn of_several_lists_of_sack_blocks_the_first_four_blocks_count() {
        let list = [&[5, 26][..], &[7; 24]].concat();
        let options = Options::parse(&[list.as_slice(), &list].concat());
        assert_eq!(options.sack.len(), SACK_BLOCKS_MAX);
    }

    #[test]
    fn a_window_scale_above_fourteen_is_taken_as_fourteen() {
        assert_eq!(Options::parse(&[3, 3, 200]).window_scale, Some(14));
    }

    #[test]
    fn an_option_that_runs_past_the_end_finishes_the_list() {
        let options = Options::parse(&[2, 4, 5, 0xb4, 8, 10, 0]);
        assert_eq!(
            options,
            Options {
                mss: Some(1460),
                ..Options::default()
            }
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Options::parse(&bytes);
        }

        #[test]
        fn what_was_emitted_is_parsed_again(
            mss in proptest::option::of(any::<u16>()),
            window_scale in proptest::option::of(0u8..=14),
            sack_permitted: bool,
            stamps in proptest::option::of((any::<u32>(), any::<u32>())),
        ) {
            let options = Options {
                mss, window_scale, sack_permitted,
                timestamps: stamps.map(|(value, echo)| Timestamps { value, echo }),
                sack: SackBlocks::new(),
            };
            let (out, len) = emitted(&options);
            prop_assert_eq!(len % 4, 0);
            prop_assert_eq!(Options::parse(&out[..len]), options);
        }
    }
}
