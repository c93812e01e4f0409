//! Regions as families use them: real memfds, real processes, real deaths.

mod child;
mod join;
mod kill;
mod limits;
mod memory;
mod raw_children;
mod repair;
mod sealed;
mod threads;
mod wild;
