//! Stacks for tests: one host that is fed frames by hand, or two on a wire in virtual time.

mod host;
mod pair;

pub(crate) use host::{Frame, Host, config, dual_config, v6};
pub(crate) use pair::Pair;
