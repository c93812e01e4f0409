//! A capture in one process: recorders here, the writer in a thread, the file in the temporary directory.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use pcap_file::pcapng::PcapNgReader;
use pcap_file::pcapng::blocks::Block;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::blocks::interface_statistics::InterfaceStatisticsOption;

use super::recorder::Frame;
use super::{Channel, Checksum, Direction, Recorder, Writer, create};

/// A file that is removed with the value.
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nstk-capture-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn c_path(&self) -> CString {
        CString::new(self.0.as_os_str().as_bytes()).expect("no zero in it")
    }

    pub(super) fn bytes(&self) -> u64 {
        fs::metadata(&self.0).expect("the file is there").len()
    }

    pub(super) fn parse(&self) -> Parsed {
        parse(&fs::read(&self.0).expect("the file is there"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A capture that runs.
pub(super) struct Running {
    pub(super) channel: Arc<Channel>,
    pub(super) place: Place,
    writer: JoinHandle<()>,
}

impl Running {
    pub(super) fn start(limit_bytes: u64) -> Self {
        let place = Place::new();
        let (channel, writer) = Channel::make().expect("there is memory");
        let file = create(&place.c_path(), "mem").expect("the directory is there");
        let writer = Writer::new(writer, file, limit_bytes);
        Self {
            channel: Arc::new(channel),
            place,
            writer: std::thread::spawn(move || writer.run()),
        }
    }

    pub(super) fn recorder(&self) -> Recorder {
        Recorder::new(Arc::clone(&self.channel))
    }

    /// Ends the capture, after all recorders have been dropped.
    pub(super) fn finish(self) -> Parsed {
        let Self {
            channel,
            place,
            writer,
        } = self;
        drop(Arc::into_inner(channel).expect("all recorders are gone"));
        writer.join().expect("the writer does not panic");
        place.parse()
    }
}

/// Appends one frame without a missing checksum.
pub(super) fn append(recorder: &mut Recorder, bytes: &[u8], time_ns: u64) {
    let frame = Frame {
        len: bytes.len(),
        direction: Direction::In,
        checksum: Checksum::Done,
    };
    // SAFETY: a live slice.
    unsafe { recorder.append(&frame, time_ns, [(bytes.as_ptr(), bytes.len())].into_iter()) };
}

/// Records one frame.
pub(super) fn record(recorder: &mut Recorder, bytes: &[u8], time_ns: u64) {
    assert!(recorder.begin(), "the capture is open");
    append(recorder, bytes, time_ns);
    let mark = recorder.mark();
    recorder.publish(mark);
}

/// What an independent reader finds in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) packets: Vec<Packet>,
    /// Frames seen and frames lost; `None`: the file has no end.
    pub(super) statistics: Option<(u64, u64)>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) time_ns: u64,
    /// 1: in, 2: out.
    pub(super) flags: u32,
    pub(super) bytes: Vec<u8>,
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enums are those of the independent reader"
)]
pub(super) fn parse(file: &[u8]) -> Parsed {
    let mut reader = PcapNgReader::new(file).expect("a file begins");
    let mut parsed = Parsed {
        packets: Vec::new(),
        statistics: None,
    };
    while let Some(block) = reader.next_block() {
        assert_eq!(parsed.statistics, None, "the statistics come last");
        match block.expect("blocks are whole") {
            Block::EnhancedPacket(packet) => {
                assert_eq!(packet.original_len as usize, packet.data.len());
                let [EnhancedPacketOption::Flags(flags)] = packet.options.as_slice() else {
                    panic!("other options: {:?}", packet.options);
                };
                parsed.packets.push(Packet {
                    time_ns: u64::try_from(packet.timestamp.as_nanos()).expect("as written"),
                    flags: *flags,
                    bytes: packet.data.into_owned(),
                });
            }
            Block::InterfaceStatistics(block) => {
                let count = |wanted: fn(&InterfaceStatisticsOption<'_>) -> Option<u64>| {
                    block.options.iter().find_map(wanted).expect("it counts")
                };
                let received = count(|option| match option {
                    InterfaceStatisticsOption::IsbIfRecv(count) => Some(*count),
                    _ => None,
                });
                let dropped = count(|option| match option {
                    InterfaceStatisticsOption::IsbIfDrop(count) => Some(*count),
                    _ => None,
                });
                parsed.statistics = Some((received, dropped));
            }
            Block::InterfaceDescription(_) => {}
            other => panic!("{other:?}"),
        }
    }
    parsed
}
