//! What every controller can be asked.

use super::decision::Decision;
use super::view::{CcView, Episode};
use crate::tcp::rate::RateSample;

/// Sender-side congestion control: an event in, a decision out.
pub(crate) trait CongestionControl {
    /// The connection is established, or this controller replaces another.
    fn init(&mut self, view: &CcView) -> Decision;

    /// An ACK was processed; called once per ACK, after loss marking and the change of `ca_state`, with the finished sample.
    ///
    /// Controllers that leave recovery to the transport (cubic, reno) keep the window in `Cwr` and `Recovery`.
    fn on_ack(&mut self, view: &CcView, sample: &RateSample) -> Decision;

    /// Fast recovery or a window reduction begins (Linux's `ssthresh` hook); the window itself is cut by the transport.
    fn on_enter_recovery(&mut self, view: &CcView) -> Decision;

    /// The retransmission timer fired. The decision's window is what may be sent from here.
    fn on_rto(&mut self, view: &CcView, episode: Episode) -> Decision;

    /// Recovery ended without undo; `ca_state` is still the state that ends.
    fn on_exit_recovery(&mut self, view: &CcView) -> Decision;

    /// The reduction proved spurious (DSACK, F-RTO, timestamps). The transport restores `ssthresh` itself.
    fn on_undo(&mut self, view: &CcView) -> Decision;

    /// Sending starts with nothing in flight (Linux's `CA_EVENT_TX_START`).
    fn on_tx_start(&mut self, view: &CcView) -> Decision;

    /// How many windows the send buffer should hold when it is tuned (`tcp_sndbuf_expand`).
    fn send_buffer_windows(&self) -> u32;
}
