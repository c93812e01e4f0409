//! Socket calls of the programs.

use arbitrary::{Result, Unstructured};
use stack::{Addr, CcKind, Domain, Endpoint, Error, OptName, Shutdown, SockId, SockKind, SockOpt};

use super::number::{near, one_of, seldom, small};
use super::socket::SOCKETS_MAX;
use super::spans;
use super::surroundings::{OWN_V4, OWN_V6};
use super::tcp::{OWN_PORTS, PEER_PORTS, any_peer};
use super::world::World;

pub(super) fn call(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    let number = bytes.arbitrary::<u8>()? % 32;
    if number < 4 {
        return open(world, number, bytes);
    }
    let Some(id) = world.choose(bytes)? else {
        return Ok(());
    };
    match number {
        4..=6 => accept(world, id),
        7..=8 => connect(world, id, bytes)?,
        9 => bind(world, id, bytes)?,
        10 => listen(world, id, small(bytes)?),
        11..=16 => spans::write(world, id, bytes)?,
        17..=21 => spans::read(world, id, bytes)?,
        22..=23 => spans::commit_one(world, bytes)?,
        24 => {
            let how = one_of(bytes, &[Shutdown::Write, Shutdown::Read, Shutdown::Both])?;
            let answer = world.stack.shutdown(world.now, id, how);
            world.tell(|| format!("shutdown {id:?} {how:?}: {answer:?}"));
        }
        25..=26 => world.close(id),
        27..=29 => set_option(world, id, bytes)?,
        _ => ask(world, id),
    }
    Ok(())
}

/// A socket, or a listener at once.
fn open(world: &mut World, number: u8, bytes: &mut Unstructured<'_>) -> Result<()> {
    if world.sockets.len() >= SOCKETS_MAX {
        return Ok(());
    }
    let kind = if number == 0 {
        SockKind::Datagram
    } else {
        SockKind::Stream
    };
    let domain = one_of(bytes, &[Domain::Inet6, Domain::Inet])?;
    let Ok(id) = world.stack.socket(kind, domain) else {
        return Ok(());
    };
    world.hold(id);
    world.tell(|| format!("socket {kind:?} {domain:?}: {id:?}"));
    if number < 3 {
        bind(world, id, bytes)?;
    }
    if number == 2 {
        listen(world, id, (bytes.arbitrary::<u8>()? % 8).into());
    }
    Ok(())
}

fn bind(world: &mut World, id: SockId, bytes: &mut Unstructured<'_>) -> Result<()> {
    let addresses = [Addr::UNSPECIFIED, OWN_V4, OWN_V6, Addr::V4_UNSPECIFIED];
    let port = if seldom(bytes, 8)? {
        0
    } else {
        one_of(bytes, &OWN_PORTS)?
    };
    let local = Endpoint::new(one_of(bytes, &addresses)?, port);
    let answer = world.stack.bind(world.now, id, local);
    world.tell(|| format!("bind {id:?} {local}: {answer:?}"));
    Ok(())
}

fn listen(world: &mut World, id: SockId, backlog: u32) {
    let answer = world.stack.listen(world.now, id, backlog);
    world.tell(|| format!("listen {id:?} {backlog}: {answer:?}"));
}

fn accept(world: &mut World, id: SockId) {
    if world.sockets.len() < SOCKETS_MAX
        && let Ok(child) = world.stack.accept(world.now, id)
    {
        world.tell(|| format!("accept {id:?}: {child:?}"));
        world.hold(child);
    }
}

fn connect(world: &mut World, id: SockId, bytes: &mut Unstructured<'_>) -> Result<()> {
    let remote = match bytes.arbitrary::<u8>()? {
        0..=239 => Endpoint::new(any_peer(bytes)?, one_of(bytes, &PEER_PORTS)?),
        // Itself, nobody, everybody.
        240..=249 => Endpoint::new(
            one_of(bytes, &[OWN_V4, OWN_V6])?,
            one_of(bytes, &OWN_PORTS)?,
        ),
        250..=252 => {
            let answer = world.stack.disconnect(id);
            world.tell(|| format!("disconnect {id:?}: {answer:?}"));
            return Ok(());
        }
        253..=255 => Endpoint::new(Addr::V4_BROADCAST, 1000),
    };
    let answer = world.stack.connect(world.now, id, remote);
    world.tell(|| format!("connect {id:?} {remote}: {answer:?}"));
    if let Some(socket) = world.socket(id)
        && answer == Err(Error::InProgress)
    {
        (socket.written, socket.next_read) = (0, None);
    }
    Ok(())
}

fn set_option(world: &mut World, id: SockId, bytes: &mut Unstructured<'_>) -> Result<()> {
    let value = small(bytes)?;
    let is_on = value & 1 != 0;
    let option = match bytes.arbitrary::<u8>()? % 26 {
        0 => SockOpt::NoDelay(is_on),
        1 => SockOpt::Cork(is_on),
        2 => SockOpt::ReuseAddr(is_on),
        3 => SockOpt::ReusePort(is_on),
        4 => SockOpt::KeepAlive(is_on),
        5 => SockOpt::KeepIdle(value),
        6 => SockOpt::KeepInterval(value),
        7 => SockOpt::KeepCount(value),
        8 => SockOpt::Linger(is_on.then_some(value >> 1)),
        9 => SockOpt::SendBuffer(value.into()),
        10 => SockOpt::ReceiveBuffer(value.into()),
        11 => SockOpt::MaxSegment(value as u16),
        12 => SockOpt::Congestion(one_of(bytes, &CcKind::ALL)?),
        13 => SockOpt::UserTimeout(value),
        14 => SockOpt::QuickAck(is_on),
        15 => SockOpt::SynCount(value as u8),
        16 => SockOpt::DeferAccept(value),
        17 => SockOpt::WindowClamp(value),
        18 => SockOpt::MaxPacingRate(near(bytes, 100_000)?.into()),
        19 => SockOpt::NotSentLowat(value),
        20 => SockOpt::V6Only(is_on),
        21 => SockOpt::Broadcast(is_on),
        22 => SockOpt::Linger2(value.cast_signed()),
        23 => SockOpt::RcvLowat(value),
        24 => SockOpt::Ttl(value as u8),
        _ => SockOpt::Tos(value as u8),
    };
    let answer = world.stack.set_option(world.now, id, option);
    world.tell(|| format!("set {id:?} {option:?}: {answer:?}"));
    Ok(())
}

/// Everything that can be asked; the answers only have to come.
fn ask(world: &mut World, id: SockId) {
    let stack = &mut world.stack;
    let _ = (
        stack.ready(id),
        stack.queued(id),
        stack.local(id),
        stack.peer(id),
    );
    let _ = (
        stack.tcp_info(world.now, id),
        stack.connect_result(id),
        stack.take_error(id),
    );
    for name in [
        OptName::MaxSegment,
        OptName::KeepIdle,
        OptName::DeferAccept,
        OptName::Linger,
        OptName::Linger2,
        OptName::WindowClamp,
        OptName::UserTimeout,
        OptName::SendBuffer,
        OptName::ReceiveBuffer,
    ] {
        let _ = stack.option(id, name);
    }
}
