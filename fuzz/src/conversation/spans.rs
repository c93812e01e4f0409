//! Reading and writing. A span stays open for a while sometimes, as when a program is stopped while it copies.

use arbitrary::{Result, Unstructured};
use stack::{DatagramSpan, Endpoint, RecvFlags, RecvSpan, SendFlags, SendSpan, SockId, SockKind};

use super::number::{one_of, seldom, small};
use super::peer::written_byte;
use super::tcp::{PEER_PORTS, any_peer};
use super::world::World;

/// Spans that are open at the same time at most.
const SPANS_MAX: usize = 8;

pub(super) enum Span {
    Send(SockId, SendSpan),
    Receive(SockId, RecvSpan, RecvFlags),
    SendDatagram(SockId, DatagramSpan),
    ReceiveDatagram(SockId, DatagramSpan),
}

/// `send` or `sendto`, as far as the copying.
pub(super) fn write(world: &mut World, id: SockId, bytes: &mut Unstructured<'_>) -> Result<()> {
    let len = small(bytes)? as usize % 300_000;
    let span = match world.stack.kind(id) {
        Some(SockKind::Stream) => world.stack.send_reserve(id, len).ok().map(|span| {
            assert!(span.len() <= len);
            fill(world, id, &span);
            Span::Send(id, span)
        }),
        Some(SockKind::Datagram) => {
            let is_to_peer = bytes.arbitrary()?;
            let to = Endpoint::new(any_peer(bytes)?, one_of(bytes, &PEER_PORTS)?);
            let to = if is_to_peer { None } else { Some(to) };
            let span = world.stack.send_to_reserve(world.now, id, len % 66_000, to);
            span.ok().map(|span| Span::SendDatagram(id, span))
        }
        None => None,
    };
    keep_or_commit(world, span, bytes)
}

fn fill(world: &mut World, id: SockId, span: &SendSpan) {
    let from = world.socket(id).map_or(0, |socket| socket.written);
    let text: Vec<u8> = (from..).take(span.len()).map(written_byte).collect();
    assert_eq!(world.stack.fill(span, &text), text.len());
}

/// `recv` or `recvfrom`, as far as the copying.
pub(super) fn read(world: &mut World, id: SockId, bytes: &mut Unstructured<'_>) -> Result<()> {
    let flags = if seldom(bytes, 5)? {
        RecvFlags::PEEK
    } else {
        RecvFlags::empty()
    };
    let span = match world.stack.kind(id) {
        Some(SockKind::Stream) => {
            let len = small(bytes)? as usize % 300_000;
            let is_peek = flags.contains(RecvFlags::PEEK);
            let offset = if is_peek && bytes.arbitrary()? {
                small(bytes)? as usize
            } else {
                0
            };
            let span = world.stack.recv_reserve(id, len, flags, offset);
            span.ok().map(|span| Span::Receive(id, span, flags))
        }
        Some(SockKind::Datagram) => {
            let span = world.stack.recv_from_reserve(id, flags);
            span.ok().map(|span| Span::ReceiveDatagram(id, span))
        }
        None => None,
    };
    keep_or_commit(world, span, bytes)
}

fn keep_or_commit(
    world: &mut World,
    span: Option<Span>,
    bytes: &mut Unstructured<'_>,
) -> Result<()> {
    let Some(span) = span else {
        return Ok(());
    };
    if world.spans.len() < SPANS_MAX && seldom(bytes, 8)? {
        world.spans.push(span);
        return Ok(());
    }
    commit(world, span, bytes)
}

/// Commits one of the spans that were left open.
pub(super) fn commit_one(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    let number = usize::from(bytes.arbitrary::<u8>()?);
    if world.spans.is_empty() {
        return Ok(());
    }
    let span = world.spans.swap_remove(number % world.spans.len());
    commit(world, span, bytes)
}

fn commit(world: &mut World, span: Span, bytes: &mut Unstructured<'_>) -> Result<()> {
    let is_whole = !seldom(bytes, 5)?;
    let more = if seldom(bytes, 4)? {
        SendFlags::MORE
    } else {
        SendFlags::empty()
    };
    let part = |len: usize, bytes: &mut Unstructured<'_>| {
        if is_whole {
            Ok(len)
        } else {
            bytes.int_in_range(0..=len)
        }
    };
    let (stack, now) = (&mut world.stack, world.now);
    match span {
        Span::Send(id, span) => {
            let len = part(span.len(), bytes)?;
            let answer = stack.send_commit(now, id, span, len, more);
            world.tell(|| format!("send {id:?} {len} {more:?}: {answer:?}"));
            if let Ok(written) = answer
                && let Some(socket) = world.socket(id)
            {
                socket.written = socket.written.wrapping_add(written as u32);
            }
        }
        Span::Receive(id, span, flags) => {
            let len = part(span.len(), bytes)?;
            let mut text = vec![0; span.len()];
            assert_eq!(stack.take(&span, &mut text), text.len());
            let answer = stack.recv_commit(now, id, span, len);
            world.tell(|| format!("recv {id:?} {len} {flags:?}: {answer:?}"));
            let is_taken = answer.is_ok() && !flags.contains(RecvFlags::PEEK);
            text.truncate(len);
            check(world, id, &text, is_taken);
        }
        Span::SendDatagram(id, span) => {
            let len = part(span.len(), bytes)?;
            let text = vec![0x44; span.len()];
            assert_eq!(stack.fill_datagram(&span, &text), text.len());
            let answer = stack.send_to_commit(now, id, span, len);
            world.tell(|| format!("sendto {id:?} {len}: {answer:?}"));
        }
        Span::ReceiveDatagram(id, span) => {
            let mut text = vec![0; span.len()];
            assert_eq!(stack.take_datagram(&span, &mut text), text.len());
            let answer = stack.recv_from_commit(now, id, span);
            world.tell(|| format!("recvfrom {id:?} {} bytes: {answer:?}", text.len()));
        }
    }
    Ok(())
}

/// What was read continues what was read before.
fn check(world: &mut World, id: SockId, text: &[u8], is_taken: bool) {
    let is_honest = world.is_honest;
    let Some(socket) = world.socket(id) else {
        return;
    };
    let (Some(&first), true) = (text.first(), is_taken && is_honest) else {
        return;
    };
    let mut next = socket.next_read.unwrap_or(first);
    for &byte in text {
        assert_eq!(byte, next, "a byte is missing, or there twice");
        next = next.wrapping_add(1);
    }
    socket.next_read = Some(next);
}

/// Commits everything, in the end.
pub(super) fn commit_all(world: &mut World) {
    for span in std::mem::take(&mut world.spans) {
        let rest = &mut Unstructured::new(&[]);
        // Without bytes, whole spans are committed.
        commit(world, span, rest).expect("nothing is left to choose");
    }
}
