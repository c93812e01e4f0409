//! Members that are killed at any instruction.

use core::time::Duration;
use std::sync::atomic::Ordering;

use stack::{
    Addr, BufRange, Endpoint, FrameSink, Instant, RecvFlags, SendFlags, SockKind, TxFrame, Usage,
};

use crate::clock;
use crate::epoll::{Interest, Key, Target};
use crate::family::Family;
use crate::members;
use crate::records::{FileId, Member};
use crate::testing::{PORT, connect, listen, open, settle, two_families};

/// Longer than any record in TIME_WAIT lives.
const TIME_WAIT: Duration = Duration::from_secs(61);

/// A worker's random choices, xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit.max(1)
    }
}

/// Everything a member does: connections and datagrams both ways, files, epoll sets.
fn change_something(near: &Family, far: &Family, files: &mut Vec<FileId>, dice: &mut Dice) {
    let file = files.get(dice.below(files.len())).copied();
    match dice.below(12) {
        0 | 1 if files.len() < 40 => files.push(connect(near).0),
        2 if files.len() < 40 => files.push(open(near, SockKind::Datagram).0),
        3 => files.extend(accept(near)),
        4 | 5 => with(near, file, write),
        6 | 7 => with(near, file, read),
        8 => with(near, file, send_to),
        9 => {
            let member = near.member();
            if let Some(file) = file {
                let _ = near.enter(|state, _| watch(state, file, member));
            }
        }
        10 => {
            if let Some(file) = file {
                files.retain(|known| *known != file);
                let member = near.member();
                let _ = near.enter(|state, now| state.release(now, file, member));
            }
        }
        _ => {
            near.poll();
            far.poll();
        }
    }
}

type State = crate::shared_state::SharedState;

fn with(family: &Family, file: Option<FileId>, work: fn(&mut State, Instant, FileId)) {
    if let Some(file) = file {
        let _ = family.enter(|state, now| work(state, now, file));
    }
}

fn accept(family: &Family) -> Option<FileId> {
    let member = family.member();
    let accepted = family.enter(|state, now| {
        let listener = state.stack.find_held(|id, _| state.stack.is_listener(id))?;
        let sock = state.stack.accept(now, listener).ok()?;
        let file = state.files.open(sock, member, 0)?;
        state.stack.set_tag(sock, file.to_bits());
        Some(file)
    });
    accepted.ok().flatten()
}

fn write(state: &mut State, now: Instant, file: FileId) {
    let Some(sock) = state.files.get(file).map(|file| file.sock) else {
        return;
    };
    if let Ok(span) = state.stack.send_reserve(sock, 70_000) {
        let sent = state.stack.fill(&span, &[7; 70_000]);
        let _ = state
            .stack
            .send_commit(now, sock, span, sent, SendFlags::empty());
    }
}

fn read(state: &mut State, now: Instant, file: FileId) {
    let Some(sock) = state.files.get(file).map(|file| file.sock) else {
        return;
    };
    if let Ok(span) = state
        .stack
        .recv_reserve(sock, 70_000, RecvFlags::empty(), 0)
    {
        let len = span.len();
        let _ = state.stack.recv_commit(now, sock, span, len);
    } else if let Ok(span) = state.stack.recv_from_reserve(sock, RecvFlags::empty()) {
        let _ = state.stack.recv_from_commit(now, sock, span);
    }
}

fn send_to(state: &mut State, now: Instant, file: FileId) {
    let Some(sock) = state.files.get(file).map(|file| file.sock) else {
        return;
    };
    let to = Endpoint::new(Addr::v4([10, 0, 0, 2]), PORT);
    if let Ok(span) = state.stack.send_to_reserve(now, sock, 5000, Some(to)) {
        let _ = state.stack.send_to_commit(now, sock, span, 5000);
    }
}

fn watch(state: &mut State, file: FileId, member: Member) {
    let State { files, epolls, .. } = state;
    let Some(set) = epolls.create(member) else {
        return;
    };
    let key = Key {
        set,
        target: Target::File(file),
        fd: 3,
    };
    let interest = Interest {
        events: libc::EPOLLIN as u32,
        data: 0,
    };
    let _ = epolls.add(key, interest, files, stack::Ready::IN);
    epolls.release(set, member, files);
}

