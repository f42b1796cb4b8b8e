package dev.waymark.e2e;

import com.google.gson.JsonParser;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.stream.Stream;

/** A stub in a process of its own. */
final class Stub implements AutoCloseable {
  private static final String READY = "stub serves Attach on (\\S+) .*, admin on http://(\\S+)";

  private final Waymark process;
  private final String address;
  private final AdminPort admin;

  private Stub(Waymark process) {
    this.process = process;
    MatchResult ready = process.awaitLine(READY);
    address = ready.group(1);
    admin = new AdminPort(ready.group(2));
  }

  /** On a port of its own choice. */
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

  /** The connections attached now. */
  List<String> marks() {
    return admin.marks();
  }

  /** Of the connections attached now, by mark. */
  Map<String, Integer> epochs() {
    return admin.epochs();
  }

  /** One of the counts since its start, such as {@code released}. */
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
