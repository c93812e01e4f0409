//! Network interfaces of the kernel; netdevice(7).

use core::ffi::c_int;

use crate::descriptors::ioctl;
use crate::errno::Errno;
use crate::sockets::socket;

/// The index of an interface (`SIOCGIFINDEX`).
#[must_use]
pub fn interface_index(name: &str) -> Option<u32> {
    // An ifreq: 16 bytes of name, then the answer.
    let mut request = [0u8; size_of::<libc::ifreq>()];
    request[..libc::IFNAMSIZ - 1]
        .iter_mut()
        .zip(name.bytes())
        .for_each(|(to, from)| *to = from);
    let place = request.as_mut_ptr().expose_provenance();
    // SAFETY: the request takes such a structure and fills in its union.
    unsafe { interface_request(libc::SIOCGIFINDEX, place) }.ok()?;
    let index = request.get(libc::IFNAMSIZ..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*index))
}

/// Fills in one `ifreq` with an IPv4 address for each interface that has one (`SIOCGIFCONF`); answers how many
/// there are.
pub fn interface_addresses(entries: &mut [[u8; size_of::<libc::ifreq>()]]) -> Result<usize, Errno> {
    const ENTRY: usize = size_of::<libc::ifreq>();
    // struct ifconf: a length in bytes, and a pointer.
    let mut list = [
        entries.len() * ENTRY,
        entries.as_mut_ptr().expose_provenance(),
    ];
    let place = list.as_mut_ptr().expose_provenance();
    // SAFETY: the request takes such a structure, and fills in as many bytes as it says.
    unsafe { interface_request(libc::SIOCGIFCONF, place) }?;
    Ok((list[0] & 0xffff_ffff) / ENTRY)
}

/// ioctl(2) about interfaces, on a socket of the kernel's made for it.
///
/// # Safety
/// `argument` must be what the request takes.
pub unsafe fn interface_request(request: libc::c_ulong, argument: usize) -> Result<usize, Errno> {
    const KIND: c_int = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    let socket = socket(libc::AF_INET, KIND, 0)?;
    // The kernel takes 32 bits.
    let request = request as u32;
    // SAFETY: the caller passes what the request takes.
    unsafe { ioctl(socket.as_raw(), request, argument) }
}
