//! The state of the IP layer.

use super::error_limit::ErrorLimit;
use super::neighbour::{Neighbours, Sender, Unknown};
use super::path_mtu::PathMtus;
use super::reassembly::Reassembly;
use super::resolved_route::{Exit, ResolvedRoute, RouteError};
use super::route::{self, Hop};
use crate::addr::Addr;
use crate::context::Context;
use crate::packet::Packet;
use crate::wire::ethernet;
use region::{Id, Region, RegionError};

/// The tables of the IP layer.
pub(crate) struct Ip {
    pub(crate) neighbours: Neighbours,
    pub(crate) reassembly: Reassembly,
    path_mtus: PathMtus,
    pub(crate) error_limit: ErrorLimit,
}

impl Ip {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            neighbours: Neighbours::open(region)?,
            reassembly: Reassembly::open(region)?,
            path_mtus: PathMtus::open(region)?,
            error_limit: ErrorLimit::open(region)?,
        })
    }

    /// The way from an own address to a remote one. Asks for the Ethernet address of the first hop if it is not known.
    pub(crate) fn resolve(
        &mut self,
        cx: &mut Context<'_>,
        (src, dst): (Addr, Addr),
        sender: Sender,
    ) -> Result<ResolvedRoute, RouteError> {
        let config = &cx.global.config;
        let is_v4 = dst.is_v4();
        if src.is_v4() != is_v4 {
            return Err(RouteError::NoRoute);
        }
        let own = config.mac;
        let mtu = if is_v4 {
            config.mtu
        } else {
            self.path_mtus.of(cx, dst)
        };
        let mut exit = Exit::Device;
        let mac = match route::first_hop(config, dst).ok_or(RouteError::NoRoute)? {
            Hop::Group(mac) => mac,
            Hop::Local => {
                exit = Exit::Loopback;
                own
            }
            Hop::Neighbour(hop) => {
                self.neighbours
                    .lookup(cx, hop, sender)
                    .map_err(|unknown| match unknown {
                        Unknown::Asked => RouteError::Waiting { hop },
                        Unknown::NoRoom => RouteError::NoRoom,
                    })?
            }
        };
        let ethertype = if is_v4 {
            ethernet::IPV4
        } else {
            ethernet::IPV6
        };
        let header = ethernet::Header::new(mac, own, ethertype);
        Ok(ResolvedRoute {
            ethernet: zerocopy::transmute!(header),
            src,
            dst,
            mtu,
            exit,
        })
    }

    /// Forgets all that can be learnt again: neighbours with what waits for them, half datagrams, the widths of paths.
    pub(crate) fn forget(&mut self) {
        self.neighbours.forget();
        self.reassembly.forget();
        self.path_mtus.forget();
        self.error_limit.forget();
    }

    /// A router says that packets to `dst` must not be longer than this.
    pub(crate) fn learn_path_mtu(&mut self, cx: &mut Context<'_>, dst: Addr, mtu: u16) {
        self.path_mtus.learn(cx, dst, mtu);
    }

    /// Lets `packet` wait for the Ethernet address of `hop`. False: it cannot wait, drop it.
    pub(crate) fn hold(&mut self, cx: &mut Context<'_>, hop: Addr, packet: Id<Packet>) -> bool {
        self.neighbours.hold(cx, hop, packet)
    }
}
