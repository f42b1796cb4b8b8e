package dev.waymark.sim;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import dev.waymark.protocol.CloseReason;
import dev.waymark.sim.checkers.Watcher;
import dev.waymark.sim.history.History.Closing;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;

/**
 * A client and the bridge's socket to it, with a kernel buffer of a few bytes. At random it sends,
 * reads, stops reading, half-closes, resets or leaves.
 */
final class SimClient implements ClientSocket {
  private static final CloseReason[] VIOLATIONS = {
    CloseReason.FRAME_INVALID, CloseReason.FRAME_TOO_LONG, CloseReason.FRAME_INCOMPLETE
  };

  private final Sim sim;
  private final Dice dice;
  private final long sequence;
  private final boolean isFramed;
  private final boolean isByteByByte;
  private final int totalBytes;
  private int kernelBytesMax;
  private final boolean isEndWanted;
  private final ArrayDeque<Piece> queue = new ArrayDeque<>();

  /** A buffer queued in the socket; {@code pushId} is -1 for a reply. */
  private record Piece(ByteBuf payload, int pushId) {
    boolean isPush() {
      return pushId != -1;
    }
  }

  private Connection connection;
  private long flushableBytes;
  private long queuedBytes;
  private long kernelBytes;
  private long takenBytes;
  private long takenPushedBytes;
  private long sentBytes;
  private boolean isEnded;
  private boolean isReadingPaused;
  private boolean isOpen = true;
  private boolean isCloseUnreported;
  private boolean isStopped;
  private boolean isBroken;

  SimClient(Sim sim, long sequence, boolean isFramed) {
    this.sim = sim;
    this.dice = sim.dice();
    this.sequence = sequence;
    this.isFramed = isFramed;
    this.isByteByByte = dice.oneIn(6);
    this.totalBytes =
        dice.oneIn(8) ? 0 : dice.upTo(isByteByByte ? 60 : dice.oneIn(4) ? 6000 : 1500);
    this.kernelBytesMax = 1 + dice.upTo(dice.oneIn(3) ? 8 : 800);
    this.isEndWanted = !dice.oneIn(3);
  }

  void connection(Connection accepted) {
    connection = accepted;
    if (accepted.sequence() != sequence) {
      throw new AssertionError("expected sequence " + sequence + ", got " + accepted.sequence());
    }
  }

  // --- what the client does ---

  void act() {
    if (isCloseUnreported) {
      reportClosed();
    } else if (isOpen) {
      if (sim.strikes(Fault.CLIENT_RESET)) {
        connection.onClientLost(
            sim.nowNs(), dice.oneIn(2) ? CloseReason.CLIENT_RESET : CloseReason.CLIENT_TIMEOUT);
      } else if (sim.strikes(Fault.CLIENT_LEAVES)) {
        gone();
      } else {
        live();
      }
    }
  }

  private void live() {
    if (sim.strikes(Fault.CLIENT_STALL)) {
      isStopped = !isStopped;
    }
    if (isFramed && !isReadingPaused && !isEnded && sim.strikes(Fault.FRAMING_VIOLATION)) {
      violation();
    } else if (!isReadingPaused && dice.oneIn(2)) {
      send(isByteByByte ? 1 : 1 + dice.upTo(300));
    } else if (isEndWanted && !isReadingPaused && isAllSent()) {
      end();
    }
    if (!isStopped) {
      read(1 + dice.upTo(400));
    }
  }

  /** Sends all that is left to send, and reads everything available. */
  void heal() {
    if (isCloseUnreported) {
      reportClosed();
    }
    isStopped = false;
    kernelBytesMax = Integer.MAX_VALUE;
    if (isOpen && !isReadingPaused) {
      send(totalBytes);
    }
    if (isOpen) {
      read(Integer.MAX_VALUE);
    }
  }

  void end() {
    if (isOpen && !isEnded && !isReadingPaused) {
      isEnded = true;
      sim.history().clientFinished(sequence);
      sim.watchers().tell(watcher -> watcher.onClientEnd(sequence));
      connection.onClientEnd(sim.nowNs());
    }
  }

  /** Breaks the framing: nothing that follows can be cut into messages. */
  private void violation() {
    if (!isBroken) {
      isBroken = true;
      sim.history().clientBrokeFraming(sequence);
      sim.watchers().tell(watcher -> watcher.onClientViolation(sequence));
      connection.onClientViolation(sim.nowNs(), VIOLATIONS[dice.upTo(VIOLATIONS.length)]);
    }
  }

  private void send(int most) {
    int bytes = (int) Math.min(most, totalBytes - sentBytes);
    if (bytes <= 0 || isEnded || isBroken) {
      return;
    }
    ByteBuf buffer = sim.buffer(bytes);
    buffer.writeBytes(Watcher.bytesAt(sequence, sentBytes, bytes));
    boolean isLast = isFramed && dice.oneIn(3);
    sentBytes += bytes;
    sim.history().clientSent(sequence, Watcher.bytesAt(sequence, sentBytes - bytes, bytes));
    sim.watchers().tell(watcher -> watcher.onClientBytes(sequence, bytes, isLast));
    connection.onClientBytes(sim.nowNs(), buffer, isLast);
  }

  private void read(int most) {
    kernelBytes -= Math.min(kernelBytes, most);
    toKernel();
  }

  // --- ClientSocket ---

