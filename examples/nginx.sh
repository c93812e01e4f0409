#!/bin/sh
# nginx serves a page on nstk, and curl fetches it over the kernel's stack, in a test network of their own.
# Needs nginx, curl, and nstk in PATH.
set -eu

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
echo "hello from nginx on nstk" >"$place/index.html"
cat >"$place/nginx.conf" <<END
daemon off;
# Larger numbers are not tested yet.
worker_processes 1;
pid $place/pid;
error_log stderr;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $place/body;
    proxy_temp_path $place/proxy;
    fastcgi_temp_path $place/fastcgi;
    uwsgi_temp_path $place/uwsgi;
    scgi_temp_path $place/scgi;
    server { listen 8080; root $place; }
}
END
chmod -R a+rX "$place"

# In a lab the stack has the address 10.77.1.2 and the kernel 10.77.1.1. All that runs in it ends with it.
nstk lab -- sh -c "
    nstk run --fail exit -- nginx -e stderr -c '$place/nginx.conf' &
    curl --silent --show-error --retry 20 --retry-delay 1 --retry-connrefused http://10.77.1.2:8080/
"
