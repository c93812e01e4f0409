//! Half-open connections: a peer's SYN has come and our SYN-ACK is out. Each is a small record in a table of its own
//! (Linux: request_sock) until the handshake is complete; only then is an endpoint made for it.

use super::options::{Options, Scale, Timestamps};
use super::seq::Seq;
use super::setup::Offer;
use crate::addr::Endpoint;
use crate::context::Parts;
use crate::heap::Heap;
use crate::index::{HashKey, Index, Tuple};
use crate::layout;
use crate::list::{Linked, Links};
use crate::sock::SockId;
use crate::time::Instant;
use bitflags::bitflags;
use region::{Id, Region, RegionError, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Names a [`Request`].
pub(crate) type RequestId = Id<Request>;

/// One half-open connection.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Request {
    pub(crate) local: Endpoint,
    pub(crate) remote: Endpoint,
    /// Who will accept it.
    pub(crate) listener: SockId,
    /// Its place among the requests of its listener, in the order in which they came.
    pub(crate) links: Links,
    /// When our SYN-ACK went out first; [`Instant::ZERO`]: not known, or it says nothing about the round trip.
    pub(crate) sent_at: Instant,
    /// When something that did not fit was answered last; [`Instant::ZERO`]: never.
    pub(crate) answered_at: Instant,
    /// What our SYN-ACK offers.
    pub(crate) offer: Offer,
    /// Our first number.
    pub(crate) iss: Seq,
    /// The peer's.
    pub(crate) irs: Seq,
    /// The peer's clock.
    pub(crate) ts_recent: u32,
    /// Window in the peer's SYN, bytes.
    pub(crate) window: u16,
    /// The peer's MSS option; 0: none.
    pub(crate) mss: u16,
    /// The peer's scale.
    scale: Scale,
    flags: u8,
    /// Times the SYN-ACK's timer ran out.
    pub(crate) timeouts: u8,
    _pad: [u8; 1],
}

const _: () = assert!(size_of::<Request>() <= 128);

bitflags! {
    /// What holds of a half-open connection.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Flags: u8 {
        /// Both sides sent SACK-permitted.
        const SACK = 1;
        /// Both sides sent timestamps.
        const TIMESTAMPS = 1 << 1;
        /// Both sides sent a window scale.
        const SCALING = 1 << 2;
        /// The SYN-ACK went out again.
        const REPEATED = 1 << 3;
        /// Its last ACK came, but it may not be accepted yet.
        const ACKED = 1 << 4;
    }
}

impl Linked for Request {
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}

impl Request {
    /// What a SYN with the number `irs` asks for: `agreed` are the options that both sides want. Listener and our first number
    /// are still to be set.
    pub(crate) fn new(ends: &Tuple, irs: Seq, agreed: &Options, window: u16, offer: Offer) -> Self {
        let mut flags = Flags::empty();
        flags.set(Flags::SACK, agreed.sack_permitted);
        flags.set(Flags::TIMESTAMPS, agreed.timestamps.is_some());
        flags.set(Flags::SCALING, agreed.window_scale.is_some());
        Self {
            local: ends.local,
            remote: ends.remote,
            listener: SockId::NONE,
            links: Links::default(),
            sent_at: Instant::ZERO,
            answered_at: Instant::ZERO,
            offer,
            iss: Seq::default(),
            irs,
            ts_recent: agreed.timestamps.map_or(0, |stamps| stamps.value),
            window,
            mss: agreed.mss.unwrap_or(0),
            scale: Scale::new(agreed.window_scale.unwrap_or(0)),
            flags: flags.bits(),
            timeouts: 0,
            _pad: [0; 1],
        }
    }

    fn tuple(&self, key: &HashKey) -> Tuple {
        key.tuple(self.local, self.remote)
    }

    pub(crate) fn has(&self, flags: Flags) -> bool {
        Flags::from_bits_retain(self.flags).contains(flags)
    }

    pub(crate) fn set(&mut self, flags: Flags) {
        self.flags |= flags.bits();
    }

    /// The options that both sides want, as the peer sent them.
    pub(crate) fn agreed(&self) -> Options {
        Options {
            mss: (self.mss > 0).then_some(self.mss),
            window_scale: self.has(Flags::SCALING).then_some(self.scale.get()),
            sack_permitted: self.has(Flags::SACK),
            timestamps: self.has(Flags::TIMESTAMPS).then_some(Timestamps {
                value: self.ts_recent,
                echo: 0,
            }),
            ..Options::default()
        }
    }

