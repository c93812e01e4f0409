//! The stored controller of a connection, and the way from it to the algorithm that runs.

use super::bbr::{self, Bbr};
use super::control::CongestionControl;
use super::cubic::Cubic;
use super::decision::Decision;
use super::reno::Reno;
use super::view::{CcView, Episode};
use super::window;
use crate::config::CcKind;
use crate::tcp::rate::RateSample;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The state of one connection's controller, as stored in its record.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct CcBlock {
    state: [u64; STATE_WORDS],
    kind: u8,
    _pad: [u8; 7],
}

impl CcBlock {
    /// A controller without history; `init` must follow when the connection is established.
    pub(crate) fn new(kind: CcKind) -> Self {
        Self {
            state: [0; STATE_WORDS],
            kind: kind as u8,
            _pad: [0; 7],
        }
    }

    /// Which algorithm runs. An impossible stored value reads as reno, which is safe with any state.
    pub(crate) fn kind(&self) -> CcKind {
        CcKind::from_u8(self.kind).unwrap_or(CcKind::Reno)
    }

    /// The controller behind the block.
    pub(crate) fn as_any(&mut self) -> AnyCc<'_> {
        match self.kind() {
            CcKind::Bbr => AnyCc::Bbr(view_of(&mut self.state)),
            CcKind::Cubic => AnyCc::Cubic(view_of(&mut self.state)),
            CcKind::Reno => AnyCc::Reno(view_of(&mut self.state)),
        }
    }
}

/// Reads the block's words as the state of one algorithm.
fn view_of<T: FromBytes + IntoBytes + KnownLayout>(words: &mut [u64; STATE_WORDS]) -> &mut T {
    match T::mut_from_prefix(words.as_mut_bytes()) {
        Ok((state, _)) => state,
        Err(_) => unreachable!(
            "a block is as large and as aligned as every state: asserted at compile time"
        ),
    }
}

/// A controller decoded for use.
pub(crate) enum AnyCc<'a> {
    /// BBR v1.
    Bbr(&'a mut Bbr),
    /// CUBIC, RFC 9438.
    Cubic(&'a mut Cubic),
    /// NewReno's window rules, RFC 5681.
    Reno(&'a mut Reno),
}

/// Calls one method of whichever controller the block holds.
macro_rules! delegate {
    ($block:expr, $controller:ident => $call:expr) => {
        match $block.as_any() {
            AnyCc::Bbr($controller) => $call,
            AnyCc::Cubic($controller) => $call,
            AnyCc::Reno($controller) => $call,
        }
    };
}

impl CongestionControl for CcBlock {
    fn init(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.init(view))
    }

    fn on_ack(&mut self, view: &CcView, sample: &RateSample) -> Decision {
        delegate!(self, controller => controller.on_ack(view, sample))
    }

    fn on_enter_recovery(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_enter_recovery(view))
    }

    fn on_rto(&mut self, view: &CcView, episode: Episode) -> Decision {
        delegate!(self, controller => controller.on_rto(view, episode))
    }

    fn on_exit_recovery(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_exit_recovery(view))
    }

    fn on_undo(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_undo(view))
    }

    fn on_tx_start(&mut self, view: &CcView) -> Decision {
        delegate!(self, controller => controller.on_tx_start(view))
    }

    fn send_buffer_windows(&self) -> u32 {
        match self.kind() {
            CcKind::Bbr => bbr::SEND_BUFFER_WINDOWS,
            CcKind::Cubic | CcKind::Reno => window::SEND_BUFFER_WINDOWS,
        }
    }
}

/// Words of state in a block: the largest controller's size, rounded up.
const STATE_WORDS: usize = 30;

const _: () = {
    assert!(size_of::<CcBlock>() <= 256);
    assert!(size_of::<Bbr>() <= STATE_WORDS * 8 && align_of::<Bbr>() <= align_of::<u64>());
    assert!(size_of::<Cubic>() <= STATE_WORDS * 8 && align_of::<Cubic>() <= align_of::<u64>());
    assert!(size_of::<Reno>() <= STATE_WORDS * 8 && align_of::<Reno>() <= align_of::<u64>());
};
