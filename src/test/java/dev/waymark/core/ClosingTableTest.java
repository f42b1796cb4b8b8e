package dev.waymark.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How a connection ends: event sequences and all their effects. */
class ClosingTableTest {
  /** A world with one connection. */
  private static final class World {
    final Fixtures fixtures;

    @SuppressWarnings("NullAway.Init") // The first event of every row makes it.
    Connection connection;

    World(Fixtures fixtures) {
      this.fixtures = fixtures;
    }

    UpstreamFrame frame() {
      return fixtures.frame(connection);
    }
  }

  private record Event(String name, Consumer<World> action) {
    @Override
    public String toString() {
      return name;
    }
  }

  private record Row(
      String description, List<Event> events, List<String> effects, CloseReason reason) {
    @Override
    public String toString() {
      return description + " " + events;
    }
  }

  private static Event event(String name, Consumer<World> action) {
    return new Event(name, action);
  }

  private static Event frame(String name, Consumer<UpstreamFrame> fields) {
    return event(
        name,
        world -> {
          UpstreamFrame frame = world.frame();
          fields.accept(frame);
          world.fixtures.receive(frame);
        });
  }

  private static Event pass(long ms) {
    return event("pass " + ms + " ms", world -> world.fixtures.passMs(ms));
  }

  private static Event closeWith(CloseReason reason) {
    return frame("Close(" + reason + ")", frame -> frame.close(reason.wireCode()));
  }

  private static Event breach(CloseReason reason) {
    return event(
        "client breach " + reason,
        world -> world.connection.onClientBreach(world.fixtures.nowNs, reason));
  }

