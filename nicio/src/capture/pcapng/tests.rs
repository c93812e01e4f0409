use proptest::prelude::*;

use super::super::testing::{Packet, parse};
use super::*;

#[test]
fn a_file_says_who_made_it_where_and_in_which_unit() {
    use pcap_file::pcapng::PcapNgReader;
    use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionOption;
    use pcap_file::pcapng::blocks::section_header::SectionHeaderOption;

    let mut file = Vec::new();
    beginning(&mut file, "tap:nstk0", "Linux 6.18 x86_64");
    statistics(
        &mut file,
        &Statistics {
            start_ns: 1,
            end_ns: 2,
            frames: 0,
            frames_lost: 0,
        },
    );
    let mut reader = PcapNgReader::new(file.as_slice()).expect("a file begins");
    let options = &reader.section().options;
    assert!(options.contains(&SectionHeaderOption::OS("Linux 6.18 x86_64".into())));
    assert!(options.contains(&SectionHeaderOption::UserApplication(
        APPLICATION_NAME.into()
    )));
    while let Some(block) = reader.next_block() {
        block.expect("blocks are whole");
    }
    let [interface] = reader.interfaces() else {
        panic!("one interface");
    };
    assert_eq!(interface.linktype, pcap_file::DataLink::ETHERNET);
    let name = InterfaceDescriptionOption::IfName("tap:nstk0".into());
    assert!(interface.options.contains(&name));
    assert!(
        interface
            .options
            .contains(&InterfaceDescriptionOption::IfTsResol(9))
    );
}

#[test]
fn the_statistics_are_as_long_as_room_is_kept_for() {
    let mut out = Vec::new();
    statistics(
        &mut out,
        &Statistics {
            start_ns: u64::MAX,
            end_ns: 0,
            frames: 1,
            frames_lost: 2,
        },
    );
    assert_eq!(out.len(), STATISTICS_BYTES);
}

proptest! {
    #[test]
    fn packets_are_read_back_as_written(
        packets in proptest::collection::vec(
            (any::<u64>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 1..2000)), 0..20
        )
    ) {
        let mut file = Vec::new();
        beginning(&mut file, "mem", "");
        let mut expected = Vec::new();
        for (time_ns, out, bytes) in packets {
            let direction = if out { Direction::Out } else { Direction::In };
            let before = file.len();
            packet(&mut file, time_ns, direction, bytes.len() as u32, |to| to.copy_from_slice(&bytes));
            prop_assert_eq!(file.len() - before, packet_bytes(bytes.len()));
            expected.push(Packet { time_ns, flags: if out { 2 } else { 1 }, bytes });
        }
        let parsed = parse(&file);
        prop_assert_eq!(parsed.packets, expected);
    }
}
