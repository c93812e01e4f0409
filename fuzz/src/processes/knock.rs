//! Messages between a keeper and who knocks. Whatever is said, no descriptor that comes with it stays open.

use std::fs::{self, File};
use std::os::fd::AsRawFd;

use arbitrary::{Result, Unstructured};

pub(super) fn knock(bytes: &mut Unstructured<'_>) -> Result<()> {
    let before = open_descriptors();
    let file = File::open("/dev/null").expect("it is there");
    let to_keeper: bool = bytes.arbitrary()?;
    let fds = vec![file.as_raw_fd(); usize::from(bytes.arbitrary::<u8>()?) % 64];
    let mut message = bytes.arbitrary::<[u8; 3]>()?.to_vec();
    match bytes.arbitrary::<u8>()? {
        // A greeting, and a welcome.
        0..=99 if to_keeper => message = vec![4],
        0..=99 => message[0] = 1,
        100..=199 => message.truncate(usize::from(bytes.arbitrary::<u8>()?) % 3),
        _ => message = bytes.arbitrary()?,
    }
    if to_keeper {
        family::fuzzing::keeper_hears(&message, &fds);
    } else {
        family::fuzzing::newcomer_hears(&message, &fds);
    }
    drop(file);
    assert_eq!(open_descriptors(), before, "a descriptor stays open");
    Ok(())
}

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("it is there").count()
}
