#!/bin/sh
# Installs the Debian packages that some tests need. Without root or apt-get it says what is missing, and the tests that need it are
# skipped. Always exits with 0.
set -u

# command or file by which to tell that it is installed : package
wanted="
dnsmasq:dnsmasq-base
dig:bind9-dnsutils
promtool:prometheus
protoc:protobuf-compiler
grpc_python_plugin:protobuf-compiler-grpc
/usr/lib/python3/dist-packages/grpc:python3-grpcio
openssl:openssl
nginx:nginx
/usr/lib/nginx/modules/ngx_stream_module.so:libnginx-mod-stream
haproxy:haproxy
node:nodejs
npm:npm
buildah:buildah
podman:podman
runc:runc
busybox:busybox
ksh:ksh
mksh:mksh
yash:yash
redis-server:redis-server
redis-benchmark:redis-tools
/usr/lib/postgresql:postgresql
mosquitto:mosquitto
mosquitto_pub:mosquitto-clients
beanstalkd:beanstalkd
sshd:openssh-server
scp:openssh-client
iperf3:iperf3
etcd:etcd-server
etcdctl:etcd-client
"

missing=
for entry in $wanted; do
  sign=${entry%%:*}
  case $sign in
    /*) [ -e "$sign" ] && continue ;;
    *) PATH=$PATH:/usr/sbin:/sbin command -v "$sign" >/dev/null 2>&1 && continue ;;
  esac
  missing="$missing ${entry#*:}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
  echo "ci: missing, and cannot be installed (no apt-get, or not root):$missing; tests that need them will be skipped"
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
# A service that a package starts would occupy a port.
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -qq >/dev/null 2>&1
# One by one, so that a package that this release lacks does not prevent the others.
for package in $missing; do
  if apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1; then
    echo "ci: installed $package"
  else
    echo "ci: could not install $package; tests that need it will be skipped"
  fi
done
exit 0
