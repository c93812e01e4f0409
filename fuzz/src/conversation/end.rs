//! The checks after each step, and the end.

use core::time::Duration;

use stack::{Config, Usage};

use super::spans;
use super::world::World;

/// Deadlines until the last connection has been given up.
const DEADLINES_MAX: usize = 100_000;
/// A connection in TIME_WAIT is over after this.
const TIME_WAIT: Duration = Duration::from_secs(61);

impl World {
    pub(super) fn check(&self) {
        assert_eq!(self.stack.check_books(), Ok(()));
        let usage = self.stack.usage();
        let in_burst = self
            .burst
            .iter()
            .map(|frame| frame.bufs.len())
            .sum::<usize>();
        assert!(usage.receive_buffers as usize >= in_burst);
        assert!(usage.endpoints as usize >= self.sockets.len());
        for socket in &self.sockets {
            assert_eq!(
                self.stack.tag(socket.id),
                socket.id.to_bits(),
                "it is still there"
            );
        }
    }
}

/// Closes everything and waits. Nothing may be left.
pub(super) fn close_all(mut world: World) {
    world.tell(|| "the end".to_owned());
    world.deliver();
    spans::commit_all(&mut world);
    world.is_slow = false;
    world.finish_sending();
    world.peer.is_silent = false;
    // What is not copied into sockets counts anew: nothing may take years.
    let built_with = world.config();
    let config = Config {
        addr: built_with.addr,
        gateway: built_with.gateway,
        prefix_len: built_with.prefix_len,
        addr6: built_with.addr6,
        gateway6: built_with.gateway6,
        prefix_len6: built_with.prefix_len6,
        mac: built_with.mac,
        mtu: built_with.mtu,
        offload: built_with.offload,
        tcp_mem: built_with.tcp_mem,
        ..Config::default()
    };
    world.stack.set_config(&config, world.now);
    for socket in std::mem::take(&mut world.sockets) {
        world.stack.close(world.now, socket.id);
    }
    wait_for_quiet(&mut world);
    world.deadlines_left = DEADLINES_MAX;
    world.advance(TIME_WAIT);
    assert_eq!(
        world.stack.usage(),
        Usage::default(),
        "left after TIME_WAIT"
    );
    assert_eq!(world.stack.live_connections(), 0);
    if world.is_thorough {
        world.stack.check_nothing_is_left();
    }
}

fn wait_for_quiet(world: &mut World) {
    for _ in 0..DEADLINES_MAX {
        world.settle();
        while world.stack.pop_event().is_some() {}
        world.check();
        let usage = world.stack.usage();
        let rest = Usage {
            time_waits: usage.time_waits,
            ..Usage::default()
        };
        if usage == rest {
            return;
        }
        match world.stack.poll_timeout() {
            Some(due) => world.now = due,
            None => panic!("left for ever: {usage:?}"),
        }
    }
    panic!("not over at {:?}: {:?}", world.now, world.stack.usage());
}
