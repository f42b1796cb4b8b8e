package dev.waymark.engine.connection;

import static dev.waymark.engine.connection.ClosingRow.row;

import dev.waymark.engine.connection.ClosingRow.Event;
import dev.waymark.engine.shard.Fixtures;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.CloseReason.Origin;
import dev.waymark.protocol.UpstreamControl;
import dev.waymark.protocol.UpstreamFrame;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The table of how connections end: sequences of events with all their effects. Immutable. */
final class ClosingTable {
  private ClosingTable() {}

  // --- events ---

  private static final Event OPEN =
      event(
          "OPEN",
          world -> {
            world.fixtures.acknowledgingLane();
            world.accept();
          });
  private static final Event OPEN_AT_MOST_ONCE =
      event(
          "OPEN_AT_MOST_ONCE",
          world -> {
            world.fixtures.atMostOnceLanes("a:1");
            world.connection = world.fixtures.accept();
            world.fixtures.receive(world.fixtures.frame(world.connection));
            world.fixtures.takeEffects();
          });
  private static final Event WAIT = event("WAIT", ClosingWorld::accept);
  private static final Event ATTACH =
      event(
          "ATTACH",
          world -> {
            world.fixtures.acknowledgingLane();
            world.forgetLanes();
          });
  private static final Event DATA =
      event(
          "DATA",
          world -> world.connection.onClientBytes(world.nowNs(), Fixtures.bytes(10), false));
  private static final Event FIN =
      event("FIN", world -> world.connection.onClientEnd(world.nowNs()));
  private static final Event RST = lost("RST", CloseReason.CLIENT_RESET);
  private static final Event TIMED_OUT = lost("TIMED_OUT", CloseReason.CLIENT_TIMEOUT);
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
      event("LANE_LOST", world -> world.fixtures.lane().onBroken(world.nowNs(), "test"));
  private static final Event BACK =
      event(
          "BACK",
          world -> {
            world.fixtures.passMs(2_000);
            world.fixtures.settings(world.fixtures.lane());
            world.forgetLanes();
          });
  private static final Event SETTINGS =
      event("SETTINGS", world -> world.control(new UpstreamControl.Settings(1, 0, false, false)));
  private static final Event PONG =
      event("PONG", world -> world.control(new UpstreamControl.Pong(1)));
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
      event("STOP", world -> world.fixtures.shard.stop(world.nowNs()));
  private static final Event SMALL_BUDGET =
      event(
          "SMALL_BUDGET",
          world -> {
            world.fixtures = new Fixtures(Fixtures.pool("pool"), 0, 4);
            world.fixtures.holdElsewhere(4);
          });
  private static final Event OPERATOR =
      event(
          "OPERATOR",
          world ->
              world.connection.endByBridge(world.nowNs(), CloseReason.OPERATOR, Origin.BRIDGE));

  private static Event event(String name, Consumer<ClosingWorld> action) {
    return new Event(name, action);
  }

