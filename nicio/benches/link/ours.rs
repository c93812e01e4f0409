//! Two stacks of nstk over a link.

use std::time::Duration;

use nstk_nicio::link::{self, Link};
use nstk_nicio::{Nic, RxBurst, TxBurst};
use region::Region;
use stack::{
    Addr, Config, Domain, Endpoint, Error, Instant, PoolKind, RecvFlags, SendFlags, SockId,
    SockKind, SockOpt, Stack,
};

use crate::{Connection, Side};

/// Bytes of each host's region.
const REGION: usize = 96 << 20;
/// How long one step takes in virtual time.
const STEP: Duration = Duration::from_micros(1);

struct Host {
    stack: Stack,
    link: Link,
    rx: RxBurst,
    tx: TxBurst,
    // Last, so that the region outlives the handles into it.
    _region: Region,
}

/// A connection between two hosts.
pub(crate) struct Pair {
    hosts: [Host; 2],
    sockets: [SockId; 2],
    now: Instant,
}

impl Host {
    fn new(link: Link, number: u8, now: Instant) -> Self {
        let region = Region::on_heap(REGION);
        let config = Config {
            addr: address(number),
            prefix_len: 24,
            mac: [2, 0, 0, 0, 0, number],
            mtu: link.caps().mtu,
            offload: link.caps().offload.bits(),
            tcp_mem: [2048, 4096, 8192],
            ..Config::default()
        };
        let stack = Stack::create(&region, &config, now, [number; 32]).expect("room");
        Self {
            stack,
            link,
            rx: RxBurst::new(),
            tx: TxBurst::new(),
            _region: region,
        }
    }

    /// Receives, runs timers and sends; whether anything moved.
    fn turn(&mut self, now: Instant) -> bool {
        let Self {
            stack,
            link,
            rx,
            tx,
            _region,
        } = self;
        while rx.wants() > 0 {
            let Some(id) = stack.alloc_receive() else {
                break;
            };
            let buffers = stack.receive_buffers();
            let piece = buffers.piece(id, 0, buffers.size()).expect("a live buffer");
            assert!(rx.supply(id, piece), "there is room");
        }
        let received = link.rx_burst(rx).expect("the link works");
        rx.take_frames(|frames| stack.handle_frames(now, frames));
        stack.handle_timeout(now);
        while !tx.is_full() && stack.poll_transmit(now, tx) {}
        tx.resolve(|part| {
            let pool = match part.pool {
                PoolKind::Send => stack.send_buffers(),
                PoolKind::Receive => stack.receive_buffers(),
            };
            pool.piece(part.buf, part.at, part.len)
        });
        let sent = link.tx_burst(tx).expect("the link works");
        for (pool, buf) in tx.take_done() {
            stack.release_sent(pool, buf);
        }
        received + sent > 0
    }
}

impl Pair {
    pub(crate) fn connect() -> Self {
        const PORT: u16 = 5001;
        let now = Instant::from_secs(1);
        let (one, other) = link::pair().expect("memory");
        let mut pair = Self {
            hosts: [Host::new(one, 1, now), Host::new(other, 2, now)],
            sockets: [SockId::default(); 2],
            now,
        };
        let [client, server] = &mut pair.hosts;
        let socket = |host: &mut Host| {
            let socket = host.stack.socket(SockKind::Stream, Domain::Inet);
            socket.expect("a socket")
        };
        let listener = socket(server);
        let here = Endpoint::new(address(2), PORT);
        let listening = &mut server.stack;
        listening.bind(now, listener, here).expect("a free port");
        listening.listen(now, listener, 1).expect("bound");
        pair.sockets[0] = socket(client);
        let _ = client.stack.connect(now, pair.sockets[0], here);
        for _ in 0..100 {
            pair.step();
        }
        let accepted = pair.hosts[1].stack.accept(pair.now, listener);
        pair.sockets[1] = accepted.expect("a connection");
        for (host, socket) in pair.hosts.iter_mut().zip(pair.sockets) {
            let set = host
                .stack
                .set_option(pair.now, socket, SockOpt::NoDelay(true));
            set.expect("a stream has the option");
        }
        pair
    }

    fn step(&mut self) {
        self.now = self.now + STEP;
        let mut moved = false;
        for host in &mut self.hosts {
            moved |= host.turn(self.now);
        }
        if !moved {
            let due = self
                .hosts
                .iter()
                .filter_map(|host| host.stack.poll_timeout());
            self.now = self.now.max(due.min().unwrap_or(self.now));
        }
    }
}

impl Connection for Pair {
    fn pass(&mut self, from: Side, mut bytes: &[u8], mut into: &mut [u8]) {
        let [client, server] = self.sockets;
        let (sender, receiver, source, target) = match from {
            Side::Client => (0, 1, client, server),
            Side::Server => (1, 0, server, client),
        };
        while !into.is_empty() {
            if !bytes.is_empty()
                && let Ok(span) = self.hosts[sender].stack.send_reserve(source, bytes.len())
            {
                let stack = &mut self.hosts[sender].stack;
                let copied = stack.fill(&span, bytes);
                let sent = stack.send_commit(self.now, source, span, copied, SendFlags::empty());
                bytes = &bytes[sent.expect("connected")..];
            }
            self.step();
            let stack = &mut self.hosts[receiver].stack;
            match stack.recv_reserve(target, into.len(), RecvFlags::empty(), 0) {
                Ok(span) => {
                    let copied = stack.take(&span, into);
                    let got = stack.recv_commit(self.now, target, span, copied);
                    into = &mut into[got.expect("connected")..];
                }
                Err(error) => assert_eq!(error, Error::WouldBlock),
            }
        }
    }
}

fn address(number: u8) -> Addr {
    Addr::v4([10, 0, 0, number])
}
