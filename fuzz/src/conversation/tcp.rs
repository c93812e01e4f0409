//! TCP segments of the peers.

use arbitrary::{Result, Unstructured};
use stack::{Addr, Endpoint, RxChecksum};

use super::number::{near, one_of, payload_len, seldom, small};
use super::packet::{Packet, TCP};
use super::peer::{Flow, sent_byte};
use super::surroundings::{OWN_V4, OWN_V6, PEERS};
use super::world::World;
use super::{fragments, options};

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;
const URG: u8 = 0x20;

/// Where the programs listen, and from where they connect.
pub(super) const OWN_PORTS: [u16; 4] = [5000, 5001, 5002, 5003];
/// The ports of the peers.
pub(super) const PEER_PORTS: [u16; 4] = [1000, 1001, 1002, 1003];

/// A segment of a new connection, or of one that is known.
pub(super) fn segment(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    let number = usize::from(bytes.arbitrary::<u8>()?);
    let flows = &world.peer.flows;
    let is_new = flows.is_empty() || number >= 224;
    let flow = if is_new {
        open(world, bytes)?
    } else {
        Some(flows[number % flows.len()])
    };
    let Some(mut flow) = flow else {
        return Ok(());
    };
    let flags = if is_new { SYN } else { flags(&flow, bytes)? };
    let segment = Segment::new(world, &mut flow, flags, bytes)?;
    if let Some(known) = world.peer.flow(flow.local, flow.remote) {
        *known = flow;
    }
    segment.put(world, flow, bytes)
}

/// Somebody begins a connection.
fn open(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<Option<Flow>> {
    let remote = one_of(bytes, &PEERS)?;
    let own = if remote.is_v4() { OWN_V4 } else { OWN_V6 };
    let local = Endpoint::new(own, one_of(bytes, &OWN_PORTS)?);
    let remote = Endpoint::new(remote, one_of(bytes, &PEER_PORTS)?);
    let flow = world.peer.flow(local, remote);
    Ok(flow.map(|flow| {
        // What the peer sent last, if anything, counts as its first number: sometimes right for TIME_WAIT.
        flow.wanted = flow.wanted.wrapping_add(100_000);
        flow.clock = None;
        *flow
    }))
}

/// What fits mostly.
fn flags(flow: &Flow, bytes: &mut Unstructured<'_>) -> Result<u8> {
    Ok(match bytes.arbitrary::<u8>()? {
        0..=179 if flow.is_opening => SYN | ACK,
        0..=179 => ACK,
        180..=204 => FIN | ACK,
        205..=209 => SYN | ACK,
        210..=217 => SYN,
        218..=223 => RST,
        224..=229 => RST | ACK,
        230..=235 => URG | ACK,
        236..=243 => PSH | ACK,
        244..=255 => bytes.arbitrary()?,
    })
}

#[derive(Default)]
pub(super) struct Segment {
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) flags: u8,
    pub(super) window: u16,
    pub(super) urgent: u16,
    pub(super) options: Vec<u8>,
    /// Bytes of payload.
    pub(super) len: usize,
}

impl Segment {
    fn new(
        world: &World,
        flow: &mut Flow,
        flags: u8,
        bytes: &mut Unstructured<'_>,
    ) -> Result<Self> {
        let ack = acknowledged(flow, bytes)?;
        if flags & ACK != 0 {
            flow.acked = ack;
        }
        Ok(Self {
            seq: near(bytes, flow.wanted)?,
            ack,
            flags,
            window: match bytes.arbitrary::<u8>()? {
                0..=199 => u16::MAX,
                200..=224 => 0,
                _ => bytes.arbitrary()?,
            },
            urgent: if flags & URG == 0 {
                0
            } else {
                bytes.arbitrary()?
            },
            options: options::fitting(flow, flags & SYN != 0, world.now, bytes)?,
            len: payload_len(bytes)?,
        })
    }

    fn put(self, world: &mut World, flow: Flow, bytes: &mut Unstructured<'_>) -> Result<()> {
        let packet = self.packet(&flow);
        let checksum = match bytes.arbitrary::<u8>()? {
            0..=99 => RxChecksum::Partial,
            100..=199 => RxChecksum::Good,
            _ => RxChecksum::Unknown,
        };
        let gso_size = if seldom(bytes, 4)? {
            bytes.arbitrary::<u16>()? % 2000
        } else {
            0
        };
        fragments::put(world, packet, (checksum, gso_size), bytes)
    }

    pub(super) fn packet(&self, flow: &Flow) -> Packet {
        let mut data = Vec::new();
        data.extend(flow.remote.port.to_be_bytes());
        data.extend(flow.local.port.to_be_bytes());
        data.extend(self.seq.to_be_bytes());
        data.extend(self.ack.to_be_bytes());
        let words = u8::try_from(5 + self.options.len() / 4).expect("at most 40 bytes");
        data.extend([words << 4, self.flags]);
        data.extend(self.window.to_be_bytes());
        data.extend([0, 0]);
        data.extend(self.urgent.to_be_bytes());
        data.extend(&self.options);
        let first = self.seq.wrapping_add(u32::from(self.flags & SYN != 0));
        data.extend((0..self.len).map(|at| sent_byte(first.wrapping_add(at as u32))));
        Packet::new(flow.remote.addr, flow.local.addr, TCP, data).with_checksum(16)
    }
}

/// All that was sent mostly, or some of it, or what is acknowledged already, or too much.
fn acknowledged(flow: &Flow, bytes: &mut Unstructured<'_>) -> Result<u32> {
    Ok(match bytes.arbitrary::<u8>()? {
        0..=149 => flow.sent,
        150..=189 => flow.acked,
        190..=219 => flow
            .acked
            .wrapping_add(u32::from(bytes.arbitrary::<u8>()?) * 1448),
        220..=235 => flow.acked.wrapping_add(small(bytes)?),
        236..=255 => near(bytes, flow.sent)?,
    })
}

/// An address that a peer can have.
pub(super) fn any_peer(bytes: &mut Unstructured<'_>) -> Result<Addr> {
    Ok(if seldom(bytes, 8)? {
        Addr::v4([10, 0, 0, bytes.arbitrary()?])
    } else {
        one_of(bytes, &PEERS)?
    })
}
