//! The other end of a connection in the end-to-end tests, on the kernel's stack: `peer ADDRESS BEHAVIOUR`.
//!
//! It listens on a port of the kernel's choice, TCP and UDP, and prints the port. Each connection is then served as `BEHAVIOUR` says:
//! `echo` sends everything back, and each datagram; `discard` reads to the end and prints what came; `source` sends a megabyte of the
//! pattern and closes; `reset` waits for data and resets; `late` waits for the other side's end, then sends the pattern's first 100 bytes;
//! `drip` sends a byte each 10 ms for half a second and closes.
#![forbid(unsafe_code)]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, behaviour] = arguments.as_slice() else {
        eprintln!("usage: peer ADDRESS echo|discard|source|reset|late|drip");
        std::process::exit(2);
    };
    let serve = match behaviour.as_str() {
        "echo" => echo,
        "discard" => discard,
        "source" => source,
        "reset" => reset,
        "late" => late,
        "drip" => drip,
        other => panic!("no such behaviour: {other}"),
    };
    let listener = TcpListener::bind((address.as_str(), 0))?;
    let datagrams = UdpSocket::bind(listener.local_addr()?)?;
    thread::spawn(move || echo_datagrams(&datagrams));
    println!("{}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) = serve(stream) {
                println!("{}", describe(&error));
            }
        });
    }
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count])?;
    }
}

fn discard(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    let mut intact = "intact";
    let end = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break "fin".to_owned(),
            Ok(count) => {
                if buffer[..count]
                    .iter()
                    .zip(total..)
                    .any(|(&byte, at)| byte != pattern(at))
                {
                    intact = "corrupt";
                }
                total += count;
            }
            Err(error) => break describe(&error),
        }
    };
    println!("{total} {intact} {end}");
    Ok(())
}

fn source(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(&(0..1 << 20).map(pattern).collect::<Vec<u8>>())
}

fn reset(stream: TcpStream) -> io::Result<()> {
    // Closing with unread data resets the connection (RFC 2525, section 2.17).
    stream.peek(&mut [0]).map(drop)
}

fn late(mut stream: TcpStream) -> io::Result<()> {
    io::copy(&mut stream, &mut io::sink())?;
    stream.write_all(&(0..100).map(pattern).collect::<Vec<u8>>())
}

fn drip(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    for at in 0..50 {
        stream.write_all(&[pattern(at)])?;
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn echo_datagrams(socket: &UdpSocket) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        // An ICMP error for an earlier answer shows here and means nothing to the next.
        if let Ok((count, sender)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..count], sender);
        }
    }
}

/// The byte at a place of the stream that all test programs send.
fn pattern(at: usize) -> u8 {
    (at % 251) as u8
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionReset => "reset".to_owned(),
        kind => kind.to_string(),
    }
}
