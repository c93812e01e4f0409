use core::cell::Cell;
use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use stack::Instant;

use super::WITHOUT_STACK;
use crate::clock;
use crate::family::Family;
use crate::outcome::{Outcome, Wait};
use crate::poll_fd::poll_fd;
use crate::poller::OWNED;
use crate::process_hooks::ProcessHooks;
use crate::sleep::held;
use crate::testing::{connect, lone_family, two_families};

fn until(deadline: Option<stack::Instant>) -> Wait<'static> {
    Wait {
        kernel: &mut [],
        deadline,
        mask: None,
    }
}

#[test]
fn a_wait_ends_with_the_answer_or_at_its_deadline() {
    let (family, _wire) = lone_family();
    let answer = family.wait(until(None), |_, _, _| Some(5));
    assert_eq!(answer, Outcome::Ready(5));
    let deadline = clock::now() + Duration::from_millis(20);
    let outcome = family.wait(until(Some(deadline)), |_, _, _| None::<()>);
    assert_eq!(outcome, Outcome::TimedOut);
    assert!(clock::now() >= deadline);
    let words = family.words();
    let left = [&words.wakers_taken, &words.sleeping, &words.poller];
    assert_eq!(left.map(|word| word.load(Ordering::Relaxed)), [0; 3]);
}

#[test]
fn a_thread_that_sleeps_for_an_event_is_woken_by_who_polls() {
    let (client, server) = two_families();
    let (file, sock) = connect(&client);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            let outcome = client.wait(until(None), |state, _, waker| {
                if let Some(waker) = waker
                    && let Some(mut record) = state.files.get_mut(file)
                {
                    record.waiters |= waker.bit();
                }
                let ready = state.stack.ready(sock);
                ready.contains(stack::Ready::ERR).then_some(())
            });
            done.store(true, Ordering::Relaxed);
            outcome
        });
        // Long enough for it to fall asleep.
        thread::sleep(Duration::from_millis(20));
        while !done.load(Ordering::Relaxed) {
            server.poll();
            client.poll();
            thread::yield_now();
        }
        assert_eq!(sleeper.join().expect("no panic"), Outcome::Ready(()));
    });
}

#[test]
fn what_a_sleeper_abandons_is_free_again() {
    let (family, _wire) = lone_family();
    let words = family.words();
    let waker = family
        .wakers
        .take(words, family.pid())
        .expect("all are free");
    words.sleeping.fetch_or(waker.bit(), Ordering::SeqCst);
    assert!(family.become_poller(waker, crate::poller::For::Device));
    family.abandon(held(Some(waker), true));
    let left = [&words.wakers_taken, &words.sleeping, &words.poller];
    assert_eq!(left.map(|word| word.load(Ordering::Relaxed)), [0; 3]);
}

#[test]
fn a_thread_that_waits_long_for_a_stopped_owner_sleeps_until_it_is_back() {
    let (family, _wire) = lone_family();
    while family.poll() {}
    let words = family.words();
    assert!(family.own_device().is_some());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            family.wait(until(None), |_, _, _| {
                done.load(Ordering::Relaxed).then_some(())
            })
        });
        // Its first sleep is on the device, as the owner may be at work.
        while words.poller.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        assert_eq!(words.poller.load(Ordering::Relaxed) & OWNED, 0);
        family.wake_all();
        // Nobody has polled since.
        while words.poller.load(Ordering::Relaxed) & OWNED == 0 {
            thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
        let state = family.lock().expect("the stack lives");
        family.release_device(&state, clock::now());
        drop(state);
        assert_eq!(waiter.join().expect("no panic"), Outcome::Ready(()));
    });
}

/// Waits without a stack.
fn wait_without(
    family: &Family,
    kernel: &mut [libc::pollfd],
    deadline: Option<Instant>,
) -> Outcome<()> {
    family.wait_without_stack(Wait {
        kernel,
        deadline,
        mask: None,
    })
}

#[test]
fn who_waits_for_a_dead_stack_looks_now_and_then_for_its_successor() {
    let (family, _wire) = lone_family();
    family.give_up();
    let event = sys::eventfd().expect("there are descriptors");
    let mut kernel = [poll_fd(Some(event.as_raw()), libc::POLLIN)];
    for deadline in [None, Some(clock::now() + Duration::from_secs(3600))] {
        let before = clock::now();
        assert_eq!(wait_without(&family, &mut kernel, deadline), Outcome::Gone);
        let waited = clock::now().saturating_since(before);
        assert!(waited >= WITHOUT_STACK, "{waited:?}");
    }
    let soon = clock::now() + Duration::from_millis(1);
    let timed_out = wait_without(&family, &mut kernel, Some(soon));
    assert_eq!(timed_out, Outcome::TimedOut);
    sys::write(event.as_raw(), &1u64.to_ne_bytes()).expect("there is room");
    assert_eq!(wait_without(&family, &mut kernel, None), Outcome::Kernel);
}

thread_local! {
    static SIGNALS: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn a_handler_that_runs_meanwhile_ends_a_wait_without_a_stack() {
    let (mut family, _wire) = lone_family();
    family.hooks = ProcessHooks {
        signals: || SIGNALS.get(),
        // A handler that was put off runs now.
        resume: |_| {
            SIGNALS.set(SIGNALS.get() + 1);
            true
        },
        ..ProcessHooks::none()
    };
    family.give_up();
    assert_eq!(wait_without(&family, &mut [], None), Outcome::Interrupted);
}

#[test]
fn a_wait_for_a_dead_stack_is_over() {
    let (family, _wire) = lone_family();
    family.give_up();
    assert_eq!(
        family.wait(until(None), |_, _, _| None::<()>),
        Outcome::Gone
    );
}
