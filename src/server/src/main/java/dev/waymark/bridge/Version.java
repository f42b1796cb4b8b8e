package dev.waymark.bridge;

/** Which version of the program this is. Stateless. */
public final class Version {
  /** For a run from class files, where there is no manifest. */
  private static final String UNPACKED = "development";

  private Version() {}

  /** {@code 0.1.0} or similar. */
  public static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? UNPACKED : version;
  }
}
