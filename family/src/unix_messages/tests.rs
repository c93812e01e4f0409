use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use super::*;

const PATIENCE_MS: u32 = 1000;

/// A directory where everybody may have names. It goes with the value.
struct Open {
    path: PathBuf,
    fd: OwnedFd,
}

impl Open {
    fn new(tag: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nstk-{tag}-{}", std::process::id()));
        fs::create_dir(&path).expect("a fresh name");
        open_to_all(&path);
        let name = CString::new(path.to_str().expect("plain letters")).expect("no zero");
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let fd = sys::open(&name, flags, 0).expect("it is there");
        Self { path, fd }
    }

    fn listen(&self, name: &CStr) -> OwnedFd {
        let listener = listen(self.fd.as_raw(), name).expect("there is room");
        open_to_all(&self.path.join(name.to_str().expect("plain letters")));
        listener
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn open_to_all(path: &PathBuf) {
    fs::set_permissions(path, Permissions::from_mode(0o777)).expect("chmod");
}

/// Runs this as another user. `None`: this user may not.
fn as_a_stranger<R: Send>(run: impl FnOnce() -> R + Send) -> Option<R> {
    let user = libc::c_long::from(sys::user_id());
    let stranger = if user == 65534 { 65533 } else { 65534 };
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let [real, effective, saved] = [stranger; 3];
            // SAFETY: the kernel changes numbers of this thread only; libc's setresuid would change all threads.
            let changed = unsafe { libc::syscall(libc::SYS_setresuid, real, effective, saved) };
            (changed == 0).then(run)
        });
        let done = thread.join().expect("no panic");
        if done.is_none() {
            assert!(std::env::var_os("CI").is_none(), "CI is not root");
            println!("SKIPPED: this user may not be another one");
        }
        done
    })
}

#[test]
fn a_user_s_own_processes_meet_and_exchange_messages_and_descriptors() {
    let open = Open::new("meet");
    let listener = open.listen(c"it");
    let caller = connect(open.fd.as_raw(), c"it", sys::user_id(), PATIENCE_MS);
    let caller = caller.expect("no queue").expect("it listens");
    let (called, pid) = accept(listener.as_raw()).expect("somebody has connected");
    assert_eq!(pid, std::process::id());
    assert!(send(&caller, b"hello", &[listener.as_raw()]));
    let message = receive(&called).expect("it is there");
    assert_eq!(message.bytes.as_slice(), b"hello");
    assert_eq!(message.fds.len(), 1);
    drop(caller);
    let end = receive(&called).expect("the end is no error");
    assert!(end.bytes.is_empty() && end.fds.is_empty());
}

#[test]
fn another_user_who_listens_there_is_nobody() {
    let open = Open::new("stranger-listens");
    let Some(listener) = as_a_stranger(|| listen(open.fd.as_raw(), c"it")) else {
        return;
    };
    let listener = listener.expect("everybody may have a name there");
    let caller = connect(open.fd.as_raw(), c"it", sys::user_id(), PATIENCE_MS);
    assert!(caller.expect("no queue").is_none());
    // It was reached, and left at once.
    assert!(sys::accept(listener.as_raw()).is_ok());
}

#[test]
fn another_user_who_connects_is_not_accepted() {
    let open = Open::new("stranger-connects");
    let listener = open.listen(c"it");
    let stranger = as_a_stranger(|| {
        let socket = socket(libc::SOCK_SEQPACKET).expect("there are descriptors");
        connect_to(&socket, open.fd.as_raw(), c"it").map(|()| socket)
    });
    let Some(stranger) = stranger else {
        return;
    };
    let _stranger = stranger.expect("everybody may connect");
    assert!(accept(listener.as_raw()).is_none());
    let own = connect(open.fd.as_raw(), c"it", sys::user_id(), PATIENCE_MS);
    let _own = own.expect("no queue").expect("it listens");
    assert!(accept(listener.as_raw()).is_some(), "it is the next one");
}

#[test]
fn a_live_listener_is_told_from_a_dead_one() {
    let open = Open::new("probe");
    let listener = open.listen(c"it");
    let found = || probe(open.fd.as_raw(), c"it") == Listener::Alive;
    assert!(found());
    drop(listener);
    assert!(!found());
}

#[test]
fn a_message_has_room_for_so_many_descriptors_and_no_more() {
    let open = Open::new("many");
    let listener = open.listen(c"it");
    let caller = connect(open.fd.as_raw(), c"it", sys::user_id(), PATIENCE_MS);
    let caller = caller.expect("no queue").expect("it listens");
    let (called, _) = accept(listener.as_raw()).expect("somebody has connected");
    let fds = [listener.as_raw(); FDS_MAX + 1];
    assert!(!send(&caller, b"too many", &fds));
    assert!(send(&caller, b"all", &fds[..FDS_MAX]));
    let message = receive(&called).expect("it is there");
    assert_eq!(
        (message.bytes.as_slice(), message.fds.len()),
        (&b"all"[..], FDS_MAX)
    );
    // Region, 64 wakers, and a link's memory, wakers and lease.
    assert_eq!(FDS_MAX, 69);
}

#[test]
fn nobody_hears_who_is_gone() {
    let open = Open::new("gone");
    let listener = open.listen(c"it");
    let caller = connect(open.fd.as_raw(), c"it", sys::user_id(), PATIENCE_MS);
    let caller = caller.expect("no queue").expect("it listens");
    drop(accept(listener.as_raw()));
    assert!(!send(&caller, b"hello", &[]));
}
