//! curl against a web server on the kernel's stack.

use nstk_tests::{Lab, WebServer, noise};

/// What the script below asks the server for.
const REQUESTS: usize = 162;

/// `$big` has 20 MB, `$small` a line. Each step says what came of it.
const SCRIPT: &str = r"
site=http://10.77.1.1:8000 to_null='-o /dev/null'
sum() { md5sum | cut -d' ' -f1; }
curl -sf $site/big | sum
curl -sf --range 1000-3000000 $site/big | sum
curl -sf --limit-rate 40M $site/big | sum
curl -sf --interface $address $site/small
curl -sf --local-port 40000-40100 $site/small
curl -sf --tcp-fastopen --keepalive-time 5 $site/small
curl -sf --no-tcp-nodelay --no-keepalive --http1.0 $site/small
curl -sf $to_null $to_null -w '%{num_connects} connections, %{size_download} bytes\n' $site/small $site/small
curl -s --parallel --parallel-max 20 $to_null -w '%{http_code}\n' $site/small?[1-150] 2>&1 | grep -c ^200
curl -sf -T big -w '%{http_code}\n' $site/copy-$address
sum <copy-$address
curl -sf $site/nothing; echo $?
curl -s http://10.77.1.1:1/; echo $?
curl -s --connect-timeout 0.2 http://10.77.1.9/; echo $?
printf 'GET /small HTTP/1.0\r\n\r\n' | curl -s telnet://10.77.1.1:8000 | tail -n 1
";

#[test]
fn transfers_of_every_kind_are_as_on_the_kernel() {
    let lab = Lab::new();
    let server = WebServer::start(&lab);
    server.files.write("big", noise(20_000_000));
    server.files.write("small", "a line\n");
    server.same(&lab, SCRIPT, REQUESTS);
}
