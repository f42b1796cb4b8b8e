package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.waymark.api.http.Reply;
import dev.waymark.api.http.Route;
import java.util.List;
import java.util.Map;

/** {@code POST /reload} of the admin port. Stateless. */
final class ReloadRoute {
  private ReloadRoute() {}

  static Route of(Reload reload) {
    return Route.post("/reload", "apply the changes in the file", _ -> reply(reload.onRequest()));
  }

  private static Reply reply(Reload.Outcome outcome) {
    return switch (outcome) {
      case Reload.Outcome.Applied(List<String> changes) ->
          Reply.json(200, Map.of("applied", changes));
      case Reload.Outcome.Refused(String message) -> text(422, message);
      case Reload.Outcome.Failed(String message) -> text(500, message);
      case Reload.Outcome.Impossible(String why) -> text(409, why);
    };
  }

  /** Plain text, the same as at start, so that the same people and tools can read it. */
  private static Reply text(int status, String message) {
    return new Reply(status, "text/plain; charset=utf-8", (message + "\n").getBytes(UTF_8));
  }
}
