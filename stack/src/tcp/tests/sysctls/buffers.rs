//! Buffers of connections. `tcp_mem` is tried in `limits.rs`.

use super::super::world::{World, pattern, write};
use super::*;
use crate::{Error, OptName, SendFlags, SockOpt};

fn buffer(script: &Script, name: OptName) -> u64 {
    script.host.stack.option(script.id, name).expect("a socket")
}

#[test]
fn tcp_rmem_is_the_first_window_and_the_largest_buffer() {
    for initial in [20_000, 60_000] {
        let mut script = Script::new(|config| config.tcp_rmem[1] = initial);
        assert_eq!(buffer(&script, OptName::ReceiveBuffer), initial);
        let window = u64::from(script.connect().window);
        assert!(
            (initial * 4 / 10..=initial / 2).contains(&window),
            "{window}"
        );
    }
    for most in [200_000, 2_000_000] {
        let mut world = World::configured(|config| config.tcp_rmem[2] = most);
        world.transfer(0, &pattern(4_000_000), 60 * SECOND);
        let end = world.ends[1];
        let grown = world
            .stack(1)
            .option(end, OptName::ReceiveBuffer)
            .expect("there");
        assert!(grown <= most && grown > most / 4, "{grown} of {most}");
    }
}

#[test]
fn tcp_moderate_rcvbuf_lets_receive_buffers_grow() {
    for on in [0, 1] {
        let mut world = World::configured(|config| config.moderate_rcvbuf = on);
        world.transfer(0, &pattern(4_000_000), 60 * SECOND);
        let end = world.ends[1];
        let grown = world
            .stack(1)
            .option(end, OptName::ReceiveBuffer)
            .expect("there");
        assert_eq!(grown > 128 * 1024, on == 1, "{grown}");
    }
}

#[test]
fn tcp_wmem_is_the_first_and_the_largest_send_buffer() {
    for initial in [20_000, 70_000] {
        let script = Script::new(|config| config.tcp_wmem[1] = initial);
        assert_eq!(buffer(&script, OptName::SendBuffer), initial);
    }
    for most in [100_000, 400_000] {
        let mut world = World::configured(|config| config.tcp_wmem[2] = most);
        world.transfer(0, &pattern(4_000_000), 60 * SECOND);
        let end = world.ends[0];
        let grown = world
            .stack(0)
            .option(end, OptName::SendBuffer)
            .expect("there");
        assert_eq!(grown, most);
    }
}

#[test]
fn rmem_max_bounds_what_a_program_asks_for() {
    for most in [10_000, 500_000] {
        let mut script = Script::new(|config| config.rmem_max = most);
        let (now, id) = (script.host.now, script.id);
        let wish = SockOpt::ReceiveBuffer(1 << 30);
        script
            .host
            .stack
            .set_option(now, id, wish)
            .expect("an option");
        assert_eq!(buffer(&script, OptName::ReceiveBuffer), 2 * most);
    }
}

#[test]
fn wmem_max_bounds_what_a_program_asks_for() {
    for most in [10_000, 100_000] {
        let mut script = connected(|config| config.wmem_max = most);
        let (now, id) = (script.host.now, script.id);
        let wish = SockOpt::SendBuffer(1 << 30);
        script
            .host
            .stack
            .set_option(now, id, wish)
            .expect("an option");
        assert_eq!(buffer(&script, OptName::SendBuffer), 2 * most);
        let mut written = 0;
        loop {
            match write(&mut script.host, id, &pattern(1000), SendFlags::empty()) {
                Ok(count) => written += count as u64,
                Err(error) => break assert_eq!(error, Error::WouldBlock),
            }
        }
        assert!(
            (most..=2 * most + 64 * 1024).contains(&written),
            "{written}"
        );
    }
}
