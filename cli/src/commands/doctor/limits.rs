//! Limits of this process, which the programs that it starts inherit.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use super::finding::Finding;

pub(super) fn examine() -> Vec<Finding> {
    vec![open_files(), address_space(), file_size(), locked_memory()]
}

/// Below it a stack cannot be had for certain.
const OPEN_FILES_MIN: u64 = 96;
/// What most systems give.
const OPEN_FILES_USUAL: u64 = 1024;

fn open_files() -> Finding {
    const TOPIC: &str = "open files";
    let remedy = "raise the limit (ulimit -n); the library takes some 77 descriptors, and every connection is one";
    match soft(Resource::RLIMIT_NOFILE) {
        None => Finding::good(TOPIC, "unlimited"),
        Some(limit) if limit < OPEN_FILES_MIN => {
            Finding::missing(TOPIC, format!("only {limit}")).remedy(remedy)
        }
        Some(limit) if limit < OPEN_FILES_USUAL => {
            Finding::wanted(TOPIC, format!("only {limit}")).remedy(remedy)
        }
        Some(limit) => Finding::good(TOPIC, limit.to_string()),
    }
}

/// What a stack takes at its start, twice: the program keeps as much.
const ADDRESS_SPACE_MIN: u64 = 80 << 20;

fn address_space() -> Finding {
    const TOPIC: &str = "address space";
    match soft(Resource::RLIMIT_AS) {
        None => Finding::good(TOPIC, "unlimited"),
        Some(limit) if limit < ADDRESS_SPACE_MIN => {
            Finding::missing(TOPIC, mib(limit)).remedy(format!(
                "raise the limit (ulimit -v) above {}",
                mib(ADDRESS_SPACE_MIN)
            ))
        }
        Some(limit) => Finding::good(TOPIC, mib(limit)),
    }
}

fn file_size() -> Finding {
    const TOPIC: &str = "file size";
    match soft(Resource::RLIMIT_FSIZE) {
        None => Finding::good(TOPIC, "unlimited"),
        Some(limit) => Finding::wanted(
            TOPIC,
            format!(
                "{}: a stack's memory is a file to the kernel and grows no further",
                mib(limit)
            ),
        )
        .remedy("raise the limit (ulimit -f) above net.ipv4.tcp_mem"),
    }
}

fn locked_memory() -> Finding {
    const TOPIC: &str = "locked memory";
    match soft(Resource::RLIMIT_MEMLOCK) {
        None => Finding::good(TOPIC, "unlimited"),
        Some(limit) => Finding::good(
            TOPIC,
            format!(
                "{}, enough for taps; a NIC by VFIO will want more (ulimit -l)",
                mib(limit)
            ),
        ),
    }
}

/// The limit that counts; `None`: there is none.
fn soft(resource: Resource) -> Option<u64> {
    let (soft, _) = getrlimit(resource).ok()?;
    (soft != RLIM_INFINITY).then_some(soft)
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
