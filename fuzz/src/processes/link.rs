//! A link: with another end that writes anything anywhere into the shared memory, and with one that is well.

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use nicio::link::{Cable, End, Link, pair};
use nicio::{Nic, RxBurst, TxBurst};
use stack::RxChecksum;

use super::pools::Pools;
use crate::memory::{Scribbler, position};

/// Bytes of a ring, and where the one that the second end writes begins.
const RING: (u64, u64) = (4096 + RING_BYTES, RING_BYTES);
const RING_BYTES: u64 = 1 << 20;
/// The words of the second end: position sent, position received, asleep, full, plugged in.
const WORDS: [u64; 5] = [768, 768 + 128, 768 + 256, 768 + 384, 768 + 512];
/// The same of the first end, which the second has no business with.
const OWN_WORDS: [u64; 5] = [128, 256, 384, 512, 640];

pub(super) fn hostile(bytes: &mut Unstructured<'_>) -> Result<()> {
    Pools::lend(|pools, rx, tx| talk_to_hostile(bytes, pools, rx, tx))
}

fn talk_to_hostile(
    bytes: &mut Unstructured<'_>,
    pools: &mut Pools,
    rx: &mut RxBurst,
    tx: &mut TxBurst,
) -> Result<()> {
    let cable = Arc::new(Cable::make().expect("there is memory"));
    let [memory, ..] = cable.fds();
    let peer = Scribbler::new(memory);
    let mut link = Link::plug_in(Arc::clone(&cable), End::First);
    while !bytes.is_empty() {
        match bytes.arbitrary::<u8>()? % 8 {
            0..=2 => put_record(&peer, bytes)?,
            3 => {
                let words = if bytes.arbitrary()? { WORDS } else { OWN_WORDS };
                let word = *bytes.choose(&words)?;
                let value = position(bytes, peer.word(word), RING_BYTES)?;
                peer.put(word, &value.to_ne_bytes());
            }
            4..=5 => {
                pools.supply(rx, bytes.arbitrary::<u8>()?.into());
                let frames = link.rx_burst(rx).expect("a link never fails");
                assert_eq!(rx.frames(), frames);
                pools.take(rx);
            }
            6 => {
                pools.push(tx, bytes)?;
            }
            _ => {
                let waiting = tx.len();
                let frames = link.tx_burst(tx).expect("a link never fails");
                assert_eq!(tx.len(), waiting - frames);
                pools.take_done(tx);
            }
        }
    }
    Ok(())
}

/// A record as the other end would write it, or nearly so.
fn put_record(peer: &Scribbler, bytes: &mut Unstructured<'_>) -> Result<()> {
    let [sent, ..] = WORDS;
    let at = peer.word(sent);
    let content_len = usize::from(bytes.arbitrary::<u8>()?);
    let content = bytes.bytes(content_len.min(bytes.len()))?;
    let filling = if bytes.arbitrary::<u8>()? < 200 {
        0
    } else {
        bytes.arbitrary::<u16>()?
    };
    let len = content.len() as u64 + u64::from(filling);
    let written = position(bytes, len, RING_BYTES)?;
    peer.put_in_ring(RING, at, &written.to_ne_bytes());
    peer.put_in_ring(RING, at.wrapping_add(8), content);
    let record = (8 + len).next_multiple_of(64);
    let next = position(bytes, at.wrapping_add(record), RING_BYTES)?;
    peer.put(sent, &next.to_ne_bytes());
    Ok(())
}

/// What one end sends comes out of the other, with what its virtio-net header says.
pub(super) fn round_trip(bytes: &mut Unstructured<'_>) -> Result<()> {
    Pools::lend(|pools, rx, tx| talk_to_itself(bytes, pools, rx, tx))
}

fn talk_to_itself(
    bytes: &mut Unstructured<'_>,
    pools: &mut Pools,
    rx: &mut RxBurst,
    tx: &mut TxBurst,
) -> Result<()> {
    let (mut here, mut there) = pair().expect("there is memory");
    while !bytes.is_empty() {
        let mut sent = Vec::new();
        for _ in 0..bytes.arbitrary::<u8>()? % 8 {
            sent.extend(pools.push(tx, bytes)?);
        }
        let mut sent = sent.into_iter();
        let mut received = usize::MAX;
        while !tx.is_empty() || received > 0 {
            here.tx_burst(tx).expect("a link never fails");
            pools.take_done(tx);
            pools.supply(rx, usize::MAX);
            received = there.rx_burst(rx).expect("a link never fails");
            for (received, checksum, gso_size) in pools.take(rx) {
                let frame = sent.next().expect("no more comes than was sent");
                assert_eq!(received, frame.bytes);
                let expected = frame
                    .checksum
                    .map_or(RxChecksum::Unknown, |_| RxChecksum::Partial);
                assert_eq!(checksum, expected);
                assert_eq!(gso_size, frame.gso.map_or(0, |gso| gso.size));
            }
        }
        assert!(sent.next().is_none(), "all has come");
    }
    Ok(())
}
