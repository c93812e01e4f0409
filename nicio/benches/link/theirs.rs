//! smoltcp over its loopback device: one interface, and both sockets on it. The device asks for no checksums,
//! as the link of nstk asks for none of payloads.

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::{Loopback, Medium};
use smoltcp::socket::tcp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr};

use crate::{Connection, Side};

/// Bytes of each socket's buffers.
const BUFFER: usize = 1 << 20;
const PORT: u16 = 5001;

/// A connection of an interface to itself.
pub(crate) struct Loop {
    device: Loopback,
    interface: Interface,
    sockets: SocketSet<'static>,
    client: SocketHandle,
    server: SocketHandle,
    now: Instant,
}

impl Loop {
    pub(crate) fn connect() -> Self {
        let mut device = Loopback::new(Medium::Ethernet);
        let now = Instant::from_micros(1_000_000);
        let mac = EthernetAddress([2, 0, 0, 0, 0, 1]);
        let mut interface = Interface::new(Config::new(mac.into()), &mut device, now);
        let address = IpAddress::v4(127, 0, 0, 1);
        interface.update_ip_addrs(|addresses| {
            addresses.push(IpCidr::new(address, 8)).expect("room");
        });
        let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
        let mut server = tcp::Socket::new(buffer(), buffer());
        server.set_nagle_enabled(false);
        server.listen(PORT).expect("a free port");
        let mut client = tcp::Socket::new(buffer(), buffer());
        client.set_nagle_enabled(false);
        let remote = (address, PORT);
        client
            .connect(interface.context(), remote, 49_152)
            .expect("a free port");
        let mut sockets = SocketSet::new(Vec::new());
        let (client, server) = (sockets.add(client), sockets.add(server));
        let mut this = Self {
            device,
            interface,
            sockets,
            client,
            server,
            now,
        };
        for _ in 0..100 {
            this.step();
        }
        assert!(this.sockets.get::<tcp::Socket<'_>>(server).may_send());
        this
    }

    fn step(&mut self) {
        self.now += Duration::from_micros(1);
        let polled = self
            .interface
            .poll(self.now, &mut self.device, &mut self.sockets);
        if polled == PollResult::None {
            let due = self.interface.poll_at(self.now, &self.sockets);
            self.now = self.now.max(due.unwrap_or(self.now));
        }
    }
}

impl Connection for Loop {
    fn pass(&mut self, from: Side, mut bytes: &[u8], mut into: &mut [u8]) {
        let (source, target) = match from {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        while !into.is_empty() {
            if !bytes.is_empty() {
                let socket = self.sockets.get_mut::<tcp::Socket<'_>>(source);
                let sent = socket.send_slice(bytes).expect("connected");
                bytes = &bytes[sent..];
            }
            self.step();
            let socket = self.sockets.get_mut::<tcp::Socket<'_>>(target);
            let got = socket.recv_slice(into).expect("connected");
            into = &mut into[got..];
        }
    }
}
