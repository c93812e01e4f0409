//! Members that are killed at any instruction, while the others repair what they leave and go on.

use std::sync::atomic::Ordering;

use nstk_region::{BufId, Buffers, Id, LockError, Region, Shared, Table};

use crate::child::{Child, End};
use crate::kill::{ROUNDS, STOP, kills, wait_for_progress};
use crate::sealed::{Dice, Sealed};

/// Records that mean something by themselves, and buffers, each held by a record of its own.
pub(crate) struct State {
    records: Table<Sealed>,
    holders: Table<BufId>,
    buffers: Buffers,
}

const RECORDS_MAX: u32 = 300;
const BUFFERS_MAX: u32 = 200;

fn fresh() -> Shared<State> {
    let region = Region::create(64 << 20).expect("memfd");
    let state = State {
        records: region.table(0, RECORDS_MAX).expect("table"),
        holders: region.table(1, BUFFERS_MAX).expect("table"),
        buffers: region.buffers(2, 4096, BUFFERS_MAX).expect("pool"),
    };
    Shared::new(region, state)
}

impl State {
    /// What is not being changed is wanted.
    fn repair(&mut self) -> bool {
        let busy = keep_what_is_whole(&mut self.records) + keep_what_is_whole(&mut self.holders);
        assert!(
            busy <= 1,
            "one member was inside, and changed {busy} records"
        );
        self.buffers.forget_holders();
        for (_, buffer) in self.holders.iter() {
            assert!(self.buffers.count_holder(*buffer), "a holder of nothing");
        }
        self.buffers.sweep();
        self.is_sound()
    }

    fn is_sound(&self) -> bool {
        self.records.iter().all(|(_, record)| record.is_whole())
            && self.records.iter().count() == self.records.len() as usize
            && self.holders.iter().count() == self.holders.len() as usize
            && self.holders.len() == self.buffers.in_use()
    }

    /// Takes all there is, which has to be as much as there was at first, and gives it back.
    fn use_up(&mut self) {
        while let Some(buffer) = self.buffers.alloc() {
            assert!(self.holders.insert(buffer).is_some());
        }
        while self.records.insert(Sealed::new(7)).is_some() {}
        assert!(self.is_sound());
        assert_eq!(self.records.len(), RECORDS_MAX);
        assert_eq!(self.buffers.in_use(), BUFFERS_MAX);
        let held: Vec<_> = self.holders.iter().map(|(id, _)| id).collect();
        for id in held {
            let buffer = self.holders.remove(id).expect("seen above");
            self.buffers.release(buffer);
        }
        let records: Vec<_> = self.records.iter().map(|(id, _)| id).collect();
        for id in records {
            self.records.remove(id);
        }
    }
}

/// Answers how many records were busy.
fn keep_what_is_whole<T: nstk_region::Record>(table: &mut Table<T>) -> usize {
    let all: Vec<Id<T>> = table.iter().map(|(id, _)| id).collect();
    table.unmark_all();
    let (busy, whole): (Vec<_>, Vec<_>) = all.into_iter().partition(|id| table.is_busy(*id));
    for id in whole {
        assert!(table.mark(id));
    }
    table.sweep();
    busy.len()
}

fn change_something(state: &mut State, dice: &mut Dice) {
    let seed = dice.below(u64::MAX);
    let some = |ids: Vec<Id<Sealed>>| ids.get(seed as usize % ids.len().max(1)).copied();
    match dice.below(5) {
        0 | 1 => drop(state.records.insert(Sealed::new(seed))),
        2 => {
            if let Some(id) = some(state.records.iter().map(|(id, _)| id).collect()) {
                state.records.remove(id);
            }
        }
        3 => {
            if let Some(id) = some(state.records.iter().map(|(id, _)| id).collect()) {
                state.records.get_mut(id).expect("there").change(seed);
            }
        }
        _ => change_buffers(state, seed),
    }
}

fn change_buffers(state: &mut State, seed: u64) {
    if seed.is_multiple_of(2)
        && let Some(buffer) = state.buffers.alloc()
    {
        state.holders.insert(buffer);
        return;
    }
    let held = state.holders.iter().next().map(|(id, _)| id);
    if let Some(buffer) = held.and_then(|id| state.holders.remove(id)) {
        state.buffers.release(buffer);
    }
}

/// Works under the lock until told to stop, and repairs what others leave.
fn work(shared: &Shared<State>, seed: u64) -> Result<(), LockError> {
    let counters = &shared.region().words().counters;
    let mut dice = Dice(seed | 1);
    while counters[STOP].load(Ordering::Relaxed) == 0 {
        let mut state = shared.lock_or_repair(State::repair)?;
        for _ in 0..dice.below(20) {
            change_something(&mut state, &mut dice);
        }
        drop(state);
        counters[ROUNDS].fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

#[test]
fn after_a_death_inside_the_region_is_as_good_as_new() {
    let mut dice = Dice(0xab1e);
    let shared = fresh();
    let mut repairs = 0;
    for round in 0..kills() / 4 {
        let child = Child::fork(|| i32::from(work(&shared, round << 8).is_err()));
        wait_for_progress(&shared, &mut dice);
        child.kill();
        assert_eq!(child.wait(), End::Signal(libc::SIGKILL));
        let inside = shared.lock_or_repair(|state| {
            repairs += 1;
            state.repair()
        });
        let mut state = inside.expect("it is repaired");
        if round.is_multiple_of(10) {
            state.use_up();
        }
        assert!(state.is_sound());
    }
    println!("repaired {repairs} times");
    assert!(repairs > 0 || kills() < 100, "nobody was killed inside");
}

#[test]
fn whoever_is_killed_while_repairing_is_followed_by_one_who_repairs() {
    let mut dice = Dice(0xf00d);
    let shared = fresh();
    for round in 0..kills() / 10 {
        let workers = [1, 2, 3].map(|worker| {
            let seed = round << 8 | worker << 4;
            Child::fork(|| i32::from(work(&shared, seed).is_err()))
        });
        for worker in workers {
            wait_for_progress(&shared, &mut dice);
            worker.kill();
            assert_eq!(worker.wait(), End::Signal(libc::SIGKILL));
        }
        let state = shared.lock_or_repair(State::repair);
        assert!(state.expect("it is repaired").is_sound());
    }
}

#[test]
fn a_repair_that_fails_ends_the_region_and_so_does_one_that_panics() {
    let lost = |repair: fn(&mut State) -> bool| {
        let shared = fresh();
        std::thread::scope(|scope| {
            scope.spawn(|| std::mem::forget(shared.lock().expect("alive")));
        });
        let attempt = std::panic::AssertUnwindSafe(|| shared.lock_or_repair(repair).map(drop));
        let outcome = std::panic::catch_unwind(attempt);
        assert_eq!(shared.lock().err(), Some(LockError::Dead));
        assert!(shared.lock_remains().is_some(), "the mutex is usable");
        outcome.ok()
    };
    assert_eq!(lost(|_| false), Some(Err(LockError::OwnerDied)));
    assert_eq!(lost(|_| panic!("on purpose")), None);
}
