package dev.waymark.files;

import java.nio.file.Path;
import java.util.List;

/**
 * Tells when a set of files has changed and come to rest. Files that somebody is still writing, or
 * replacing one after the other, are left alone until two looks in a row see the same. Confined to
 * one thread.
 */
public final class FollowedFiles {
  /** When files that were refused are tried again: the reason may lie outside of what is seen. */
  private static final long RETRY_MS = 10_000;

  private final List<Path> files;

  /** What was last told to be new. */
  private FileStamps known;

  private FileStamps seen;

  /** Why the known files were refused; empty if they were not. */
  private String refusal = "";

  private long retryAtMs = Long.MAX_VALUE;

  /** Starts from what the files look like now. Blocks. */
  public FollowedFiles(List<Path> files) {
    this.files = files.stream().distinct().toList();
    this.known = FileStamps.of(this.files);
    this.seen = known;
  }

  /**
   * Looks at the files; returns whether to load them: they are new, which it tells once, or it is
   * time to try them again. Blocks.
   */
  public boolean areDue(long nowMs) {
    FileStamps now = FileStamps.of(files);
    boolean areNew = !now.equals(known) && now.equals(seen);
    seen = now;
    if (areNew) {
      known = now;
      refusal = "";
    }
    boolean areDue = areNew || nowMs >= retryAtMs;
    if (areDue) {
      retryAtMs = Long.MAX_VALUE;
    }
    return areDue;
  }

  /** Whether the last two looks, or the only one, saw the same. */
  public boolean areAtRest() {
    return seen.equals(known);
  }

  /** They cannot be used, and are tried again later. Returns whether the problem is a new one. */
  public boolean refuse(String problem, long nowMs) {
    retryAtMs = nowMs + RETRY_MS;
    boolean isNew = !problem.equals(refusal);
    refusal = problem;
    return isNew;
  }
}
