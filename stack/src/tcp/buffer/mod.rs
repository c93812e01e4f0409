//! Bytes of a connection: the chain they are sent from, the queue they are received into, and the
//! memory both are charged for.

pub(crate) mod memory;
pub(crate) mod reassembly;
pub(crate) mod receive;
pub(crate) mod send;
