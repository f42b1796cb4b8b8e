package dev.waymark.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a set of files looked like at one time, to notice that they have changed. Follows symbolic
 * links, so the swap of one, by which Kubernetes updates a mounted Secret, is a change of all files
 * below it. Immutable.
 */
record FileStamps(Map<Path, String> stamps) {
  /** Looks at the files. Blocks. */
  static FileStamps of(List<Path> files) {
    Map<Path, String> stamps = new HashMap<>();
    for (Path file : files) {
      stamps.put(file, stamp(file));
    }
    return new FileStamps(Map.copyOf(stamps));
  }

  private static String stamp(Path file) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.fileKey() + " " + attributes.size() + " " + attributes.lastModifiedTime();
    } catch (IOException unreadable) {
      return "unreadable";
    }
  }
}
