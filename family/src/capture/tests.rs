use std::fs;
use std::path::PathBuf;

use nicio::capture::News;

use super::{Capture, Prepared};
use crate::capture_writer::CaptureWriter;
use crate::error::StartError;
use crate::private_fds::is_private;
use crate::process_hooks::ProcessHooks;
use crate::testing::{complaints, fork, lone_family, remembering_hooks, settings};

/// A file that goes with the value.
struct Place(PathBuf);

impl Place {
    fn new(tag: &str) -> Self {
        let name = format!("nstk-family-{tag}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("plain letters")
    }

    fn bytes(&self) -> u64 {
        fs::metadata(&self.0).map_or(0, |file| file.len())
    }

    fn prepared(&self) -> Prepared {
        let settings = settings(&[("NSTK_PCAP", self.path())]);
        let prepared = Prepared::make(&settings, ProcessHooks::none());
        prepared.expect("there is memory").expect("it is wanted")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn there_is_a_capture_where_one_is_wanted() {
    let none = Prepared::make(&settings(&[]), ProcessHooks::none());
    assert!(none.expect("nothing is asked for").is_none());
    let place = Place::new("wanted");
    let prepared = place.prepared();
    let fds = prepared.capture().fds();
    assert_eq!(fds.len(), 2);
    assert!(fds.iter().all(|fd| is_private(*fd)), "{fds:?}");
    assert_eq!(place.bytes(), 0, "the file is made when there is a stack");
}

#[test]
fn a_capture_that_nobody_writes_is_none_or_no_start() {
    let place = Place::new("missing");
    for (on_failure, starts) in [("kernel", true), ("exit", false)] {
        let settings = settings(&[("NSTK_PCAP", place.path()), ("NSTK_FAIL", on_failure)]);
        let prepared = place.prepared();
        let capture = prepared.capture().clone();
        let begun = prepared.begin(&settings, remembering_hooks(), None);
        assert_eq!(begun.is_ok(), starts, "{on_failure}");
        let told = complaints().join("\n");
        assert_eq!(told.contains("going on without"), starts, "{told}");
        if let Err(error) = begun {
            assert!(matches!(error, StartError::Capture(path, _) if path == place.0));
        }
        assert_eq!(capture.recorder.channel().news(), None, "it is told once");
    }
}

#[test]
fn a_writer_is_started_for_a_fresh_file() {
    let place = Place::new("begun");
    let settings = settings(&[("NSTK_PCAP", place.path())]);
    let hooks = remembering_hooks();
    let begun = place.prepared().begin(&settings, hooks, Some(c"/bin/true"));
    assert!(begun.is_ok() && place.bytes() > 0);
    assert_eq!(complaints(), [""; 0]);
}

#[test]
fn a_capture_follows_the_first_fresh_stack() {
    let place = Place::new("renewed");
    let prepared = place.prepared();
    let first = prepared.capture().renew().expect("it is the first");
    assert!(
        prepared.capture().renew().is_none(),
        "it follows another one"
    );
    assert_eq!(first.fds(), prepared.capture().fds());
    assert!(first.renew().is_some(), "a second death");
}

#[test]
fn the_user_is_told_what_has_become_of_the_file() {
    let mut settings = settings(&[("NSTK_PCAP", "/tmp/a\nb")]);
    let wanted = settings.capture.as_mut().expect("it is asked for");
    wanted.limit_bytes = 1_234_567;
    let prepared = Prepared::make(&settings, ProcessHooks::none());
    let prepared = prepared.expect("there is memory").expect("it is wanted");
    let capture: &Capture = prepared.capture();
    let news = [
        (News::Lossy, "missing"),
        (News::Full, "1234567 bytes"),
        (News::Failed(sys::Errno(libc::ENOSPC)), "no more frames"),
        (News::NoWriter, "killed"),
    ];
    for (news, words) in news {
        capture.tell(remembering_hooks(), news);
        let told = complaints();
        let [line] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert!(line.starts_with("NSTK_PCAP=/tmp/a\\nb: "), "{line}");
        assert!(line.contains(words), "{line}");
    }
}

#[test]
fn the_writer_writes_what_the_device_s_owner_records() {
    let place = Place::new("written");
    let Prepared { capture, writer } = place.prepared();
    let path = std::ffi::CString::new(place.path()).expect("no zero");
    let file = nicio::capture::create(&path, "it").expect("there is room");
    let empty = place.bytes();
    let [memory, socket] = writer.fds();
    let arguments = [10_000_000, memory, socket, file.as_raw()].map(|number| number.to_string());
    let life = fork(|| {
        let writer = CaptureWriter::from_arguments(&arguments);
        writer.expect("its arguments are right").run();
    });
    drop((writer, file));
    let (mut family, _wire) = lone_family();
    family.set_recorder(Some(capture.recorder()));
    while family.poll() {}
    drop((family, capture));
    assert!(life.ends_well(), "when nobody is left who could record");
    // A frame, and what a file ends with.
    assert!(place.bytes() > empty + 42, "{} bytes", place.bytes());
}

#[test]
fn a_program_that_ends_hears_that_its_writer_was_killed() {
    let place = Place::new("killed");
    let Prepared { capture, writer } = place.prepared();
    let (mut family, _wire) = lone_family();
    family.hooks = remembering_hooks();
    family.set_recorder(Some(capture.recorder()));
    family.capture = Some(capture);
    drop(writer);
    while family.poll() {}
    assert_eq!(complaints(), [""; 0], "nobody has noticed");
    family.flush_capture();
    let told = complaints().join("\n");
    assert!(told.contains("was killed"), "{told}");
    family.flush_capture();
    assert_eq!(complaints(), [""; 0], "once is enough");
}

#[test]
fn a_writer_with_wrong_arguments_is_refused() {
    for arguments in [&[][..], &["much"], &["1", "2", "3"], &["1", "2", "3", "x"]] {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        assert!(CaptureWriter::from_arguments(&arguments).is_err());
    }
}
