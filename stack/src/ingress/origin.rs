//! Where a frame comes from.

/// Where a frame comes from, which decides whose addresses it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The network device: its sender is another host.
    Device,
    /// The [loopback device](crate::loopback): its sender is this stack.
    Loopback,
}
