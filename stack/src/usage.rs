//! How much of its tables a stack uses.

use crate::stack::Stack;

/// Records and buffers in use. All of it is zero in a stack without sockets and connections, when nothing waits to be
/// sent and the last TIME_WAIT is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Endpoints: connections, listeners, UDP sockets, orphans.
    pub endpoints: u32,
    /// Half-open connections.
    pub requests: u32,
    /// Connections in TIME_WAIT.
    pub time_waits: u32,
    /// Endpoints with a deadline.
    pub timers: u32,
    /// Datagrams and small packets waiting inside the stack.
    pub packets: u32,
    /// Send blocks, those that a device still reads included.
    pub send_blocks: u32,
    /// Receive buffers, those that a device fills included.
    pub receive_buffers: u32,
    /// Records of what was sent and not acknowledged, and of the blocks it lies in.
    pub send_records: u32,
    /// Records of what was received and not read.
    pub receive_records: u32,
    /// Pages charged against `net.ipv4.tcp_mem`.
    pub tcp_pages: u64,
}

impl Stack {
    /// What is in use now.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let tcp = &self.tcp;
        Usage {
            endpoints: self.socks.len(),
            requests: tcp.requests.len(),
            time_waits: tcp.time_wait.len(),
            timers: self.timers.len(),
            packets: self.packets.len(),
            send_blocks: self.bufs.send.in_use(),
            receive_buffers: self.bufs.receive.in_use(),
            send_records: tcp.tx_segs.len() + tcp.blocks.len(),
            receive_records: tcp.rx_segs.len() + tcp.ranges.len(),
            tcp_pages: tcp.memory().pages(),
        }
    }
}
