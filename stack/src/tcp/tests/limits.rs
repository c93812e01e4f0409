//! Memory: what the settings say is what is held.

use super::script::{Script, Seg};
use super::world::*;
use crate::tcp::header::Flags;
use crate::tcp::segment::TxSeg;
use crate::tcp::seq::Seq;
use crate::testing::{Host, Pair};
use crate::{Error, Ready, SendFlags, SockId, SockOpt};

/// Writes until there is no room.
fn fill(world: &mut World, host: usize) -> usize {
    let bytes = pattern(64 * 1024);
    let mut total = 0;
    while let Ok(count) = world.write(host, &bytes) {
        total += count;
    }
    total
}

#[test]
fn a_sender_whose_peer_does_not_read_is_stopped_and_told_when_it_may_go_on() {
    let mut world = World::configured(|config| {
        config.tcp_wmem[2] = 300_000;
        config.tcp_rmem[2] = 300_000;
    });
    let mut written = 0;
    for _ in 0..20 {
        written += fill(&mut world, 0);
        world.pair.run(SECOND);
    }
    assert_eq!(world.write(0, b"x"), Err(Error::WouldBlock));
    let end = world.ends[0];
    assert!(!world.stack(0).ready(end).contains(Ready::OUT));
    assert!((150_000..1_300_000).contains(&written), "{written}");
    while world.stack(0).pop_event().is_some() {}
    let mut read = 0;
    while read < written {
        match world.read(1) {
            Ok(part) => read += part.len(),
            Err(Error::WouldBlock) => world.pair.run(SECOND / 10),
            Err(error) => panic!("reading: {error:?}"),
        }
    }
    let edges: std::vec::Vec<_> = core::iter::from_fn(|| world.stack(0).pop_event()).collect();
    assert!(
        edges
            .iter()
            .any(|(id, _, edge)| *id == end && edge.contains(Ready::OUT))
    );
    world.finish();
}

#[test]
fn tcp_mem_bounds_all_connections_together() {
    const HIGH: u64 = 256;
    let mut pair = Pair::with(|config| config.tcp_mem = [128, 192, HIGH]);
    let listener = listen(&mut pair.hosts[1]);
    let clients: std::vec::Vec<_> = (0..8)
        .map(|_| {
            let id = stream(&mut pair.hosts[0]);
            start(&mut pair, id);
            id
        })
        .collect();
    pair.run(SECOND);
    let mut servers = std::vec::Vec::new();
    let now = pair.now();
    while let Ok(id) = pair.hosts[1].stack.accept(now, listener) {
        servers.push(id);
    }
    assert_eq!(servers.len(), clients.len());
    let bytes = pattern(100_000);
    for _ in 0..20 {
        for &id in &clients {
            let flags = crate::SendFlags::empty();
            while write(&mut pair.hosts[0], id, &bytes, flags).is_ok() {}
        }
        pair.run(SECOND);
        for host in &pair.hosts {
            // Each connection may have its minimum beyond the mark: one send block, one page.
            let most = HIGH + 8 * 17 + 17;
            assert!(
                host.stack.tcp_memory() <= most,
                "{} pages",
                host.stack.tcp_memory()
            );
        }
    }
    let now = pair.now();
    for (host, ids) in [(0, clients), (1, servers)] {
        for id in ids {
            pair.hosts[host].stack.close(now, id);
        }
    }
    pair.hosts[1].stack.close(now, listener);
    pair.run(400 * SECOND);
    for host in &mut pair.hosts {
        assert_empty(host);
    }
}

#[test]
fn a_receive_buffer_that_was_set_stays_as_it_is() {
    let mut world = World::with(Pair::new(), &[SockOpt::ReceiveBuffer(20_000)]);
    world.transfer(0, &pattern(2_000_000), 60 * SECOND);
    let end = world.ends[1];
    assert_eq!(
        world.stack(1).option(end, crate::OptName::ReceiveBuffer),
        Ok(40_000)
    );
    assert!(world.info(1).rcv_wnd <= 40_000);
    world.finish();
}

