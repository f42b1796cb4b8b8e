package dev.waymark.e2e;

import com.google.gson.JsonParser;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.stream.Stream;

/** A stub in its own process. */
final class Stub implements AutoCloseable {

  private final Waymark process;
  private final String address;
  private final AdminPort admin;

  private Stub(Waymark process) {
    this.process = process;
    MatchResult ready = process.awaitLine(Waymark.STUB_READY);
    address = ready.group(1);
    admin = new AdminPort(ready.group(2));
  }

  /** Starts a stub on an ephemeral port. */
  static Stub start(String... flags) {
    return at("127.0.0.1:0", flags);
  }

  static Stub at(String address, String... flags) {
    return start(Waymark.Launch::quick, address, flags);
  }

  static Stub start(UnaryOperator<Waymark.Launch> setUp, String address, String... flags) {
    String[] line =
        Stream.concat(
                Stream.of("stub", "--admin=127.0.0.1:0", "--listen=" + address), Stream.of(flags))
            .toArray(String[]::new);
    return new Stub(setUp.apply(Waymark.command(line)).start());
  }

  String address() {
    return address;
  }

  AdminPort admin() {
    return admin;
  }

  /** Returns the marks of the attached connections. */
  List<String> marks() {
    return admin.marks();
  }

  /** Returns the epochs of the attached connections, by mark. */
  Map<String, Integer> epochs() {
    return admin.epochs();
  }

  /** Returns a counter since the stub's start, such as {@code released}. */
  long stat(String name) {
    return JsonParser.parseString(admin.get("/stats")).getAsJsonObject().get(name).getAsLong();
  }

  Waymark process() {
    return process;
  }

  @Override
  public void close() {
    process.close();
  }
}
