use std::os::unix::fs::MetadataExt;

use stack::Addr;

use super::{device_socket, keeper_socket, namespace};

#[test]
fn a_name_says_device_and_namespaces() {
    let number = |kind: &str| {
        let path = format!("/proc/self/ns/{kind}");
        std::fs::metadata(path).expect("there is /proc").ino()
    };
    let (net, pid) = (number("net"), number("pid"));
    let address = Addr::v4([10, 0, 0, 1]);
    let tap = "tap:tap0".parse().expect("a device");
    assert_eq!(device_socket(&tap), format!("{net:x}-tap:tap0"));
    assert_eq!(
        keeper_socket(&tap, address),
        format!("{net:x}-tap:tap0-{pid:x}")
    );
    let link = "link:it".parse().expect("a device");
    let name = keeper_socket(&link, address);
    assert_eq!(name, format!("{net:x}-link:it-{pid:x}-ffff0a000001"));
    assert_eq!(namespace(c"/nowhere"), 0);
}
