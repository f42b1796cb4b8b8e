package dev.waymark.net.lane;

import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Measures what gRPC alone costs: plain bidirectional streams whose server echoes every message,
 * with loops and options like those of lanes, both ends in this process, on io_uring. No message
 * between a bridge and its upstream can cost less, but a bridge packs the frames of a turn into one
 * message. Prints a line of JSON for each case of one stream, then the table of {@link
 * BareStreams}.
 */
public final class BareStream {
  private static final long WARM_UP_MS = 5_000;
  private static final long MEASURED_MS = 4_000;

  private BareStream() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    // The ring sizes are the bridge's.
    var rings = new IoUringIoHandlerConfig().setRingSize(4_096).setCqSize(32_768);
    var loops = new MultiThreadIoEventLoopGroup(1, IoUringIoHandler.newFactory(rings));
    EventLoop loop = loops.next();
    BareGrpc grpc = new BareGrpc(loop, 1);
    System.out.println(line(grpc, 64, 1));
    System.out.println(line(grpc, 64, 100));
    System.out.println(line(grpc, 16 << 10, 1));
    System.out.println(line(grpc, 16 << 10, 100));
    grpc.close();
    System.out.println(BareStreams.table(loop));
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  private static String line(BareGrpc grpc, int bytes, int inFlight) throws InterruptedException {
    BareFlow.Cost cost = grpc.open(1, bytes, inFlight).measure(WARM_UP_MS, MEASURED_MS);
    return String.format(
        Locale.ROOT,
        "{\"bytes\": %d, \"underWay\": %d, \"perSecond\": %.0f, \"cpuUsPerRequest\": %.1f}",
        bytes,
        inFlight,
        cost.perSecond(),
        cost.cpuUs());
  }
}
