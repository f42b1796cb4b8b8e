package dev.waymark.registry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.Instance.Health;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EmptyingGuardTest {
  private static final boolean SETTLED = true;
  private static final boolean YOUNG = false;

  private final EmptyingGuard guard = new EmptyingGuard();

  @Test
  void settledRegistry_isBelieved() {
    guard.onTable(instances("1", "2"), SETTLED);
    guard.onTable(List.of(), SETTLED);
    assertThat(addresses()).isEmpty();
  }

  @Test
  void youngRegistryThatIsEmpty_forgetsNothing() {
    guard.onTable(instances("1", "2"), SETTLED);
    guard.onTable(List.of(), YOUNG);
    assertThat(addresses()).containsExactlyInAnyOrder("1", "2");
    assertThat(guard.keptCount()).isEqualTo(2);
  }

  @Test
  void instancesThatComeBackOneByOne_areNeverFewer() {
    guard.onTable(instances("1", "2", "3"), SETTLED);
    guard.onTable(instances("1"), YOUNG);
    guard.onPut(instance("2"));
    assertThat(addresses()).containsExactlyInAnyOrder("1", "2", "3");
    assertThat(guard.keptCount()).isEqualTo(1);
  }

  @Test
  void youngRegistryThatRestartsAgain_forgetsNothing() {
    guard.onTable(instances("1", "2"), SETTLED);
    guard.onTable(instances("1"), YOUNG);
    guard.onTable(List.of(), YOUNG);
    assertThat(addresses()).containsExactlyInAnyOrder("1", "2");
  }

  @Test
  void whatIsDeregistered_isGoneAtOnce() {
    guard.onTable(instances("1", "2"), SETTLED);
    guard.onTable(List.of(), YOUNG);
    guard.onRemoved("1");
    assertThat(addresses()).containsExactly("2");
  }

  @Test
  void guard_endsWhenTheRegistryHasSettled() {
    guard.onTable(instances("1", "2"), SETTLED);
    guard.onTable(instances("1"), YOUNG);
    guard.onRegistry(SETTLED);
    assertThat(addresses()).containsExactly("1");
    assertThat(guard.keptCount()).isZero();
  }

  @Test
  void firstTableOfAYoungRegistry_isTakenAsItIs() {
    guard.onTable(instances("1"), YOUNG);
    assertThat(addresses()).containsExactly("1");
    assertThat(guard.keptCount()).isZero();
  }

  private Set<String> addresses() {
    return guard.instances().keySet();
  }

  private static List<Instance> instances(String... addresses) {
    return Stream.of(addresses).map(EmptyingGuardTest::instance).toList();
  }

  private static Instance instance(String address) {
    return new Instance("echo", address, 1, 0, Map.of(), Health.HEALTHY, LoadReport.UNKNOWN);
  }
}
