package dev.waymark.tools.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

class ExplanationTest {
  private static final String DIRECTORY =
      """
      {"admin": "d:7480",
       "directory": {"version": 7, "uptimeMs": 180000, "isSettled": true},
       "instances": [
         {"address": "a:1", "health": "healthy", "weight": 1, "isUsable": true, "nodes": ["n1"]},
         {"address": "b:1", "health": "healthy", "weight": 3, "priority": 1, "isUsable": false,
          "labels": {"zone": "z"}, "utilisation": 0.42, "dampedForMs": 40000,
          "nodes": ["n1", "n2"]}],
       "nodes": [
         {"node": "n1", "state": "registered", "silentMs": 1234},
         {"node": "n2", "state": "lost", "silentMs": 4000, "lostForMs": 3000},
         {"node": "n2", "state": "expired", "silentMs": 9000, "lostForMs": 8000}]}
      """;

  private static final String BRIDGE =
      """
      {"admin": "%s",
       "pools": [{
         "pool": "p", "target": "directory://d:7400/echo",
         "source": {"server": "d:7400", "connectedForMs": 60000, "heardForMs": 200,
                    "version": "7", "kept": 0, "problem": ""},
         "instances": [
           {"address": "a:1", "isUsed": true, "why": "", "forMs": 50000, "connections": 1,
            "listing": {"health": "healthy", "forMs": 60000, "weight": 1},
            "upstream": {"state": "serving", "weight": 3, "slowStartPercent": 40}},
           {"address": "b:1", "isUsed": false, "why": "it comes and goes", "forMs": 5000,
            "connections": 2,
            "listing": {"health": "healthy", "isDamped": true, "forMs": 5000, "weight": 3},
            "upstream": null},
           {"address": "c:1", "isUsed": false, "why": "it is ejected, as lanes to it broke",
            "forMs": 1000, "ejectedForMs": 29000, "connections": 0, "listing": null,
            "upstream": {"state": "ejected"}}]}]}
      """;

  @Test
  void directoryAndBridge_areJoinedByInstance() {
    Explanation explanation = explain("echo", DIRECTORY, bridge("b:7080"));
    assertThat(explanation.isFound()).isTrue();
    assertThat(explanation.text())
        .isEqualTo(
            """
            echo
              directory d:7480  2 instances, 1 usable; up for 3 min, version 7
              bridge b:7080     pool p follows directory://d:7400/echo, connected to d:7400 for 60 s, heard from
                                0.2 s ago, version 7

            a:1
              directory         healthy; node n1, heartbeat 1.2 s ago
              source of p       healthy for 60 s
              pool p            used for 50 s; weight 3 at 40 % (slow start); 1 connection

            b:1
              directory         healthy, damped for another 40 s, weight 3, priority 1, zone=z, load 42 %; node
                                n2, heartbeat 4.0 s ago, unreachable for 3.0 s; node n1, heartbeat 1.2 s ago
              source of p       healthy for 5.0 s, damped, weight 3
              pool p            not used for 5.0 s: it comes and goes; 2 connections

            c:1
              directory         does not know it
              source of p       does not name it
              pool p            not used for 1.0 s, ejected: it is ejected, as lanes to it broke; ends in 29 s
            """);
  }

  @Test
  void severalBridges_areNamedInEachRow() {
    String text = explain("echo/a:1", DIRECTORY, bridge("b:7080"), bridge("b:7081")).text();
    assertThat(text)
        .contains(
            """
            a:1
              directory           healthy; node n1, heartbeat 1.2 s ago
              b:7080 source of p  healthy for 60 s
              b:7080 pool p       used for 50 s; weight 3 at 40 % (slow start); 1 connection
              b:7081 source of p  healthy for 60 s
            """)
        .doesNotContain("b:1\n", "c:1\n");
  }

  @Test
  void directoryThatIsYoung_andASourceThatDoubtsIt_saySo() {
    String young = DIRECTORY.replace("\"isSettled\": true", "\"isSettled\": false");
    String doubting =
        bridge("b:7080")
            .replace("\"kept\": 0", "\"kept\": 2")
            .replace(
                "\"problem\": \"\"",
                "\"cause\": \"registry_doubted\", \"problem\": \"young\", \"problemForMs\": 3000");
    assertThat(explain("echo", young, doubting).text().replaceAll("\\s+", " "))
        .contains(
            "version 7; it has just started, and nodes may not have come back to it yet",
            "version 7, keeps 2 that the registry does not name",
            "registry_doubted for 3.0 s: young");
  }

  @Test
  void whoeverGivesNoAnswer_hasOneLine() {
    Explanation explanation =
        explain(
            "echo",
            "{\"admin\": \"d:7480\", \"error\": \"cannot connect: connection refused\"}",
            "{\"admin\": \"b:7080\", \"error\": \"no pool is named 'echo'\"}");
    assertThat(explanation.isFound()).isFalse();
    assertThat(explanation.text())
        .isEqualTo(
            """
            echo
              directory d:7480  cannot connect: connection refused
              bridge b:7080     no pool is named 'echo'
            """);
  }

  @Test
  void address_isFoundInAnySpelling_orNotAtAll() {
    String directory = DIRECTORY.replace("a:1", "[::1]:4770");
    assertThat(explain("echo/[0:0::1]:4770", directory).isFound()).isTrue();
    assertThat(explain("echo/[0:0::1]:4770", directory).text()).contains("\n[::1]:4770\n");
    assertThat(explain("echo/x:1", directory, bridge("b:7080")).isFound()).isFalse();
  }

  @Test
  void poolWithoutInstances_isFoundAsAService() {
    String empty = "{\"admin\": \"b:1\", \"pools\": [{\"pool\": \"echo\", \"instances\": []}]}";
    assertThat(
            explain("echo", DIRECTORY.replaceAll("(?s)\"instances.*", "\"x\": 0}"), empty)
                .isFound())
        .isTrue();
  }

  private static String bridge(String admin) {
    return BRIDGE.replace("%s", admin);
  }

  private static Explanation explain(String query, String directory, String... bridges) {
    String answers =
        "{\"directories\": [" + directory + "], \"bridges\": [" + String.join(",", bridges) + "]}";
    return new Explanation(ExplainQuery.read(query), (JsonObject) JsonParser.parseString(answers));
  }
}
