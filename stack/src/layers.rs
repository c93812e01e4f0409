//! All layers of a stack, for those who lead a packet through them.

use crate::context::Context;
use crate::ip::Ip;
use crate::sock::Socks;
use crate::tcp::input::coalesce::Coalescer;
use crate::tcp::{self, Tcp};
use crate::udp::{self, Udp};

/// A stack taken apart: each field can be borrowed on its own. Only [`crate::ingress`], [`crate::egress`],
/// [`crate::upkeep`] and the stack itself see all of them; a transport gets its own part.
pub(crate) struct Layers<'a> {
    /// Every endpoint.
    pub(crate) socks: &'a mut Socks,
    /// TCP's tables.
    pub(crate) tcp: &'a mut Tcp,
    /// UDP's tables.
    pub(crate) udp: &'a mut Udp,
    /// Neighbours and reassembly.
    pub(crate) ip: &'a mut Ip,
    /// Segments of the burst that is coming in; `None`: each is taken in alone.
    pub(crate) coalescer: Option<&'a mut Coalescer>,
    /// What all protocols share.
    pub(crate) cx: Context<'a>,
}

impl<'a> Layers<'a> {
    /// What TCP sees.
    pub(crate) fn tcp_parts(&mut self) -> tcp::Parts<'_, 'a> {
        self.tcp_and_coalescer().0
    }

    /// What TCP sees of a burst.
    pub(crate) fn tcp_and_coalescer(&mut self) -> (tcp::Parts<'_, 'a>, Option<&mut Coalescer>) {
        let parts = tcp::Parts {
            socks: self.socks,
            tcp: self.tcp,
            cx: &mut self.cx,
        };
        (parts, self.coalescer.as_deref_mut())
    }

    /// What UDP sees.
    pub(crate) fn udp_parts(&mut self) -> udp::Parts<'_, 'a> {
        udp::Parts {
            socks: self.socks,
            udp: self.udp,
            cx: &mut self.cx,
        }
    }
}
