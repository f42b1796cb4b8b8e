package dev.waymark.cli;

import dev.waymark.bridge.Version;
import picocli.CommandLine.IVersionProvider;

/** The output of {@code --version}. Stateless. */
final class VersionText implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      "waymark " + Version.current() + " (Java " + Runtime.version().feature() + ")"
    };
  }
}
