package dev.waymark.engine.shard;

import dev.waymark.engine.lane.LaneTransport;
import dev.waymark.protocol.CloseReason;
import dev.waymark.protocol.Hello;
import dev.waymark.protocol.Open;
import dev.waymark.protocol.PushResult;
import io.netty.buffer.ByteBuf;

/** A lane transport that records its frames as effects of the {@link Fixtures}. */
public final class FakeTransport implements LaneTransport {
  private final Fixtures fixtures;
  private final String upstream;
  private int gatheredBytes;

  public FakeTransport(Fixtures fixtures, String upstream) {
    this.fixtures = fixtures;
    this.upstream = upstream;
  }

  private void frame(String text) {
    gatheredBytes++;
    fixtures.effects.add(text);
  }

  @Override
  public void hello(Hello hello) {
    frame("Hello " + upstream);
  }

  @Override
  public void open(long connection, int epoch, Open open) {
    fixtures.opens.add(open);
    frame("Open");
  }

  @Override
  public void data(
      long connection, int epoch, long offset, ByteBuf owned, boolean isLast, long limit) {
    gatheredBytes += owned.readableBytes();
    frame("data " + offset + "+" + owned.readableBytes());
    owned.release();
  }

  @Override
  public void limit(long connection, int epoch, long limit) {
    frame("limit " + limit);
  }

  @Override
  public void halfClose(long connection, int epoch, long offset) {
    frame("HalfClose " + offset);
  }

  @Override
  public void close(long connection, int epoch, CloseReason reason) {
    frame("Close " + reason);
  }

  @Override
  public void release(long connection, int epoch) {
    frame("Release");
  }

  @Override
  public void ping(long id) {
    frame("Ping");
  }

  @Override
  public void pushResult(PushResult result) {
    frame(result.outcome() + " " + result.id());
    fixtures.pushResults.add(result);
  }

  @Override
  public void syncing() {
    frame("Syncing");
  }

  @Override
  public void opened(long connection, String mark, String listener, String clientAddress) {
    frame("Opened " + connection + " " + listener);
  }

  @Override
  public void closed(long connection, CloseReason reason) {
    frame("Closed " + connection + " " + reason);
  }

  @Override
  public void synced() {
    frame("Synced");
  }

  @Override
  public int batchBytes() {
    return gatheredBytes;
  }

  @Override
  public boolean flush() {
    gatheredBytes = 0;
    return fixtures.isWritable;
  }

  @Override
  public void cancel(String cause) {
    fixtures.effects.add("cancel " + cause);
  }

  @Override
  public void finish() {
    fixtures.effects.add("finish " + upstream);
  }
}
