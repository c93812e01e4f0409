//! The keeper's life: stand in while nobody is inside, close what dead members leave, hand the region to
//! newcomers, end a second after the last connection.

use core::time::Duration;
use std::sync::atomic::Ordering;

use nicio::{DeviceSpec, HANDLE_FDS_MAX, Handles};
use region::{OwnedFd, RawFd};
use stack::Instant;

use crate::bells::{BELLS, Bell};
use crate::capture;
use crate::clock;
use crate::door::Door;
use crate::error::StartError;
use crate::family::Family;
use crate::files::Member;
use crate::poller::{For, Poller, TURN_LOOK};
use crate::rendezvous::{self, Answer, HandOver};
use crate::wait::earlier;
use crate::{keeper, members, sys};

/// A stack that nobody has polled for this long is the keeper's.
const DUTY_GAP: Duration = Duration::from_millis(2);
/// How often to look while a member sleeps on the device; doubles up to the second of the
/// two while all is idle.
const WATCH_GAP: Duration = Duration::from_millis(20);
const WATCH_GAP_MAX: Duration = Duration::from_millis(160);
/// A sleeper on the device that has not polled for this long though there was reason to is absent.
const ABSENT_NS: u64 = 100_000_000;
/// How long the keeper stays after the last connection.
const LINGER: Duration = Duration::from_secs(1);
/// CPU time between two sleeps: far more than the largest family's descriptors take to be closed.
const CPU_MAX: Duration = Duration::from_secs(2);
/// The members' descriptors, device, bell, door and its name.
const FDS_MAX: usize = region::MEMBERS_MAX + 4;

/// What the keeper was started with.
pub struct Duty {
    family: Family,
    name: String,
    door: Option<Door>,
    bell: Option<Bell>,
    watched: Vec<Watched>,
    idle_since: Option<Instant>,
    watch_gap: Duration,
    last_poll_seen: u64,
    /// The stamp of the keeper's own last poll: nobody has polled since while it stands.
    own_poll: u64,
}

/// A program of the family, by a descriptor that becomes readable when it ends.
struct Watched {
    member: Member,
    pid: u32,
    pidfd: RawFd,
}

/// The keeper's place on the device while it sleeps.
struct Post {
    /// The poller word.
    word: u64,
    /// What to sleep on; -1: only on the bell.
    device: RawFd,
    /// When to wake up.
    until: Option<Instant>,
}

impl Duty {
    /// From the keeper's arguments: rendezvous name, device, the tag of its handles, how many descriptors a capture
    /// has, descriptors of region, bells, capture and device.
    ///
    /// # Errors
    /// One line's worth of what is wrong.
    pub fn from_arguments(arguments: &[String]) -> Result<Self, StartError> {
        let [name, device, tag, capture_fds, fds @ ..] = arguments else {
            return Err(StartError::Keeper("it was started without arguments"));
        };
        let spec: DeviceSpec = device
            .parse()
            .map_err(|_| StartError::Keeper("bad device"))?;
        let fds: Result<Vec<RawFd>, _> = fds.iter().map(|text| text.parse()).collect();
        let fds = fds.map_err(|_| StartError::Keeper("bad descriptors"))?;
        let missing = StartError::Keeper("descriptors are missing");
        let capture_fds = capture_fds.parse().unwrap_or(0);
        let parts = fds.split_first().and_then(|(region, rest)| {
            let (bells, rest) = rest.split_first_chunk::<BELLS>()?;
            let (capture, device) = rest.split_at_checked(capture_fds)?;
            Some((region, bells, capture, device))
        });
        let Some((region, bells, capture, device)) = parts else {
            return Err(missing);
        };
        if device.len() > HANDLE_FDS_MAX {
            return Err(StartError::Keeper("bad device"));
        }
        let tag = tag.parse().map_err(|_| StartError::Keeper("bad device"))?;
        keeper::settle(&fds);
        // SAFETY: the keeper was started with these descriptors and nobody else in it owns them.
        let own = |fd: &RawFd| unsafe { OwnedFd::from_raw(*fd) };
        let device = Handles {
            fds: device.iter().map(own).collect(),
            tag,
        };
        let capture = capture.iter().map(own);
        let recorder = capture::recorder(capture);
        let family = Family::keep(spec, own(region), *bells, device, recorder)?;
        family
            .words()
            .keeper_pid
            .store(sys::getpid(), Ordering::Release);
        let door = Door::open(name);
        let bell = family.bells.take(family.words(), family.pid());
        Ok(Self {
            family,
            name: name.clone(),
            door,
            bell,
            watched: Vec::new(),
            idle_since: None,
            watch_gap: WATCH_GAP,
            last_poll_seen: 0,
            own_poll: u64::MAX,
        })
    }

    /// Serves until a second after the last connection.
    pub fn run(mut self) {
        loop {
            // Ends it where a damaged region leads it round in circles: device and name are free then.
            sys::end_after_cpu_time(CPU_MAX);
            self.find_members();
            let Some(stop) = self.look_after() else {
                return;
            };
            if stop {
                break;
            }
            self.rest();
        }
        members::strike(self.family.words(), self.family.member());
    }

