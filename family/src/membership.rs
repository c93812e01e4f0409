//! What a process's way into a family is made of.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

use nicio::capture::Recorder;
use nicio::{DeviceSpec, Nic};
use region::{Region, Shared};
use stack::{Config, Stack, V6_MTU_MIN};

use crate::capture::Capture;
use crate::device::Device;
use crate::error::StartError;
use crate::family::{Family, Role};
use crate::process_hooks::ProcessHooks;
use crate::records::Member;
use crate::shared_state::SharedState;
use crate::socket_names::keeper_socket;
use crate::wakers::Wakers;
use crate::{members, spawn};

/// What a membership is made of.
pub(crate) struct Membership {
    pub(crate) spec: DeviceSpec,
    pub(crate) region: Region,
    pub(crate) stack: Stack,
    pub(crate) device: Device,
    pub(crate) wakers: Wakers,
    pub(crate) capture: Option<Capture>,
}

impl Membership {
    pub(crate) fn register(self, hooks: ProcessHooks, role: Role) -> Result<Family, StartError> {
        let flags = if role == Role::Keeper {
            members::KEEPER
        } else {
            0
        };
        let place = members::register(self.region.words(), sys::process_id(), flags)
            .ok_or(StartError::Keeper("its family is full"))?;
        self.assemble(hooks, role, place)
    }

    pub(crate) fn assemble(
        self,
        hooks: ProcessHooks,
        role: Role,
        place: Member,
    ) -> Result<Family, StartError> {
        let Self {
            spec,
            region,
            stack,
            device,
            wakers,
            capture,
        } = self;
        let state = SharedState::new(&region, stack, device.nic.wait_handle())?;
        let busy_poll_us = state.stack.config().busy_poll_us;
        let address = state.stack.config().addr;
        Ok(Family {
            name: keeper_socket(&spec, address),
            shared: Shared::new(region, state),
            keeper_program: spawn::program_path(),
            wait_handle: device.nic.wait_handle(),
            device_handles: device.nic.handles(),
            device: UnsafeCell::new(device),
            capture,
            spec,
            wakers,
            hooks,
            pid: AtomicU32::new(sys::process_id()),
            member: AtomicU32::new(u32::from(place)),
            recent_wait_ns: AtomicU64::new(0),
            busy_poll_ns: u64::from(busy_poll_us) * 1000,
            role,
            keeper_seen_ns: AtomicU64::new(0),
            is_filtered: AtomicBool::new(false),
        })
    }
}

pub(crate) fn with_recorder(mut device: Device, recorder: Option<Recorder>) -> Device {
    device.nic.set_recorder(recorder);
    device
}

/// The settings as the device allows them.
pub(crate) fn fit_to_device(wanted: &Config, device: &Device) -> Result<Config, StartError> {
    let caps = device.nic.caps();
    let mut config = *wanted;
    config.mtu = if wanted.mtu == 0 {
        caps.mtu
    } else {
        wanted.mtu.min(caps.mtu)
    };
    config.offload = caps.offload.bits();
    if let Some(mac) = caps.mac {
        config.mac = mac;
    }
    if config.has_v6() && config.mtu < V6_MTU_MIN {
        return Err(StartError::MtuForIpv6(config.mtu));
    }
    Ok(config)
}

#[cfg(test)]
mod tests;
