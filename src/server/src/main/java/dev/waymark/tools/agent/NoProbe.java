package dev.waymark.tools.agent;

import java.util.function.Consumer;

/** {@code none}: every test passes. Stateless. */
final class NoProbe implements Probe {
  @Override
  public void start(Consumer<Verdict> onVerdict) {
    onVerdict.accept(Verdict.PASSED);
  }

  @Override
  public String giveUp() {
    return "";
  }

  @Override
  public void close() {}
}
