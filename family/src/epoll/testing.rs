//! Sets with a stack that is just a table of readiness bits.

use std::cell::RefCell;
use std::collections::HashMap;

use libc::epoll_event;
use region::{Id, Region};
use stack::{Ready, SockId};

use super::{EpollError, Epolls, Interest, Key, Target};
use crate::files::Files;
use crate::records::{EpollId, FileId};

pub(super) const IN: u32 = libc::EPOLLIN as u32;
pub(super) const OUT: u32 = libc::EPOLLOUT as u32;
pub(super) const ET: u32 = libc::EPOLLET as u32;
pub(super) const ONESHOT: u32 = libc::EPOLLONESHOT as u32;
pub(super) const EXCLUSIVE: u32 = libc::EPOLLEXCLUSIVE as u32;
pub(super) const ME: u16 = 1;

/// What the program asks of a descriptor, whose number is its data.
fn interest(fd: i32, events: u32) -> Interest {
    Interest {
        events,
        data: fd as u64,
    }
}

pub(super) fn key(set: EpollId, file: FileId, fd: i32) -> Key {
    Key {
        set,
        target: Target::File(file),
        fd,
    }
}

/// Sets and files over sockets that are just bits of readiness.
pub(super) struct World {
    pub(super) epolls: Epolls,
    pub(super) files: Files,
    ready: RefCell<HashMap<SockId, Ready>>,
    made: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let region = Region::on_heap(16 << 20);
        Self {
            epolls: Epolls::new(&region, 0).expect("tables"),
            files: Files::new(&region).expect("tables"),
            ready: RefCell::default(),
            made: 0,
        }
    }

    pub(super) fn set(&mut self) -> EpollId {
        self.epolls.create(ME).expect("a set")
    }

    pub(super) fn file(&mut self) -> FileId {
        self.made += 1;
        let sock = Id::from_bits(self.made << 32 | self.made);
        self.files.open(sock, ME, 0).expect("a file")
    }

    /// The socket becomes `ready`, with an edge for every bit of it. Gives the wakers woken.
    pub(super) fn edge(&mut self, file: FileId, ready: Ready) -> u64 {
        self.level(file, ready);
        self.epolls.notify(file, ready, &mut self.files)
    }

    pub(super) fn level(&mut self, file: FileId, ready: Ready) {
        let sock = self.files.get(file).expect("a file").sock;
        self.ready.borrow_mut().insert(sock, ready);
    }

    pub(super) fn now(&self, file: FileId) -> Ready {
        let sock = self.files.get(file).expect("a file").sock;
        let ready = self.ready.borrow().get(&sock).copied();
        ready.unwrap_or(Ready::empty())
    }

    pub(super) fn add(
        &mut self,
        set: EpollId,
        file: FileId,
        fd: i32,
        events: u32,
    ) -> Result<(), EpollError> {
        let now = self.now(file);
        let interest = interest(fd, events);
        self.epolls
            .add(key(set, file, fd), interest, &mut self.files, now)
    }

    pub(super) fn modify(
        &mut self,
        set: EpollId,
        file: FileId,
        fd: i32,
        events: u32,
    ) -> Result<(), EpollError> {
        let now = self.now(file);
        let interest = interest(fd, events);
        self.epolls
            .modify(key(set, file, fd), interest, &mut self.files, now)
    }

    pub(super) fn delete(&mut self, set: EpollId, file: FileId, fd: i32) -> Result<(), EpollError> {
        self.epolls
            .delete(key(set, file, fd), &mut self.files)
            .map(drop)
    }

    /// (data, events) of at most `max` ready items.
    pub(super) fn collect(&mut self, set: EpollId, max: usize) -> Vec<(u64, u32)> {
        let mut out = vec![epoll_event { events: 0, u64: 0 }; max];
        let ready = self.ready.borrow();
        let look = |sock: SockId| ready.get(&sock).copied().unwrap_or(Ready::empty());
        let count = self.epolls.collect_with(set, &look, &self.files, &mut out);
        out.iter()
            .take(count)
            .map(|event| (event.u64, event.events))
            .collect()
    }

    /// Set `outer` watches set `inner` as number 3, with 9 as the program's value.
    pub(super) fn watch(
        &mut self,
        outer: EpollId,
        inner: EpollId,
        events: u32,
    ) -> Result<(), EpollError> {
        let key = Key {
            set: outer,
            target: Target::Set(inner),
            fd: 3,
        };
        let interest = Interest { events, data: 9 };
        self.epolls
            .add(key, interest, &mut self.files, Ready::empty())
    }
}
