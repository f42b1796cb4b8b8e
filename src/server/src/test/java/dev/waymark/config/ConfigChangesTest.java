package dev.waymark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class ConfigChangesTest {
  private static final String TWO =
      """
      listeners:
        - name: game
          address: :7001
          pool: red
        - name: chat
          address: :7002
          pool: blue
      pools:
        - name: red
          target: static:///a:1
        - name: blue
          upstreams:
            - address: b:1
              weight: 3
            - address: c:1
      """;

  private static ConfigChanges changes(String now, String next) {
    return ConfigChanges.between(Loading.file(now), Loading.file(next));
  }

  @Test
  void sameValues_writtenInAnotherOrder_changeNothing() {
    String swapped =
        """
        pools:
          - upstreams:
              - address: b:1
                weight: 3
              - address: c:1
            name: blue
          - name: red
            target: static:///a:1
        listeners:
          - name: chat
            address: :7002
            pool: blue
          - name: game
            address: :7001
            pool: red
        """;
    assertThat(changes(TWO, swapped).isEmpty()).isTrue();
  }

  @Test
  void listener_withDifferentOptions_isReportedWithItsKeys() {
    ConfigChanges changes =
        changes(TWO, TWO.replace("address: :7001", "address: :7003\n    idle-timeout: 5s"));
    assertThat(changes.lines()).containsExactly("listener game changed: address, idle-timeout");
    assertThat(changes.pools().addedOrChanged()).isEmpty();
  }

  @Test
  void upstream_withDifferentWeight_changesItsPool() {
    assertThat(changes(TWO, TWO.replace("weight: 3", "weight: 1")).lines())
        .containsExactly("pool blue changed: upstreams[0].weight");
  }

  @Test
  void delimiter_withTheSameBytes_isNotAChange() {
    String framed =
        TWO.replace(":7001", ":7001\n    framing: {type: delimiter, delimiter: \"\\r\\n\"}");
    assertThat(changes(framed, framed).isEmpty()).isTrue();
  }

  @Test
  void listenerAndPool_renamed_areAddedAndRemoved() {
    String renamed = TWO.replace("name: game", "name: play").replace("red", "green");
    assertThat(changes(TWO, renamed).lines())
        .containsExactly(
            "listener play added", "listener game removed", "pool green added", "pool red removed");
  }

  @Test
  void logAndDrainTimeout_areChanged() {
    assertThat(changes(TWO, TWO + "drain-timeout: 5s\nlog: {level: debug}\n").lines())
        .containsExactlyInAnyOrder("drain-timeout changed", "log.level changed");
  }

  @Test
  void keysThatNeedARestart_areAllRefused() {
    String next =
        TWO.replace("pool: red", "pool: red\n    backlog: 7")
            + "shards: 4\nlanes:\n  window: 1MiB\n";
    assertThatThrownBy(() -> changes(TWO, next))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            """
            waymark.yml:5:14: listeners[0].backlog: 7 (in force: 4096, which a reload cannot change); restart, change the address too, or put 4096 back
            waymark.yml:17:9: shards: 4 (in force: 0, which a reload cannot change); restart, or put 0 back
            waymark.yml:19:11: lanes.window: 1MiB (in force: 256KiB, which a reload cannot change); restart, or put 256KiB back\
            """
                .stripIndent());
  }

  @Test
  void keyWithoutDefault_setOrRemoved_isRefused() {
    String hosts = TWO + "admin: {hosts: bridge.example.com}\n";
    assertThatThrownBy(() -> changes(TWO, hosts))
        .hasMessage(
            "waymark.yml:16:16: admin.hosts: bridge.example.com (in force: none, which a reload cannot change); restart, or remove it");
    assertThatThrownBy(() -> changes(hosts, TWO))
        .hasMessage(
            "admin.hosts: not set (in force: bridge.example.com, which a reload cannot change); restart, or put bridge.example.com back");
  }

  @Test
  void echo_onAnotherAddress_isRefused() {
    assertThatThrownBy(() -> changes("echo: 127.0.0.1:5001", "echo: 127.0.0.1:5002"))
        .hasMessageStartingWith("waymark.yml:1:7: echo: 127.0.0.1:5002 (in force: 127.0.0.1:5001,");
    assertThat(changes("echo: 127.0.0.1:5001", TWO).process()).isEmpty();
  }

  @Test
  void backlog_changedTogetherWithTheAddress_isAccepted() {
    assertThat(changes(TWO, TWO.replace(":7001", ":7005\n    backlog: 7")).lines())
        .containsExactly("listener game changed: address, backlog");
  }

  @Test
  void pools_allRemoved_areRefused() {
    assertThatThrownBy(() -> changes(TWO, "listeners:\n  - name: game\n"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("a reload cannot start the embedded echo upstream");
  }
}
