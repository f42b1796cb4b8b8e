package dev.waymark.cli;

import dev.waymark.bridge.Version;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. Stateless. */
final class VersionText implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      "waymark " + Version.current() + " (Java " + Runtime.version().feature() + ")"
    };
  }
}
