//! The names of sockets by which processes of one user find each other.

use core::ffi::CStr;

use nicio::DeviceSpec;
use stack::Addr;

/// The name for a family: what two processes must share to meet. A tap is one stack's, a link has two,
/// and an interface any number. The
/// owner of the region's lock is known by its thread's number, so all must be in one pid namespace.
pub(crate) fn keeper_socket(device: &DeviceSpec, address: Addr) -> String {
    let numbers = namespace(c"/proc/self/ns/pid");
    match device {
        DeviceSpec::Link(_) | DeviceSpec::Packet(_) => {
            let address = u128::from_be_bytes(address.octets());
            format!("{}-{numbers:x}-{address:x}", device_socket(device))
        }
        DeviceSpec::Tap(_) => format!("{}-{numbers:x}", device_socket(device)),
    }
}

/// The name for a device in this network namespace: a path, unlike a device, is seen from all of them.
pub(crate) fn device_socket(device: &DeviceSpec) -> String {
    format!("{:x}-{device}", namespace(c"/proc/self/ns/net"))
}

/// A namespace's number. No other namespace has it while a process is inside. 0 without /proc, where no name is of use
/// (see [`crate::unix_messages`]).
fn namespace(path: &CStr) -> u64 {
    sys::status_of_path(path).map_or(0, |status| status.inode)
}

#[cfg(test)]
mod tests;
