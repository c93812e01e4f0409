//! wget against a web server on the kernel's stack.

use nstk_tests::{Lab, WebServer, noise};

/// What the script below asks the server for.
const REQUESTS: usize = 10;

/// `big` has 20 MB, `small` a line. Each step says what came of it.
const SCRIPT: &str = r"
site=http://10.77.1.1:8000
sum() { md5sum | cut -d' ' -f1; }
wget -qO - $site/big | sum
wget -qO - --limit-rate=40M $site/big | sum
head -c 5000000 big >part-$address
wget -qc $site/big -O part-$address; echo $?
sum <part-$address
wget -qO - --bind-address=$address $site/small
wget -qO - $site/small $site/small
wget -qO - --no-http-keep-alive $site/small $site/small
wget -qO - --method=PUT --body-file=big $site/copy-$address; echo $?
sum <copy-$address
wget -q $site/nothing; echo $?
wget -q --tries=1 http://10.77.1.1:1/; echo $?
wget -q --tries=1 --connect-timeout=0.2 http://10.77.1.9/; echo $?
";

#[test]
fn transfers_of_every_kind_are_as_on_the_kernel() {
    let lab = Lab::new();
    let server = WebServer::start(&lab);
    server.files.write("big", noise(20_000_000));
    server.files.write("small", "a line\n");
    server.same(&lab, SCRIPT, REQUESTS);
}
