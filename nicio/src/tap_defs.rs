//! Numbers of linux/if_tun.h that the libc crate lacks or types inconveniently.

/// `_IOW('T', 202, int)`.
pub(crate) const TUNSETIFF: u32 = 0x4004_54ca;
/// `_IOW('T', 208, unsigned int)`.
pub(crate) const TUNSETOFFLOAD: u32 = 0x4004_54d0;
/// `_IOR('T', 210, unsigned int)`.
pub(crate) const TUNGETIFF: u32 = 0x8004_54d2;
/// `_IOW('T', 216, int)`.
pub(crate) const TUNSETVNETHDRSZ: u32 = 0x4004_54d8;

/// The reader takes frames whose transport checksum is left partial.
pub(crate) const TUN_F_CSUM: usize = 0x01;
/// The reader takes TCP super-frames over IPv4.
pub(crate) const TUN_F_TSO4: usize = 0x02;
/// The reader takes TCP super-frames over IPv6.
pub(crate) const TUN_F_TSO6: usize = 0x04;

/// A tap, not a tun.
pub(crate) const IFF_TAP: u16 = 0x0002;
/// Several queues.
pub(crate) const IFF_MULTI_QUEUE: u16 = 0x0100;
/// No packet information in front of frames.
pub(crate) const IFF_NO_PI: u16 = 0x1000;
/// A virtio-net header in front of frames.
pub(crate) const IFF_VNET_HDR: u16 = 0x4000;
