use core::time::Duration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::clock;
use crate::outcome::{Outcome, Wait};
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