  private static final Event OPEN =
      event(
          "OPEN",
          world -> {
            world.fixtures.attachedLane();
            world.connection = world.fixtures.accept();
            world.fixtures.takeEffects();
          });
  private static final Event OPEN_PLAIN =
      event(
          "OPEN_PLAIN",
          world -> {
            world.fixtures.upstreams("a:1");
            world.fixtures.lane().onReady(world.fixtures.nowNs);
            world.connection = world.fixtures.accept();
            world.fixtures.receive(world.frame());
            world.fixtures.takeEffects();
          });
  private static final Event WAIT =
      event(
          "WAIT",
          world -> {
            world.connection = world.fixtures.accept();
            world.fixtures.takeEffects();
          });
  private static final Event ATTACH =
      event(
          "ATTACH",
          world -> {
            world.fixtures.attachedLane();
            world.fixtures.effects.removeIf(
                effect -> effect.startsWith("connect") || effect.startsWith("Hello"));
          });
  private static final Event DATA =
      event(
          "DATA",
          world -> world.connection.onClientBytes(world.fixtures.nowNs, Fixtures.bytes(10), false));
  private static final Event FIN =
      event("FIN", world -> world.connection.onClientEnd(world.fixtures.nowNs));
  private static final Event RST =
      event(
          "RST",
          world -> world.connection.onClientLost(world.fixtures.nowNs, CloseReason.CLIENT_RESET));
  private static final Event TIMED_OUT =
      event(
          "TIMED_OUT",
          world -> world.connection.onClientLost(world.fixtures.nowNs, CloseReason.CLIENT_TIMEOUT));
  private static final Event REPLY =
      frame("REPLY", frame -> frame.payload(Fixtures.bytes(10)).consumed(10));
  private static final Event BIG_REPLY =
      frame("BIG_REPLY", frame -> frame.payload(Fixtures.bytes(45)));
  private static final Event UPSTREAM_FIN = frame("UPSTREAM_FIN", frame -> frame.halfClose(true));
  private static final Event REPLY_FIN =
      frame("REPLY_FIN", frame -> frame.payload(Fixtures.bytes(10)).consumed(10).halfClose(true));
  private static final Event HALF_COMMIT =
      frame("HALF_COMMIT", frame -> frame.payload(Fixtures.bytes(10)).more(true));
  private static final Event OVERRUN = frame("OVERRUN", frame -> frame.payload(Fixtures.bytes(51)));
  private static final Event OVERRUN_CLOSE =
      frame("OVERRUN_CLOSE", frame -> frame.payload(Fixtures.bytes(51)).close(1));
  private static final Event CONSUMED_BEYOND =
      frame("CONSUMED_BEYOND", frame -> frame.consumed(11));
  private static final Event NEXT_EPOCH = frame("NEXT_EPOCH", frame -> frame.epoch(1));
  private static final Event CONSUME = frame("CONSUME", frame -> frame.consumed(10));
  private static final Event LANE_LOST =
      event("LANE_LOST", world -> world.fixtures.lane().onBroken(world.fixtures.nowNs, "test"));
  private static final Event BACK =
      event(
          "BACK",
          world -> {
            world.fixtures.passMs(2_000);
            world.fixtures.lane().onReady(world.fixtures.nowNs);
            world.fixtures.receive(
                new UpstreamFrame().clear().control(new UpstreamControl.Settings(1, 0, false)));
            world.fixtures.effects.removeIf(
                effect -> effect.startsWith("connect") || effect.startsWith("Hello"));
          });
  private static final Event SETTINGS =
      event(
          "SETTINGS",
          world ->
              world.fixtures.receive(
                  new UpstreamFrame().clear().control(new UpstreamControl.Settings(1, 0, false))));
  private static final Event PONG =
      event(
          "PONG",
          world ->
              world.fixtures.receive(
                  new UpstreamFrame().clear().control(new UpstreamControl.Pong(1))));
  private static final Event KERNEL_FULL =
      event("KERNEL_FULL", world -> world.fixtures.isKernelFull = true);
  private static final Event DRAIN =
      event(
          "DRAIN",
          world -> {
            world.fixtures.isKernelFull = false;
            world.fixtures.sockets.getLast().drain();
          });
  private static final Event STOP =
      event("STOP", world -> world.fixtures.shard.stop(world.fixtures.nowNs));
  private static final Event BUDGET = event("BUDGET", world -> world.fixtures.budget.add(20_000));
  private static final Event OPERATOR =
      event(
          "OPERATOR",
          world ->
              world.connection.endByBridge(
                  world.fixtures.nowNs, CloseReason.OPERATOR, CloseReason.Origin.BRIDGE));

  private static Row row(
      String description, List<Event> events, CloseReason reason, String... effects) {
    return new Row(description, events, List.of(effects), reason);
  }

