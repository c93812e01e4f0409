//! One half-open connection.

use crate::addr::Endpoint;
use crate::index::{HashKey, Tuple};
use crate::list::{Linked, Links};
use crate::sock::SockId;
use crate::tcp::offer::Offer;
use crate::tcp::options::{Options, Scale, Timestamps};
use crate::tcp::seq::Seq;
use crate::time::Instant;
use bitflags::bitflags;
use region::Id;
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

    pub(super) fn tuple(&self, key: &HashKey) -> Tuple {
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