  private static Event frame(String name, Consumer<UpstreamFrame> fields) {
    return event(
        name,
        world -> {
          UpstreamFrame frame = world.fixtures.frame(world.connection);
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

  private static Event lost(String name, CloseReason reason) {
    return event(name, world -> world.connection.onClientLost(world.nowNs(), reason));
  }

  private static Event violation(CloseReason reason) {
    return event(
        "client violation " + reason,
        world -> world.connection.onClientViolation(world.nowNs(), reason));
  }

  // --- rows ---

  static Stream<ClosingRow> rows() {
    return Stream.of(
            ends(),
            clientLosses(),
            framingViolations(),
            waits(),
            upstreamCloses(),
            refusals(),
            laneLosses(),
            violations(),
            bridgeOnlyReasons(),
            bridgeCloses())
        .flatMap(rows -> rows);
  }

  /** Both sides end their streams. */
  private static Stream<ClosingRow> ends() {
    return Stream.of(
        row("client ends first, all answered")
            .after(OPEN, DATA, FIN, REPLY_FIN)
            .shows("data 0+10, HalfClose 10, written 10, FIN, Close DONE, close")
            .ends(CloseReason.DONE, Origin.CLIENT),
        row("upstream ends first")
            .after(OPEN, DATA, REPLY_FIN, FIN)
            .shows("data 0+10, written 10, FIN, HalfClose 10, Close DONE, close")
            .ends(CloseReason.DONE, Origin.UPSTREAM),
        row("both ended, the last byte not consumed")
            .after(OPEN, DATA, FIN, UPSTREAM_FIN, CONSUME)
            .shows("data 0+10, HalfClose 10, FIN, Close DONE, close")
            .ends(CloseReason.DONE, Origin.CLIENT),
        row("both ended, the last reply not written")
            .after(OPEN, DATA, KERNEL_FULL, REPLY_FIN, FIN, DRAIN)
            .shows("data 0+10, HalfClose 10, written 10, Close DONE, close")
            .ends(CloseReason.DONE, Origin.UPSTREAM),
        row("upstream without Settings")
            .after(OPEN_AT_MOST_ONCE, DATA, FIN, UPSTREAM_FIN)
            .shows("data 0+10, HalfClose 10, FIN, Close DONE, close")
            .ends(CloseReason.DONE, Origin.CLIENT));
  }

  /** The client is lost. */
  private static Stream<ClosingRow> clientLosses() {
    return Stream.of(
        row("client resets")
            .after(OPEN, DATA, RST)
            .shows("data 0+10, Close CLIENT_RESET, RST")
            .ends(CloseReason.CLIENT_RESET, Origin.CLIENT),
        row("client times out")
            .after(OPEN, TIMED_OUT)
            .shows("Close CLIENT_TIMEOUT, RST")
            .ends(CloseReason.CLIENT_TIMEOUT, Origin.CLIENT),
        row("the first reason wins")
            .after(OPEN, RST, OVERRUN, LANE_LOST)
            .shows("Close CLIENT_RESET, RST")
            .ends(CloseReason.CLIENT_RESET, Origin.CLIENT));
  }

  /** The client breaks the framing. */
  private static Stream<ClosingRow> framingViolations() {
    return Stream.of(
            CloseReason.FRAME_TOO_LONG, CloseReason.FRAME_INCOMPLETE, CloseReason.FRAME_INVALID)
        .map(reason ->
            row("client breaks the framing")
                .after(OPEN, violation(reason), FIN)
                .shows("Close " + reason + ", FIN, close")
                .ends(reason, Origin.CLIENT));
  }

  /** The connection waits for its first owner. */
  private static Stream<ClosingRow> waits() {
    return Stream.of(
        row("client resets while waiting")
            .after(WAIT, DATA, RST)
            .shows("RST")
            .ends(CloseReason.CLIENT_RESET, Origin.CLIENT),
        row("FIN while waiting, then an upstream")
            .after(WAIT, DATA, FIN, ATTACH, REPLY_FIN)
            .shows("Open, data 0+10, HalfClose 10, written 10, FIN, Close DONE, close")
            .ends(CloseReason.DONE, Origin.CLIENT),
        row("FIN while waiting, and no upstream comes")
            .after(WAIT, FIN, pass(5200))
            .shows("FIN, close")
            .ends(CloseReason.NO_UPSTREAM, Origin.BRIDGE),
        row("no upstream comes, and the client stays")
            .after(WAIT, DATA, pass(5200), pass(10_200))
            .shows("FIN, RST")
            .ends(CloseReason.NO_UPSTREAM, Origin.BRIDGE));
  }

  /** The upstream closes the connection. */
  private static Stream<ClosingRow> upstreamCloses() {
    return Stream.of(
        row("upstream closes cleanly, bytes queued")
            .after(OPEN, FIN, KERNEL_FULL, BIG_REPLY, closeWith(CloseReason.DONE), DRAIN)
            .shows("HalfClose 0, written 45, close")
            .ends(CloseReason.DONE, Origin.UPSTREAM),
        row("upstream closes cleanly, client ends later")
            .after(OPEN, closeWith(CloseReason.DONE), DATA, FIN)
            .shows("FIN, close")
            .ends(CloseReason.DONE, Origin.UPSTREAM),
        row("upstream aborts, bytes queued")
            .after(OPEN, KERNEL_FULL, BIG_REPLY, closeWith(CloseReason.ABORT))
            .shows("RST")
            .ends(CloseReason.ABORT, Origin.UPSTREAM));
  }

  /** The upstream refuses the connection. */
  private static Stream<ClosingRow> refusals() {
    return Stream.of(CloseReason.BUSY, CloseReason.NOT_HERE, CloseReason.SHUTTING_DOWN)
        .map(refusal ->
            row("upstream refuses, and accepts later")
                .after(OPEN, DATA, closeWith(refusal), pass(200), FIN, CONSUME, UPSTREAM_FIN)
                .shows("data 0+10, Open, data 0+10, HalfClose 10, FIN, Close DONE, close")
                .ends(CloseReason.DONE, Origin.CLIENT));
  }

  /** A lane breaks. */
  private static Stream<ClosingRow> laneLosses() {
    return Stream.of(
        row("lane lost, bytes queued")
            .after(OPEN_AT_MOST_ONCE, FIN, KERNEL_FULL, BIG_REPLY, LANE_LOST, DRAIN)
            .shows("HalfClose 0, pause, resume, written 45, close")
            .ends(CloseReason.UPSTREAM_LOST, Origin.UPSTREAM),
        row("lane lost in the middle of a commit")
            .after(OPEN_AT_MOST_ONCE, HALF_COMMIT, LANE_LOST, FIN)
            .shows("FIN, close")
            .ends(CloseReason.UPSTREAM_LOST, Origin.UPSTREAM),
        row("lane lost, another owner answers")
            .after(OPEN, DATA, FIN, LANE_LOST, BACK, REPLY_FIN)
            .shows(
                "data 0+10, HalfClose 10, Open, data 0+10, HalfClose 10, written 10, FIN, "
                    + "Close DONE, close")
            .ends(CloseReason.DONE, Origin.CLIENT),
        row("lane lost when all is done but not written")
            .after(OPEN, DATA, FIN, KERNEL_FULL, REPLY_FIN, LANE_LOST, DRAIN)
            .shows("data 0+10, HalfClose 10, written 10, close")
            .ends(CloseReason.DONE, Origin.CLIENT),
        row("a request that kills every owner")
            .after(OPEN, DATA, LANE_LOST, BACK, LANE_LOST, BACK, LANE_LOST, FIN)
            .shows("data 0+10, Open, data 0+10, Open, data 0+10, FIN, close")
            .ends(CloseReason.POISON, Origin.CLIENT));
  }

  /** The upstream violates the protocol. */
  private static Stream<ClosingRow> violations() {
    return Stream.of(
        row("commit never completed")
            .after(OPEN, HALF_COMMIT, pass(5000), PONG, pass(5200))
            .shows("Ping, Ping, Close COMMIT_INCOMPLETE, RST")
            .ends(CloseReason.COMMIT_INCOMPLETE, Origin.UPSTREAM),
        row("upstream goes past its limit")
            .after(OPEN, OVERRUN)
            .shows("Close FLOW_CONTROL, RST")
            .ends(CloseReason.FLOW_CONTROL, Origin.UPSTREAM),
        row("a Close is not answered, even with a violation")
            .after(OPEN, OVERRUN_CLOSE)
            .shows("RST")
            .ends(CloseReason.FLOW_CONTROL, Origin.UPSTREAM),
        row("consumed beyond what was sent")
            .after(OPEN, DATA, CONSUMED_BEYOND)
            .shows("data 0+10, Close FLOW_CONTROL, RST")
            .ends(CloseReason.FLOW_CONTROL, Origin.UPSTREAM),
        row("an endless commit without Settings")
            .after(
                OPEN_AT_MOST_ONCE,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT,
                HALF_COMMIT)
            .shows("Close FLOW_CONTROL, RST")
            .ends(CloseReason.FLOW_CONTROL, Origin.UPSTREAM),
        row("a future epoch")
            .after(OPEN, NEXT_EPOCH)
            .shows("Close PROTOCOL, RST")
            .ends(CloseReason.PROTOCOL, Origin.UPSTREAM),
        row("bytes after the end")
            .after(OPEN, DATA, UPSTREAM_FIN, REPLY)
            .shows("data 0+10, FIN, Close PROTOCOL, RST")
            .ends(CloseReason.PROTOCOL, Origin.UPSTREAM),
        row("half-close sent twice")
            .after(OPEN, DATA, UPSTREAM_FIN, UPSTREAM_FIN, CONSUME, FIN)
            .shows("data 0+10, FIN, HalfClose 10, Close DONE, close")
            .ends(CloseReason.DONE, Origin.UPSTREAM),
        row("the client does not read")
            .after(OPEN_AT_MOST_ONCE, KERNEL_FULL, BIG_REPLY, BIG_REPLY)
            .shows("pause, Close SLOW_CLIENT, RST")
            .ends(CloseReason.SLOW_CLIENT, Origin.UPSTREAM),
        row("Settings after other frames")
            .after(OPEN_AT_MOST_ONCE, SETTINGS, FIN)
            .shows("cancel SETTINGS_LATE, FIN, close")
            .ends(CloseReason.SETTINGS_LATE, Origin.UPSTREAM));
  }

  /** The upstream sends a reason that only a bridge may send. */
  private static Stream<ClosingRow> bridgeOnlyReasons() {
    return Stream.of(CloseReason.FENCED, CloseReason.MOVED, CloseReason.UNKNOWN_CONNECTION)
        .map(reason ->
            row("upstream closes with " + reason)
                .after(OPEN, DATA, closeWith(reason))
                .shows("data 0+10, RST")
                .ends(CloseReason.PROTOCOL, Origin.UPSTREAM));
  }

  /** The bridge or its operator ends the connection. */
  private static Stream<ClosingRow> bridgeCloses() {
    return Stream.of(
        row("far over the budget")
            .after(SMALL_BUDGET, OPEN, KERNEL_FULL, BIG_REPLY)
            .shows("pause accepting, pause, Close OVERLOAD, RST")
            .ends(CloseReason.OVERLOAD, Origin.BRIDGE),
        row("far over the budget by an unfinished commit")
            .after(SMALL_BUDGET, OPEN, HALF_COMMIT)
            .shows("pause accepting, pause, Close OVERLOAD, RST")
            .ends(CloseReason.OVERLOAD, Origin.BRIDGE),
        row("the bridge stops")
            .after(OPEN, STOP, FIN)
            .shows("Close BRIDGE_STOPPED, FIN, finish a:1, close")
            .ends(CloseReason.BRIDGE_STOPPED, Origin.BRIDGE),
        row("the bridge stops, a connection waits")
            .after(WAIT, DATA, STOP, FIN)
            .shows("FIN, close")
            .ends(CloseReason.BRIDGE_STOPPED, Origin.BRIDGE),
        row("an operator closes it")
            .after(OPEN, OPERATOR, FIN)
            .shows("Close OPERATOR, FIN, close")
            .ends(CloseReason.OPERATOR, Origin.BRIDGE));
  }
}
