//! curl against a web server on the kernel's stack.

use std::fs;

use nstk_tests::{Lab, Outcome, PEER_ADDRESS, Running, eventually};

#[test]
fn a_page_of_20_mb_arrives_intact() {
    let lab = Lab::new();
    let directory = std::env::temp_dir().join(format!("nstk-curl-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let page: Vec<u8> = (0..5_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(directory.join("page"), &page).expect("room for 20 MB");

    let mut server = lab.kernel("python3");
    server
        .args(["-m", "http.server", "8000", "--bind", PEER_ADDRESS])
        .current_dir(&directory);
    let server = Running::start(&mut server);
    eventually("the web server listens", || lab.accepts(PEER_ADDRESS, 8000));
    let mut curl = lab.nstk("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--output",
        "copy",
        &format!("http://{PEER_ADDRESS}:8000/page"),
    ]);
    Outcome::of(curl.current_dir(&directory)).success();
    drop(server);

    let copy = fs::read(directory.join("copy")).expect("curl has written it");
    fs::remove_dir_all(&directory).expect("the directory is ours");
    assert!(
        copy == page,
        "{} bytes of {} came, or others",
        copy.len(),
        page.len()
    );
}

#[test]
fn a_server_that_does_not_listen_is_an_error() {
    let lab = Lab::new();
    let outcome = Outcome::of(lab.nstk("curl").args([
        "--silent",
        "--show-error",
        &format!("http://{PEER_ADDRESS}:8000/"),
    ]));
    // curl(1): 7 is a failure to connect.
    assert_eq!(outcome.status.code(), Some(7), "{}", outcome.stderr);
}
