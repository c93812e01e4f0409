//! The socket calls: one method of [`Stack`] each, dispatched by what the endpoint is.

mod address;
mod copy;
mod datagram;
mod info;
pub(crate) mod options;
pub(crate) mod span;
mod stream;
