//! What routers have said of the paths to some addresses (RFC 8201). For IPv6 datagrams, which no router cuts; each TCP
//! connection keeps its own.

use crate::addr::Addr;
use crate::context::Context;
use crate::layout;
use crate::time::Instant;
use core::time::Duration;
use region::{Array, Region, RegionError};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Path {
    dst: Addr,
    /// Until when it is believed.
    until: Instant,
    mtu: u16,
    _pad: [u8; 6],
}

/// The paths that are narrower than the own link: one at each place, found by hash; a new one takes the place of another.
pub(super) struct PathMtus {
    paths: Array<Path>,
}

impl PathMtus {
    pub(super) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            paths: region.array(layout::PATH_MTUS, PLACES)?,
        })
    }

    /// Forgets all.
    pub(super) fn forget(&mut self) {
        self.paths.clear();
    }

    /// Packets to `dst` must not be longer than this.
    pub(super) fn learn(&mut self, cx: &mut Context<'_>, dst: Addr, mtu: u16) {
        let until = cx.now + EXPIRY;
        let known = self.of(cx, dst);
        if mtu < known
            && let Some(path) = self.paths.get_mut(place(cx, dst))
        {
            *path = Path {
                dst,
                until,
                mtu,
                _pad: [0; 6],
            };
            cx.global.path_mtus_until = until;
        }
    }

    /// Longest packet to `dst`, bytes.
    pub(super) fn of(&self, cx: &Context<'_>, dst: Addr) -> u16 {
        let link = cx.global.config.mtu;
        if cx.now >= cx.global.path_mtus_until {
            return link;
        }
        self.paths
            .get(place(cx, dst))
            .filter(|path| path.dst == dst && cx.now < path.until)
            .map_or(link, |path| path.mtu.min(link))
    }
}

fn place(cx: &Context<'_>, dst: Addr) -> u32 {
    let hash = cx.global.hash_key.bytes(&[&dst.octets()]);
    u32::try_from(hash % u64::from(PLACES)).unwrap_or(0)
}

const PLACES: u32 = 256;
/// `net.ipv6.route.mtu_expires`.
const EXPIRY: Duration = Duration::from_secs(600);
