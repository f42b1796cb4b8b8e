package dev.waymark.cli;

import picocli.CommandLine.IVersionProvider;

/** The version of this build, from the jar's manifest. */
final class Version implements IVersionProvider {
  /** For a run from class files, where there is no manifest. */
  private static final String UNPACKED = "development";

  /** `0.1.0` or similar. */
  static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? UNPACKED : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {"waymark " + current() + " (Java " + Runtime.version().feature() + ")"};
  }
}
