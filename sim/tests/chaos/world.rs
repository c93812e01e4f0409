//! Two hosts, their programs, and what happens to them.

use std::collections::BTreeMap;
use std::time::Duration;

use nstk_sim::{Instant, Link, Pair, Pattern};
use stack::{Addr, CcKind, Domain, Endpoint, Error, Shutdown, SockId, SockKind, SockOpt, Usage};

use crate::choice::Choice;
use crate::end::{End, Key};
use crate::plan;
use crate::watch::{self, Watch};

/// What came of a world.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// A digest of every packet.
    pub(crate) trace_hash: u64,
    /// Of both stacks and of the programs.
    pub(crate) counters: BTreeMap<&'static str, u64>,
}

pub(crate) struct World {
    pair: Pair,
    choice: Choice,
    pattern: Pattern,
    listeners: Vec<(usize, u16, SockId)>,
    ends: Vec<End>,
    watch: Watch,
    scratch: Vec<u8>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Result<Self, String> {
        let mut choice = Choice::new(seed);
        let pair = Pair::new(&plan::pair(&mut choice, seed));
        Ok(Self {
            pair: pair.map_err(|error| error.to_string())?,
            choice,
            pattern: Pattern::new(seed),
            listeners: Vec::new(),
            ends: Vec::new(),
            watch: Watch::default(),
            scratch: vec![0; 64 * 1024],
        })
    }

    /// A random life: a call, some time, a change of the link, some time.
    pub(crate) fn live(&mut self) -> Result<(), String> {
        for host in 0..2 {
            self.listen(host)?;
        }
        for _ in 0..50 + self.choice.below(500) {
            self.act()?;
            let pause = if self.choice.rarely(100) {
                Duration::from_secs(self.choice.magnitude(7))
            } else {
                Duration::from_micros(self.choice.magnitude(17))
            };
            self.run_to(self.pair.now() + pause)?;
        }
        Ok(())
    }

