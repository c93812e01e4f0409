//! Programs on both ends of a connection.

use crate::testing::{Host, Pair};
use crate::{
    Addr, Config, Domain, Endpoint, Error, RecvFlags, SendFlags, SockId, SockKind, SockOpt, Stack,
    TcpInfo,
};
use core::time::Duration;
use std::vec::Vec;

/// Port of the listener on the second host.
pub(super) const PORT: u16 = 5000;
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A wire, and a connection from the first host to the second.
pub(super) struct World {
    pub(super) pair: Pair,
    pub(super) listener: SockId,
    /// The connecting end on host 0, the accepted one on host 1.
    pub(super) ends: [SockId; 2],
}

impl World {
    /// Both ends established.
    pub(super) fn connected() -> Self {
        Self::with(Pair::new(), &[])
    }

    /// Both ends established, under changed settings.
    pub(super) fn configured(change: impl Fn(&mut Config)) -> Self {
        Self::with(Pair::with(change), &[])
    }

    /// Both ends established over this wire, with options set before.
    pub(super) fn with(mut pair: Pair, options: &[SockOpt]) -> Self {
        let listener = listen(&mut pair.hosts[1]);
        for &option in options {
            let now = pair.now();
            pair.hosts[1]
                .stack
                .set_option(now, listener, option)
                .expect("an option");
        }
        let client = stream(&mut pair.hosts[0]);
        for &option in options {
            let now = pair.now();
            pair.hosts[0]
                .stack
                .set_option(now, client, option)
                .expect("an option");
        }
        start(&mut pair, client);
        let mut server = None;
        let is_open = pair.run_until(10 * SECOND, |hosts| {
            let now = hosts[1].now;
            server = server.or_else(|| hosts[1].stack.accept(now, listener).ok());
            server.is_some() && hosts[0].stack.connect_result(client) == Ok(())
        });
        assert!(is_open, "the handshake completes");
        Self {
            pair,
            listener,
            ends: [client, server.expect("accepted")],
        }
    }

    pub(super) fn stack(&mut self, host: usize) -> &mut Stack {
        &mut self.pair.hosts[host].stack
    }

    /// What `TCP_INFO` says at one end.
    pub(super) fn info(&mut self, host: usize) -> TcpInfo {
        let (now, end) = (self.pair.now(), self.ends[host]);
        self.stack(host).tcp_info(now, end).expect("a connection")
    }

    /// Writes what fits now; gives how much that was.
    pub(super) fn write(&mut self, host: usize, bytes: &[u8]) -> Result<usize, Error> {
        write(
            &mut self.pair.hosts[host],
            self.ends[host],
            bytes,
            SendFlags::empty(),
        )
    }

    /// Reads what is there now.
    pub(super) fn read(&mut self, host: usize) -> Result<Vec<u8>, Error> {
        read(&mut self.pair.hosts[host], self.ends[host])
    }

    /// Closes one end.
    pub(super) fn close(&mut self, host: usize) {
        let (now, end) = (self.pair.now(), self.ends[host]);
        self.stack(host).close(now, end);
    }

    /// Carries `bytes` from one host to the other and checks them.
    pub(super) fn transfer(&mut self, from: usize, bytes: &[u8], limit: Duration) {
        let (mut sent, mut received) = (0, Vec::new());
        let ends = self.ends;
        let done = self.pair.run_until(limit, |hosts| {
            while sent < bytes.len() {
                match write(
                    &mut hosts[from],
                    ends[from],
                    &bytes[sent..],
                    SendFlags::empty(),
                ) {
                    Ok(count) => sent += count,
                    Err(Error::WouldBlock) => break,
                    Err(error) => panic!("writing: {error:?}"),
                }
            }
            let to = 1 - from;
            loop {
                match read(&mut hosts[to], ends[to]) {
                    Ok(part) if part.is_empty() => break,
                    Ok(part) => received.extend(part),
                    Err(Error::WouldBlock) => break,
                    Err(error) => panic!("reading: {error:?}"),
                }
            }
            received.len() >= bytes.len()
        });
        assert!(
            done,
            "{} of {} bytes arrived in time",
            received.len(),
            bytes.len()
        );
        assert!(received == bytes, "the bytes are the same");
    }

