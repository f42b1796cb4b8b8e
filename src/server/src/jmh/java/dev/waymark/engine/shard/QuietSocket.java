package dev.waymark.engine.shard;

import dev.waymark.engine.connection.Connection;
import dev.waymark.engine.stream.ClientSocket;
import io.netty.buffer.ByteBuf;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A socket that accepts all bytes at once. Each has a different client address, as in reality. */
final class QuietSocket implements ClientSocket {
  private final BenchShard shard;
  private final int number;
  private @Nullable Connection connection;
  private int turnBytes;
  private int turnBuffers;

  QuietSocket(BenchShard shard, int number) {
    this.shard = shard;
    this.number = number;
  }

  void connection(Connection accepted) {
    connection = accepted;
  }

  @Override
  public String clientAddress() {
    return clientHost() + ":" + (32_768 + number % 28_000);
  }

  @Override
  public String clientHost() {
    return "10." + (100 + (number >> 16)) + "." + (number >> 8 & 255) + "." + (number & 255);
  }

  /** A new string each time, as from Netty. */
  @Override
  public String localAddress() {
    return String.join(":", "192.168.1.1", "7000");
  }

  @Override
  public void write(ByteBuf owned) {
    turnBytes += owned.readableBytes();
    turnBuffers++;
    owned.release();
  }

  @Override
  public long unwrittenBytes() {
    return turnBytes;
  }

  @Override
  public void flush() {
    int bytes = turnBytes;
    int buffers = turnBuffers;
    turnBytes = 0;
    turnBuffers = 0;
    Objects.requireNonNull(connection).onWritten(shard.nowNs(), bytes, buffers);
  }

  @Override
  public void finish() {}

  @Override
  public void pauseReading() {
    throw new IllegalStateException("the benchmark sends more than its window");
  }

  @Override
  public void resumeReading() {}

  @Override
  public void close() {}

  @Override
  public void reset() {
    throw new IllegalStateException("the benchmark lost a connection");
  }
}
