package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** A client socket whose kernel buffer takes everything or nothing. */
public final class FakeSocket implements ClientSocket {
  private final Fixtures fixtures;

  @SuppressWarnings("NullAway.Init") // Set as soon as it is accepted.
  public Connection connection;

  private long queuedBytes;
  private int queuedBuffers;

  /** How many bytes of an unfinished flush the kernel has taken, as a test says. */
  public long partlyTakenBytes;

  private boolean isFinishDue;
  private boolean isOpen = true;
  private boolean isFinished;
  private boolean isGone;

  /** Everything written so far, as text. */
  public final StringBuilder content = new StringBuilder();

  public FakeSocket(Fixtures fixtures) {
    this.fixtures = fixtures;
  }

  /** Lets the kernel take everything. */
  public void drain() {
    long bytes = queuedBytes;
    int buffers = queuedBuffers;
    queuedBytes = 0;
    queuedBuffers = 0;
    if (bytes > 0) {
      fixtures.effects.add("written " + bytes);
      connection.onWritten(fixtures.nowNs, bytes, buffers);
    }
    if (isFinishDue && isOpen) {
      isFinishDue = false;
      fixtures.effects.add("FIN");
    }
  }

  /** Completes a close by the bridge that was deferred. */
  public void finishClosing() {
    if (!isOpen && !isGone) {
      isGone = true;
      connection.onSocketClosed(fixtures.nowNs);
    }
  }

  public boolean isOpen() {
    return isOpen;
  }

  @Override
  public void write(ByteBuf owned) {
    queuedBytes += owned.readableBytes();
    queuedBuffers++;
    content.append(owned.toString(StandardCharsets.ISO_8859_1));
    owned.release();
  }

  @Override
  public long unwrittenBytes() {
    return queuedBytes - partlyTakenBytes;
  }

  @Override
  public void flush() {
    if (fixtures.failsNextFlush) {
      fixtures.failsNextFlush = false;
      throw new IllegalStateException("flush fails in this test");
    }
    if (!fixtures.isKernelFull) {
      drain();
    }
  }

  @Override
  public void finish() {
    isFinishDue = !isFinished;
    isFinished = true;
    flush();
  }

  @Override
  public void pauseReading() {
    fixtures.effects.add("pause");
  }

  @Override
  public void resumeReading() {
    fixtures.effects.add("resume");
  }

  @Override
  public void close() {
    ended("close");
  }

  @Override
  public void reset() {
    ended("RST");
  }

  private void ended(String how) {
    if (isOpen) {
      isOpen = false;
      fixtures.effects.add(how);
      isGone = !fixtures.isCloseDeferred;
      if (isGone) {
        connection.onSocketClosed(fixtures.nowNs);
      }
    }
  }

  @Override
  public String clientAddress() {
    return "10.0.0.1:1";
  }

  @Override
  public String clientHost() {
    return "10.0.0.1";
  }

  @Override
  public String localAddress() {
    return "10.0.0.2:7000";
  }
}