    /// Closes everything and checks that nothing is held any more.
    pub(super) fn finish(mut self) {
        let now = self.pair.now();
        let listener = self.listener;
        self.stack(1).close(now, listener);
        self.close(0);
        self.close(1);
        self.pair.run(200 * SECOND);
        for host in &mut self.pair.hosts {
            host.now = host.now + Duration::from_secs(1000);
            host.stack.handle_timeout(host.now);
            assert_empty(host);
        }
    }
}

/// Loses frames: `is_lost` is asked with the host a frame goes to and its number from now on.
pub(super) fn lose(pair: &mut Pair, mut is_lost: impl FnMut(usize, u64) -> bool + 'static) {
    let mut number = 0;
    pair.set_drops(move |to, _, _| {
        number += 1;
        is_lost(to, number - 1)
    });
}

/// No connection, segment, buffer or charge is left.
pub(super) fn assert_empty(host: &mut Host) {
    let stack = &mut host.stack;
    assert_eq!(stack.live_connections(), 0, "live connections");
    assert_eq!(stack.send_buffers().in_use(), 0, "send blocks");
    assert_eq!(stack.receive_buffers().in_use(), 0, "receive buffers");
    assert_eq!(stack.tcp.tx_segs.len(), 0, "sent segments");
    assert_eq!(stack.tcp.blocks.len(), 0, "blocks of chains");
    assert_eq!(stack.tcp.rx_segs.len(), 0, "received pieces");
    assert_eq!(stack.tcp.ranges.len(), 0, "ranges beyond gaps");
    assert_eq!(stack.tcp.memory().pages(), 0, "pages charged");
    assert_eq!(stack.tcp.time_wait.len(), 0, "records in TIME_WAIT");
    assert_eq!(stack.tcp.requests.len(), 0, "half-open connections");
    assert_eq!(stack.tcp.requests.next_due(), None, "their timers");
    assert_eq!(stack.socks.len(), 0, "endpoints");
}

/// A fresh socket.
pub(super) fn stream(host: &mut Host) -> SockId {
    let domain = if host.stack.config().has_v6() {
        Domain::Inet6
    } else {
        Domain::Inet
    };
    host.stack
        .socket(SockKind::Stream, domain)
        .expect("a socket")
}

/// A listener on [`PORT`].
pub(super) fn listen(host: &mut Host) -> SockId {
    let id = stream(host);
    let local = Endpoint::new(Addr::UNSPECIFIED, PORT);
    host.stack
        .set_option(host.now, id, SockOpt::ReuseAddr(true))
        .expect("an option");
    host.stack.bind(host.now, id, local).expect("bound");
    host.stack.listen(host.now, id, 16).expect("listening");
    id
}

/// Connects `id` on the first host to [`PORT`] of the second.
pub(super) fn start(pair: &mut Pair, id: SockId) {
    let now = pair.now();
    let config = pair.hosts[1].stack.config();
    let addr = if config.has_v6() {
        config.addr6
    } else {
        config.addr
    };
    let remote = Endpoint::new(addr, PORT);
    assert_eq!(
        pair.hosts[0].stack.connect(now, id, remote),
        Err(Error::InProgress)
    );
}

/// Writes what fits now.
pub(super) fn write(
    host: &mut Host,
    id: SockId,
    bytes: &[u8],
    flags: SendFlags,
) -> Result<usize, Error> {
    let span = host.stack.send_reserve(id, bytes.len())?;
    let count = host.stack.fill(&span, bytes);
    host.stack.send_commit(host.now, id, span, count, flags)
}

/// Reads what is there now; nothing at the end of file.
pub(super) fn read(host: &mut Host, id: SockId) -> Result<Vec<u8>, Error> {
    let span = host
        .stack
        .recv_reserve(id, 1 << 20, RecvFlags::empty(), 0)?;
    let mut bytes = std::vec![0; span.len()];
    let count = host.stack.take(&span, &mut bytes);
    assert_eq!(count, bytes.len());
    host.stack.recv_commit(host.now, id, span, count)?;
    Ok(bytes)
}

/// `len` bytes that differ from their neighbours and from other places.
pub(super) fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ (at >> 16).wrapping_mul(7)) as u8)
        .collect()
}
