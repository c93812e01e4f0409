//! What a conversation begins with: settings, a device, memory, time.

use arbitrary::{Arbitrary, Result, Unstructured};
use env::sysctl::ROWS;
use stack::{Addr, CcKind, Config, Instant};

use super::number::{one_of, seldom, small};

/// The stack's own addresses.
pub(super) const OWN_V4: Addr = Addr::v4([10, 0, 0, 1]);
pub(super) const OWN_V6: Addr = v6(1);
pub(super) const OWN_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// Hosts that talk to it: a neighbour and one behind the router, in either family.
pub(super) const PEERS: [Addr; 4] = [
    Addr::v4([10, 0, 0, 9]),
    v6(9),
    Addr::v4([192, 0, 2, 9]),
    Addr::v6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]),
];
pub(super) const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// `fd00::<host>`
const fn v6(host: u8) -> Addr {
    Addr::v6([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host])
}

#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) config: Config,
    pub(super) region_bytes: usize,
    pub(super) start: Instant,
    /// Peers send no bent packets, so that what the programs read and the peers get can be compared with what was sent.
    pub(super) is_honest: bool,
    /// Indexes and port tables are looked through at the end, which takes time.
    pub(super) is_thorough: bool,
}

impl<'a> Arbitrary<'a> for Surroundings {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut config = Config {
            addr: OWN_V4,
            gateway: Addr::v4([10, 0, 0, 254]),
            prefix_len: 24,
            addr6: OWN_V6,
            gateway6: v6(0xfe),
            prefix_len6: 64,
            mac: OWN_MAC,
            mtu: one_of(bytes, &[1500, 1280, 9000, u16::MAX])?,
            offload: u32::from(bytes.arbitrary::<u8>()? % 32),
            congestion: one_of(bytes, &CcKind::ALL)? as u8,
            tcp_mem: one_of(
                bytes,
                &[[1024, 2048, 4096], [8, 16, 32], [64, 96, 128], [0; 3]],
            )?,
            ..Config::default()
        };
        for _ in 0..bytes.arbitrary::<u8>()? % 8 {
            set_sysctl(&mut config, bytes)?;
        }
        Ok(Self {
            config,
            region_bytes: one_of(bytes, &[64 << 20, 24 << 20, 20 << 20, 16 << 20])?,
            start: one_of(bytes, &STARTS)?,
            is_honest: bytes.arbitrary()?,
            is_thorough: seldom(bytes, 16)?,
        })
    }
}

/// Gives some sysctl a value that it accepts; most random ones are refused, so several kinds are tried.
pub(super) fn set_sysctl(config: &mut Config, bytes: &mut Unstructured<'_>) -> Result<()> {
    let row = bytes.choose(ROWS)?;
    let words = row.default_text().split_whitespace().count();
    let mut values = Vec::new();
    for _ in 0..words {
        values.push(match bytes.arbitrary::<u8>()? % 4 {
            0 => u64::from(bytes.arbitrary::<u8>()? % 4),
            1 => u64::from(small(bytes)?),
            2 => 1 << (bytes.arbitrary::<u8>()? % 64),
            _ => bytes.arbitrary()?,
        });
    }
    values.sort_unstable();
    let words: Vec<_> = values.iter().map(u64::to_string).collect();
    // A value out of range changes nothing.
    let _ = row.set(config, &words.join(" "));
    Ok(())
}

/// A second after the origin, and a moment before the clocks of TCP's timestamps run over.
const STARTS: [Instant; 2] = [
    Instant::from_secs(1),
    Instant::from_millis(u32::MAX as u64 - 500),
];