  @Override
  public void write(ByteBuf owned) {
    byte[] bytes = new byte[owned.readableBytes()];
    owned.getBytes(owned.readerIndex(), bytes);
    if (!SimPush.isPush(bytes)) {
      writeReply(owned, bytes);
    } else {
      sim.watchers()
          .tell(watcher -> watcher.onPushWritten(sequence, SimPush.id(bytes), bytes.length));
      enqueue(owned, SimPush.id(bytes));
    }
  }

  private void writeReply(ByteBuf owned, byte[] bytes) {
    if (sim.mutations().strikes(Mutation.DUPLICATE_REPLY_BYTE) && bytes.length > 1) {
      bytes[1] = bytes[0];
      owned.setByte(owned.readerIndex() + 1, bytes[0]);
    }
    sim.watchers().tell(watcher -> watcher.onSocketWrite(sequence, bytes));
    enqueue(owned, -1);
  }

  private void enqueue(ByteBuf owned, int pushId) {
    if (isOpen) {
      queuedBytes += owned.readableBytes();
      queue.add(new Piece(owned, pushId));
    } else {
      owned.release();
    }
  }

  @Override
  public long unwrittenBytes() {
    return queuedBytes;
  }

  @Override
  public void flush() {
    flushableBytes = queuedBytes;
    toKernel();
  }

  private void toKernel() {
    if (!isOpen) {
      return;
    }
    long taken = Math.min(flushableBytes, kernelBytesMax - kernelBytes);
    if (taken <= 0) {
      return;
    }
    long rest = taken;
    int buffers = 0;
    while (rest > 0) {
      ByteBuf head = queue.element().payload();
      int part = (int) Math.min(rest, head.readableBytes());
      byte[] bytes = new byte[part];
      head.readBytes(bytes);
      if (!queue.element().isPush()) {
        sim.history().clientReceived(sequence, bytes);
      } else if (!head.isReadable()) {
        sim.history().clientReceivedPush(sequence, queue.element().pushId());
      }
      takenPushedBytes += queue.element().isPush() ? part : 0;
      rest -= part;
      if (!head.isReadable()) {
        queue.remove().payload().release();
        buffers++;
      }
    }
    flushableBytes -= taken;
    queuedBytes -= taken;
    kernelBytes += taken;
    takenBytes += taken;
    sim.watchers().tell(watcher -> watcher.onSocketTook(sequence, taken));
    connection.onWritten(sim.nowNs(), taken, buffers);
  }

  @Override
  public void finish() {
    sim.watchers().tell(watcher -> watcher.onSocketFinish(sequence));
    flush();
  }

  @Override
  public void pauseReading() {
    reading(true);
  }

  @Override
  public void resumeReading() {
    reading(false);
  }

  private void reading(boolean isPaused) {
    isReadingPaused = isPaused;
    sim.watchers().tell(watcher -> watcher.onReading(sequence, isPaused));
  }

  @Override
  public void close() {
    if (isOpen && queuedBytes > 0) {
      throw new AssertionError(
          "rule 1 (order): connection "
              + sequence
              + " is closed before its last bytes are written");
    }
    endedByBridge(Closing.CLEAN);
  }

  @Override
  public void reset() {
    endedByBridge(Closing.RESET);
  }

  private void endedByBridge(Closing how) {
    sim.watchers().tell(watcher -> watcher.onSocketEnded(sequence, how == Closing.RESET));
    if (isOpen) {
      sim.history().clientClosed(sequence, how);
      gone();
    }
  }

  private void gone() {
    isOpen = false;
    sim.history().clientClosed(sequence, Closing.LEFT);
    queue.forEach(piece -> piece.payload().release());
    queue.clear();
    if (dice.oneIn(2)) {
      reportClosed();
    } else {
      isCloseUnreported = true;
    }
  }

  private void reportClosed() {
    isCloseUnreported = false;
    connection.onSocketClosed(sim.nowNs());
    sim.checkEnd(sequence);
    sim.watchers().tell(watcher -> watcher.onSocketClosed(sequence));
  }

  // --- for the simulation ---

  boolean isOver() {
    return !isOpen && !isCloseUnreported;
  }

  /** A number that changes while the client makes progress. */
  long progress() {
    return sentBytes + takenBytes + (isEnded ? 1 : 0);
  }

  boolean isOpen() {
    return isOpen;
  }

  /** Whether its connection needs an owner and has none. */
  boolean isWaiting() {
    return connection.isWaiting();
  }

  long sequence() {
    return sequence;
  }

  /** The reply bytes that the kernel has taken. */
  long takenReplyBytes() {
    return takenBytes - takenPushedBytes;
  }

  boolean isAllSent() {
    return sentBytes == totalBytes || isEnded || isBroken;
  }

  void checkEchoed() {
    if (!isAllSent()) {
      throw new AssertionError(
          "rule 2 (windows): the bridge no longer reads client " + sequence + ": " + this);
    }
    sim.watchers().order().checkEchoed(sequence, sentBytes, takenBytes - takenPushedBytes);
  }

  @Override
  public String clientAddress() {
    return "10.0.0.1:" + (1024 + sequence);
  }

  @Override
  public String clientHost() {
    return "10.0.0.1";
  }

  @Override
  public String localAddress() {
    return "10.0.0.2:7000";
  }

  @Override
  public String toString() {
    return "client "
        + sequence
        + " sent "
        + sentBytes
        + "/"
        + totalBytes
        + " taken "
        + takenBytes
        + " queued "
        + queuedBytes
        + (isOpen ? " open" : " closed")
        + (isEnded ? " FIN" : "")
        + (isReadingPaused ? " paused" : "");
  }
}
