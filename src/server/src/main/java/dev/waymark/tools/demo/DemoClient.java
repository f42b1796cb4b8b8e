package dev.waymark.tools.demo;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * A client with one connection: sends a few requests, awaits their replies, rests for a moment, and
 * repeats. Runs on its own thread.
 */
final class DemoClient implements Runnable {
  private static final int BURST_MAX = 4;
  private static final int REST_MS_MAX = 200;
  private static final int REPLY_TIMEOUT_MS = (int) Duration.ofSeconds(20).toMillis();

  private final InetSocketAddress bridge;
  private final Requests requests;
  private final Tally tally;
  private final CountDownLatch over;
  private final LongSupplier clock;
  private final SplittableRandom random;

  /**
   * @param over released when no more requests should be sent
   * @param clock monotonic, in nanoseconds
   */
  DemoClient(
      int id, InetSocketAddress bridge, Tally tally, CountDownLatch over, LongSupplier clock) {
    this.bridge = bridge;
    this.requests = new Requests(id, tally);
    this.tally = tally;
    this.over = over;
    this.clock = clock;
    this.random = new SplittableRandom(id);
  }

  @Override
  public void run() {
    try (Socket socket = new Socket()) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(REPLY_TIMEOUT_MS);
      socket.connect(bridge, REPLY_TIMEOUT_MS);
      exchange(socket);
    } catch (SocketTimeoutException e) {
      // The replies are counted as lost below.
    } catch (IOException e) {
      tally.closed();
    } catch (InterruptedException e) {
      return;
    }
    requests.onEnd();
  }

  private void exchange(Socket socket) throws IOException, InterruptedException {
    OutputStream out = socket.getOutputStream();
    BufferedReader in =
        new BufferedReader(
            new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
    while (!over.await(random.nextInt(REST_MS_MAX), TimeUnit.MILLISECONDS)) {
      StringBuilder burst = new StringBuilder();
      for (int i = random.nextInt(BURST_MAX); i >= 0; i--) {
        burst.append(requests.next()).append('\n');
      }
      out.write(burst.toString().getBytes(StandardCharsets.US_ASCII));
      long sentNs = clock.getAsLong();
      while (requests.isAwaitingReplies()) {
        read(in, sentNs);
      }
    }
    // Anything after the last reply is a duplicate.
    socket.shutdownOutput();
    for (String extra = in.readLine(); extra != null; extra = in.readLine()) {
      requests.onReply(extra, 0);
    }
  }

  private void read(BufferedReader in, long sentNs) throws IOException {
    String reply = in.readLine();
    if (reply == null) {
      throw new IOException("the connection ended");
    }
    requests.onReply(reply, clock.getAsLong() - sentNs);
  }
}
