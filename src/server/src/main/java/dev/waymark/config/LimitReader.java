package dev.waymark.config;

import dev.waymark.net.admission.Network;
import dev.waymark.net.admission.Rate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the limits of a listener for clients, with their files. Confined to one load. */
final class LimitReader {
  static final int NETWORKS_MAX = 100_000;

  /** Room for a comment in every line. */
  private static final int BYTES_MAX = 16 * 1024 * 1024;

  private final Settings settings;

  LimitReader(Settings settings) {
    this.settings = settings;
  }

  /** Returns the values of a listener with the contents of its files. */
  KeyValues<ListenerConfig> read(KeyValues<ListenerConfig> values, int i) {
    checkRamp(i);
    KeyValues<ListenerConfig> all = values;
    for (Key<ListenerConfig, NetworkFile> key : LimitKeys.FILES) {
      Optional<Setting<NetworkFile>> file = settings.find(key, i);
      if (file.isPresent()) {
        NetworkFile read = contents(file.get());
        // What fails to write the file must not open the listener to everybody.
        boolean isRead = read != file.get().value();
        if (key == LimitKeys.ALLOWED_FILE && isRead && read.networks().isEmpty()) {
          settings.refuse(
              file.get(), "a file with a network", "; remove the key to let everybody in");
        }
        all = all.with(key, read);
      }
    }
    return all;
  }

  private void checkRamp(int i) {
    Setting<Duration> ramp = settings.get(LimitKeys.ACCEPT_RAMP, i);
    Setting<Optional<Rate>> rate = settings.get(LimitKeys.ACCEPT_RATE, i);
    if (ramp.value().isPositive() && rate.value().isEmpty() && !rate.isRefused()) {
      settings.refuse(
          ramp,
          "together with " + LimitKeys.ACCEPT_RATE.name(),
          "; set the rate that it grows to, such as 1000/s");
    }
  }

  private NetworkFile contents(Setting<NetworkFile> file) {
    String path = file.value().path();
    try (InputStream in = Files.newInputStream(Path.of(path))) {
      byte[] bytes = in.readNBytes(BYTES_MAX + 1);
      if (bytes.length > BYTES_MAX) {
        settings.refuse(file, "a file of at most 16MiB");
        return file.value();
      }
      return new NetworkFile(path, networks(file, new String(bytes, StandardCharsets.UTF_8)));
    } catch (InvalidPathException | NoSuchFileException missing) {
      settings.refuse(file, "a file that exists", "; create it or correct the path");
    } catch (AccessDeniedException denied) {
      settings.refuse(file, "a file that this user may read", "; change its mode or owner");
    } catch (IOException broken) {
      settings.refuse(file, "a file that can be read", "; " + broken.getMessage());
    }
    return file.value();
  }

  private List<Network> networks(Setting<NetworkFile> file, String text) {
    List<Network> networks = new ArrayList<>();
    int number = 0;
    for (String line : (Iterable<String>) text.lines()::iterator) {
      number++;
      String entry = entry(line);
      if (entry.isEmpty()) {
        continue;
      }
      if (networks.size() == NETWORKS_MAX) {
        refuse(file, number, "more than 100,000 networks; merge neighbours");
        break;
      }
      try {
        networks.add(Network.read(entry));
      } catch (IllegalArgumentException bad) {
        refuse(file, number, Setting.printable(entry) + " (expected: " + bad.getMessage() + ")");
      }
    }
    return networks;
  }

  private static String entry(String line) {
    int comment = line.indexOf('#');
    String entry = comment < 0 ? line : line.substring(0, comment);
    return (entry.startsWith("\uFEFF") ? entry.substring(1) : entry).strip();
  }

  /** The line names its place in that file, and is sorted by the place of the key. */
  private void refuse(Setting<NetworkFile> file, int number, String what) {
    settings.refuseLine(file, file.value().path() + ":" + number + ": " + what);
  }
}