#[test]
fn buffers_grow_with_the_flow() {
    let mut world = World::configured(|config| config.tcp_mem = [16_384, 24_576, 32_768]);
    let ends = world.ends;
    let before = world
        .stack(1)
        .option(ends[1], crate::OptName::ReceiveBuffer)
        .expect("there");
    world.transfer(0, &pattern(8_000_000), 60 * SECOND);
    let after = world
        .stack(1)
        .option(ends[1], crate::OptName::ReceiveBuffer)
        .expect("there");
    assert!(after > 2 * before, "{after} after {before}");
    let sender = world
        .stack(0)
        .option(ends[0], crate::OptName::SendBuffer)
        .expect("there");
    assert!(sender > 200_000, "{sender}");
    world.finish();
}

#[test]
fn a_writer_refused_for_memory_is_told_to_try_again_though_nothing_is_out() {
    let mut world = World::connected();
    // The tables exist, or they would find no room later.
    world.transfer(0, b"before", SECOND);
    world.transfer(1, b"before", SECOND);
    world.pair.run(SECOND);
    let mut taken = std::vec::Vec::new();
    while let Some(buf) = world.stack(0).bufs.send.alloc() {
        taken.push(buf);
    }
    while world.stack(0).pop_event().is_some() {}
    assert_eq!(world.write(0, b"x"), Err(Error::WouldBlock));
    for buf in taken {
        world.stack(0).bufs.send.release(buf);
    }
    // An ACK of nothing does not make it forget.
    world.write(1, b"y").expect("room");
    world.pair.run(SECOND);
    let end = world.ends[0];
    let edges: std::vec::Vec<_> = core::iter::from_fn(|| world.stack(0).pop_event()).collect();
    assert!(
        edges
            .iter()
            .any(|(id, _, edge)| *id == end && edge.contains(Ready::OUT)),
        "{edges:?}"
    );
    assert_eq!(world.write(0, b"x"), Ok(1));
    world.pair.run(SECOND);
    assert_eq!(world.read(1).as_deref(), Ok(b"x".as_slice()));
    assert_eq!(world.read(0).as_deref(), Ok(b"y".as_slice()));
    world.finish();
}

#[test]
fn memory_of_a_burst_goes_back_to_the_system_within_seconds() {
    // Peers that never open their window: what they were written waits in blocks of 64 KiB.
    let mut script = Script::listening_with(200, |config| config.tcp_mem = [4096, 8192, 16_384]);
    let mut children = std::vec::Vec::new();
    for port in 1000..1200 {
        script.use_peer_port(port);
        script.use_own_iss(0);
        script.send(&Seg::new(Flags::SYN, 0, 0).window(0));
        let iss = script.sent_one().seq;
        script.use_own_iss(iss);
        script.send(&Seg::ack(1, 1).window(0));
        let child = script.host.stack.accept(script.host.now, script.id);
        children.push(child.expect("established"));
    }
    for &child in &children {
        write(
            &mut script.host,
            child,
            &pattern(60_000),
            SendFlags::empty(),
        )
        .expect("room");
    }
    let resident = |script: &Script| script.host.stack.send_buffers().resident_bytes();
    let most = resident(&script);
    assert_eq!(most, 200 * 64 * 1024);
    for child in children {
        script
            .host
            .stack
            .set_option(script.host.now, child, SockOpt::Linger(Some(0)))
            .expect("an option");
        script.host.stack.close(script.host.now, child);
    }
    script.sent();
    assert_eq!(script.host.stack.send_buffers().in_use(), 0);
    let start = script.host.now;
    while let Some(due) = script.host.stack.poll_timeout() {
        script.host.advance(due.saturating_since(script.host.now));
    }
    assert!(resident(&script) <= 4 << 20, "{}", resident(&script));
    assert!(script.host.now.saturating_since(start) < 5 * SECOND);
    script.close();
    assert_empty(&mut script.host);
}

