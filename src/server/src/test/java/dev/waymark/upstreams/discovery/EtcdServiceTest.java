package dev.waymark.upstreams.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.protobuf.ByteString;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.upstreams.control.Since;
import dev.waymark.upstreams.discovery.SourceReport.Standing;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EtcdServiceTest {
  private final EtcdService service = new EtcdService("svc/echo");
  private long nowNs = 1_000_000;

  @Test
  void keys_withOneAddress_areOneUpstream_ifOneOfThemIsHealthy() {
    list("a=10.0.0.1:80 DRAINING", "b=10.0.0.1:80", "c=[::1]:80", "d=[0::1]:80");
    assertThat(addresses()).containsExactly("10.0.0.1:80", "[::1]:80");
    delete("b");
    assertThat(addresses()).containsExactly("[::1]:80");
    delete("c");
    assertThat(addresses()).containsExactly("[::1]:80");
    delete("d");
    assertThat(addresses()).isEmpty();
    assertThat(problem()).isEqualTo("NO_ADDRESS no instance below svc/echo/ is healthy (of 1)");
    delete("a");
    assertThat(problem()).isEqualTo("NO_ADDRESS no key in etcd begins with svc/echo/");
  }

  @Test
  void key_thatGetsAnotherAddress_movesItsUpstream() {
    list("a=10.0.0.1:80");
    put("a", "10.0.0.2:80");
    assertThat(addresses()).containsExactly("10.0.0.2:80");
  }

  @Test
  void metadata_becomesTheUpstreams() {
    service.onList();
    service.onPut(
        key("a"),
        ByteString.copyFromUtf8(
            "{\"Addr\":\"10.0.0.1:80\",\"Metadata\":{\"weight\":5,\"priority\":1,\"labels\":{\"zone\":\"a\"}}}"));
    service.onListed(false, nowNs);
    assertThat(service.upstreams())
        .containsExactly(new Endpoint("10.0.0.1:80", 5, 1, Map.of("zone", "a")));
  }

  @Test
  void value_thatCannotBeRead_dropsTheFormerOne_andIsNamed() {
    list("a=10.0.0.1:80", "b=10.0.0.2:80", "c=10.0.0.3:80");
    put("a", "nowhere");
    put("b", "nowhere");
    assertThat(addresses()).containsExactly("10.0.0.3:80");
    assertThat(problem())
        .isEqualTo(
            "REGISTRY_DATA svc/echo/a: expected in Addr HOST:PORT, such as 127.0.0.1:7000 or [::1]:7000 (and 1 more)");
    delete("a");
    put("b", "10.0.0.2:80");
    assertThat(addresses()).containsExactly("10.0.0.2:80", "10.0.0.3:80");
    assertThat(service.problem()).isEmpty();
  }

  @Test
  void emptyList_ofTheSameStore_isBelievedAtOnce() {
    list("a=10.0.0.1:80");
    list();
    assertThat(addresses()).isEmpty();
  }

  @Test
  void etcd_thatHasLostItsData_isDoubtedForAMinute() {
    list("a=10.0.0.1:80", "b=10.0.0.2:80");
    relist(true, "c=10.0.0.3:80");
    assertThat(addresses()).containsExactly("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
    assertThat(problem())
        .isEqualTo(
            "REGISTRY_DOUBTED etcd has lost its data; instances kept for a minute, until they come back: 2");
    put("a", "10.0.0.1:80");
    assertThat(problem()).startsWith("REGISTRY_DOUBTED").endsWith(": 1");
    // A list for another reason does not end it.
    relist(false, "a=10.0.0.1:80", "c=10.0.0.3:80");
    assertThat(addresses()).containsExactly("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
    nowNs += EtcdService.DOUBT_NS;
    service.onCurrent(nowNs);
    assertThat(addresses()).containsExactly("10.0.0.1:80", "10.0.0.3:80");
    assertThat(service.problem()).isEmpty();
    relist(false);
    assertThat(addresses()).isEmpty();
  }

  @Test
  void instance_thatCameBackToADoubtedEtcd_isGoneWhenItIsDeleted() {
    list("a=10.0.0.1:80", "b=10.0.0.2:80");
    relist(true, "a=10.0.0.1:80");
    delete("a");
    assertThat(addresses()).containsExactly("10.0.0.2:80");
  }

  @Test
  void keys_haveALimit_ofTheirNumberAndBytes() {
    service.onList();
    for (int i = 0; i < EtcdKeys.KEYS_MAX; i++) {
      service.onPut(key("k" + i), value("10.0.0.1:80"));
    }
    assertThat(service.isTooLarge()).isFalse();
    service.onPut(key("k0"), value("10.0.0.1:80"));
    assertThat(service.isTooLarge()).isFalse();
    service.onPut(key("more"), value("10.0.0.1:80"));
    assertThat(service.isTooLarge()).isTrue();
    service.onList();
    assertThat(service.isTooLarge()).isFalse();
    service.onPut(key("large"), ByteString.copyFrom(new byte[EtcdKeys.BYTES_MAX]));
    assertThat(service.isTooLarge()).isTrue();
    service.onPut(key("large"), ByteString.EMPTY);
    assertThat(service.isTooLarge()).isFalse();
  }

  @Test
  void report_namesEachInstance_alsoThoseThatAreNotPassedOn() {
    list("a=10.0.0.1:80", "b=10.0.0.2:80 DRAINING", "c=10.0.0.3:80 UNHEALTHY", "d=10.0.0.4:80");
    Since<Standing> since = new Since<>();
    since.update(service.standings(), 7);
    relist(true, "a=10.0.0.1:80", "b=10.0.0.2:80", "c=10.0.0.3:80 UNHEALTHY");
    since.update(service.standings(), 9);
    assertThat(service.entries(since))
        .extracting(
            entry -> entry.endpoint().address(),
            SourceReport.Entry::standing,
            SourceReport.Entry::withheld,
            entry -> entry.sinceNs().orElse(0))
        .containsExactly(
            tuple("10.0.0.1:80", Standing.of("healthy"), "", 7L),
            tuple("10.0.0.2:80", Standing.of("healthy"), "", 9L),
            tuple("10.0.0.3:80", Standing.of("unhealthy"), "it is registered as unhealthy", 7L),
            tuple("10.0.0.4:80", new Standing("healthy", false, true), "", 7L));
  }

  // --- fixtures ---

  private void list(String... entries) {
    relist(false, entries);
  }

  /** Each entry is KEY=ADDRESS or KEY=ADDRESS HEALTH. */
  private void relist(boolean isOtherStore, String... entries) {
    service.onList();
    for (String entry : entries) {
      int equals = entry.indexOf('=');
      service.onPut(key(entry.substring(0, equals)), value(entry.substring(equals + 1)));
    }
    service.onListed(isOtherStore, nowNs);
  }

  private void put(String key, String address) {
    service.onPut(key(key), value(address));
    service.onCurrent(nowNs);
  }

  private void delete(String key) {
    service.onDelete(key(key));
    service.onCurrent(nowNs);
  }

  private List<String> addresses() {
    return service.upstreams().stream().map(Endpoint::address).toList();
  }

  private String problem() {
    UpstreamProblem problem =
        service.problem().orElse(new UpstreamProblem(Kind.INTERNAL, "there is none"));
    return problem.kind() + " " + problem.text();
  }

  private static ByteString key(String name) {
    return ByteString.copyFromUtf8("svc/echo/" + name);
  }

  private static ByteString value(String text) {
    String[] words = text.split(" ");
    String health = words.length > 1 ? "{\"health\":\"" + words[1] + "\"}" : "null";
    return ByteString.copyFromUtf8(
        "{\"Op\":0,\"Addr\":\"" + words[0] + "\",\"Metadata\":" + health + "}");
  }
}
