//! From a readiness edge to `epoll_wait`'s answer.

use libc::epoll_event;
use region::Id;
use stack::{Ready, SockId, Stack};

use super::items::Target;
use super::{Epolls, NESTS_MAX, poll_bits};
use crate::files::Files;
use crate::records::{EpollId, FileId, Item, Lane};

impl Epolls {
    /// A stack event: marks the items that watch `file` and returns the wakers to wake. Every set that
    /// asked gets its mark; of those that asked with EPOLLEXCLUSIVE, marking stops at the first with a
    /// sleeper. One sleeper is woken for each set.
    pub fn notify(&mut self, file: FileId, edges: Ready, files: &mut Files) -> u64 {
        self.mark(file, edges, files);
        self.take_to_wake()
    }

    /// Fills `out` with what is ready, oldest first, and returns how many events it holds. Edge-triggered
    /// items leave the ready list, one-shot items are disarmed, level-triggered ones go to its end. The
    /// caller then [`leaves`](Epolls::leave) the set, so that others are woken for what remains.
    pub fn collect(
        &mut self,
        set: EpollId,
        stack: &Stack,
        files: &Files,
        out: &mut [epoll_event],
    ) -> usize {
        self.collect_with(set, &|sock| stack.ready(sock), files, out)
    }

    /// Whether [`Epolls::collect`] would find anything; changes nothing that a program could see.
    pub fn has_ready(&mut self, set: EpollId, stack: &Stack, files: &Files) -> bool {
        self.any_ready(set, &|sock| stack.ready(sock), files, NESTS_MAX)
    }

    pub(super) fn collect_with(
        &mut self,
        set: EpollId,
        ready: &dyn Fn(SockId) -> Ready,
        files: &Files,
        out: &mut [epoll_event],
    ) -> usize {
        let mut filled = 0;
        for _ in 0..self.len(set, Lane::Ready) {
            let Some(slot) = out.get_mut(filled) else {
                break;
            };
            let Some(item) = self.first(set, Lane::Ready) else {
                break;
            };
            self.unlink(set, item, Lane::Ready);
            let events = self.current(item, ready, files, NESTS_MAX);
            if events == 0 {
                continue;
            }
            let Some(mut record) = self.items.get_mut(item) else {
                continue;
            };
            *slot = epoll_event {
                events,
                u64: record.data,
            };
            filled += 1;
            let oneshot = record.is(libc::EPOLLONESHOT);
            let edge = record.is(libc::EPOLLET);
            if oneshot {
                record.disarm();
            }
            drop(record);
            if !oneshot && !edge {
                self.push(set, item, Lane::Ready);
            }
        }
        filled
    }

    /// What of an item's events holds now.
    fn current(
        &mut self,
        item: Id<Item>,
        ready: &dyn Fn(SockId) -> Ready,
        files: &Files,
        depth: u32,
    ) -> u32 {
        let Some(record) = self.items.get(item).copied() else {
            return 0;
        };
        let holds = match record.target() {
            Target::File(file) => files.get(file).map_or(0, |f| poll_bits(ready(f.sock))),
            Target::Set(inner) if depth > 0 && self.any_ready(inner, ready, files, depth - 1) => {
                poll_bits(Ready::IN)
            }
            Target::Set(_) => 0,
        };
        holds & record.wanted()
    }

    /// Whether anything of a set is ready; what turns out not to be leaves the ready list.
    pub(super) fn any_ready(
        &mut self,
        set: EpollId,
        ready: &dyn Fn(SockId) -> Ready,
        files: &Files,
        depth: u32,
    ) -> bool {
        for _ in 0..self.len(set, Lane::Ready) {
            let Some(item) = self.first(set, Lane::Ready) else {
                return false;
            };
            if self.current(item, ready, files, depth) != 0 {
                return true;
            }
            self.unlink(set, item, Lane::Ready);
        }
        false
    }

    pub(super) fn mark(&mut self, file: FileId, edges: Ready, files: &Files) {
        let Some(mut at) = self.watchers(Target::File(file), files) else {
            return;
        };
        let edges = poll_bits(edges);
        let mut exclusive_done = false;
        for _ in 0..self.items.max_slots() {
            let Some(item) = self.items.get(at).copied() else {
                return;
            };
            let exclusive = item.is(libc::EPOLLEXCLUSIVE);
            if edges & item.wanted() != 0 && !(exclusive && exclusive_done) {
                let woken = self.make_ready(item.set, at);
                exclusive_done |= exclusive && woken;
            }
            at = item.next_watcher;
        }
    }

    /// Puts an item on its set's ready list and wakes one sleeper of the set, and of the sets that
    /// watch it. Returns whether there was one.
    pub(super) fn make_ready(&mut self, set: EpollId, item: Id<Item>) -> bool {
        self.make_ready_within(set, item, NESTS_MAX)
    }

    fn make_ready_within(&mut self, set: EpollId, item: Id<Item>, depth: u32) -> bool {
        self.push(set, item, Lane::Ready);
        let mut woken = self.wake_one(set);
        let Some(mut at) = self.sets.get(set).map(|record| record.watchers) else {
            return woken;
        };
        if depth == 0 {
            return woken;
        }
        for _ in 0..self.items.max_slots() {
            let Some(outer) = self.items.get(at).copied() else {
                break;
            };
            if outer.wanted() & libc::EPOLLIN as u32 != 0 {
                woken |= self.make_ready_within(outer.set, at, depth - 1);
            }
            at = outer.next_watcher;
        }
        woken
    }

    /// Wakes the next sleeper if something is still on the ready list.
    pub(super) fn pass_on(&mut self, set: EpollId) {
        if self.first(set, Lane::Ready).is_some() {
            self.wake_one(set);
        }
    }

    fn wake_one(&mut self, set: EpollId) -> bool {
        let Some(mut record) = self.sets.get_mut(set) else {
            return false;
        };
        let waker = record.waiters & record.waiters.wrapping_neg();
        record.waiters &= !waker;
        drop(record);
        self.to_wake |= waker;
        waker != 0
    }
}

#[cfg(test)]
mod tests;
