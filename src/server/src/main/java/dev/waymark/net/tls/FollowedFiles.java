package dev.waymark.net.tls;

import java.nio.file.Path;
import java.util.List;

/**
 * Tells when a set of files has changed and come to rest. Files that somebody is still writing, or
 * replacing one after the other, are left alone until two looks in a row see the same. Confined to
 * one thread.
 */
final class FollowedFiles {
  private final List<Path> files;

  /** What was last told to be new. */
  private TlsFiles known;

  private TlsFiles seen;

  FollowedFiles(List<Path> files) {
    this.files = files.stream().distinct().toList();
    this.known = TlsFiles.of(this.files);
    this.seen = known;
  }

  /** Looks at the files; returns whether they are new, which it tells once. Blocks. */
  boolean areNew() {
    TlsFiles now = TlsFiles.of(files);
    boolean areNew = !now.equals(known) && now.equals(seen);
    seen = now;
    if (areNew) {
      known = now;
    }
    return areNew;
  }
}