    /// Watches members that have come since.
    fn find_members(&mut self) {
        let programs: Vec<(Member, u32)> = members::programs(self.family.words()).collect();
        for (member, pid) in programs {
            if self
                .watched
                .iter()
                .any(|known| known.member == member && known.pid == pid)
            {
                continue;
            }
            match sys::pidfd_open(pid) {
                Ok(pidfd) => self.watched.push(Watched { member, pid, pidfd }),
                Err(sys::Errno(libc::ESRCH)) => self.bury(member, pid),
                // Tried again at the next look.
                Err(_) => {}
            }
        }
        if self.door.is_none() {
            Door::restore(&mut self.door, &self.name);
        }
    }

    /// Stands in if nobody else does. `None`: the stack is dead; `Some(true)`: time to end.
    fn look_after(&mut self) -> Option<bool> {
        let family = &self.family;
        let now = clock::now();
        self.own_poll = self.relieve_absent(now).unwrap_or(self.own_poll);
        if self.on_duty(now) {
            family.poll();
            self.own_poll = family.words().last_poll_ns.load(Ordering::Relaxed);
        }
        let state = family.lock().ok()?;
        if state.stack.live_connections() > 0 {
            self.idle_since = None;
            return Some(false);
        }
        let since = *self.idle_since.get_or_insert(now);
        let stop = now.saturating_since(since) >= LINGER;
        if stop {
            // Under the lock: whoever connects next sees that there is no keeper.
            family.words().keeper_pid.store(0, Ordering::Relaxed);
            family
                .words()
                .keeper_state
                .store(keeper::ABSENT, Ordering::Release);
        }
        Some(stop)
    }

    /// Takes the poller word from a member that sleeps on the device but does not wake up for it, as one that
    /// was stopped: the stamp of the last poll, after which only the keeper polls.
    fn relieve_absent(&self, now: Instant) -> Option<u64> {
        let words = self.family.words();
        let poller = words.poller.load(Ordering::Acquire);
        let last = words.last_poll_ns.load(Ordering::Relaxed);
        let until = words.poller_until_ns.load(Ordering::Relaxed);
        let absent = now.as_nanos().saturating_sub(ABSENT_NS);
        if poller == 0 || last > absent || (until > absent && !self.device_waits()) {
            return None;
        }
        words
            .poller
            .compare_exchange(poller, 0, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        Some(last)
    }

    /// Whether frames wait to be received.
    fn device_waits(&self) -> bool {
        let mut device = [libc::pollfd {
            fd: self.family.device_fd(),
            events: libc::POLLIN,
            revents: 0,
        }];
        sys::ppoll(&mut device, Some(Duration::ZERO), None).is_ok_and(|ready| ready > 0)
    }

    /// Whether the stack has nobody but the keeper.
    fn on_duty(&self, now: Instant) -> bool {
        let words = self.family.words();
        let poller = words.poller.load(Ordering::Acquire);
        let last = Instant::from_nanos(words.last_poll_ns.load(Ordering::Relaxed));
        let nobody = last.as_nanos() == self.own_poll || now.saturating_since(last) >= DUTY_GAP;
        poller == 0 && nobody
    }

    /// Sleeps until there is something to do.
    fn rest(&mut self) {
        let now = clock::now();
        let post = self.stand_in(now);
        let mut until = match &post {
            Some(post) => post.until,
            None => Some(now + self.next_look()),
        };
        if let Some(since) = self.idle_since {
            until = earlier(until, Some(since + LINGER));
        }
        if self.door.is_none() {
            until = earlier(until, Some(now + WATCH_GAP_MAX));
        }
        self.sleep(post.as_ref().map_or(-1, |post| post.device), until);
        if let (Some(Post { word, .. }), Some(bell)) = (post, self.bell) {
            let words = self.family.words();
            let _ = words
                .poller
                .compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed);
            words.sleeping.fetch_and(!bell.bit(), Ordering::AcqRel);
        }
    }

