use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::{own_name, program_path, settle, spawn};
use crate::testing::fork;

/// Runs a shell's script as the keeper's program would be started. Answers what it prints.
fn answer_of(script: &str) -> String {
    let (mut answer, theirs) = UnixStream::pair().expect("there are descriptors");
    let fd = theirs.as_raw_fd();
    let script = format!("exec 1>&{fd}; {script}");
    let arguments = ["-c".to_owned(), script];
    assert_eq!(spawn(c"/bin/bash", &arguments, &[fd]), Some(()));
    drop(theirs);
    let mut text = String::new();
    answer.read_to_string(&mut text).expect("it ends");
    text
}

#[test]
fn a_spawned_program_is_nobody_s_child_and_has_an_empty_environment() {
    let text = answer_of("echo $0; echo $PPID; tr '\\0' '\\n' < /proc/$$/environ | wc -l");
    let [name, parent, variables] = *text.lines().collect::<Vec<_>>().as_slice() else {
        panic!("{text}");
    };
    assert_eq!((name, variables), ("nstk-keeper", "0"));
    assert_ne!(parent, std::process::id().to_string());
    let children = fs::read_to_string("/proc/thread-self/children");
    assert_eq!(children.expect("there is /proc"), "", "none to wait for");
}

#[test]
fn a_spawned_program_starts_with_all_signals_blocked() {
    let text = answer_of("kill -TERM $$; echo alive");
    assert_eq!(text, "alive\n", "the signal waits until it has settled");
}

#[test]
fn a_program_that_is_not_there_is_not_started() {
    assert_eq!(spawn(c"/nowhere/nstk-keeper", &[], &[]), None);
    let zero = ["a\0b".to_owned()];
    assert_eq!(spawn(c"/bin/true", &zero, &[]), None);
}

/// Which of 0 to 19 are open.
fn open_fds() -> Vec<i32> {
    (0..20).filter(|fd| sys::is_open(*fd)).collect()
}

fn is_null(fd: i32) -> bool {
    let path = format!("/proc/self/fd/{fd}");
    fs::read_link(path).is_ok_and(|path| path == Path::new("/dev/null"))
}

#[test]
fn a_process_of_ours_settles_with_what_it_was_given() {
    let fill = || {
        for fd in 0..20 {
            // SAFETY: in the child, which does not use what these numbers stood for.
            unsafe { libc::dup2(2, fd) };
        }
    };
    for (keep, open, nulls) in [
        (vec![7, 3, 12], vec![0, 1, 2, 3, 7, 12], vec![0, 1, 2]),
        (vec![0, 1, 5, -1], vec![0, 1, 2, 5], vec![2]),
        (vec![], vec![0, 1, 2], vec![0, 1, 2]),
    ] {
        let child = fork(|| {
            fill();
            // SAFETY: a handler of the system's.
            unsafe { libc::signal(libc::SIGPROF, libc::SIG_IGN) };
            sys::block_all_signals();
            settle(&keep);
            assert_eq!(open_fds(), open);
            assert_eq!((0..3).filter(|fd| is_null(*fd)).collect::<Vec<_>>(), nulls);
            assert_eq!(sys::block_all_signals(), 0, "no signal was blocked");
            // SAFETY: the default is no handler.
            let before = unsafe { libc::signal(libc::SIGPROF, libc::SIG_DFL) };
            assert_eq!(before, libc::SIG_DFL);
        });
        assert!(child.ends_well(), "{keep:?}");
    }
}

#[test]
fn a_program_s_own_name_is_the_one_that_ps_shows() {
    sys::set_name(c"a name");
    // The first thread's, which is not this one's.
    let first = fs::read_to_string("/proc/self/comm").expect("there is /proc");
    assert_eq!(own_name(), first.trim_end());
}

#[test]
fn the_keeper_s_program_lies_beside_the_library() {
    let path = program_path().expect("this program has a path");
    let path = Path::new(OsStr::from_bytes(path.to_bytes()));
    let tests = std::env::current_exe().expect("there is /proc");
    let tests = fs::canonicalize(tests).expect("it is there");
    assert_eq!(path.parent(), tests.parent());
    assert_eq!(path.file_name(), Some(OsStr::new("nstk-keeper")));
}