  static Stream<Row> rows() {
    List<Row> rows = new ArrayList<>();
    rows.add(
        row(
            "client ends first, all answered",
            List.of(OPEN, DATA, FIN, REPLY_FIN),
            CloseReason.DONE,
            "data 0+10",
            "HalfClose 10",
            "written 10",
            "FIN",
            "Close DONE",
            "close",
            "closed DONE by CLIENT"));
    rows.add(
        row(
            "upstream ends first",
            List.of(OPEN, DATA, REPLY_FIN, FIN),
            CloseReason.DONE,
            "data 0+10",
            "written 10",
            "FIN",
            "HalfClose 10",
            "Close DONE",
            "close",
            "closed DONE by UPSTREAM"));
    rows.add(
        row(
            "both ended, the last byte not consumed",
            List.of(OPEN, DATA, FIN, UPSTREAM_FIN, CONSUME),
            CloseReason.DONE,
            "data 0+10",
            "HalfClose 10",
            "FIN",
            "Close DONE",
            "close",
            "closed DONE by CLIENT"));
    rows.add(
        row(
            "both ended, the last reply not written",
            List.of(OPEN, DATA, KERNEL_FULL, REPLY_FIN, FIN, DRAIN),
            CloseReason.DONE,
            "data 0+10",
            "HalfClose 10",
            "written 10",
            "Close DONE",
            "close",
            "closed DONE by UPSTREAM"));
    rows.add(
        row(
            "upstream without Settings",
            List.of(OPEN_PLAIN, DATA, FIN, UPSTREAM_FIN),
            CloseReason.DONE,
            "data 0+10",
            "HalfClose 10",
            "FIN",
            "Close DONE",
            "close",
            "closed DONE by CLIENT"));
    rows.add(
        row(
            "client resets",
            List.of(OPEN, DATA, RST),
            CloseReason.CLIENT_RESET,
            "data 0+10",
            "Close CLIENT_RESET",
            "RST",
            "closed CLIENT_RESET by CLIENT"));
    rows.add(
        row(
            "client's host is gone",
            List.of(OPEN, TIMED_OUT),
            CloseReason.CLIENT_TIMEOUT,
            "Close CLIENT_TIMEOUT",
            "RST",
            "closed CLIENT_TIMEOUT by CLIENT"));
    rows.add(
        row(
            "the first reason wins",
            List.of(OPEN, RST, OVERRUN, LANE_LOST),
            CloseReason.CLIENT_RESET,
            "Close CLIENT_RESET",
            "RST",
            "closed CLIENT_RESET by CLIENT"));
    rows.add(
        row(
            "client resets while waiting",
            List.of(WAIT, DATA, RST),
            CloseReason.CLIENT_RESET,
            "RST",
            "closed CLIENT_RESET by CLIENT"));
    rows.add(
        row(
            "FIN while waiting, then an upstream",
            List.of(WAIT, DATA, FIN, ATTACH, REPLY_FIN),
            CloseReason.DONE,
            "Open",
            "data 0+10",
            "HalfClose 10",
            "written 10",
            "FIN",
            "Close DONE",
            "close",
            "closed DONE by CLIENT"));
    rows.add(
        row(
            "FIN while waiting, and nobody comes",
            List.of(WAIT, FIN, pass(5200)),
            CloseReason.NO_UPSTREAM,
            "FIN",
            "close",
            "closed NO_UPSTREAM by BRIDGE"));
    rows.add(
        row(
            "nobody comes and the client stays",
            List.of(WAIT, DATA, pass(5200), pass(10_200)),
            CloseReason.NO_UPSTREAM,
            "FIN",
            "RST",
            "closed NO_UPSTREAM by BRIDGE"));
    rows.add(
        row(
            "upstream closes cleanly, bytes queued",
            List.of(OPEN, FIN, KERNEL_FULL, BIG_REPLY, closeWith(CloseReason.DONE), DRAIN),
            CloseReason.DONE,
            "HalfClose 0",
            "written 45",
            "close",
            "closed DONE by UPSTREAM"));
    rows.add(
        row(
            "upstream closes cleanly, client ends later",
            List.of(OPEN, closeWith(CloseReason.DONE), DATA, FIN),
            CloseReason.DONE,
            "FIN",
            "close",
            "closed DONE by UPSTREAM"));
    rows.add(
        row(
            "upstream aborts, bytes queued",
            List.of(OPEN, KERNEL_FULL, BIG_REPLY, closeWith(CloseReason.ABORT)),
            CloseReason.ABORT,
            "RST",
            "closed ABORT by UPSTREAM"));
    for (CloseReason refusal :
        List.of(CloseReason.BUSY, CloseReason.NOT_HERE, CloseReason.SHUTTING_DOWN)) {
      rows.add(
          row(
              "upstream refuses, and takes it later",
              List.of(OPEN, DATA, closeWith(refusal), pass(200), FIN, CONSUME, UPSTREAM_FIN),
              CloseReason.DONE,
              "data 0+10",
              "Open",
              "data 0+10",
              "HalfClose 10",
              "FIN",
              "Close DONE",
              "close",
              "closed DONE by CLIENT"));
    }
    rows.add(
        row(
            "lane lost, bytes queued",
            List.of(OPEN_PLAIN, FIN, KERNEL_FULL, BIG_REPLY, LANE_LOST, DRAIN),
            CloseReason.UPSTREAM_LOST,
            "HalfClose 0",
            "pause",
            "resume",
            "written 45",
            "close",
            "closed UPSTREAM_LOST by UPSTREAM"));
    rows.add(
        row(
            "lane lost in the middle of a commit",
            List.of(OPEN_PLAIN, HALF_COMMIT, LANE_LOST, FIN),
            CloseReason.UPSTREAM_LOST,
            "FIN",
            "close",
            "closed UPSTREAM_LOST by UPSTREAM"));
    rows.add(
        row(
            "lane lost, another owner answers",
            List.of(OPEN, DATA, FIN, LANE_LOST, BACK, REPLY_FIN),
            CloseReason.DONE,
            "data 0+10",
            "HalfClose 10",
            "Open",
            "data 0+10",
            "HalfClose 10",
            "written 10",
            "FIN",
            "Close DONE",
            "close",
            "closed DONE by CLIENT"));
    rows.add(
        row(
            "lane lost when all was done but written",
            List.of(OPEN, DATA, FIN, KERNEL_FULL, REPLY_FIN, LANE_LOST, DRAIN),
            CloseReason.DONE,
            "data 0+10",
            "HalfClose 10",
            "written 10",
            "close",
            "closed DONE by CLIENT"));
    rows.add(
        row(
            "a request that kills every owner",
            List.of(OPEN, DATA, LANE_LOST, BACK, LANE_LOST, BACK, LANE_LOST, FIN),
            CloseReason.POISON,
            "data 0+10",
            "Open",
            "data 0+10",
            "Open",
            "data 0+10",
            "FIN",
            "close",
            "closed POISON by CLIENT"));
    rows.add(
        row(
            "commit never completed",
            List.of(OPEN, HALF_COMMIT, pass(5000), PONG, pass(5200)),
            CloseReason.COMMIT_INCOMPLETE,
            "Ping",
            "Ping",
            "Close COMMIT_INCOMPLETE",
            "RST",
            "closed COMMIT_INCOMPLETE by UPSTREAM"));
    rows.add(
        row(
            "upstream goes past its limit",
            List.of(OPEN, OVERRUN),
            CloseReason.FLOW_CONTROL,
            "Close FLOW_CONTROL",
            "RST",
            "closed FLOW_CONTROL by UPSTREAM"));
    rows.add(
        row(
            "a Close is not answered, whatever else is wrong with it",
            List.of(OPEN, OVERRUN_CLOSE),
            CloseReason.FLOW_CONTROL,
            "RST",
            "closed FLOW_CONTROL by UPSTREAM"));
    rows.add(
        row(
            "consumed beyond what was sent",
            List.of(OPEN, DATA, CONSUMED_BEYOND),
            CloseReason.FLOW_CONTROL,
            "data 0+10",
            "Close FLOW_CONTROL",
            "RST",
            "closed FLOW_CONTROL by UPSTREAM"));
    rows.add(
        row(
            "an endless commit without Settings",
            List.of(
                OPEN_PLAIN,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT),
            CloseReason.FLOW_CONTROL,
            "Close FLOW_CONTROL",
            "RST",
            "closed FLOW_CONTROL by UPSTREAM"));
    rows.add(
        row(
            "an epoch to come",
            List.of(OPEN, NEXT_EPOCH),
            CloseReason.PROTOCOL,
            "Close PROTOCOL",
            "RST",
            "closed PROTOCOL by UPSTREAM"));
    rows.add(
        row(
            "bytes after the end",
            List.of(OPEN, DATA, UPSTREAM_FIN, REPLY),
            CloseReason.PROTOCOL,
            "data 0+10",
            "FIN",
            "Close PROTOCOL",
            "RST",
            "closed PROTOCOL by UPSTREAM"));
    rows.add(
        row(
            "the client does not read",
            List.of(OPEN_PLAIN, KERNEL_FULL, BIG_REPLY, BIG_REPLY),
            CloseReason.SLOW_CLIENT,
            "pause",
            "Close SLOW_CLIENT",
            "RST",
            "closed SLOW_CLIENT by UPSTREAM"));
    rows.add(
        row(
            "Settings after other frames",
            List.of(OPEN_PLAIN, SETTINGS, FIN),
            CloseReason.SETTINGS_LATE,
            "cancel SETTINGS_LATE",
            "FIN",
            "close",
            "closed SETTINGS_LATE by UPSTREAM"));
    rows.add(
        row(
            "far over the budget",
            List.of(OPEN, KERNEL_FULL, BIG_REPLY, BUDGET, pass(200)),
            CloseReason.OVERLOAD,
            "accept no more",
            "pause",
            "Close OVERLOAD",
            "RST",
            "closed OVERLOAD by BRIDGE"));
    rows.add(
        row(
            "far over the budget by an unfinished commit",
            List.of(OPEN, HALF_COMMIT, BUDGET, pass(200)),
            CloseReason.OVERLOAD,
            "accept no more",
            "pause",
            "Close OVERLOAD",
            "RST",
            "closed OVERLOAD by BRIDGE"));
    rows.add(
        row(
            "the bridge stops",
            List.of(OPEN, STOP, FIN),
            CloseReason.BRIDGE_STOPPED,
            "Close BRIDGE_STOPPED",
            "FIN",
            "finish a:1",
            "close",
            "closed BRIDGE_STOPPED by BRIDGE"));
    rows.add(
        row(
            "the bridge stops, a connection waits",
            List.of(WAIT, DATA, STOP, FIN),
            CloseReason.BRIDGE_STOPPED,
            "FIN",
            "close",
            "closed BRIDGE_STOPPED by BRIDGE"));
    for (CloseReason reason :
        List.of(
            CloseReason.FRAME_TOO_LONG, CloseReason.FRAME_INCOMPLETE, CloseReason.FRAME_INVALID)) {
      rows.add(
          row(
              "client breaks the framing",
              List.of(OPEN, breach(reason), FIN),
              reason,
              "Close " + reason,
              "FIN",
              "close",
              "closed " + reason + " by CLIENT"));
    }
    rows.add(
        row(
            "an operator closes it",
            List.of(OPEN, OPERATOR, FIN),
            CloseReason.OPERATOR,
            "Close OPERATOR",
            "FIN",
            "close",
            "closed OPERATOR by BRIDGE"));
    return rows.stream();
  }

