package dev.waymark.xds;

/** An assignment that cannot be used, and why, in words for both sides. */
final class BadAssignmentException extends Exception {
  BadAssignmentException(String why) {
    super(why, null, false, false);
  }

  String why() {
    return String.valueOf(getMessage());
  }
}
