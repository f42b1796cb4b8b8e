package org.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.waymark.upstream.UpstreamServer;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.UpstreamBatch;
import dev.waymark.v1.UpstreamFrame;
import dev.waymark.v1.UpstreamGrpc;
import io.grpc.ManagedChannel;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.BlockingClientCall;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Tests the upstream with an in-process channel in place of a bridge. */
class EchoUpstreamTest {
  @Test
  void data_ofAClient_comesBackAndIsAcknowledged() throws Exception {
    try (UpstreamServer server =
        UpstreamServer.start(EchoUpstream.upstream(), InProcessServerBuilder.forName("echo"))) {
      ManagedChannel channel = InProcessChannelBuilder.forName("echo").build();
      var bridge = new Bridge(UpstreamGrpc.newBlockingV2Stub(channel).attach());

      bridge.send(
          BridgeFrame.newBuilder().setHello(Hello.newBuilder().setRevision(1)),
          connection().setOpen(Open.newBuilder().setMark("m").setLimit(1 << 20)),
          connection().setPayload(ByteString.copyFromUtf8("hello")),
          connection().setHalfClose(HalfClose.newBuilder().setOffset(5)));

      assertTrue(bridge.receive().hasSettings());
      UpstreamFrame reply = bridge.receive();
      assertEquals("hello", reply.getPayload().toStringUtf8());
      assertEquals(5, reply.getConsumed());
      assertTrue(bridge.receive().getHalfClose());
      channel.shutdownNow();
    }
  }

  private static BridgeFrame.Builder connection() {
    return BridgeFrame.newBuilder().setConnection(1);
  }

  /** The bridge's end of one lane. */
  private static final class Bridge {
    private final BlockingClientCall<BridgeBatch, UpstreamBatch> lane;
    private final ArrayDeque<UpstreamFrame> received = new ArrayDeque<>();

    Bridge(BlockingClientCall<BridgeBatch, UpstreamBatch> lane) {
      this.lane = lane;
    }

    void send(BridgeFrame.Builder... frames) throws Exception {
      var batch = BridgeBatch.newBuilder();
      for (BridgeFrame.Builder frame : frames) {
        batch.addFrames(frame);
      }
      lane.write(batch.build());
    }

    UpstreamFrame receive() throws Exception {
      while (received.isEmpty()) {
        received.addAll(lane.read(10, TimeUnit.SECONDS).getFramesList());
      }
      return received.remove();
    }
  }
}
