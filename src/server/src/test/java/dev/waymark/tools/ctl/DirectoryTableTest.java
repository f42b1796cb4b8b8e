package dev.waymark.tools.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

class DirectoryTableTest {
  @Test
  void services_haveARowEach() {
    assertThat(
            text(
                DirectoryTable.SERVICES,
                "{\"services\": [{\"service\": \"echo\", \"instances\": 3, \"usable\": 2}]}"))
        .isEqualTo(
            """
            SERVICE  INSTANCES  USABLE
            echo     3          2
            """);
  }

  @Test
  void instances_haveARowEach() {
    DirectoryTable table = DirectoryTable.instances("a/b");
    assertThat(table.path()).isEqualTo("/instances?service=a%2Fb");
    assertThat(
            text(
                table,
                """
                {"instances": [
                  {"address": "a:1", "health": "healthy", "weight": 1, "nodes": ["n"]},
                  {"address": "b:1", "health": "draining", "weight": 3, "priority": 1,
                   "utilisation": 1.256, "dampedForMs": 1500, "nodes": ["n", "m"],
                   "labels": {"zone": "z", "version": "v2"}}]}
                """))
        .isEqualTo(
            """
            INSTANCE  HEALTH    DAMPED FOR  WEIGHT  PRIORITY  LOAD   NODES  LABELS
            a:1       healthy   -           1       0         -      n
            b:1       draining  1.5 s       3       1         126 %  n,m    version=v2 zone=z
            """);
  }

  @Test
  void nodes_sayWhoIsUnreachableAndSinceWhen() {
    assertThat(
            text(
                DirectoryTable.NODES,
                """
                {"nodes": [
                  {"node": "n", "state": "registered", "instances": 2, "ttlMs": 10000, "silentMs": 800},
                  {"node": "m", "state": "expired", "instances": 1, "ttlMs": 10000,
                   "silentMs": 190000, "lostForMs": 180000}]}
                """))
        .isEqualTo(
            """
            NODE  STATE       INSTANCES  TTL   HEARTBEAT  UNREACHABLE FOR
            n     registered  2          10 s  0.8 s ago  -
            m     expired     1          10 s  3 min ago  3 min
            """);
  }

  @Test
  void watchers_sayWhatTheyWatchAndAtWhichVersion() {
    assertThat(
            text(
                DirectoryTable.WATCHERS,
                """
                {"watchers": [
                  {"watcher": "all", "peer": "h:1", "as": "anybody", "services": [], "version": 7,
                   "behind": 0, "forMs": 1000},
                  {"watcher": "some", "peer": "h:2", "as": "anybody", "version": 5, "behind": 2,
                   "services": ["a", "b", "c", "d", "e", "f", "g"], "forMs": 1000}]}
                """))
        .isEqualTo(
            """
            WATCHER  PEER  AS       VERSION  BEHIND  FOR    SERVICES
            all      h:1   anybody  7        0       1.0 s  (all)
            some     h:2   anybody  5        2       1.0 s  a,b,c,d,e and 2 more
            """);
  }

  @Test
  void nothing_isSaidInOneLine() {
    assertThat(text(DirectoryTable.NODES, "{\"nodes\": []}")).isEqualTo("no nodes\n");
  }

  private static String text(DirectoryTable table, String json) {
    return table.text((JsonObject) JsonParser.parseString(json));
  }
}
