//! Copies through spans and into receive buffers under the lock, for callers whose memory cannot fault: the simulator,
//! the fuzzers, tests. A program's memory is copied outside the lock, through [`region::Piece`].

use crate::packet::Packet;
use crate::span::{DatagramSpan, RecvFlags, RecvSpan, SendSpan};
use crate::stack::Stack;
use region::{BufId, Buffers, Id, Piece};

impl Stack {
    /// Copies the start of `bytes` into the span, as far as it fits. Returns the bytes copied.
    pub fn fill(&mut self, span: &SendSpan, bytes: &[u8]) -> usize {
        let sock = self.socks.get(span.sock);
        let bufs = sock.map_or(&[][..], |sock| sock.tcp.writing.bufs());
        copy_in(&mut self.bufs.send, bufs, &span.pieces, bytes)
    }

    /// Copies the start of the span into `out`, as far as it fits. Returns the bytes copied.
    pub fn take(&self, span: &RecvSpan, out: &mut [u8]) -> usize {
        let receive = &self.bufs.receive;
        if span.flags.contains(RecvFlags::PEEK) {
            return copy_out(receive, self.kept(span.peek), &span.pieces, out);
        }
        let sock = self.socks.get(span.sock);
        let bufs = sock.map_or(&[][..], |sock| sock.tcp.reading.bufs());
        copy_out(receive, bufs, &span.pieces, out)
    }

    /// [`Self::fill`] for a datagram that is to be sent.
    pub fn fill_datagram(&mut self, span: &DatagramSpan, bytes: &[u8]) -> usize {
        let kept = self.packets.get(span.packet);
        let bufs = kept.map_or(&[][..], |packet| packet.data.all());
        copy_in(self.bufs.pool_mut(span.pool), bufs, &span.pieces, bytes)
    }

    /// [`Self::take`] for a datagram that was received.
    pub fn take_datagram(&self, span: &DatagramSpan, out: &mut [u8]) -> usize {
        let pool = self.bufs.pool(span.pool);
        copy_out(pool, self.kept(span.packet), &span.pieces, out)
    }

    fn kept(&self, packet: Id<Packet>) -> &[BufId] {
        let kept = self.packets.get(packet);
        kept.map_or(&[], |packet| packet.data.all())
    }

    /// Writes a received frame's bytes into one of its buffers; false: bad id or range.
    pub fn fill_receive(&mut self, buf: BufId, at: u32, bytes: &[u8]) -> bool {
        self.bufs.receive.write(buf, at, bytes)
    }
}

fn copy_in(pool: &mut Buffers, bufs: &[BufId], pieces: &[Piece], bytes: &[u8]) -> usize {
    let mut done = 0;
    for piece in pieces {
        let part = bytes.get(done..).unwrap_or(&[]);
        let part = part.get(..piece.len()).unwrap_or(part);
        let place = place_of(pool, bufs, piece);
        if !place.is_some_and(|(buf, at)| pool.write(buf, at, part)) {
            break;
        }
        done = done.saturating_add(part.len());
    }
    done
}

fn copy_out(pool: &Buffers, bufs: &[BufId], pieces: &[Piece], out: &mut [u8]) -> usize {
    let mut done = 0;
    for piece in pieces {
        let left = out.len().saturating_sub(done);
        let end = done.saturating_add(piece.len().min(left));
        let Some(part) = out.get_mut(done..end) else {
            break;
        };
        let place = place_of(pool, bufs, piece);
        if !place.is_some_and(|(buf, at)| pool.read(buf, at, part)) {
            break;
        }
        done = end;
    }
    done
}

/// The buffer of `bufs` in which the piece lies, and where.
fn place_of(pool: &Buffers, bufs: &[BufId], piece: &Piece) -> Option<(BufId, u32)> {
    bufs.iter().find_map(|&buf| {
        let whole = pool.piece(buf, 0, pool.size())?;
        let at = piece.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
        let is_inside = at
            .checked_add(piece.len())
            .is_some_and(|end| end <= whole.len());
        is_inside.then_some((buf, u32::try_from(at).ok()?))
    })
}