/// Forks a member of both families that works until it is killed.
fn fork_worker(families: [&Family; 2], seed: u64) -> (i32, [Member; 2]) {
    let none = || core::iter::empty();
    let places = families.map(|family| family.fork_prepare(none()).expect("there is a place"));
    // SAFETY: the test's process has one thread that does anything; the child works and is killed.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: it does not outlive the test.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        for (family, place) in families.into_iter().zip(places) {
            family.fork_child(place);
        }
        let (mut files, mut dice) = (Vec::new(), Dice(seed | 1));
        let [near, far] = families;
        loop {
            change_something(near, far, &mut files, &mut dice);
            if let Some(file) = accept(far) {
                with(far, Some(file), write);
            }
        }
    }
    for (family, place) in families.into_iter().zip(places) {
        family.fork_parent(place, u32::try_from(pid).ok());
    }
    (pid, places)
}

fn kill(pid: i32) {
    // SAFETY: our own child, not yet waited for.
    unsafe { libc::kill(pid, libc::SIGKILL) };
    // SAFETY: as above; the status is not asked for.
    unsafe { libc::waitpid(pid, core::ptr::null_mut(), 0) };
}

/// What the keeper does after a death.
fn reap(family: &Family, pid: i32, place: Member) {
    family.reap_process(u32::try_from(pid).expect("a child"));
    let released = family.enter(|state, now| state.release_all(now, place));
    assert_eq!(released, Ok(()), "the stack is dead");
    members::unregister(family.words(), place);
}

fn kills() -> u64 {
    let wanted = std::env::var("NSTK_TEST_KILLS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Nothing is left, when what the dead had under way has come to its end and the listener is closed.
fn assert_nothing_is_left(family: &Family) {
    let mut state = family.lock().expect("the stack lives");
    assert_eq!(state.files.ids().count(), 1, "the listener's");
    assert!(state.epolls.is_empty(), "epoll sets");
    let mut now = clock::now();
    state.release_all(now, family.member());
    assert_eq!(state.stack.check_books(), Ok(()));
    // Connections that wait for a peer give up one after the other.
    while let Some(due) = state.stack.poll_timeout() {
        now = now.max(due);
        state.stack.handle_timeout(now);
        lose_frames(&mut state, now);
    }
    now = now + TIME_WAIT;
    while state.stack.time_wait_connections() > 0 {
        state.stack.handle_timeout(now);
    }
    let held = state.owner.get(0).map_or(0, |record| record.held().count());
    let mut usage = state.stack.usage();
    usage.receive_buffers -= u32::try_from(held).expect("few");
    assert_eq!(usage, Usage::default());
}

/// Everything that the stack sends gets lost.
fn lose_frames(state: &mut State, now: Instant) {
    let mut sink = Nowhere(Vec::new());
    while state.stack.poll_transmit(now, &mut sink) {}
    for part in sink.0 {
        state.stack.release_sent(part.pool, part.buf);
    }
}

/// A device that forgets all frames.
struct Nowhere(Vec<BufRange>);

impl FrameSink for Nowhere {
    fn is_full(&self) -> bool {
        false
    }

    fn push(&mut self, frame: TxFrame<'_>) {
        self.0.extend(frame.payload);
    }
}

#[test]
fn members_are_killed_at_any_instruction_and_nothing_is_lost_but_what_they_changed() {
    let (near, far) = two_families();
    listen(&near);
    listen(&far);
    let mut dice = Dice(0x5eed);
    for round in 0..kills() {
        let (pid, places) = fork_worker([&near, &far], round << 16 | 0xbeef);
        let wait = Duration::from_micros(500 + dice.below(8000) as u64);
        std::thread::sleep(wait);
        kill(pid);
        for (family, place) in [&near, &far].into_iter().zip(places) {
            let state = family.lock().expect("it is repaired");
            assert_eq!(state.stack.check_books(), Ok(()), "round {round}");
            drop(state);
            reap(family, pid, place);
        }
        if round % 10 == 0 {
            settle(&near, &far);
        }
    }
    let (repairs, reset) = (near.repairs(), far.repairs());
    println!("repairs and connections reset: {repairs:?}, {reset:?}");
    assert!(
        repairs.0 + reset.0 > 0 || kills() < 100,
        "nobody was killed inside"
    );
    let most = kills();
    assert!(
        repairs.1 + reset.1 <= 2 * most,
        "a death costs a connection or two"
    );
    settle(&near, &far);
    assert_nothing_is_left(&near);
    assert_nothing_is_left(&far);
    assert_eq!(near.words().dead.load(Ordering::Relaxed), 0);
}
