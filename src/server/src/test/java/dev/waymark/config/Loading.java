package dev.waymark.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Loads configurations from text. No name server is asked: only {@code localhost} resolves. */
final class Loading {
  private Loading() {}

  static LoadedConfig file(String text) {
    return file(text, Map.of(), Map.of());
  }

  static LoadedConfig file(
      String text, Map<String, String> flags, Map<String, String> environment) {
    return file(text.getBytes(StandardCharsets.UTF_8), flags, environment);
  }

  static LoadedConfig file(
      Schema schema, String text, Map<String, String> flags, Map<String, String> environment) {
    return file(schema, text.getBytes(StandardCharsets.UTF_8), flags, environment);
  }

  static LoadedConfig file(
      byte[] bytes, Map<String, String> flags, Map<String, String> environment) {
    return file(Schema.BRIDGE, bytes, flags, environment);
  }

  private static LoadedConfig file(
      Schema schema, byte[] bytes, Map<String, String> flags, Map<String, String> environment) {
    Problems problems = new Problems();
    Values values = FileWalk.read(schema, "waymark.yml", bytes, problems);
    return ConfigLoader.load(schema, values, flags, environment, Loading::resolve, problems);
  }

  static LoadedConfig flags(Map<String, String> flags, Map<String, String> environment) {
    return ConfigLoader.load(
        Schema.BRIDGE, new Values(), flags, environment, Loading::resolve, new Problems());
  }

  private static InetAddress resolve(String host) throws UnknownHostException {
    if (host.equals("localhost")) {
      return InetAddress.getLoopbackAddress();
    }
    throw new UnknownHostException(host);
  }
}