  @ParameterizedTest
  @MethodSource("rows")
  void connection_afterEvents_hasTheseEffects(Row row) {
    World world = new World(new Fixtures());
    row.events()
        .forEach(event -> {
          event.action().accept(world);
          world.fixtures.endTurn();
        });
    assertThat(world.fixtures.effects)
        .as(() -> row + " " + world.fixtures.shard.connections(9))
        .containsExactly(row.effects().toArray(new String[0]));
    assertThat(world.fixtures.shard.connectionCount()).isZero();
  }

  @Test
  void table_asAWhole_reachesEveryReasonOfAConnection() {
    Set<CloseReason> missing = EnumSet.allOf(CloseReason.class);
    rows().forEach(row -> missing.remove(row.reason()));
    // Those of the clocks and of refusals have tests of their own in MovingTest, ConnectionTest and
    // LaneTest; FENCED and MOVED end attachments, never a connection.
    assertThat(missing)
        .containsExactlyInAnyOrder(
            CloseReason.BUSY,
            CloseReason.NOT_HERE,
            CloseReason.SHUTTING_DOWN,
            CloseReason.FENCED,
            CloseReason.IDLE_TIMEOUT,
            CloseReason.UNKNOWN_CONNECTION,
            CloseReason.WINDOW_STALLED,
            CloseReason.INTERNAL,
            CloseReason.MOVED,
            // ConnectionAgeTest
            CloseReason.CONNECTION_AGE);
  }
}
