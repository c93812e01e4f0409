//! The socket calls: one method of [`Stack`] each, dispatched by what the endpoint is.

mod address;
mod caller;
mod copy;
mod datagram;
mod info;
mod options;
mod stream;
