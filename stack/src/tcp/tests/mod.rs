//! Connections as wholes: two stacks on a wire in virtual time, or one fed segments by hand.

mod notation;
mod script;
mod world;

mod blind;
mod callers;
mod coalescing;
mod exact;
mod hostile;
mod interactive;
mod ipv6;
mod itself;
mod limits;
mod listening;
mod loss;
mod memory;
mod open_close;
mod path_mtu;
mod receiving;
mod repair;
mod segments;
mod sending;
mod spurious;
mod sysctls;
mod tail_probe;
mod time_wait;
