use std::ffi::OsString;
use std::io;
use std::path::Path;

use env::{Settings, Surroundings};
use stack::{Addr, CcKind, Config};

use super::*;
use crate::testing::lone_family;

/// A program's environment.
struct Newcomer;

impl Surroundings for Newcomer {
    fn variable(&self, name: &str) -> Option<OsString> {
        let value = match name {
            "NSTK_IF" => "tap:none",
            "NSTK_ADDR" => "10.0.0.1/24",
            _ => return None,
        };
        Some(value.into())
    }

    fn variable_names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn read_file(&self, _: &Path, _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// A newcomer's settings, and the running family's.
fn settings(family: &Family) -> (Settings, Config) {
    let settings = Settings::read(&Newcomer).expect("they are good");
    let running = family.enter(|state, _| *state.stack.config());
    (
        settings.expect("there is a device"),
        running.expect("it lives"),
    )
}

#[test]
fn the_same_settings_are_not_mentioned() {
    let (family, _wire) = lone_family();
    let (settings, config) = settings(&family);
    assert_eq!(
        differences(&settings, &config, &config),
        Vec::<String>::new()
    );
    assert!(tell(&family, &settings, &config).expect("the same address"));
}

#[test]
fn each_difference_is_named_with_what_counts() {
    let (family, _wire) = lone_family();
    let (mut settings, running) = settings(&family);
    let mut wanted = running;
    wanted.gateway = Addr::v4([10, 0, 0, 9]);
    wanted.mtu = 1000;
    settings.stack.mtu = 1000;
    wanted.tcp_wmem = [4096, 16384, 100_000_000];
    wanted.congestion = CcKind::Reno as u8;
    let [low, middle, high] = running.tcp_wmem;
    assert_eq!(
        differences(&settings, &wanted, &running),
        [
            format!(
                "net.ipv4.tcp_congestion_control={}",
                running.congestion_kind().name()
            ),
            format!("net.ipv4.tcp_wmem={low} {middle} {high}"),
            "NSTK_GATEWAY is not obeyed".to_owned(),
            "NSTK_MTU is not obeyed".to_owned(),
        ]
    );
}

#[test]
fn another_address_is_refused() {
    let (family, _wire) = lone_family();
    let (settings, mut wanted) = settings(&family);
    let own = wanted.addr;
    wanted.addr = Addr::v4([10, 0, 0, 200]);
    let refused = tell(&family, &settings, &wanted);
    assert!(matches!(refused, Err(StartError::OtherAddress(_, running)) if running == own));
}

#[test]
fn a_dead_stack_is_not_joined() {
    let (family, _wire) = lone_family();
    let (settings, config) = settings(&family);
    family.give_up();
    assert!(!tell(&family, &settings, &config).expect("the same address"));
}
