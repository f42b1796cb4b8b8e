package dev.waymark.net.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads files of a bounded size. Stateless. */
final class FileBytes {
  private FileBytes() {}

  /**
   * The content of the file. Blocks.
   *
   * @throws TlsFileException if it cannot be read, or is larger
   */
  static byte[] read(Path file, int bytesMax) throws TlsFileException {
    try (InputStream stream = Files.newInputStream(file)) {
      byte[] bytes = stream.readNBytes(bytesMax + 1);
      if (bytes.length > bytesMax) {
        throw new TlsFileException(file, "larger than " + bytesMax + " bytes");
      }
      return bytes;
    } catch (NoSuchFileException missing) {
      throw new TlsFileException(file, "no such file; check the path");
    } catch (AccessDeniedException denied) {
      throw new TlsFileException(
          file, "permission denied: the user of this process may not read it");
    } catch (IOException failed) {
      throw new TlsFileException(
          file,
          Files.isDirectory(file)
              ? "a directory, not a file"
              : "cannot be read: " + failed.getMessage());
    }
  }
}