    /// The link is repaired, every program ends its stream and reads what is left, woken by nothing but events.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        for number in 0..2 {
            *self.pair.link_mut(number) = Link {
                queue_bytes: 10_000_000,
                ..Link::new(100_000_000, Duration::from_millis(1))
            };
        }
        for number in 0..self.ends.len() {
            self.finish(number)?;
        }
        self.serve_listeners()?;
        let end = self.pair.now() + SETTLE_LIMIT;
        while !self.ends.iter().all(|end| self.is_settled(end)) {
            if !self.step(end)? {
                let left = self.ends.iter().filter(|end| !self.is_settled(end));
                let left: Vec<_> = left.map(|end| self.describe(end)).collect();
                return Err(format!("these wait for ever: {}", left.join(", ")));
            }
            self.serve_events()?;
        }
        Ok(())
    }

    /// Everything is closed, and after a while nothing is left of it.
    pub(crate) fn close(&mut self) -> Result<Outcome, String> {
        for end in &mut self.ends {
            end.close(&mut self.pair);
        }
        for (host, _, listener) in std::mem::take(&mut self.listeners) {
            self.pair.close_socket(host, listener);
        }
        let end = self.pair.now() + CLOSE_LIMIT;
        while self.usage() != [Usage::default(); 2] {
            if !self.step(end)? {
                return Err(format!("this is left: {:?}", self.usage()));
            }
        }
        // What rests in TIME_WAIT wakes nobody, but goes when somebody looks.
        self.run_to(self.pair.now() + TIME_WAIT)?;
        for number in 0..2 {
            let now = self.pair.clock(number);
            self.pair.hosts[number].stack.handle_timeout(now);
            let resting = self.pair.hosts[number].stack.usage().time_waits;
            if resting > 0 {
                return Err(format!("{resting} rest in TIME_WAIT for ever"));
            }
        }
        watch::counters(&self.pair)?;
        let mut counters = BTreeMap::new();
        for host in &self.pair.hosts {
            for (name, count) in host.stack.mib().iter() {
                *counters.entry(name).or_default() += count;
            }
        }
        let mut count = |name, what: fn(&End) -> u64| {
            counters.insert(name, self.ends.iter().map(what).sum());
        };
        count("bytes read", |end| end.read);
        count("ends of file", |end| end.saw_end.into());
        count("errors", |end| end.error.is_some().into());
        Ok(Outcome {
            trace_hash: self.pair.trace_hash(),
            counters,
        })
    }

    /// Without TIME_WAIT.
    fn usage(&self) -> [Usage; 2] {
        [0, 1].map(|number: usize| Usage {
            time_waits: 0,
            ..self.pair.hosts[number].stack.usage()
        })
    }

    fn run_to(&mut self, end: Instant) -> Result<(), String> {
        while self.step(end)? {}
        Ok(())
    }

    fn step(&mut self, end: Instant) -> Result<bool, String> {
        let has_stepped = self.pair.step(end);
        self.watch.step(&self.pair, self.ends.len() + 2)?;
        Ok(has_stepped)
    }

    fn act(&mut self) -> Result<(), String> {
        let end = self.choice.below(self.ends.len().max(1) as u64) as usize;
        match self.choice.below(24) {
            0..3 => self.connect(),
            3..5 => self.serve_listeners(),
            5..10 => self.write(end),
            10..15 => self.read(end),
            15 => self.option(end),
            16 => self.read_all(end),
            17 if self.choice.rarely(2) => {
                let how = self.choice.of(&[
                    Shutdown::Write,
                    Shutdown::Write,
                    Shutdown::Read,
                    Shutdown::Both,
                ]);
                self.with(end, |end, pair| end.shutdown(pair, how))
            }
            18 if self.choice.rarely(2) => self.close_one(end),
            19 => {
                let number = self.choice.below(2) as usize;
                *self.pair.link_mut(number) = plan::link(&mut self.choice);
                Ok(())
            }
            21 if self.choice.rarely(3) => {
                // An outage: until the link changes again.
                self.pair.link_mut(0).loss_ppm = 1_000_000;
                self.pair.link_mut(1).loss_ppm = 1_000_000;
                Ok(())
            }
            22 if self.choice.rarely(4) => {
                let host = self.choice.below(2) as usize;
                self.listen(host)
            }
            23 if self.choice.rarely(8) && self.listeners.len() > 2 => {
                let (host, _, listener) = self.listeners.swap_remove(0);
                self.pair.close_socket(host, listener);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An end with its peers, as the programs and as the stacks see them.
    fn describe(&self, end: &End) -> String {
        let same = self.ends.iter().filter(|other| other.key == end.key);
        let describe = |end: &End| {
            let now = self.pair.clock(end.host);
            let info = self.pair.hosts[end.host].stack.tcp_info(now, end.socket);
            let info = info.map(|info| {
                (
                    info.state,
                    info.unacked,
                    info.probes,
                    info.backoff,
                    info.snd_wnd,
                    info.rcv_wnd,
                    info.notsent_bytes,
                    info.pmtu,
                    info.snd_mss,
                    self.pair.hosts[end.host].stack.usage(),
                    self.pair.hosts[end.host].stack.poll_timeout(),
                    now,
                )
            });
            format!("{end:?} (state, unacked, probes, backoff) {info:?}")
        };
        same.map(describe).collect::<Vec<_>>().join(" / ")
    }

    fn with(
        &mut self,
        number: usize,
        call: impl FnOnce(&mut End, &mut Pair) -> Result<(), String>,
    ) -> Result<(), String> {
        let Self { ends, pair, .. } = self;
        ends.get_mut(number).map_or(Ok(()), |end| call(end, pair))
    }

    fn listen(&mut self, host: usize) -> Result<(), String> {
        let port = 5000 + self.listeners.len() as u16 + 10 * self.ends.len() as u16;
        let now = self.pair.clock(host);
        let stack = &mut self.pair.hosts[host].stack;
        let listener = stack.socket(SockKind::Stream, Domain::Inet6);
        let listener = listener.map_err(|error| error.to_string())?;
        let backlog = self.choice.of(&[0, 1, 2, 16]);
        let listening = stack
            .bind(now, listener, Endpoint::new(Addr::UNSPECIFIED, port))
            .and_then(|()| stack.listen(now, listener, backlog));
        match listening {
            Ok(()) => self.listeners.push((host, port, listener)),
            Err(Error::AddressInUse) => stack.close(now, listener),
            Err(error) => return Err(format!("listen: {error}")),
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(), String> {
        let open = self.ends.iter().filter(|end| !end.is_closed).count();
        if open >= ENDS_MAX {
            return Ok(());
        }
        let (to, port, _) = self.choice.of(&self.listeners);
        let host = 1 - to;
        let is_v6 = self.choice.rarely(2);
        let peer = if is_v6 {
            Pair::addr6(to as u8)
        } else {
            Pair::addr(to as u8)
        };
        // Sometimes nobody listens there.
        let port = if self.choice.rarely(15) { 4999 } else { port };
        let now = self.pair.clock(host);
        let stack = &mut self.pair.hosts[host].stack;
        let domain = if is_v6 { Domain::Inet6 } else { Domain::Inet };
        let socket = stack
            .socket(SockKind::Stream, domain)
            .map_err(|error| error.to_string())?;
        if let Err(error) = stack.connect(now, socket, Endpoint::new(peer, port))
            && error != Error::InProgress
        {
            stack.close(now, socket);
            return Ok(());
        }
        let local = stack.local(socket).map_or(0, |local| local.port);
        self.add(End::new(host, socket, (host, is_v6, local, port), true));
        Ok(())
    }

    fn add(&mut self, end: End) {
        let tag = self.ends.len() as u64 + 1;
        self.pair.hosts[end.host].stack.set_tag(end.socket, tag);
        self.ends.push(end);
    }

    /// Every listener's program accepts what is there.
    fn serve_listeners(&mut self) -> Result<(), String> {
        for (host, port, listener) in self.listeners.clone() {
            while let Some(socket) = self.pair.accept(host, listener) {
                match self.pair.hosts[host].stack.peer(socket) {
                    Some(peer) => {
                        let key: Key = (1 - host, peer.addr.to_ip().is_ipv6(), peer.port, port);
                        self.add(End::new(host, socket, key, false));
                    }
                    // It was reset before it was accepted: nothing tells which one it was.
                    None => self.pair.close_socket(host, socket),
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, number: usize) -> Result<(), String> {
        let len = self.choice.magnitude(16) as usize;
        let Self {
            ends,
            pair,
            pattern,
            ..
        } = self;
        let Some(end) = ends.get_mut(number) else {
            return Ok(());
        };
        end.look(pair);
        end.write(pair, pattern, len).map(drop)
    }

    fn read(&mut self, number: usize) -> Result<(), String> {
        let len = self.choice.magnitude(16) as usize;
        self.read_up_to(number, len).map(drop)
    }

    fn read_all(&mut self, number: usize) -> Result<(), String> {
        while self.read_up_to(number, 60_000)? {}
        Ok(())
    }

    fn read_up_to(&mut self, number: usize, len: usize) -> Result<bool, String> {
        let peer = self
            .peer_of(number)
            .map(|peer| (self.ends[peer].written, self.ends[peer].has_ended));
        let Self {
            ends,
            pair,
            pattern,
            scratch,
            ..
        } = self;
        let Some(end) = ends.get_mut(number) else {
            return Ok(false);
        };
        end.look(pair);
        let read = end.read(pair, pattern, peer, &mut scratch[..len]);
        read.map_err(|problem| format!("{problem}; {}", self.describe(&self.ends[number])))
    }

    /// The other end, if there is exactly one that it can be.
    fn peer_of(&self, number: usize) -> Option<usize> {
        let end = self.ends.get(number)?;
        let same = |other: &End, is_client| other.key == end.key && other.is_client == is_client;
        let ends = self.ends.iter();
        if ends.filter(|other| same(other, end.is_client)).count() > 1 {
            return None;
        }
        // The last ACK of an opening may come twice: the acknowledged cookie then makes a second connection.
        let mut others = (0..self.ends.len()).filter(|at| same(&self.ends[*at], !end.is_client));
        let other = others.next();
        other.filter(|_| others.next().is_none())
    }

    fn option(&mut self, number: usize) -> Result<(), String> {
        let Some(end) = self.ends.get(number).filter(|end| end.is_usable()) else {
            return Ok(());
        };
        let size = self.choice.magnitude(20);
        let option = match self.choice.below(11) {
            0 => SockOpt::NoDelay(true),
            1 => SockOpt::Cork(true),
            2 => SockOpt::Cork(false),
            3 => SockOpt::KeepAlive(true),
            4 => SockOpt::SendBuffer(size),
            5 => SockOpt::ReceiveBuffer(size),
            6 => SockOpt::QuickAck(self.choice.rarely(2)),
            7 => SockOpt::Congestion(self.choice.of(&CcKind::ALL)),
            8 => SockOpt::MaxPacingRate(10_000 + size),
            9 => SockOpt::NotSentLowat(1 + size as u32),
            _ => SockOpt::WindowClamp(size as u32),
        };
        let now = self.pair.clock(end.host);
        let set = self.pair.hosts[end.host]
            .stack
            .set_option(now, end.socket, option);
        set.map_err(|error| format!("{:?}: {option:?}: {error}", end.key))
    }

    fn close_one(&mut self, number: usize) -> Result<(), String> {
        let is_abort = self.choice.rarely(2);
        self.with(number, |end, pair| {
            if is_abort && !end.is_closed {
                let now = pair.clock(end.host);
                let linger = SockOpt::Linger(Some(0));
                let set = pair.hosts[end.host]
                    .stack
                    .set_option(now, end.socket, linger);
                set.map_err(|error| format!("{:?}: {linger:?}: {error}", end.key))?;
            }
            end.close(pair);
            Ok(())
        })
    }

    /// Ends the stream, once it is open, and reads until there is nothing now.
    fn finish(&mut self, number: usize) -> Result<(), String> {
        self.with(number, |end, pair| {
            end.look(pair);
            if end.has_ended {
                Ok(())
            } else {
                end.shutdown(pair, Shutdown::Write)
            }
        })?;
        self.read_all(number)
    }

    fn serve_events(&mut self) -> Result<(), String> {
        for host in 0..2 {
            while let Some((_, tag, _)) = self.pair.hosts[host].stack.pop_event() {
                let known = self.ends.len();
                match tag {
                    0 => self.serve_listeners()?,
                    tag => self.finish(tag as usize - 1)?,
                }
                for number in known..self.ends.len() {
                    self.finish(number)?;
                }
            }
        }
        Ok(())
    }

    /// Nothing more comes for it, or can: a peer that gave up without a word sends nothing.
    fn is_settled(&self, end: &End) -> bool {
        let is_gone = |other: &End| {
            let info = self.pair.hosts[other.host]
                .stack
                .tcp_info(self.pair.now(), other.socket);
            other.is_closed || other.error.is_some() || info.is_none_or(|info| info.state == CLOSED)
        };
        let mut others = self
            .ends
            .iter()
            .filter(|other| other.key == end.key && other.is_client != end.is_client);
        end.is_done() || end.has_ended && others.all(is_gone)
    }
}

/// `TCP_CLOSE` of `TCP_INFO`.
const CLOSED: u8 = 7;
const ENDS_MAX: usize = 16;
/// A retransmission may have backed off to two minutes, a connection to a dead peer is tried for a quarter of an hour.
const SETTLE_LIMIT: Duration = Duration::from_secs(7200);
const CLOSE_LIMIT: Duration = Duration::from_secs(7200);
/// 60 s, and a step of the coarsest clock.
const TIME_WAIT: Duration = Duration::from_secs(61);
