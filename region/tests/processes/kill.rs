//! Members that are killed at any instruction, and what the others find.

use std::hint::spin_loop;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

use nstk_region::{BufId, Buffers, Id, LockError, Region, Shared, Table};

use crate::child::{Child, End};
use crate::sealed::{Dice, Sealed};

/// What the workers share.
struct State {
    records: Table<Sealed>,
    buffers: Buffers,
}

const RECORDS: u16 = 0;
const BUFFERS: u16 = 1;

/// Counters of the region used by the tests.
pub(crate) const ROUNDS: usize = 0;
pub(crate) const STOP: usize = 1;

fn fresh() -> Shared<State> {
    let region = Region::create(64 << 20).expect("memfd");
    let state = State {
        records: region.table(RECORDS, 1500).expect("table"),
        buffers: region.buffers(BUFFERS, 4096, 500).expect("pool"),
    };
    Shared::new(region, state)
}

/// Works under the lock until told to stop or until the lock fails.
fn work(shared: &Shared<State>, seed: u64) -> Result<(), LockError> {
    let counters = &shared.region().words().counters;
    let mut dice = Dice(seed | 1);
    let mut ids: Vec<Id<Sealed>> = Vec::new();
    let mut held: Vec<BufId> = Vec::new();
    while counters[STOP].load(Ordering::Relaxed) == 0 {
        let mut state = shared.lock()?;
        for _ in 0..dice.below(20) {
            change_something(&mut state, &mut dice, &mut ids, &mut held);
        }
        drop(state);
        counters[ROUNDS].fetch_add(1, Ordering::Relaxed);
        for _ in 0..dice.below(100) {
            spin_loop();
        }
    }
    Ok(())
}

fn change_something(
    state: &mut State,
    dice: &mut Dice,
    ids: &mut Vec<Id<Sealed>>,
    held: &mut Vec<BufId>,
) {
    let seed = dice.below(u64::MAX);
    let which = seed as usize;
    match dice.below(6) {
        0 | 1 => ids.extend(state.records.insert(Sealed::new(seed))),
        2 if !ids.is_empty() => {
            let gone = state.records.remove(ids.swap_remove(which % ids.len()));
            assert!(gone.expect("my own record").is_whole());
        }
        3 if !ids.is_empty() => {
            let mut entry = state.records.get_mut(ids[which % ids.len()]);
            entry.as_mut().expect("my own record").change(seed);
        }
        4 => held.extend(state.buffers.alloc()),
        5 if !held.is_empty() => state.buffers.release(held.swap_remove(which % held.len())),
        _ => {}
    }
}

/// Lets the workers get on by a random, unmeasured while.
pub(crate) fn wait_for_progress<S>(shared: &Shared<S>, dice: &mut Dice) {
    let rounds = &shared.region().words().counters[ROUNDS];
    let target = rounds.load(Ordering::Relaxed) + 1 + dice.below(20);
    while rounds.load(Ordering::Relaxed) < target
        && shared.region().words().dead.load(Ordering::Relaxed) == 0
    {
        std::thread::yield_now();
    }
    for _ in 0..dice.below(2000) {
        spin_loop();
    }
}

/// Looks at every record from outside: those not marked as changing have to be whole.
fn check_from_outside(region: &Region) {
    // SAFETY: the region keeps its descriptor open while it is borrowed.
    let fd = unsafe { BorrowedFd::borrow_raw(region.fd().expect("memfd")) };
    let fd: OwnedFd = fd.as_fd().try_clone_to_owned().expect("dup");
    let reader = Region::attach_read_only(fd).expect("reader");
    let table = reader.table::<Sealed>(RECORDS).expect("table");
    for slot in 0..table.slots() {
        if let Some((id, record)) = table.snapshot(slot) {
            assert!(record.is_whole(), "torn: {id:?}");
        }
    }
}

/// Takes out what a member left that died outside: all of it has to be sound.
fn clear(shared: &Shared<State>) -> Result<(), LockError> {
    let mut state = shared.lock()?;
    let left: Vec<_> = state.records.iter().map(|(id, _)| id).collect();
    assert_eq!(left.len(), state.records.len() as usize);
    for id in left {
        assert!(state.records.remove(id).expect("seen above").is_whole());
    }
    Ok(())
}

pub(crate) fn kills() -> u64 {
    let wanted = std::env::var("NSTK_TEST_KILLS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(2000)
}

#[test]
fn whoever_is_killed_the_next_one_gets_in_or_learns_of_it() {
    let mut dice = Dice(0x5eed);
    let mut shared = fresh();
    let (mut inside, mut outside) = (0, 0);
    for round in 0..kills() {
        let child = Child::fork(|| i32::from(work(&shared, round << 8).is_err()));
        wait_for_progress(&shared, &mut dice);
        child.kill();
        assert_eq!(child.wait(), End::Signal(libc::SIGKILL));
        match clear(&shared) {
            Ok(()) => outside += 1,
            Err(error) => {
                inside += 1;
                assert_eq!(error, LockError::OwnerDied);
                assert_eq!(shared.region().words().dead.load(Ordering::Relaxed), 1);
                assert_eq!(shared.lock().err(), Some(LockError::Dead));
                assert_eq!(shared.try_lock().err(), Some(LockError::Dead));
                check_from_outside(shared.region());
                shared = fresh();
            }
        }
    }
    println!("killed inside {inside}, outside {outside}");
    assert!(inside > 0 || kills() < 100, "nobody was killed inside");
}

#[test]
fn of_several_survivors_exactly_one_is_the_first_to_notice() {
    const DIED: i32 = 10;
    const DEAD: i32 = 11;
    let mut dice = Dice(0xd1ce);
    for round in 0..kills() / 10 {
        let shared = fresh();
        let worker = |seed: u64| {
            Child::fork(|| match work(&shared, seed) {
                Ok(()) => 0,
                Err(LockError::OwnerDied) => DIED,
                Err(LockError::Dead) => DEAD,
            })
        };
        let victim = worker(round << 8);
        let survivors = [worker(round << 8 | 32), worker(round << 8 | 64)];
        wait_for_progress(&shared, &mut dice);
        victim.kill();
        assert_eq!(victim.wait(), End::Signal(libc::SIGKILL));
        let mine = shared.lock().map(drop);
        shared.region().words().counters[STOP].store(1, Ordering::Relaxed);
        let ends = survivors.map(Child::wait);
        let noticed = ends.iter().filter(|end| **end == End::Exit(DIED)).count();
        match mine {
            Ok(()) => assert_eq!(ends, [End::Exit(0); 2]),
            Err(error) => {
                let first = usize::from(error == LockError::OwnerDied);
                assert_eq!(noticed + first, 1, "{error:?} {ends:?}");
            }
        }
        check_from_outside(shared.region());
    }
}

#[test]
fn a_reader_never_sees_a_torn_record_while_others_write() {
    let shared = fresh();
    let child = Child::fork(|| i32::from(work(&shared, 77).is_err()));
    let reading = kills().min(2000);
    let mut dice = Dice(3);
    for _ in 0..reading / 20 {
        wait_for_progress(&shared, &mut dice);
        check_from_outside(shared.region());
    }
    shared.region().words().counters[STOP].store(1, Ordering::Relaxed);
    assert_eq!(child.wait(), End::Exit(0));
}
