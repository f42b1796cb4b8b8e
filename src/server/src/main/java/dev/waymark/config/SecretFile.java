package dev.waymark.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Reads files that only the bridge and its operators may see. Stateless. */
final class SecretFile {
  private static final Set<PosixFilePermission> OTHERS =
      Set.of(
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.OTHERS_EXECUTE);

  private SecretFile() {}

  /**
   * Returns its bytes. Follows symbolic links: what counts is the mode of the file itself.
   *
   * @param isForOthers whether users other than its owner and group may have access
   * @param forOthersKey the key that sets {@code isForOthers}, for the message
   * @throws ConfigException naming the file, if it cannot be read, is too large, or others may read
   *     or change it
   */
  static byte[] bytes(Path file, int bytesMax, boolean isForOthers, Key<?, ?> forOthersKey) {
    return bytes(file, bytesMax, isForOthers, ", or set " + forOthersKey + ": true");
  }

  private static byte[] bytes(Path file, int bytesMax, boolean isForOthers, String orElse) {
    if (Files.isDirectory(file)) {
      throw new ConfigException(file + ": is a directory (expected: a file)");
    }
    try (InputStream in = Files.newInputStream(file)) {
      if (!isForOthers) {
        checkMode(file, orElse);
      }
      byte[] bytes = in.readNBytes(bytesMax + 1);
      if (bytes.length > bytesMax) {
        throw new ConfigException(file + ": larger than " + bytesMax / 1024 + "KiB");
      }
      return bytes;
    } catch (NoSuchFileException missing) {
      throw new ConfigException(file + ": no such file");
    } catch (AccessDeniedException denied) {
      throw new ConfigException(file + ": not readable by this user; change its mode or owner");
    } catch (IOException broken) {
      throw new ConfigException(file + ": cannot be read: " + broken.getMessage());
    }
  }

  /**
   * Returns its bytes; users other than its owner and group may not have access.
   *
   * @throws ConfigException naming the file, if it cannot be read, is too large, or others may read
   *     or change it
   */
  static byte[] bytes(Path file, int bytesMax) {
    return bytes(file, bytesMax, false, "");
  }

  private static void checkMode(Path file, String orElse) throws IOException {
    if (!Files.getFileStore(file).supportsFileAttributeView("posix")) {
      return;
    }
    Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
    if (mode.stream().anyMatch(OTHERS::contains)) {
      throw new ConfigException(
          file
              + ": every user of this host has access (mode "
              + PosixFilePermissions.toString(mode)
              + "); run chmod o= "
              + file
              + orElse);
    }
  }
}
