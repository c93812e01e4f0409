use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// RFC 1071 section 4.1, word for word.
fn plain(bytes: &[u8]) -> u16 {
    let mut sum = 0u64;
    for pair in bytes.chunks(2) {
        sum += u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
    }
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// A frame, and where its transport header and its checksum are.
struct Made {
    frame: Vec<u8>,
    transport: usize,
    end: usize,
    field: usize,
    pseudo: Vec<u8>,
}

/// What a frame consists of.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    v6: bool,
    tcp: bool,
    tags: usize,
    /// IPv6 extension headers, or words of IPv4 options.
    extensions: usize,
    padding: usize,
}

prop_compose! {
    fn any_shape()(
        v6 in any::<bool>(), tcp in any::<bool>(), tags in 0usize..3, extensions in 0usize..4, padding in 0usize..7
    ) -> Shape {
        Shape { v6, tcp, tags, extensions, padding }
    }
}

fn make(shape: Shape, payload: &[u8]) -> Made {
    let Shape {
        v6,
        tcp,
        tags,
        extensions,
        padding,
    } = shape;
    let protocol = if tcp { TCP } else { UDP };
    let header = if tcp { 20 } else { 8 };
    let len = header + payload.len();
    let mut frame = vec![2; 12];
    for tag in 0..tags {
        frame.extend(if tag == 0 && tags == 2 {
            [0x88, 0xa8]
        } else {
            [0x81, 0]
        });
        frame.extend([0, 7]);
    }
    let mut pseudo;
    if v6 {
        frame.extend([0x86, 0xdd]);
        let extension_bytes: usize = (0..extensions).map(|n| 8 + 8 * n).sum();
        frame.extend([0x60, 0, 0, 0]);
        frame.extend(((len + extension_bytes) as u16).to_be_bytes());
        let kinds = [0, 60, 43];
        frame.extend([if extensions == 0 { protocol } else { kinds[0] }, 64]);
        pseudo = (0..32).collect::<Vec<u8>>();
        frame.extend(&pseudo);
        for n in 0..extensions {
            let next = if n + 1 == extensions {
                protocol
            } else {
                kinds[n + 1]
            };
            frame.extend([next, n as u8]);
            frame.extend(vec![0; 6 + 8 * n]);
        }
    } else {
        frame.extend([8, 0, 0x45 + extensions as u8, 0]);
        frame.extend(((20 + 4 * extensions + len) as u16).to_be_bytes());
        frame.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
        pseudo = (0..8).collect::<Vec<u8>>();
        frame.extend(&pseudo);
        frame.extend(vec![1; 4 * extensions]);
    }
    let transport = frame.len();
    frame.extend(vec![9; header]);
    frame.extend(payload);
    let end = frame.len();
    frame.extend(vec![0xaa; padding]);
    pseudo.extend([0, protocol]);
    pseudo.extend((len as u16).to_be_bytes());
    Made {
        frame,
        transport,
        end,
        field: transport + if tcp { 16 } else { 6 },
        pseudo,
    }
}

proptest! {
    #[test]
    fn every_kind_of_frame_gets_the_checksum_of_the_rfc(
        shape in any_shape(), payload in vec(any::<u8>(), 0..3000)
    ) {
        let made = make(shape, &payload);
        let mut frame = made.frame.clone();
        fill_in(&mut frame);
        let covered = [made.pseudo.as_slice(), &frame[made.transport..made.end]].concat();
        prop_assert_eq!(plain(&covered), 0xffff);
        prop_assert_ne!(&frame[made.field..made.field + 2], &[0, 0][..], "0 says that there is none");
        frame[made.field..made.field + 2].copy_from_slice(&made.frame[made.field..made.field + 2]);
        prop_assert_eq!(frame, made.frame, "nothing else changes");
    }

    #[test]
    fn broken_frames_are_left_alone_or_at_least_in_peace(
        mut frame in vec(any::<u8>(), 0..200), v6 in any::<bool>()
    ) {
        if let Some(ethertype) = frame.get_mut(12..14) {
            ethertype.copy_from_slice(if v6 { &[0x86, 0xdd] } else { &[8, 0] });
        }
        let len = frame.len();
        fill_in(&mut frame);
        prop_assert_eq!(frame.len(), len);
    }

    #[test]
    fn a_frame_that_is_cut_short_is_left_alone(shape in any_shape(), cut in 1usize..60) {
        let made = make(shape, &[5; 100]);
        let mut frame = made.frame;
        frame.truncate(made.end - cut);
        let before = frame.clone();
        fill_in(&mut frame);
        prop_assert_eq!(frame, before);
    }
}

#[test]
fn fragments_and_other_protocols_are_left_alone() {
    for (at, value) in [(20, 0x20), (21, 1), (23, 1)] {
        let mut frame = make(
            Shape {
                tcp: true,
                ..Shape::default()
            },
            &[5; 100],
        )
        .frame;
        frame[at] = value;
        let before = frame.clone();
        fill_in(&mut frame);
        assert_eq!(frame, before);
    }
}