    /// Takes the poller word if nobody else looks after the device.
    fn stand_in(&self, now: Instant) -> Option<Post> {
        let bell = self.bell?;
        let words = self.family.words();
        let state = self.family.lock().ok()?;
        if !self.on_duty(now) {
            return None;
        }
        // A member in the middle of its turn was preempted or stopped: nothing can be done before it is back.
        let sleeps_for = if self.family.turn_is_taken() {
            For::Turn
        } else {
            For::Device
        };
        let word = Poller {
            pid: self.family.pid(),
            bell,
            keeper: true,
            sleeps_for,
        }
        .to_bits();
        words
            .poller
            .compare_exchange(0, word, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        let (device, until) = match sleeps_for {
            For::Device => (self.family.device_fd(), state.next_due(now)),
            For::Turn => (-1, Some(now + TURN_LOOK)),
        };
        words
            .poller_until_ns
            .store(until.map_or(u64::MAX, Instant::as_nanos), Ordering::Relaxed);
        words.sleeping.fetch_or(bell.bit(), Ordering::SeqCst);
        let until = if sleeps_for == For::Turn || self.family.wait_handle.arm() {
            until
        } else {
            Some(now)
        };
        Some(Post {
            word,
            device,
            until,
        })
    }

    /// How long to leave the stack to its members before the next look: longer and longer while one of them
    /// sleeps on the device and nothing happens.
    fn next_look(&mut self) -> Duration {
        let words = self.family.words();
        let last_poll = words.last_poll_ns.load(Ordering::Relaxed);
        let unchanged = core::mem::replace(&mut self.last_poll_seen, last_poll) == last_poll;
        if words.poller.load(Ordering::Relaxed) == 0 {
            return DUTY_GAP;
        }
        self.watch_gap = if unchanged {
            (self.watch_gap * 2).min(WATCH_GAP_MAX)
        } else {
            WATCH_GAP
        };
        self.watch_gap
    }

    fn sleep(&mut self, device: RawFd, until: Option<Instant>) {
        let bell = self.bell.map_or(-1, |bell| self.family.bells.fd(bell));
        let door = self.door.as_ref();
        let own = [
            device,
            bell,
            door.map_or(-1, Door::fd),
            door.map_or(-1, Door::removals_fd),
        ];
        let fds = own
            .into_iter()
            .chain(self.watched.iter().map(|watched| watched.pidfd));
        let mut fds: arrayvec::ArrayVec<libc::pollfd, FDS_MAX> = fds
            .map(|fd| libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            })
            .take(FDS_MAX)
            .collect();
        let timeout = until.map(|until| until.saturating_since(clock::now()));
        if sys::ppoll(&mut fds, timeout, None).is_err() {
            return;
        }
        let rang = |at: usize| fds.get(at).is_some_and(|fd| fd.revents != 0);
        if rang(1) {
            let mut count = [0; 8];
            let _ = sys::read(bell, &mut count);
        }
        let ended: Vec<usize> = (0..self.watched.len())
            .filter(|at| rang(own.len() + at))
            .collect();
        for at in ended.into_iter().rev() {
            let Watched { member, pid, pidfd } = self.watched.swap_remove(at);
            sys::close(pidfd);
            self.bury(member, pid);
        }
        if rang(2) {
            self.greet();
        }
        if rang(3) {
            Door::restore(&mut self.door, &self.name);
        }
    }

    /// Closes what a dead member has left open and frees what it held.
    fn bury(&mut self, member: Member, pid: u32) {
        self.family.forget_process(pid);
        // A program that has left by exec or exit gave its place back, perhaps to another one.
        if members::programs(self.family.words()).any(|place| place == (member, pid)) {
            let released = self
                .family
                .enter(|state, now| state.release_all(now, member));
            // The place of one that took the stack with it tells the others who it was.
            if released.is_ok() {
                members::strike(self.family.words(), member);
            }
        }
    }

    /// Lets a newcomer in, unless a program is still there. Without an answer it makes a region of its own as soon
    /// as this process has ended.
    fn greet(&mut self) {
        let Some(mut newcomer) = self
            .door
            .as_ref()
            .map(Door::fd)
            .and_then(rendezvous::open_to_newcomer)
        else {
            return;
        };
        let capture = newcomer.take_capture();
        // It has come by exec: the program that it was is gone.
        while let Some(at) = self
            .watched
            .iter()
            .position(|known| known.pid == newcomer.pid)
        {
            let Watched { member, pid, pidfd } = self.watched.swap_remove(at);
            sys::close(pidfd);
            self.bury(member, pid);
        }
        if self
            .watched
            .iter()
            .any(|watched| sys::process_runs(watched.pid))
        {
            newcomer.answer(&Answer::InUse);
            return;
        }
        if newcomer.build != region::BUILD {
            if self.idle_since.is_some() {
                self.family.give_up();
            } else {
                newcomer.answer(&Answer::OtherBuild);
            }
            return;
        }
        let Some((region, place)) = self.place_for(newcomer.pid) else {
            self.family.give_up();
            return;
        };
        let hand_over = HandOver {
            region,
            bells: *self.family.bells.fds(),
            device: self.family.device_handles.clone(),
            place: u8::try_from(place).unwrap_or(u8::MAX),
        };
        if newcomer.answer(&Answer::Welcome(&hand_over)) {
            self.family.set_recorder(capture);
            // It has a second to open its first connection.
            self.idle_since = None;
        } else {
            members::strike(self.family.words(), place);
        }
    }

    /// The region and a place in it, if the newcomer can go on with it. It has all of its places free, so that
    /// there is none only tells of wild writes.
    fn place_for(&self, pid: u32) -> Option<(RawFd, Member)> {
        self.family.rehearse_join().ok()?;
        let region = self.family.shared.region().fd()?;
        Some((region, members::enrol(self.family.words(), pid, 0)?))
    }
}
