//! One stack against a peer that a script plays segment by segment. Sequence numbers count from
//! each side's SYN, which is 0.

use super::world::PORT;
use crate::ip::{IcmpError, Trouble};
use crate::tcp::header::{Flags, Header};
use crate::tcp::options::{Options, SackBlock, Timestamps};
use crate::tcp::output::head_bytes;
use crate::tcp::seq::Seq;
use crate::testing::{Frame, Host, config};
use crate::wire::arp::{Arp, Operation};
use crate::wire::ipv4::{self, Header as IpHeader};
use crate::wire::{checksum, ethernet};
use crate::{Addr, Config, Domain, Endpoint, Error, SockId, SockKind};
use core::time::Duration;
use std::string::ToString;
use std::vec::Vec;
use zerocopy::IntoBytes;

const OWN: [u8; 4] = [10, 0, 0, 1];
const PEER: [u8; 4] = [10, 0, 0, 9];
const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
const PEER_ISS: u32 = 0xffff_fff0;

/// A segment with relative numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seg {
    pub(super) flags: Flags,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) window: u16,
    pub(super) data: Vec<u8>,
    pub(super) sack: Vec<(u32, u32)>,
    pub(super) clock: Option<(u32, u32)>,
    pub(super) scale: Option<u8>,
    /// Of what we send; the peer's SYNs have what [`Script::use_peer_mss`] says.
    pub(super) mss: Option<u16>,
    /// Of what we send; the peer's SYNs always have it.
    pub(super) sack_permitted: bool,
}

impl Seg {
    pub(super) fn new(flags: Flags, seq: u32, ack: u32) -> Self {
        Self {
            flags,
            seq,
            ack,
            window: 60_000,
            data: Vec::new(),
            sack: Vec::new(),
            clock: None,
            scale: None,
            mss: None,
            sack_permitted: false,
        }
    }

    pub(super) fn ack(seq: u32, ack: u32) -> Self {
        Self::new(Flags::ACK, seq, ack)
    }

    pub(super) fn data(seq: u32, ack: u32, len: usize) -> Self {
        Self {
            data: std::vec![0x5a; len],
            ..Self::ack(seq, ack)
        }
    }

    pub(super) fn window(self, window: u16) -> Self {
        Self { window, ..self }
    }

    pub(super) fn sack(self, blocks: &[(u32, u32)]) -> Self {
        Self {
            sack: blocks.to_vec(),
            ..self
        }
    }

    pub(super) fn clock(self, value: u32, echo: u32) -> Self {
        Self {
            clock: Some((value, echo)),
            ..self
        }
    }

    pub(super) fn scale(self, scale: u8) -> Self {
        Self {
            scale: Some(scale),
            ..self
        }
    }

    /// First number, number after the data.
    pub(super) fn range(&self) -> (u32, u32) {
        (
            self.seq,
            self.seq + u32::try_from(self.data.len()).expect("short"),
        )
    }

    pub(super) fn has(&self, flags: Flags) -> bool {
        self.flags.contains(flags)
    }
}

/// As long as an ACK waits for what the program does about a connection that has just opened or ended.
pub(super) const MOMENT: Duration = Duration::from_micros(30);

pub(super) struct Script {
    pub(super) host: Host,
    pub(super) id: SockId,
    own_iss: u32,
    own_port: u16,
    peer_port: u16,
    peer_mss: u16,
}

impl Script {
    /// A host that knows the peer's Ethernet address, and a fresh socket.
    pub(super) fn new(change: impl Fn(&mut Config)) -> Self {
        let mut config = config(1);
        change(&mut config);
        let mut host = Host::with(config);
        let arp = Arp {
            operation: Operation::Request,
            sender_mac: PEER_MAC,
            sender_ip: PEER,
            target_mac: [0; 6],
            target_ip: OWN,
        };
        let header = ethernet::Header::new(ethernet::BROADCAST, PEER_MAC, ethernet::ARP);
        host.receive(&Frame::plain(
            [header.as_bytes(), arp.emit().as_bytes()].concat(),
        ));
        assert_eq!(host.transmit_all().len(), 1, "the answer to the request");
        let id = host
            .stack
            .socket(SockKind::Stream, Domain::Inet)
            .expect("a socket");
        Self {
            host,
            id,
            own_iss: 0,
            own_port: 0,
            peer_port: 80,
            peer_mss: 1000,
        }
    }

    /// `connect` was called, the SYN has gone out.
    pub(super) fn connecting(change: impl Fn(&mut Config)) -> Self {
        let mut script = Self::new(change);
        script.connect();
        script
    }

