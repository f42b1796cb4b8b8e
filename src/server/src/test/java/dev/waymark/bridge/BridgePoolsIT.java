package dev.waymark.bridge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.waymark.config.ConfigLoader;
import dev.waymark.config.PoolConfig;
import dev.waymark.config.UpstreamTlsKeys;
import dev.waymark.net.tls.TlsWatch;
import dev.waymark.net.tls.UpstreamTls;
import dev.waymark.telemetry.EventLog;
import dev.waymark.telemetry.Metrics;
import dev.waymark.testing.Authority;
import dev.waymark.upstreams.control.ControlLoop;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.ReferenceCountUtil;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BridgePoolsIT {
  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final CountDownLatch gate = new CountDownLatch(1);
  private final Metrics metrics = new Metrics();
  private final TlsWatch tlsWatch = new TlsWatch(_ -> {});
  private final BridgePools pools =
      new BridgePools(
          ControlLoop.nio(group.next(), new LoopWatch("control", (_, _) -> {})),
          Optional.empty(),
          new BridgeEvents(new EventLog(Clock::nowNs), metrics, (_, _, _) -> {}),
          metrics,
          _ -> {},
          tlsWatch,
          _ -> {});

  @AfterEach
  void stop() {
    gate.countDown();
    pools.close();
    tlsWatch.close();
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void pool_forgottenDuringDiscovery_leavesNothingBehind() throws Exception {
    group.next().execute(this::awaitGate);
    add("127.0.0.1:1");
    pools.start();
    Thread reload =
        Thread.ofPlatform()
            .start(() -> {
              pools.forget("default");
              add("127.0.0.1:2");
            });
    await().until(() -> reload.getState() != Thread.State.RUNNABLE);
    gate.countDown();
    reload.join();
    pools.settle();
    assertThat(pools.snapshots()).as("the new pool of that name has found nothing yet").isEmpty();
    assertThat(new String(metrics.prometheusText(), UTF_8)).doesNotContain("127.0.0.1:1");
  }

  @Test
  void restore_bringsBackTheFormerTls_evenIfItsFilesAreGone(@TempDir Path folder) throws Exception {
    Authority.assumeOpenssl();
    Path former = Authority.root(folder.resolve("former"), "former").certificate();
    Path latter = Authority.root(folder.resolve("latter"), "latter").certificate();
    PoolConfig before = with(config("127.0.0.1:1"), former);
    pools.add(before, pools.prepareTls(List.of(before)));
    UpstreamTls inForce = Objects.requireNonNull(pools.ofPool("default"));
    BridgePools.Checkpoint checkpoint = pools.checkpoint();
    PoolConfig after = with(before, latter);
    BridgePools.PreparedTls prepared = pools.prepareTls(List.of(after));
    pools.reconfigure(after, prepared);
    assertThat(pools.ofPool("default")).isNotSameAs(inForce);
    Files.delete(former);
    pools.restore(checkpoint);
    pools.discard(prepared);
    assertThat(pools.ofPool("default")).isSameAs(inForce);
    // It would fail if the former had been closed.
    ReferenceCountUtil.release(
        inForce.newHandler("127.0.0.1:1", ByteBufAllocator.DEFAULT).engine());
  }

  private static PoolConfig with(PoolConfig config, Path ca) {
    return config
        .with(UpstreamTlsKeys.MODE, UpstreamTlsKeys.Mode.REQUIRED)
        .with(UpstreamTlsKeys.CA, Optional.of(ca));
  }

  private void awaitGate() {
    try {
      gate.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void add(String upstream) {
    PoolConfig config = config(upstream);
    pools.add(config, pools.prepareTls(List.of(config)));
  }

  private static PoolConfig config(String upstream) {
    return ConfigLoader.load(
            Optional.empty(), Map.of("--upstream", "static:///" + upstream), Map.of())
        .config()
        .pools()
        .getFirst();
  }
}