#[test]
fn a_syn_that_finds_the_segment_table_full_leaves_when_there_is_room() {
    let mut pair = Pair::new();
    let segs = &mut pair.hosts[0].stack.tcp.tx_segs;
    let other = TxSeg::new(Seq::new(0), 0, 1000, Default::default());
    let others: std::vec::Vec<_> = core::iter::from_fn(|| segs.insert(other)).collect();
    listen(&mut pair.hosts[1]);
    let client = stream(&mut pair.hosts[0]);
    start(&mut pair, client);
    pair.run(SECOND);
    let connected = |hosts: &mut [Host; 2]| hosts[0].stack.connect_result(client) == Ok(());
    assert!(!pair.run_until(SECOND, connected));
    for id in others {
        pair.hosts[0].stack.tcp.tx_segs.remove(id);
    }
    assert!(pair.run_until(SECOND / 10, connected));
}

/// The peer opens a connection from this port; it is accepted.
fn open_from(script: &mut Script, port: u16) -> SockId {
    script.use_peer_port(port);
    script.use_own_iss(0);
    script.send(&Seg::new(Flags::SYN, 0, 0).scale(10));
    let answers = script.sent();
    let answer = answers.iter().find(|seg| seg.has(Flags::SYN));
    script.use_own_iss(answer.expect("a SYN-ACK").seq);
    script.send(&Seg::ack(1, 1));
    let child = script.host.stack.accept(script.host.now, script.id);
    child.expect("established")
}

/// The peer lets the window grow, and then reports every second packet of what is out.
fn cut_to_pieces(script: &mut Script, id: SockId) {
    let bytes = pattern(65_536);
    let (mut acked, mut end) = (1, 1);
    while end - acked < 3_000_000 {
        acked = end;
        script.send(&Seg::ack(1, acked));
        while write(&mut script.host, id, &bytes, SendFlags::empty()).is_ok() {}
        for _ in 0..20 {
            let sent = script.sent();
            end = sent.iter().map(|seg| seg.range().1).fold(end, u32::max);
            script.advance(SECOND / 1000);
        }
    }
    let mss = script
        .host
        .stack
        .tcp_info(script.host.now, id)
        .expect("a connection")
        .snd_mss;
    let packets = (end - acked) / mss;
    for first in (1..packets - 5).step_by(6) {
        let block = |n: u32| (acked + mss * n, acked + mss * (n + 1));
        let blocks = [block(first), block(first + 2), block(first + 4)];
        script.send(&Seg::ack(1, acked).sack(&blocks));
    }
}

#[test]
fn a_peer_that_asks_for_small_pieces_does_not_use_up_the_segment_table() {
    let mut script = Script::listening_with(5, |config| {
        config.timestamps = 0;
        config.tcp_mem = [4096, 6144, 8192];
    });
    script.use_peer_mss(1);
    let greedy = [1000, 1001].map(|port| {
        let id = open_from(&mut script, port);
        cut_to_pieces(&mut script, id);
        id
    });
    let segs = &script.host.stack.tcp.tx_segs;
    assert!(segs.len() > segs.max_slots() / 3, "{}", segs.len());
    assert!(segs.len() < segs.max_slots() * 3 / 4, "{}", segs.len());
    script.use_peer_mss(1000);
    let other = open_from(&mut script, 2000);
    let bytes = pattern(5000);
    write(&mut script.host, other, &bytes, SendFlags::empty()).expect("room");
    let sent = script.sent();
    let end = sent
        .iter()
        .map(|seg| seg.range().1)
        .filter(|end| *end < 10_000);
    assert_eq!(end.max(), Some(5001));
    for id in greedy.into_iter().chain([other]) {
        script.host.stack.close(script.host.now, id);
    }
}
