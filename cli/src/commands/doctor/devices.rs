//! What frames can go through.

use std::fs::{read_dir, read_to_string};
use std::path::Path;

use super::finding::Finding;
use crate::machine;

pub(super) fn examine() -> Vec<Finding> {
    vec![tap(), raw_sockets(), huge_pages(), vfio()]
}

fn tap() -> Finding {
    match machine::open_tun() {
        Ok(_) => Finding::good("tap", "/dev/net/tun can be opened"),
        Err(why) => Finding::missing("tap", why),
    }
}

/// CAP_NET_RAW's bit in the masks of /proc/PID/status.
const CAP_NET_RAW: u32 = 13;

fn raw_sockets() -> Finding {
    const TOPIC: &str = "raw sockets";
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    if mask.unwrap_or_default() >> CAP_NET_RAW & 1 == 1 {
        Finding::good(
            TOPIC,
            "allowed (CAP_NET_RAW), for devices of the kind packet:INTERFACE",
        )
    } else {
        Finding::wanted(
            TOPIC,
            "not allowed; only devices of the kind packet:INTERFACE use them",
        )
        .remedy("run as root or with CAP_NET_RAW")
    }
}

fn huge_pages() -> Finding {
    const TOPIC: &str = "huge pages";
    let memory = read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
    };
    match (
        field("HugePages_Total:"),
        field("HugePages_Free:"),
        field("Hugepagesize:"),
    ) {
        (Some(total @ 1..), Some(free), Some(kib)) => Finding::good(
            TOPIC,
            format!("{free} of {total} are free, {kib} KiB each; nothing of nstk uses them yet"),
        ),
        _ => Finding::wanted(TOPIC, "none are reserved; nothing of nstk uses them yet")
            .remedy("sysctl vm.nr_hugepages=64 reserves some"),
    }
}

fn vfio() -> Finding {
    const TOPIC: &str = "NIC by VFIO";
    let not_yet = |text: String| Finding::wanted(TOPIC, text + "; no device of nstk uses it yet");
    let groups = read_dir("/sys/kernel/iommu_groups").map_or(0, Iterator::count);
    if groups == 0 {
        return not_yet("there is no IOMMU".to_owned()).remedy(
            "switch VT-d or AMD-Vi on in the firmware and boot with intel_iommu=on or amd_iommu=on",
        );
    }
    if !Path::new("/dev/vfio/vfio").exists() {
        return not_yet(format!("{groups} IOMMU groups, but no /dev/vfio/vfio"))
            .remedy("modprobe vfio-pci");
    }
    let nics = supported_nics();
    if nics.is_empty() {
        return not_yet(format!("{groups} IOMMU groups, but no Intel 82599"));
    }
    Finding::good(
        TOPIC,
        format!(
            "{groups} IOMMU groups, Intel 82599 at {}; no device of nstk uses it yet",
            nics.join(", ")
        ),
    )
}

/// PCI addresses of Intel 82599 with SFP+ (8086:10fb).
fn supported_nics() -> Vec<String> {
    let Ok(devices) = read_dir("/sys/bus/pci/devices") else {
        return Vec::new();
    };
    let devices = devices.filter_map(|device| {
        let device = device.ok()?;
        let id = |file| read_to_string(device.path().join(file)).ok();
        let matches = id("vendor")?.trim() == "0x8086" && id("device")?.trim() == "0x10fb";
        matches.then(|| device.file_name().to_string_lossy().into_owned())
    });
    devices.collect()
}
