//! What TCP sees of the stack.

use super::store::Tcp;
use crate::context::Context;
use crate::sock::Socks;

/// What TCP's code may touch, when it is not about one connection alone.
pub(crate) struct Parts<'a, 'c> {
    /// Every endpoint.
    pub(crate) socks: &'a mut Socks,
    /// TCP's own tables.
    pub(crate) tcp: &'a mut Tcp,
    /// What all protocols share.
    pub(crate) cx: &'a mut Context<'c>,
}
