use region::{BufId, Id};
use stack::{MAX_PIECES, PoolKind};
use zerocopy::FromZeros;

use super::OwnerRecord;

fn buffers(count: usize) -> Vec<BufId> {
    (1..=count as u64)
        .map(|number| Id::from_bits(number << 32 | number))
        .collect()
}

#[test]
fn a_record_has_room_for_the_pieces_of_a_whole_burst() {
    let mut record = OwnerRecord::new_zeroed();
    let most = nicio::TX_BURST_MAX * MAX_PIECES;
    let pools = [PoolKind::Send, PoolKind::Receive];
    let pins: Vec<_> = pools.into_iter().cycle().zip(buffers(most)).collect();
    record.note_pins(pins.iter().copied());
    assert_eq!(record.pins().collect::<Vec<_>>(), pins);
    record.note_pins(pins.iter().copied().take(2));
    assert_eq!(record.pins().collect::<Vec<_>>(), pins[..2]);
}

#[test]
fn a_reserve_keeps_its_first_buffers_and_gets_more_behind_them() {
    let mut record = OwnerRecord::new_zeroed();
    let all = buffers(nicio::RESERVE_MAX + 5);
    let mut more = all.iter().copied();
    record.note_reserve(0, || more.next());
    assert_eq!(record.reserve(), &all[..nicio::RESERVE_MAX]);
    let mut others = buffers(3).into_iter();
    record.note_reserve(10, || others.next());
    let expected = [&all[..10], &buffers(3)].concat();
    assert_eq!(record.reserve(), expected);
}
