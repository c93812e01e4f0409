//! One value by itself.

use crate::address::{Addresses, parse_mac};
use crate::bypass::Bypass;
use crate::capture;
use crate::device::parse_device;
use crate::log;
use crate::loopback::parse_loopback;
use crate::mtu::parse_mtu;
use crate::on_failure::OnFailure;
use crate::problem::Problem;
use crate::switch::parse_switch;
use crate::sysctl::Entry;
use crate::variable::Variable;
use crate::wait::parse_wait;

/// Whether the variable may have this value, as far as that can be said without the others. Of sysctls the first bad one
/// counts.
pub(crate) fn check(variable: Variable, text: &str) -> Result<(), Problem> {
    match variable {
        Variable::If => parse_device(text).map(drop),
        Variable::Addr => Addresses::parse(text).map(drop),
        Variable::Mac => parse_mac(text).map(drop),
        Variable::Mtu => parse_mtu(text).map(drop),
        Variable::Loopback => parse_loopback(text).map(drop),
        Variable::Bypass => Bypass::parse(text).map(drop),
        Variable::Fail => OnFailure::parse(text).map(drop),
        Variable::Wait => parse_wait(text).map(drop),
        Variable::PcapLimit => capture::parse_limit(text).map(drop),
        Variable::SysctlInherit => parse_switch(text).map(drop),
        Variable::Log => log::read(text).1.into_iter().try_for_each(Err),
        Variable::Sysctl => Entry::read_all(text).try_for_each(|entry| {
            entry
                .map(drop)
                .map_err(|bad| Problem::Sysctl(bad.refusal()))
        }),
        Variable::Gateway | Variable::Pcap | Variable::Config => Ok(()),
    }
}
