package dev.waymark.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import dev.waymark.v1.BridgeBatch;
import dev.waymark.v1.BridgeFrame;
import dev.waymark.v1.HalfClose;
import dev.waymark.v1.Hello;
import dev.waymark.v1.Open;
import dev.waymark.v1.UpstreamBatch;
import dev.waymark.v1.UpstreamFrame;
import dev.waymark.v1.UpstreamGrpc;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The upstreams in other languages, each as its own run script starts it. */
final class ExamplesIT {
  /** What the run scripts end with when something they need is not on this machine. */
  private static final int NOT_AVAILABLE = 69;

  private static final int EPOCH = 3;

  /** More than 2^53, which a careless JavaScript upstream would round. */
  private static final long CONNECTION = (1L << 60) + 1;

  @ParameterizedTest
  @ValueSource(strings = {"python", "node"})
  void frames_onALane_areAnsweredForTheSameConnectionAndEpoch(String language) throws Exception {
    int port = Waymark.freePort();
    try (Waymark example = startExample(language, port)) {
      var channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
      try {
        var lane = UpstreamGrpc.newBlockingV2Stub(channel).attach();
        lane.write(batch(laneFrame().setHello(Hello.newBuilder().setRevision(1))));
        lane.write(batch(frame().setOpen(Open.newBuilder().setMark("m")), data("one")));
        lane.write(batch(frame().setLimit(1 << 20), data("two")));
        lane.write(batch(frame().setHalfClose(HalfClose.newBuilder().setOffset(6))));

        var answers = new ArrayList<UpstreamFrame>();
        while (answers.size() < 3) {
          UpstreamBatch batch = lane.read(10, TimeUnit.SECONDS);
          assertThat(batch).as(example.describe()).isNotNull();
          answers.addAll(batch.getFramesList());
        }
        assertThat(answers).containsExactly(reply("one"), reply("two"), replyHalfClose());
        lane.cancel("done", null);
      } finally {
        channel.shutdownNow();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"python", "node"})
  void bytes_throughABridge_comeBackAndThenTheFin(String language) throws Exception {
    int upstreamPort = Waymark.freePort();
    int listenPort = Waymark.freePort();
    int adminPort = Waymark.freePort();
    try (Waymark example = startExample(language, upstreamPort);
        Waymark bridge =
            Waymark.start(
                "bridge",
                "--listen=127.0.0.1:" + listenPort,
                "--upstream=static:///127.0.0.1:" + upstreamPort,
                "--admin=127.0.0.1:" + adminPort)) {
      bridge.awaitOk("http://127.0.0.1:" + adminPort + "/readyz");
      byte[] sent = new byte[100_000];
      new Random(1).nextBytes(sent);
      assertThat(echoed(listenPort, sent)).as(example.describe()).isEqualTo(sent);
      assertThat(bridge.stop()).isZero();
    }
  }

  private static Waymark startExample(String language, int port) {
    Path script = Path.of("misc", "examples", language, "run.sh").toAbsolutePath();
    try (Waymark check = Waymark.program(script.toString(), "--check").start()) {
      int code = check.exitCode();
      assumeTrue(code != NOT_AVAILABLE, check.stderr());
      assertThat(code).as(check.describe()).isZero();
    }
    String address = "127.0.0.1:" + port;
    Waymark example = Waymark.program(script.toString(), address).start();
    try {
      example.awaitLine(language + " upstream on " + address);
      return example;
    } catch (AssertionError failed) {
      example.close();
      throw failed;
    }
  }

  private static byte[] echoed(int port, byte[] sent) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(20_000);
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  socket.getOutputStream().write(sent);
                  socket.shutdownOutput();
                } catch (IOException seenByTheReader) {
                  return;
                }
              });
      byte[] received = socket.getInputStream().readAllBytes();
      writer.interrupt();
      return received;
    }
  }

  private static BridgeBatch batch(BridgeFrame.Builder... frames) {
    var batch = BridgeBatch.newBuilder();
    List.of(frames).forEach(batch::addFrames);
    return batch.build();
  }

  private static BridgeFrame.Builder laneFrame() {
    return BridgeFrame.newBuilder();
  }

  private static BridgeFrame.Builder frame() {
    return BridgeFrame.newBuilder().setConnection(CONNECTION).setEpoch(EPOCH);
  }

  private static BridgeFrame.Builder data(String text) {
    return frame().setPayload(ByteString.copyFrom(text, UTF_8));
  }

  private static UpstreamFrame.Builder replyFrame() {
    return UpstreamFrame.newBuilder().setConnection(CONNECTION).setEpoch(EPOCH);
  }

  private static UpstreamFrame reply(String text) {
    return replyFrame().setPayload(ByteString.copyFrom(text, UTF_8)).build();
  }

  private static UpstreamFrame replyHalfClose() {
    return replyFrame().setHalfClose(true).build();
  }
}
