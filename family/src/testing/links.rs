//! Families as programs make them, over links.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use env::{Settings, Surroundings};
use nicio::link::{Cable, End};
use nicio::{Handles, Use};

use crate::device_open::{from_handles, private_copies};
use crate::family::Family;
use crate::process_hooks::ProcessHooks;
use crate::wakers::Wakers;

/// An environment for settings.
struct Variables<'a>(&'a [(&'a str, &'a str)]);

impl Surroundings for Variables<'_> {
    fn variable(&self, name: &str) -> Option<OsString> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.into())
    }

    fn variable_names(&self, prefix: &str) -> Vec<String> {
        let names = self.0.iter().map(|(name, _)| (*name).to_owned());
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    fn read_file(&self, _: &Path, _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// What these variables ask for, of a stack at 10.0.0.1 and the end of a link if they do not say otherwise.
pub(crate) fn settings(variables: &[(&str, &str)]) -> Settings {
    let all = [
        variables,
        &[("NSTK_ADDR", "10.0.0.1/24"), ("NSTK_IF", "link:it")],
    ]
    .concat();
    let settings = Settings::read(&Variables(&all)).expect("they can be obeyed");
    settings.expect("a device is named")
}

/// The handles of an end of a cable whose lease is nobody's.
pub(crate) fn end_of(cable: &Cable, end: End) -> Handles<sys::OwnedFd> {
    let lease = sys::eventfd().expect("there are descriptors");
    let fds = cable.fds().into_iter().chain([lease.as_raw()]).collect();
    let tag = end.to_byte();
    private_copies(&Handles { fds, tag }).expect("there are descriptors")
}

/// A family at the first end of a cable, as a program makes it that has asked for `settings`.
pub(crate) fn linked_family(settings: &Settings, cable: &Cable) -> Family {
    let handles = end_of(cable, End::First);
    let device = from_handles(&settings.device, handles, Use::First).expect("it is a cable");
    let wakers = Wakers::create().expect("there are descriptors");
    Family::create(settings, ProcessHooks::none(), device, wakers, None).expect("tables fit")
}
