package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class ConfigErrorsTest {
  private static final String ADDRESS = "HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000";

  static Stream<Arguments> badFiles() {
    return Stream.of(
        // shape of the file
        row("", "waymark.yml: is empty (expected: listeners and pools; see waymark config show)"),
        row(
            "# nothing\n",
            "waymark.yml: is empty (expected: listeners and pools; see waymark config show)"),
        row(
            "hello",
            "waymark.yml:1:1: not a configuration (expected: a map of keys such as listeners and pools)"),
        row(
            "- a",
            "waymark.yml:1:1: not a configuration (expected: a map of keys such as listeners and pools)"),
        row(
            "shards: 1\n---\nshards: 2\n",
            "waymark.yml:2:1: a second document (expected: one; remove the line with ---)"),
        row(
            "log:\n\tlevel: info\n",
            "waymark.yml:2:1: not YAML: found character '\\t(TAB)' that cannot start any token; indent with spaces"),
        row(
            "a: [",
            "waymark.yml:1:5: not YAML: expected the node content, but found '<stream end>'"),
        row(
            "admin:\n  address: [::1]:7000\n",
            "waymark.yml:2:13: not YAML: expected the node content, but found ':'; put an IPv6 address in quotes: \"[::1]:7000\""),
        row("shards: \0", "waymark.yml:1:9: not YAML: the character U+0000 is not allowed here"),
        row("a: " + "[".repeat(100_000), "waymark.yml:1:35: nested deeper than 32 levels"),
        row("shards: *none", "waymark.yml:1:9: not YAML: found undefined alias none"),
        // keys
        row(
            "shards: 1\nshards: 2",
            "waymark.yml:2:1: shards: given twice, first at waymark.yml:1:1; remove one"),
        row(
            "log:\n  level: info\n  level: info",
            "waymark.yml:3:3: log.level: given twice, first at waymark.yml:2:3; remove one"),
        row("shard: 1", "waymark.yml:1:1: shard: unknown key; did you mean shards?"),
        row(
            "progress-timeout: 1s",
            "waymark.yml:1:1: progress-timeout: unknown key; did you mean pools[].progress-timeout?"),
        row(
            "user-timeout: 1s",
            "waymark.yml:1:1: user-timeout: unknown key; did you mean listeners[].user-timeout or pools[].user-timeout?"),
        row(
            "pools:\n- target: \"unix:/a\"\n  lanes: {}",
            "waymark.yml:3:3: pools[0].lanes: unknown key; did you mean lanes?"),
        row(
            "listeners:\n- adress: :1",
            "waymark.yml:2:3: listeners[0].adress: unknown key; did you mean address?"),
        row(
            "log: {colour: red}",
            "waymark.yml:1:7: log.colour: unknown key (expected one of: format, level, access)"),
        row(
            "? [a]\n: 1",
            "waymark.yml:1:3: a key that is not a word (expected: listeners, pools, admin, echo, log, transport, shards, node, drain-timeout, start-timeout, memory-budget, linger-timeout, lanes)"),
        // kinds
        row(
            "shards:",
            "waymark.yml:1:8: shards: has no value (expected: one value); give one or remove the key"),
        row(
            "lanes: ~",
            "waymark.yml:1:8: lanes: has no value (expected: a map of keys); give one or remove the key"),
        row("shards: [1]", "waymark.yml:1:9: shards: a list (expected: one value)"),
        row("shards: {a: 1}", "waymark.yml:1:9: shards: a map (expected: one value)"),
        row(
            "admin: 127.0.0.1:7080",
            "waymark.yml:1:8: admin: 127.0.0.1:7080 (expected: a map of keys)"),
        row(
            "listeners: {name: a}",
            "waymark.yml:1:12: listeners: a map (expected: a list, each element on a line that starts with -)"),
        row(
            "listeners: [a]",
            "waymark.yml:1:13: listeners[0]: a (expected: a map of keys such as name)"),
        row("listeners: []", "waymark.yml:1:12: listeners: an empty list (expected: at least one)"),
        row("pools: []", "waymark.yml:1:8: pools: an empty list (expected: at least one)"),
        // values
        row(
            "shards: many",
            "waymark.yml:1:9: shards: many (expected: a whole number from 0 to 1024)"),
        row("shards: -1", "waymark.yml:1:9: shards: -1 (expected: a whole number from 0 to 1024)"),
        row(
            "shards: 99999999999999999999",
            "waymark.yml:1:9: shards: 99999999999999999999 (expected: a whole number from 0 to 1024)"),
        row("shards: ١", "waymark.yml:1:9: shards: ١ (expected: a whole number from 0 to 1024)"),
        row(
            "echo: off\npools: [{name: a, target: \"unix:/a\"}]",
            "waymark.yml:1:7: echo: off (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)"),
        row(
            "transport: uring",
            "waymark.yml:1:12: transport: uring (expected: auto, io_uring, epoll, nio)"),
        row("log: {access: yes}", "waymark.yml:1:15: log.access: yes (expected: true or false)"),
        row(
            "memory-budget: 64KB",
            "waymark.yml:1:16: memory-budget: 64KB (expected: a size from 1MiB to 1024GiB, such as 64KiB or 1MiB)"),
        row(
            "drain-timeout: 30",
            "waymark.yml:1:16: drain-timeout: 30 (expected: a duration up to 24h, such as 500ms, 30s or 5m, or off)"),
        row(
            "drain-timeout: 999999999999999h",
            "waymark.yml:1:16: drain-timeout: 999999999999999h (expected: a duration up to 24h, such as 500ms, 30s or 5m, or off)"),
        row(
            "lanes: {commit-timeout: off}",
            "waymark.yml:1:25: lanes.commit-timeout: off (expected: a duration up to 1h, such as 500ms, 30s or 5m)"),
        row(
            "node: \"a\\nb\"",
            "waymark.yml:1:7: node: a\\u000ab (expected: text of 1 to 253 printable characters)"),
        row(
            "listeners: [{name: Devices}]",
            "waymark.yml:1:20: listeners[0].name: Devices (expected: 1 to 63 of a-z, 0-9 and -)"),
        // addresses
        row(
            "admin: {address: 127.0.0.1}",
            "waymark.yml:1:18: admin.address: 127.0.0.1 (expected: " + ADDRESS + ")"),
        row(
            "admin: {address: \"127.0.0.1:99999\"}",
            "waymark.yml:1:18: admin.address: 127.0.0.1:99999 (expected: port 0 to 65535)"),
        row(
            "admin: {address: \"::1:7000\"}",
            "waymark.yml:1:18: admin.address: ::1:7000 (expected: an IPv6 address in brackets, such as [::1]:7000)"),
        row(
            "admin: {address: \"no.such.host:1\"}",
            "waymark.yml:1:18: admin.address: no.such.host:1 (expected: an address of this host, or a name that resolves to one)"),
        row(
            "admin:\n  address: 127.0.0.1:7000",
            "waymark.yml:2:12: admin.address: 127.0.0.1:7000 (expected: an unused address; listeners[0].address is 127.0.0.1:7000)"),
        row(
            "listeners:\n- {name: a, address: \":1\"}\n- {name: b, address: \"127.0.0.1:1\"}",
            "waymark.yml:3:22: listeners[1].address: 127.0.0.1:1 (expected: an unused address; listeners[0].address is :1)"),
        row(
            "listeners:\n- {name: a}\n- {name: a, address: \":1\"}",
            "waymark.yml:3:10: listeners[1].name: a (expected: a unique name; listeners[0].name is the same)"),
        // pools
        row(
            "listeners: [{pool: backend}]\npools: [{name: backends, target: \"unix:/a\"}]",
            "waymark.yml:1:20: listeners[0].pool: backend (expected: the name of a pool: backends); did you mean backends?"),
        row(
            "listeners: [{push-from: \"backends, guests\"}]\npools: [{name: backends, target: \"unix:/a\"}]",
            "waymark.yml:1:25: listeners[0].push-from: backends, guests (expected: names of pools, separated by commas: backends); add the pool or name only these"),
        row(
            "listeners: [{proxy-protocol: {mode: required}}]",
            "waymark.yml:1:37: listeners[0].proxy-protocol.mode: required (expected: together with trusted); name the networks of your proxies, such as 10.0.0.0/8"),
        row(
            "listeners: [{proxy-protocol: {mode: optional, trusted: \"10.0.0.1/8\"}}]",
            "waymark.yml:1:37: listeners[0].proxy-protocol.mode: optional (expected: off, required)\nwaymark.yml:1:56: listeners[0].proxy-protocol.trusted: 10.0.0.1/8 (expected: no bits beyond the prefix in 10.0.0.1/8)"),
        row(
            "listeners: [{proxy-protocol: {mode: required, trusted: lb.example.org}}]",
            "waymark.yml:1:56: listeners[0].proxy-protocol.trusted: lb.example.org (expected: networks separated by commas, such as 10.0.0.0/8, 192.0.2.7 or fd00::/8)"),
        row(
            "listeners: [{tls: {certificates: []}}]",
            "waymark.yml:1:34: listeners[0].tls.certificates: an empty list (expected: at least one certificate)"),
        row(
            "listeners: [{tls: {certificates: [{key: a.key}]}}]",
            "waymark.yml:1:35: listeners[0].tls.certificates[0].certificate: missing (expected: the path of a file)"),
        row(
            "listeners: [{tls: {client-auth: required, certificates: [{certificate: a.pem}]}}]",
            "waymark.yml:1:33: listeners[0].tls.client-auth: required (expected: together with client-ca)"),
        row(
            "listeners: [{tls: {client-ca: ca.pem, certificates: [{certificate: a.pem}]}}]",
            "waymark.yml:1:31: listeners[0].tls.client-ca: ca.pem (expected: together with client-auth optional or required)"),
        row(
            "listeners: [{tls: {client-crl: crl.pem, certificates: [{certificate: a.pem}]}}]",
            "waymark.yml:1:32: listeners[0].tls.client-crl: crl.pem (expected: together with client-auth optional or required)"),
        row(
            "listeners: [{tls: {engine: jdk, ticket-keys: keys, certificates: [{certificate: a.pem}]}}]",
            "waymark.yml:1:46: listeners[0].tls.ticket-keys: keys (expected: an engine other than jdk, which has its own keys)"),
        row(
            "listeners: [{tls: {version-min: 1.3}}]",
            "waymark.yml:1:33: listeners[0].tls.version-min: 1.3 (expected: together with tls.certificates)"),
        row(
            "listeners: [{tls: {version-min: 1.1, engine: openssl, alpn: ' ,a', certificates: [{certificate: a.pem}]}}]",
            "waymark.yml:1:33: listeners[0].tls.version-min: 1.1 (expected: 1.2, 1.3)\nwaymark.yml:1:46: listeners[0].tls.engine: openssl (expected: auto, boringssl, jdk)\nwaymark.yml:1:61: listeners[0].tls.alpn:  ,a (expected: names of protocols separated by commas, each 1 to 255 of ASCII, such as mqtt)"),
        row(
            "listeners: [{tls: {certificates: a.pem}}]",
            "waymark.yml:1:34: listeners[0].tls.certificates: a.pem (expected: a list, each element on a line that starts with -)"),
        row(
            "listeners: [{tls: on}]",
            "waymark.yml:1:19: listeners[0].tls: on (expected: a map of keys)"),
        row(
            "listeners: [{networks-denied: \"10.0.0.0/8, ten\"}]",
            "waymark.yml:1:31: listeners[0].networks-denied: 10.0.0.0/8, ten (expected: networks separated by commas, such as 10.0.0.0/8, 192.0.2.7 or fd00::/8)"),
        row(
            "listeners: [{networks-denied-file: /no/such/file}]",
            "waymark.yml:1:36: listeners[0].networks-denied-file: /no/such/file (expected: a file that exists); create it or correct the path"),
        row(
            "listeners: [{networks-allowed-file: /dev/null}]",
            "waymark.yml:1:37: listeners[0].networks-allowed-file: /dev/null (expected: a file with a network); remove the key to let everybody in"),
        row(
            "listeners: [{networks-allowed-file: /}]",
            "waymark.yml:1:37: listeners[0].networks-allowed-file: / (expected: a file that can be read); Is a directory"),
        row(
            "listeners: [{connections-per-source: 0}]",
            "waymark.yml:1:38: listeners[0].connections-per-source: 0 (expected: a whole number from 1 to 10000000, or off)"),
        row(
            "listeners: [{accept-rate: 100, accept-ramp: 10s}]",
            "waymark.yml:1:27: listeners[0].accept-rate: 100 (expected: a rate from 1/h to 1000000/s, such as 100/s, 20/m or 5/h, or off)"),
        row(
            "listeners: [{accept-rate-per-source: 0/s}]",
            "waymark.yml:1:38: listeners[0].accept-rate-per-source: 0/s (expected: a rate from 1/h to 1000000/s, such as 100/s, 20/m or 5/h, or off)"),
        row(
            "listeners: [{accept-ramp: 10m}]",
            "waymark.yml:1:27: listeners[0].accept-ramp: 10m (expected: together with accept-rate); set the rate that it grows to, such as 1000/s"),
        row(
            "listeners: [{proxy-protocol: required}]",
            "waymark.yml:1:30: listeners[0].proxy-protocol: required (expected: a map of keys)"),
        row(
            "listeners: [{push-from: \"a,\"}]",
            "waymark.yml:1:25: listeners[0].push-from: a, (expected: names separated by commas, each 1 to 63 of a-z, 0-9 and -)"),
        row(
            "listeners: [{name: a}]\npools:\n- {name: x, target: \"unix:/a\"}\n- {name: y, target: \"unix:/b\"}",
            "waymark.yml:1:13: listeners[0].pool: missing (expected one of: x, y)"),
        row(
            "pools: [{name: a}]",
            "waymark.yml:1:9: pools[0]: has neither target nor upstreams (expected: one of the two)"),
        row(
            "pools: [{target: \"unix:/a\", upstreams: [{address: \"a:1\"}]}]",
            "waymark.yml:1:40: pools[0].upstreams: set together with target (expected: one of the two); remove one"),
        row(
            "pools: [{upstreams: []}]",
            "waymark.yml:1:21: pools[0].upstreams: an empty list (expected: at least one upstream)"),
        row(
            "pools: [{upstreams: [{weight: 2}]}]",
            "waymark.yml:1:22: pools[0].upstreams[0].address: missing (expected: HOST:PORT, such as 10.0.0.7:4770 or [::1]:4770, or unix:/PATH)"),
        row(
            "pools: [{upstreams: [{address: \"a:0\"}]}]",
            "waymark.yml:1:32: pools[0].upstreams[0].address: a:0 (expected: port 1 to 65535)"),
        row(
            "pools: [{upstreams: [{address: \"a:1\", weight: 0}]}]",
            "waymark.yml:1:47: pools[0].upstreams[0].weight: 0 (expected: a whole number from 1 to 1000)"),
        row(
            "pools: [{upstreams: [{address: \"a:1\"}, {address: \"a:1\"}]}]",
            "waymark.yml:1:50: pools[0].upstreams[1].address: a:1 (expected: each upstream only once; give it more weight instead)"),
        row(
            "pools: [{upstreams: [{address: \"a:1\", labels: {\"b c\": d}}]}]",
            "waymark.yml:1:55: pools[0].upstreams[0].labels.b c: d (expected: a name of 1 to 63 of A-Z, a-z, 0-9, ., _, / and -)"),
        row(
            "pools: [{target: \"a:1\"}]",
            "waymark.yml:1:18: pools[0].target: a:1 (expected: static:///HOST:PORT[,HOST:PORT], unix:/PATH, dns://[SERVER:PORT]/HOST:PORT, srv://[SERVER:PORT]/_SERVICE._tcp.NAME, file:///PATH, k8s://[SERVER:PORT]/SERVICE.NAMESPACE:PORT, directory://SERVER:PORT[,SERVER:PORT]/SERVICE, etcd://SERVER:PORT[,SERVER:PORT]/PREFIX or xds://SERVER:PORT[,SERVER:PORT]/SERVICE)"),
        row(
            "pools: [{upstreams: [{address: \"a:1\"}, {address: \"A:1\"}]}]",
            "waymark.yml:1:50: pools[0].upstreams[1].address: A:1 (expected: each upstream only once; give it more weight instead)"),
        row(
            "pools: [{target: \"srv:///echo.example.com:1\"}]",
            "waymark.yml:1:18: pools[0].target: srv:///echo.example.com:1 (expected: three slashes and the name of SRV records, such as srv:///_echo._tcp.example.com)"),
        row(
            "pools: [{target: \"file://upstreams.yml\"}]",
            "waymark.yml:1:18: pools[0].target: file://upstreams.yml (expected: file:// and an absolute path: file:///etc/waymark/upstreams.yml)"),
        row(
            "pools: [{target: \"k8s:///echo:4770\"}]",
            "waymark.yml:1:18: pools[0].target: k8s:///echo:4770 (expected: three slashes, service, namespace and port, in lower case, such as k8s:///echo.shop:4770 or k8s:///echo.shop:grpc)"),
        row(
            "pools: [{target: \"k8s://echo.shop:4770\"}]",
            "waymark.yml:1:18: pools[0].target: k8s://echo.shop:4770 (expected: three slashes, service, namespace and port, in lower case, such as k8s:///echo.shop:4770 or k8s:///echo.shop:grpc)"),
        row(
            "pools: [{target: \"k8s:///echo.shop.svc:4770\"}]",
            "waymark.yml:1:18: pools[0].target: k8s:///echo.shop.svc:4770 (expected: three slashes, service, namespace and port, in lower case, such as k8s:///echo.shop:4770 or k8s:///echo.shop:grpc)"),
        row(
            "pools: [{target: \"k8s:///echo.shop\"}]",
            "waymark.yml:1:18: pools[0].target: k8s:///echo.shop (expected: three slashes, service, namespace and port, in lower case, such as k8s:///echo.shop:4770 or k8s:///echo.shop:grpc)"),
        row(
            "pools: [{target: \"k8s:///Echo.shop:grpc\"}]",
            "waymark.yml:1:18: pools[0].target: k8s:///Echo.shop:grpc (expected: three slashes, service, namespace and port, in lower case, such as k8s:///echo.shop:4770 or k8s:///echo.shop:grpc)"),
        row(
            "pools: [{target: \"k8s:///echo.shop:70000\"}]",
            "waymark.yml:1:18: pools[0].target: k8s:///echo.shop:70000 (expected: port 1 to 65535)"),
        row(
            "pools: [{target: \"k8s://127.0.0.1/echo.shop:grpc\"}]",
            "waymark.yml:1:18: pools[0].target: k8s://127.0.0.1/echo.shop:grpc (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)"),
        row(
            "pools: [{upstreams: [{address: \"a:1\", zone: x, labels: {zone: x}}]}]",
            "waymark.yml:1:45: pools[0].upstreams[0].zone: x (expected: only one of zone and labels.zone)"),
        row(
            "pools: [{target: \"dns://a:1\"}]",
            "waymark.yml:1:18: pools[0].target: dns://a:1 (expected: three slashes, or a server before the third: dns:///HOST:PORT)"),
        row(
            "pools: [{target: \"static:///a:1,a:1\"}]",
            "waymark.yml:1:18: pools[0].target: static:///a:1,a:1 (expected: each upstream only once; a:1 is listed twice)"),
        row(
            "pools: [{target: \"static:///[::1]:1,[0:0::1]:1\"}]",
            "waymark.yml:1:18: pools[0].target: static:///[::1]:1,[0:0::1]:1 (expected: each upstream only once; [0:0::1]:1 is listed twice)"),
        row(
            "pools: [{target: \"static:///a..b:1\"}]",
            "waymark.yml:1:18: pools[0].target: static:///a..b:1 (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)"),
        row(
            "pools: [{target: \"static:///" + "a".repeat(64) + ".example:1\"}]",
            "waymark.yml:1:18: pools[0].target: static:///"
                + "a".repeat(64)
                + ".example:1 (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)"),
        row(
            "pools: [{target: \"static:///10.0.0.256:1\"}]",
            "waymark.yml:1:18: pools[0].target: static:///10.0.0.256:1 (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)"),
        row(
            "pools: [{target: \"static:///[1::2::3]:1\"}]",
            "waymark.yml:1:18: pools[0].target: static:///[1::2::3]:1 (expected: HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000)"),
        row(
            "pools: [{target: \"static:///[fe80::1]:1\"}]",
            "waymark.yml:1:18: pools[0].target: static:///[fe80::1]:1 (expected: the zone of a link-local address, such as [fe80::1%eth0]:1)"),
        row(
            "pools: [{target: \"unix:a\"}]",
            "waymark.yml:1:18: pools[0].target: unix:a (expected: unix: and an absolute path of at most 107 bytes)"),
        row(
            "pools: [{target: \"unix:/a\", on-upstream-loss: keep}]",
            "waymark.yml:1:47: pools[0].on-upstream-loss: keep (expected: close, reopen)"),
        row(
            "pools: [{target: \"unix:/a\", release-timeout: off}]",
            "waymark.yml:1:46: pools[0].release-timeout: off (expected: a duration up to 1h, such as 500ms, 30s or 5m)"),
        row(
            "pools: [{target: \"unix:/a\", moves-per-second: 0}]",
            "waymark.yml:1:47: pools[0].moves-per-second: 0 (expected: a whole number from 1 to 1000000)"),
        row(
            "pools: [{target: \"unix:/a\", rebalance: true}]",
            "waymark.yml:1:40: pools[0].rebalance: true (expected: on, off)"),
        row(
            "pools: [{target: \"unix:/a\", follow: the-leader}]",
            "waymark.yml:1:37: pools[0].follow: the-leader (expected: none, leader)"),
        row(
            "pools: [{target: \"unix:/a\", ejection-time: 10m}]",
            "waymark.yml:1:44: pools[0].ejection-time: 10m (expected: <= ejection-time-max 5m); lower it or raise ejection-time-max"),
        row(
            "pools:\n- upstreams: [{address: \"a:1\", labels: {v: new}}]\n  subsets: [{labels: {v: new}}]",
            "waymark.yml:3:13: pools[0].subsets[0].share-percent: missing (expected: a whole number from 0 to 100)"),
        row(
            "pools:\n- upstreams: [{address: \"a:1\", labels: {v: new}}]\n  subsets: [{share-percent: 5}]",
            "waymark.yml:3:13: pools[0].subsets[0].labels: missing (expected: at least one label, as NAME: TEXT)"),
        row(
            "pools:\n- upstreams: [{address: \"a:1\", labels: {v: new}}]\n  subsets: [{share-percent: 5, labels: {v: old}}]",
            "waymark.yml:3:13: pools[0].subsets[0].labels: no upstream belongs to this subset (expected: an upstream in the list `upstreams` with all of these labels that no earlier subset takes)"),
        row(
            "pools:\n- target: \"k8s:///echo.shop:1\"\n  subsets: [{share-percent: 5, labels: {v: new}}]",
            "waymark.yml:3:13: pools[0].subsets[0].labels: no upstream belongs to this subset (expected: an upstream in the list `upstreams` with all of these labels that no earlier subset takes)"),
        row(
            "pools:\n- target: \"dns:///a:1\"\n  subsets: [{share-percent: 5, labels: {v: new}}]",
            "waymark.yml:3:13: pools[0].subsets[0].labels: no upstream belongs to this subset (expected: an upstream in the list `upstreams` with all of these labels that no earlier subset takes)"),
        row(
            "pools:\n- upstreams: [{address: \"a:1\", labels: {v: a}}, {address: \"b:1\", labels: {v: b}}]\n  subsets:\n  - {share-percent: 60, labels: {v: a}}\n  - {share-percent: 50, labels: {v: b}}",
            "waymark.yml:4:3: pools[0].subsets: shares add up to 110 % (expected: at most 100); lower one"),
        // framing
        row(
            "listeners: [{framing: lines}]",
            "waymark.yml:1:23: listeners[0].framing: lines (expected: raw, line, varint)"),
        row(
            "listeners: [{framing: {size: 1}}]",
            "waymark.yml:1:13: listeners[0].framing.type: missing (expected one of: raw, line, varint, delimiter, fixed, length-prefixed)"),
        row(
            "listeners: [{framing: {type: fixed}}]",
            "waymark.yml:1:30: listeners[0].framing.type: fixed (expected: together with size)"),
        row(
            "listeners: [{framing: {type: line, size: 1}}]",
            "waymark.yml:1:42: listeners[0].framing.size: 1 (expected: only with type fixed)"),
        row(
            "listeners: [{framing: {type: delimiter, delimiter: 0xzz}}]",
            "waymark.yml:1:52: listeners[0].framing.delimiter: 0xzz (expected: 1 to 16 bytes as text, such as \"\\r\\n\", or as 0x0d0a)"),
        row(
            "listeners: [{framing: {type: length-prefixed, length-bytes: 5}}]",
            "waymark.yml:1:61: listeners[0].framing.length-bytes: 5 (expected: 1, 2, 3, 4, 8)"),
        row(
            "listeners: [{framing: {type: fixed, size: 128KiB}}]",
            "waymark.yml:1:43: listeners[0].framing.size: 128KiB (expected: messages of at most frame-max 64KiB; the smallest has 131072 bytes)"),
        row(
            "listeners: [{framing: line, frame-max: 1MiB}]",
            "waymark.yml:1:40: listeners[0].frame-max: 1MiB (expected: <= lanes.window 256KiB); lower it or raise lanes.window"),
        // relations
        row(
            "lanes:\n  ping-interval: 40s",
            "waymark.yml:2:18: lanes.ping-interval: 40s (expected: < lane-timeout 6s); lower it or raise lane-timeout"),
        row(
            "lanes:\n  lane-timeout: 1s",
            "waymark.yml:2:17: lanes.lane-timeout: 1s (expected: > ping-interval 2s); raise it or lower ping-interval"),
        row(
            "lanes: {window: 8KiB}",
            "waymark.yml:1:17: lanes.window: 8KiB (expected: >= initial-window 16KiB); raise it or lower initial-window"),
        row(
            "lanes: {retry-min: 20s}",
            "waymark.yml:1:20: lanes.retry-min: 20s (expected: <= retry-max 10s); lower it or raise retry-max"),
        row(
            "pools: [{target: \"unix:/a\", dns-ttl-max: 1ms}]",
            "waymark.yml:1:42: pools[0].dns-ttl-max: 1ms (expected: >= dns-ttl-min 1s); raise it or lower dns-ttl-min"),
        row(
            "lanes: {batch: 1MiB}",
            "waymark.yml:1:16: lanes.batch: 1MiB (expected: a size from 1KiB to 896KiB, such as 64KiB or 1MiB)"),
        // defaults
        row(
            "listeners:\n- {name: a}\n- {name: b}",
            "waymark.yml:3:3: listeners[1].address: 127.0.0.1:7000 (the default; expected: an unused address; listeners[0].address is 127.0.0.1:7000); set listeners[1].address"),
        row(
            "listeners:\n- address: \":1\"\n- address: \":2\"",
            "waymark.yml:3:3: listeners[1].name: default (the default; expected: a unique name; listeners[0].name is the same); set listeners[1].name"),
        row(
            "log: {level: info}\nlisteners: [{address: \"127.0.0.1:7080\"}]",
            "waymark.yml:1:1: admin.address: 127.0.0.1:7080 (the default; expected: an unused address; listeners[0].address is 127.0.0.1:7080); set admin.address"),
        row(
            "log: {level: info}\npools:\n- {name: x, target: \"unix:/a\"}\n- {name: y, target: \"unix:/b\"}",
            "waymark.yml:1:1: listeners[0].pool: missing (expected one of: x, y)"),
        // all at once
        row(
            "log: {level: loud}\nadmin: {adress: x}\nlisteners: [{framing: lines}]\nshards: many\npools:\n- {name: a, target: \"unix:/a\", policy: none}\n- {name: b}\n",
            "waymark.yml:1:14: log.level: loud (expected: error, warn, info, debug, trace)\nwaymark.yml:2:9: admin.adress: unknown key; did you mean address?\nwaymark.yml:3:13: listeners[0].pool: missing (expected one of: a, b)\nwaymark.yml:3:23: listeners[0].framing: lines (expected: raw, line, varint)\nwaymark.yml:4:9: shards: many (expected: a whole number from 0 to 1024)\nwaymark.yml:6:40: pools[0].policy: none (expected: round-robin, least-connections, random-two, ring-hash)\nwaymark.yml:7:3: pools[1]: has neither target nor upstreams (expected: one of the two)"),
        row(
            "shard: 1\nlog: {level: loud}\n",
            "waymark.yml:1:1: shard: unknown key; did you mean shards?\nwaymark.yml:2:14: log.level: loud (expected: error, warn, info, debug, trace)"));
  }

  private static Arguments row(String file, String message) {
    return arguments(file, message);
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void badFile_isRefusedWithOneLinePerMistake(String file, String message) {
    assertThatThrownBy(() -> Loading.file(file))
        .isInstanceOf(ConfigException.class)
        .hasMessage(message);
  }

  static Stream<Arguments> badFlags() {
    return Stream.of(
        arguments(
            Map.of("--admin", "127.0.0.1:99999"),
            Map.of(),
            "--admin 127.0.0.1:99999: expected port 0 to 65535"),
        arguments(
            Map.of(),
            Map.of("WAYMARK_ADMIN", "x"),
            "environment WAYMARK_ADMIN=x: expected " + ADDRESS),
        arguments(
            Map.of("--listen", "127.0.0.1:1,"), Map.of(), "--listen \"\": expected " + ADDRESS),
        arguments(
            Map.of("--upstream", "127.0.0.1:1"),
            Map.of(),
            "--upstream 127.0.0.1:1: expected static:///HOST:PORT[,HOST:PORT], unix:/PATH, dns://[SERVER:PORT]/HOST:PORT, srv://[SERVER:PORT]/_SERVICE._tcp.NAME, file:///PATH, k8s://[SERVER:PORT]/SERVICE.NAMESPACE:PORT, directory://SERVER:PORT[,SERVER:PORT]/SERVICE, etcd://SERVER:PORT[,SERVER:PORT]/PREFIX or xds://SERVER:PORT[,SERVER:PORT]/SERVICE"),
        arguments(
            Map.of("--framing", "line", "--frame-max", "1MiB"),
            Map.of(),
            "--frame-max 1MiB: expected <= lanes.window 256KiB; lower it or raise lanes.window"),
        arguments(
            Map.of("--listen", "127.0.0.1:7080"),
            Map.of(),
            "admin.address: 127.0.0.1:7080 (the default; expected: an unused address; listeners[0].address is 127.0.0.1:7080); set --admin or WAYMARK_ADMIN"),
        arguments(
            Map.of("--echo", "127.0.0.1:7000"),
            Map.of(),
            "--echo 127.0.0.1:7000: expected an unused address; listeners[0].address is 127.0.0.1:7000"),
        arguments(
            Map.of("--shards", "x"),
            Map.of("WAYMARK_NODE", "\u0001", "WAYMARK_LOG_LEVEL", "loud"),
            "--shards x: expected a whole number from 0 to 1024\nenvironment WAYMARK_LOG_LEVEL=loud: expected error, warn, info, debug, trace\nenvironment WAYMARK_NODE=\\u0001: expected text of 1 to 253 printable characters"));
  }

  @ParameterizedTest
  @MethodSource("badFlags")
  void badFlagOrVariable_isNamed(
      Map<String, String> flags, Map<String, String> environment, String message) {
    assertThatThrownBy(() -> Loading.flags(flags, environment))
        .isInstanceOf(ConfigException.class)
        .hasMessage(message);
  }

  @Test
  void listen_withTwoListenersInFile_isRefused() {
    String file = "listeners:\n- {name: a, address: \":1\"}\n- {name: b, address: \":2\"}\n";
    assertThatThrownBy(() -> Loading.file(file, Map.of("--listen", ":3"), Map.of()))
        .hasMessage(
            "--listen :3: expected a file with at most one entry in listeners; waymark.yml has 2 (a, b): set the addresses there");
  }

  @Test
  void flagsForTls_replaceTheListOfTheFile() {
    String file = "listeners: [{tls: {certificates: [{certificate: a}, {certificate: b}]}}]\n";
    Map<String, String> flags = Map.of("--tls-certificate", "c.pem", "--tls-key", "c.key");
    assertThat(Loading.file(file, flags, Map.of()).config().listeners().getFirst().certificates())
        .containsExactly(new CertificateFiles(Path.of("c.pem"), Path.of("c.key")));
  }

  @Test
  void flagForAKey_withoutACertificate_isRefused() {
    assertThatThrownBy(() -> Loading.flags(Map.of("--tls-key", "c.key"), Map.of()))
        .hasMessage("--tls-key c.key: expected together with --tls-certificate");
    String file = "listeners: [{tls: {certificates: [{certificate: a}, {certificate: b}]}}]\n";
    assertThatThrownBy(() -> Loading.file(file, Map.of("--tls-key", "c.key"), Map.of()))
        .hasMessage("--tls-key c.key: expected together with --tls-certificate");
  }

  @Test
  void userOfARegistry_withoutAPassword_isRefused_andTheOtherWayRound() {
    String pool = "pools: [{name: a, target: \"etcd://e:2379/svc\", registry: {%s}}]\n";
    assertThatThrownBy(() -> Loading.file(pool.formatted("username: bridge")))
        .hasMessage(
            "waymark.yml:1:69: pools[0].registry.username: bridge (expected: together with registry.password-file)");
    assertThatThrownBy(() -> Loading.file(pool.formatted("password-file: /p")))
        .hasMessage(
            "waymark.yml:1:74: pools[0].registry.password-file: /p (expected: together with registry.username)");
  }

  @Test
  void upstream_withTwoPoolsInFile_isRefused() {
    String file =
        "listeners: [{pool: a}]\npools:\n- {name: a, target: \"unix:/1\"}\n- {name: b, target: \"unix:/2\"}\n";
    assertThatThrownBy(() -> Loading.file(file, Map.of(), Map.of("WAYMARK_UPSTREAM", "unix:/3")))
        .hasMessage(
            "environment WAYMARK_UPSTREAM=unix:/3: expected a file with at most one entry in pools; waymark.yml has 2 (a, b): set the upstreams there");
  }

  @Test
  void aliases_thatMultiply_areRefused() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
    for (int i = 1; i < 30; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d]\n".formatted(i, i, i - 1, i - 1));
    }
    assertThatThrownBy(() -> Loading.file(bomb.toString()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("waymark.yml: not YAML: Number of aliases");
  }

  @Test
  void alias_insideItsOwnAnchor_isRefused() {
    assertThatThrownBy(() -> Loading.file("pools: &p\n- upstreams: *p\n"))
        .isInstanceOf(ConfigException.class);
  }

  @Test
  void mistakes_beyondFifty_areCounted() {
    StringBuilder file = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      file.append("unknown-").append(i).append(": 1\n");
    }
    file.insert(0, "shards: x\n");
    assertThatThrownBy(() -> Loading.file(file.toString()))
        .hasMessageStartingWith("waymark.yml:1:9: shards: x ")
        .hasMessageEndingWith("\nand 11 more");
  }

  @Test
  void path_thatIsNotAReadableFile_isRefused(@TempDir Path folder) throws IOException {
    Path missing = folder.resolve("waymark.yml");
    assertRefused(missing, missing + ": no such file; give the path of a YAML file");
    assertRefused(Path.of(""), "an empty file name; give the path of a YAML file");
    assertRefused(folder, folder + ": is a directory (expected: a YAML file)");
    Path large = Files.write(folder.resolve("large.yml"), new byte[YamlFile.BYTES_MAX + 1]);
    assertRefused(large, large + ": larger than 1MiB (expected: a configuration)");
    Path binary = Files.write(folder.resolve("binary.yml"), new byte[] {(byte) 0xff, 0, 1});
    assertRefused(binary, binary + ": not UTF-8 text (expected: a YAML file)");
  }

  private static void assertRefused(Path file, String message) {
    assertThatThrownBy(() -> ConfigLoader.load(Optional.of(file), Map.of(), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessage(message);
  }

  @Test
  void variables_setByKubernetesForAService_areIgnored() {
    Map<String, String> environment = new HashMap<>();
    for (String service : List.of("WAYMARK", "WAYMARK_ADMIN", "WAYMARK_V2_CLIENTS")) {
      environment.put(service + "_SERVICE_HOST", "10.96.0.7");
      environment.put(service + "_SERVICE_PORT", "7000");
      environment.put(service + "_SERVICE_PORT_CLIENTS_TLS", "7000");
      environment.put(service + "_PORT", "tcp://10.96.0.7:7000");
      for (String protocol : List.of("TCP", "UDP", "SCTP")) {
        String port = service + "_PORT_7000_" + protocol;
        environment.put(port, protocol.toLowerCase(Locale.ROOT) + "://10.96.0.7:7000");
        environment.put(port + "_PROTO", protocol.toLowerCase(Locale.ROOT));
        environment.put(port + "_PORT", "7000");
        environment.put(port + "_ADDR", "10.96.0.7");
      }
    }
    assertThat(Loading.flags(Map.of(), environment).warnings()).isEmpty();
  }

  @Test
  void variable_namedLikeAServicePortWithAnotherValue_isWarnedAbout() {
    assertThat(Loading.flags(Map.of(), Map.of("WAYMARK_PORT", "7000")).warnings())
        .singleElement()
        .asString()
        .startsWith("environment WAYMARK_PORT: unknown variable, ignored");
  }

  @Test
  void variable_misspelt_isRefused() {
    assertThatThrownBy(() ->
            Loading.flags(
                Map.of(),
                Map.of("WAYMARK_LISTN", ":1", "WAYMARK_JAVA_OPT", "", "WAYMARK_LISTEN", ":2")))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "environment WAYMARK_JAVA_OPT: unknown variable; did you mean WAYMARK_JAVA_OPTS?\n"
                + "environment WAYMARK_LISTN: unknown variable; did you mean WAYMARK_LISTEN?");
  }

  @Test
  void variable_likeNoOther_isWarnedAbout() {
    Map<String, String> environment =
        Map.of(
            "WAYMARK_COMMIT",
            "x",
            "WAYMARK_JAVA_HOME",
            "/x",
            "WAYMARK_JAVA_OPTS",
            "-Xmx1g",
            "WAYMARK_IMAGE",
            "x");
    assertThat(Loading.flags(Map.of(), environment).warnings())
        .isEqualTo(List.of("environment WAYMARK_COMMIT: unknown variable, ignored"));
  }
}
