//! The name of an endpoint.

use region::Id;

/// Names an endpoint. A stale id finds nothing.
pub type SockId = Id<OfSock>;

/// Marks ids of endpoints. Not the record itself, so that what a record holds can name other endpoints.
pub enum OfSock {}