    pub(super) fn connect(&mut self) -> Seg {
        let remote = Endpoint::new(Addr::v4(PEER), self.peer_port);
        let result = self.host.stack.connect(self.host.now, self.id, remote);
        assert_eq!(result, Err(Error::InProgress));
        let frame = self.host.transmit().expect("a SYN");
        let (header, _) = Header::parse(&frame.bytes[34..]).expect("a header");
        self.own_iss = header.seq.raw();
        self.own_port = header.src_port;
        self.parse(&frame).expect("TCP")
    }

    /// An established connection that we opened; SACK, no clocks, no scaling, MSS 1000.
    pub(super) fn connected() -> Self {
        Self::connected_with(|config| (config.timestamps, config.window_scaling) = (0, 0))
    }

    pub(super) fn connected_with(change: impl Fn(&mut Config)) -> Self {
        let mut script = Self::connecting(change);
        script.advance(Duration::from_millis(20));
        script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1));
        let early = script.sent();
        assert!(early.is_empty(), "the ACK waits for data: {early:?}");
        script.advance(MOMENT);
        let sent = script.sent();
        assert_eq!(sent.len(), 1, "the handshake's last ACK: {sent:?}");
        assert_eq!(script.host.stack.connect_result(script.id), Ok(()));
        script
    }

    /// A listener on [`PORT`].
    pub(super) fn listening(backlog: u32) -> Self {
        Self::listening_with(backlog, |config| {
            (config.timestamps, config.window_scaling) = (0, 0);
        })
    }

    pub(super) fn listening_with(backlog: u32, change: impl Fn(&mut Config)) -> Self {
        let mut script = Self::new(change);
        let local = Endpoint::new(Addr::V4_UNSPECIFIED, PORT);
        let stack = &mut script.host.stack;
        stack
            .bind(script.host.now, script.id, local)
            .expect("bound");
        stack
            .listen(script.host.now, script.id, backlog)
            .expect("listening");
        script.own_port = PORT;
        script
    }

    /// The peer speaks from another port from now on.
    pub(super) fn use_peer_port(&mut self, port: u16) {
        self.peer_port = port;
    }

    /// The peer's SYNs ask for this segment size from now on.
    pub(super) fn use_peer_mss(&mut self, mss: u16) {
        self.peer_mss = mss;
    }

    /// Our numbers count from here on.
    pub(super) fn use_own_iss(&mut self, iss: u32) {
        self.own_iss = iss;
    }

    /// Our end and the peer's.
    pub(super) fn ends(&self) -> (Endpoint, Endpoint) {
        let own = Endpoint::new(Addr::v4(OWN), self.own_port);
        (own, Endpoint::new(Addr::v4(PEER), self.peer_port))
    }

    pub(super) fn own_iss(&self) -> u32 {
        self.own_iss
    }

    /// The peer tells where it is.
    pub(super) fn announce(&mut self) {
        let arp = Arp {
            operation: Operation::Reply,
            sender_mac: PEER_MAC,
            sender_ip: PEER,
            target_mac: [2, 0, 0, 0, 0, 1],
            target_ip: OWN,
        };
        let header = ethernet::Header::new([2, 0, 0, 0, 0, 1], PEER_MAC, ethernet::ARP);
        let frame = [header.as_bytes(), arp.emit().as_bytes()].concat();
        self.host.receive(&Frame::plain(frame));
    }

    /// A segment comes from the peer.
    pub(super) fn send(&mut self, seg: &Seg) {
        let frame = self.frame(seg);
        self.host.receive(&frame);
    }

    /// Segments come from the peer, in one burst.
    pub(super) fn send_burst(&mut self, segs: &[Seg]) {
        let frames: Vec<Frame> = segs.iter().map(|seg| self.frame(seg)).collect();
        self.host.receive_burst(&frames);
    }

    /// A router, or the neighbour's silence, tells of trouble with our number `seq`.
    pub(super) fn complain(&mut self, seq: u32, what: Trouble) {
        let (local, remote) = self.ends();
        let news = IcmpError {
            local,
            remote,
            seq: Some(self.own_iss.wrapping_add(seq)),
            what,
        };
        let now = self.host.now;
        crate::tcp::icmp::handle(&mut self.host.stack.layers(now).tcp_parts(), &news);
    }

    /// A segment of the peer's on the wire.
    pub(super) fn frame(&self, seg: &Seg) -> Frame {
        let is_syn = seg.has(Flags::SYN);
        let absolute = |iss: u32, n: u32| Seq::new(iss.wrapping_add(n));
        let options = Options {
            mss: is_syn.then_some(self.peer_mss),
            window_scale: seg.scale,
            sack_permitted: is_syn,
            timestamps: seg.clock.map(|(value, echo)| Timestamps { value, echo }),
            sack: seg
                .sack
                .iter()
                .map(|&(start, end)| SackBlock {
                    start: absolute(self.own_iss, start),
                    end: absolute(self.own_iss, end),
                })
                .collect(),
        };
        let header = Header {
            src_port: self.peer_port,
            dst_port: self.own_port,
            seq: absolute(PEER_ISS, seg.seq),
            ack: absolute(self.own_iss, seg.ack),
            flags: seg.flags,
            window: seg.window,
        };
        let mut segment = [head_bytes(&header, &options).as_slice(), &seg.data].concat();
        let len = u32::try_from(segment.len()).expect("short");
        let seed = checksum::pseudo(Addr::v4(PEER), Addr::v4(OWN), ipv4::TCP, len);
        let sum = checksum::finish(checksum::sum(&segment, seed));
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        let ip = IpHeader {
            tos: 0,
            total_len: u16::try_from(segment.len() + 20).expect("short"),
            ident: 7,
            dont_fragment: true,
            more_fragments: false,
            fragment_at: 0,
            ttl: 64,
            protocol: ipv4::TCP,
            src: PEER,
            dst: OWN,
            header_len: 20,
        };
        let ethernet = ethernet::Header::new([2, 0, 0, 0, 0, 1], PEER_MAC, ethernet::IPV4);
        Frame::plain([ethernet.as_bytes(), ip.emit().as_bytes(), &segment].concat())
    }

    /// What the stack sends now.
    pub(super) fn sent(&mut self) -> Vec<Seg> {
        let frames = self.host.transmit_all();
        frames
            .iter()
            .filter_map(|frame| self.parse(frame))
            .collect()
    }

    /// The one segment the stack sends now.
    pub(super) fn sent_one(&mut self) -> Seg {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    /// The stack sends just these segments now, as [`super::notation`] writes them.
    #[track_caller]
    pub(super) fn expect(&mut self, expected: &[&str]) {
        let sent: Vec<_> = self.sent().iter().map(Seg::to_string).collect();
        assert_eq!(sent, expected);
    }

    pub(super) fn advance(&mut self, time: Duration) {
        self.host.advance(time);
    }

    /// Time passes until the stack sends something, at most `limit`.
    pub(super) fn wait(&mut self, limit: Duration) -> (Duration, Vec<Seg>) {
        let start = self.host.now;
        loop {
            let sent = self.sent();
            let past = self.host.now.saturating_since(start);
            if !sent.is_empty() || past >= limit {
                return (past, sent);
            }
            let due = self.host.stack.poll_timeout().unwrap_or(start + limit);
            let due = due.max(self.host.now).min(start + limit);
            let step = due.saturating_since(self.host.now);
            self.host.advance(step);
        }
    }

    pub(super) fn write(&mut self, len: usize) {
        let bytes = super::world::pattern(len);
        let count = super::world::write(&mut self.host, self.id, &bytes, crate::SendFlags::empty());
        assert_eq!(count, Ok(len));
    }

    pub(super) fn read(&mut self) -> Result<Vec<u8>, Error> {
        super::world::read(&mut self.host, self.id)
    }

    pub(super) fn close(&mut self) {
        self.host.stack.close(self.host.now, self.id);
    }

    pub(super) fn info(&self) -> crate::TcpInfo {
        self.host
            .stack
            .tcp_info(self.host.now, self.id)
            .expect("a connection")
    }

    fn parse(&self, frame: &Frame) -> Option<Seg> {
        let (ethernet, packet) = ethernet::Header::parse(&frame.bytes)?;
        if ethernet.ethertype() != ethernet::IPV4 {
            return None;
        }
        let segment = packet.get(20..)?;
        let (header, len) = Header::parse(segment)?;
        let options = Options::parse(segment.get(20..len)?);
        let relative = |iss: u32, seq: Seq| seq.raw().wrapping_sub(iss);
        Some(Seg {
            flags: header.flags,
            seq: relative(self.own_iss, header.seq),
            ack: relative(PEER_ISS, header.ack),
            window: header.window,
            data: segment[len..].to_vec(),
            sack: options
                .sack
                .iter()
                .map(|block| {
                    (
                        relative(PEER_ISS, block.start),
                        relative(PEER_ISS, block.end),
                    )
                })
                .collect(),
            clock: options.timestamps.map(|stamps| (stamps.value, stamps.echo)),
            scale: options.window_scale,
            mss: options.mss,
            sack_permitted: options.sack_permitted,
        })
    }
}