    /// Its SYN-ACK went out a whole timeout ago, or more.
    pub(crate) const fn is_old(&self) -> bool {
        self.timeouts > 0
    }

    /// Nobody has answered its SYN-ACK for a whole timeout: it may give way to others. Who has answered, and waits for its
    /// data or for `accept`, may not: it takes the connection for open.
    pub(crate) fn may_give_way(&self) -> bool {
        self.is_old() && !self.has(Flags::ACKED)
    }
}

/// All half-open connections.
pub(crate) struct Requests {
    table: Table<Request>,
    index: Index<Request>,
    /// When each SYN-ACK goes out again.
    due: Heap<Request>,
}

impl Requests {
    /// Takes the table numbers `first` to `first + 3`.
    pub(crate) fn open(region: &Region, first: u16) -> Result<Self, RegionError> {
        let max = layout::MAX_REQUESTS;
        Ok(Self {
            table: region.table(first, max)?,
            index: Index::open(region, first + 1, max)?,
            due: Heap::open(region, first + 2, first + 3, max)?,
        })
    }

    /// Records held.
    pub(crate) fn len(&self) -> u32 {
        self.table.len()
    }

    /// Nothing is indexed. Looks at every place.
    #[cfg(fuzzing)]
    pub(crate) fn is_index_empty(&self) -> bool {
        self.index.is_empty()
    }

    pub(crate) fn get(&self, id: RequestId) -> Option<&Request> {
        self.table.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: RequestId) -> Option<region::Entry<'_, Request>> {
        self.table.get_mut(id)
    }

    /// The half-open connection between two ends.
    pub(crate) fn find(&self, tuple: &Tuple) -> Option<RequestId> {
        if self.table.is_empty() {
            return None;
        }
        self.index.candidates(tuple.hash).find(|&id| {
            self.table.get(id).is_some_and(|request| {
                request.local == tuple.local && request.remote == tuple.remote
            })
        })
    }

    /// Its SYN-ACK goes out again at `at`.
    pub(crate) fn arm(&mut self, id: RequestId, at: Instant) {
        self.due.set(id, at);
    }

    /// When the next SYN-ACK goes out again.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| at)
    }

    /// Takes out of the timer one that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<RequestId> {
        self.due.pop_due(now)
    }

    fn insert(&mut self, key: &HashKey, request: Request) -> Option<RequestId> {
        let id = self.table.insert(request)?;
        if !self.index.insert(request.tuple(key).hash, id) {
            self.table.remove(id);
            return None;
        }
        Some(id)
    }

    fn remove(&mut self, key: &HashKey, id: RequestId) {
        self.due.remove(id);
        if let Some(request) = self.table.remove(id) {
            self.index.remove(request.tuple(key).hash, id);
        }
    }
}

/// Adds a half-open connection to those of its listener. `None`: the table is full.
pub(crate) fn add(parts: &mut Parts<'_>, request: Request) -> Option<RequestId> {
    let mut listener = parts.socks.get_mut(request.listener)?;
    let requests = &mut parts.tcp.requests;
    let id = requests.insert(&parts.cx.global.hash_key, request)?;
    let accept = &mut listener.tcp.accept;
    accept.requests.push(&mut requests.table, id);
    accept.pending += 1;
    accept.young += 1;
    Some(id)
}

/// Forgets a half-open connection.
pub(crate) fn forget(parts: &mut Parts<'_>, id: RequestId) {
    let requests = &mut parts.tcp.requests;
    let Some(request) = requests.get(id).copied() else {
        return;
    };
    if let Some(mut listener) = parts.socks.get_mut(request.listener) {
        let accept = &mut listener.tcp.accept;
        accept.requests.remove(&mut requests.table, id);
        accept.pending = accept.pending.saturating_sub(1);
        if !request.is_old() {
            accept.young = accept.young.saturating_sub(1);
        }
    }
    requests.remove(&parts.cx.global.hash_key, id);
}

/// Forgets all half-open connections of a listener.
pub(crate) fn forget_all(parts: &mut Parts<'_>, listener: SockId) {
    while let Some(oldest) = oldest(parts, listener) {
        forget(parts, oldest);
    }
}

/// The half-open connection of a listener that came first.
pub(crate) fn oldest(parts: &Parts<'_>, listener: SockId) -> Option<RequestId> {
    let id = parts.socks.get(listener)?.tcp.accept.requests.first();
    parts.tcp.requests.get(id).map(|_| id)
}
