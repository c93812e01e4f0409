//! A peer that sends whatever it likes: nothing panics, nothing is left behind.

use super::script::*;
use super::world::assert_empty;
use crate::tcp::header::Flags;
use crate::{SockOpt, testing::Frame};
use core::time::Duration;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Event {
    Segment(Seg),
    Bytes(std::vec::Vec<u8>),
    Write(usize),
    Read,
    Wait(u64),
    Option(SockOpt),
    Close,
}

/// Numbers near the start of the circle, where the connection's are, and a few from anywhere.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0u32..20_000, 1 => any::<u32>()]
}

fn segment() -> impl Strategy<Value = Seg> {
    let blocks = proptest::collection::vec((number(), number()), 0..4);
    let clock = proptest::option::of((any::<u32>(), any::<u32>()));
    (
        any::<u8>(),
        number(),
        number(),
        any::<u16>(),
        0usize..1400,
        blocks,
        clock,
    )
        .prop_map(|(flags, seq, ack, window, len, sack, clock)| Seg {
            // Most segments carry an ACK and few a RST, or little would ever happen.
            flags: match flags {
                0..160 => Flags::ACK,
                160..250 => Flags::from_bits_retain(flags | Flags::ACK.bits()) - Flags::RST,
                250.. => Flags::from_bits_retain(flags),
            },
            window,
            sack,
            clock,
            ..Seg::data(seq, ack, len)
        })
}

fn event() -> impl Strategy<Value = Event> {
    let option = prop_oneof![
        any::<bool>().prop_map(SockOpt::NoDelay),
        any::<bool>().prop_map(SockOpt::Cork),
        (0u32..5000).prop_map(SockOpt::UserTimeout),
        any::<u32>().prop_map(SockOpt::WindowClamp),
        any::<u64>().prop_map(SockOpt::ReceiveBuffer),
        any::<u64>().prop_map(SockOpt::MaxPacingRate),
        any::<u32>().prop_map(SockOpt::NotSentLowat),
    ];
    prop_oneof![
        12 => segment().prop_map(Event::Segment),
        1 => proptest::collection::vec(any::<u8>(), 0..100).prop_map(Event::Bytes),
        3 => (1usize..30_000).prop_map(Event::Write),
        3 => Just(Event::Read),
        4 => (0u64..2_000_000).prop_map(Event::Wait),
        1 => option.prop_map(Event::Option),
        1 => Just(Event::Close),
    ]
}

fn play(script: &mut Script, event: Event, is_closed: &mut bool) {
    let (now, id) = (script.host.now, script.id);
    match event {
        Event::Segment(segment) => script.send(&segment),
        Event::Bytes(bytes) => {
            let header = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 0];
            script
                .host
                .receive(&Frame::plain([header.as_slice(), &bytes].concat()));
        }
        Event::Write(len) => {
            let bytes = super::world::pattern(len);
            let flags = crate::SendFlags::empty();
            let _ = super::world::write(&mut script.host, id, &bytes, flags);
        }
        Event::Read => drop(script.read()),
        Event::Wait(us) => script.advance(Duration::from_micros(us)),
        Event::Option(option) => drop(script.host.stack.set_option(now, id, option)),
        Event::Close => {
            script.close();
            *is_closed = true;
        }
    }
    // A device that takes some frames at a time.
    for _ in 0..8 {
        if script.host.transmit().is_none() {
            break;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_events_panics_or_leaks(
        clocked: bool,
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let mut script = Script::connecting(|config| {
            (config.timestamps, config.window_scaling) = (u8::from(clocked), 0);
        });
        let hello = Seg::new(Flags::SYN | Flags::ACK, 0, 1);
        script.send(&if clocked { hello.clock(1, 0) } else { hello });
        let mut is_closed = false;
        for event in events {
            play(&mut script, event, &mut is_closed);
            if is_closed {
                break;
            }
        }
        if !is_closed {
            script.close();
        }
        // The peer is silent from here on: an orphan gives up, TIME_WAIT ends.
        for _ in 0..2000 {
            script.sent();
            script.advance(Duration::from_secs(2));
        }
        assert_empty(&mut script.host);
    }
}
