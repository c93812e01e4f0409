//! A capture's writer, whose memory any process of the family may scribble in: what it writes is a whole pcapng file
//! nevertheless.

use std::ffi::CString;
use std::fs;

use arbitrary::{Result, Unstructured};
use nicio::capture::{CHANNEL_FDS, Channel, Writer, create};
use pcap_file::pcapng::PcapNgReader;
use sys::OwnedFd;

use crate::memory::{Scribbler, position};

/// Where the ring begins, and its bytes.
const RING: (u64, u64) = (4096, 1 << 24);
/// Positions recorded, taken, written.
const WORDS: [u64; 3] = [128, 256, 384];
/// Why it has ended, whose stack it follows, what the user has been told.
const FLAGS: [u64; 3] = [4, 8, 12];
const FRAMES_LOST: u64 = 16;

thread_local! {
    /// Its memory is used again: 16 MiB take a while to be made.
    static CHANNEL: (Channel, Channel) = Channel::make().expect("there is memory");
}

pub(super) fn scribbled(bytes: &mut Unstructured<'_>) -> Result<()> {
    CHANNEL.with(|(channel, _)| scribble(channel, bytes))
}

fn scribble(channel: &Channel, bytes: &mut Unstructured<'_>) -> Result<()> {
    let [memory, _] = channel.fds();
    let member = Scribbler::new(memory);
    for word in WORDS.iter().chain(&[FRAMES_LOST]) {
        member.put(*word, &[0; 8]);
    }
    for flag in FLAGS {
        member.put(flag, &[0; 4]);
    }
    let mut recorded = 0;
    for _ in 0..bytes.arbitrary::<u8>()? % 32 {
        recorded = put_record(&member, recorded, bytes)?;
    }
    member.put(WORDS[0], &position(bytes, recorded, RING.1)?.to_ne_bytes());
    if bytes.arbitrary()? {
        let word = *bytes.choose(&WORDS)?;
        member.put(
            word,
            &position(bytes, member.word(word), RING.1)?.to_ne_bytes(),
        );
        member.put(*bytes.choose(&FLAGS)?, &bytes.arbitrary::<[u8; 4]>()?);
        member.put(FRAMES_LOST, &bytes.arbitrary::<[u8; 8]>()?);
    }
    let limit = 1024 + u64::from(bytes.arbitrary::<u16>()?);
    write_file(memory, limit);
    Ok(())
}

/// A record as a recorder would append it, or nearly so. Answers where the next one begins.
fn put_record(member: &Scribbler, at: u64, bytes: &mut Unstructured<'_>) -> Result<u64> {
    let content_len = usize::from(bytes.arbitrary::<u8>()?);
    let content = bytes.bytes(content_len.min(bytes.len()))?;
    let len = position(bytes, content.len() as u64, RING.1)?;
    let flags = u32::from(bytes.arbitrary::<u8>()?) % 5;
    let mut record = (len as u32).to_le_bytes().to_vec();
    record.extend(flags.to_le_bytes());
    record.extend(bytes.arbitrary::<[u8; 8]>()?);
    record.extend(content);
    member.put_in_ring(RING, at, &record);
    Ok(at.wrapping_add(record.len().next_multiple_of(16) as u64))
}

/// Lets a writer work until it finds that nobody records any more, which is at once.
fn write_file(memory: i32, limit: u64) {
    let file = sys::memfd(c"capture").expect("there is memory");
    let path = format!("/proc/self/fd/{}", file.as_raw());
    let begun = create(&CString::new(path.as_str()).expect("no zero in it"), "fuzz");
    let (members, socket) = sys::socketpair().expect("there are descriptors");
    drop(members);
    let fds: [OwnedFd; CHANNEL_FDS] = [
        sys::duplicate(memory).expect("there are descriptors"),
        socket,
    ];
    let channel = Channel::from_fds(fds).expect("its memory is well");
    Writer::new(channel, begun.expect("a file of our own"), limit).run();
    check(&fs::read(path).expect("it is there"));
}

fn check(file: &[u8]) {
    let mut reader = PcapNgReader::new(file).expect("a file begins");
    while let Some(block) = reader.next_block() {
        block.expect("blocks are whole");
    }
}
