//! node: an event loop that closes its sockets by `syscall()` and would rather use a ring (libuv).

use nstk_tests::{
    Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, Scratch, WebServer, eventually, noise,
};

const CLIENT: &str = r"
const http = require('http'), crypto = require('crypto'), fs = require('fs');
const site = 'http://10.77.1.1:8000', kept = new http.Agent({keepAlive: true, maxSockets: 20});
const sockets = () => fs.readdirSync('/proc/self/fd').filter(fd => {
  try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:') } catch { return false }
}).length;
const get = (path, agent) => new Promise((resolve, reject) => http.get(site + path, {agent}, answer => {
  const hash = crypto.createHash('md5');
  answer.on('data', data => hash.update(data)).on('end', () => resolve(answer.statusCode + ' ' + hash.digest('hex')));
}).on('error', reject));
const put = (path, file) => new Promise((resolve, reject) => fs.createReadStream(file).pipe(
  http.request(site + path, {method: 'PUT', headers: {'content-length': fs.statSync(file).size}},
    answer => answer.resume().on('end', () => resolve(answer.statusCode))).on('error', reject)));
const times = (count, work) => Promise.all(Array(count).fill().map(work)).then(all => [...new Set(all)].join());
(async () => {
  console.log(await get('/big', kept));
  const before = sockets();
  console.log(await times(300, () => get('/small', kept)));
  console.log(await times(200, () => get('/small', new http.Agent())));
  console.log(await put('/copy-' + process.env.address, 'big'));
  console.log((await (await fetch(site + '/small')).text()).length);
  await get('/nothing', kept).then(console.log);
  await new Promise(done => http.get('http://10.77.1.1:1/', done).on('error', done)).then(e => console.log(e.code, e.syscall));
  kept.destroy();
  await new Promise(done => setTimeout(done, 50));
  console.log(sockets() <= before ? 'all closed' : 'still open: ' + (sockets() - before));
  process.exit();
})();
";

fn client(ring: &str) {
    const REQUESTS: usize = 504;
    let lab = Lab::new();
    let server = WebServer::start(&lab);
    server.files.write("big", noise(20_000_000));
    server.files.write("small", "a line\n");
    lab.same("node", |mut node, address| {
        node.args(["-e", CLIENT])
            .env("address", address)
            .env("UV_USE_IO_URING", ring)
            .current_dir(server.files.path());
        let outcome = Outcome::of(&mut node);
        assert_eq!(server.visitors(REQUESTS), [address], "{}", outcome.stderr);
        assert!(server.files.read(&format!("copy-{address}")) == server.files.read("big"));
        outcome
    });
}

#[test]
fn a_client_gets_what_it_gets_on_the_kernel() {
    client("0");
}

#[test]
fn a_client_that_asks_for_a_ring_gets_what_it_gets_on_the_kernel() {
    client("1");
}

const SERVER: &str = r"
const http = require('http'), fs = require('fs'), crypto = require('crypto'), net = require('net'), dgram = require('dgram');
http.createServer((question, answer) => {
  if (question.method == 'PUT') {
    const hash = crypto.createHash('md5');
    question.on('data', data => hash.update(data)).on('end', () => answer.end(hash.digest('hex') + '\n'));
  } else if (question.url == '/who') answer.end(question.socket.remoteAddress + '\n');
  else if (question.url == '/quit') answer.end('bye\n', () => setTimeout(() => process.exit(), 50));
  else fs.createReadStream('.' + question.url).on('error', () => answer.writeHead(404).end('nothing\n')).pipe(answer);
}).listen(7000);
net.createServer(connection => connection.pipe(connection)).listen(7001, process.env.address);
const socket = dgram.createSocket('udp4').on('message', (message, from) => socket.send(message, from.port, from.address));
socket.bind(7002);
";

/// What clients on the kernel's stack do to the server.
const CLIENTS: &str = r"
site=http://$address:7000
curl -s $site/big | md5sum
curl -s -T big $site/big
curl -s $site/who $site/nothing
curl -s --parallel --parallel-max 50 -o /dev/null -w '%{http_code}\n' $site/small?[1-500] 2>&1 | grep -c ^200
python3 -c '
import socket, os
stream = socket.create_connection((os.environ[`address`], 7001)); sent = bytes(range(256)) * 40
stream.sendall(sent); stream.shutdown(socket.SHUT_WR)
print(b``.join(iter(lambda: stream.recv(9999), b``)) == sent)
datagram = socket.socket(type=socket.SOCK_DGRAM); datagram.settimeout(5)
datagram.sendto(b`hello`, (os.environ[`address`], 7002)); print(datagram.recv(99))
'
curl -s $site/quit
";

#[test]
fn a_server_answers_as_on_the_kernel() {
    let lab = Lab::new();
    let files = Scratch::new();
    files.write("big", noise(20_000_000));
    files.write("small", "a line\n");
    let serve = |mut node: std::process::Command, address: &str| {
        node.args(["-e", SERVER])
            .env("address", address)
            .current_dir(files.path());
        let server = Running::start(&mut node);
        eventually("node listens", || lab.accepts(address, 7000));
        let mut clients = lab.kernel("sh");
        clients
            .args(["-c", &CLIENTS.replace('`', "\"")])
            .env("address", address)
            .current_dir(files.path());
        let outcome = Outcome::of(&mut clients);
        server.finish().success();
        outcome
    };
    Outcome::assert_same(
        &serve(lab.kernel("node"), PEER_ADDRESS),
        &serve(lab.nstk("node"), NSTK_ADDRESS),
    );
}
