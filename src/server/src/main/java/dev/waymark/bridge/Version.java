package dev.waymark.bridge;

/** The version of the program. Stateless. */
public final class Version {
  /** Used when run from class files, which have no manifest. */
  private static final String UNPACKED = "development";

  private Version() {}

  /** The version, such as {@code 0.1.0}. */
  public static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? UNPACKED : version;
  }
}
