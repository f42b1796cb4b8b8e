package dev.waymark.e2e.chaos;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A client that sends numbered requests, one connection after another, and checks that each is
 * answered once, in order, with its own bytes, and that nothing follows. Runs on its own virtual
 * thread and sends on a second one.
 */
final class CheckedClient implements Runnable {
  private static final int TIMEOUT_MS = 20_000;
  private static final int NARROW_BYTES = 16 * 1024;
  private static final long RECONNECT_MS = 100;

  /** Marks the end of a connection's requests. */
  private static final Message END = new Message(-1, new byte[0], 0);

  private final long id;
  private final Habit habit;
  private final int port;
  private final int payloadBytes;
  private final int inFlightMax;
  private final Tally tally;
  private final CountDownLatch over;
  private final SplittableRandom random;
  private int number;

  /**
   * @param payloadBytes payload of every request; 0 for many sizes
   * @param inFlightMax the most requests of a connection that wait for a reply, plus one
   * @param over released when the run is over and no more requests are to be sent
   */
  CheckedClient(
      int id,
      int port,
      long seed,
      int payloadBytes,
      int inFlightMax,
      Tally tally,
      CountDownLatch over) {
    this.id = id;
    this.habit = Habit.of(id);
    this.port = port;
    this.payloadBytes = payloadBytes;
    this.inFlightMax = Math.min(inFlightMax, habit.inFlightMax);
    this.tally = tally;
    this.over = over;
    this.random = new SplittableRandom(seed * 31 + id);
  }

  @Override
  public void run() {
    while (!isOver(habit == Habit.FAST ? 0 : RECONNECT_MS)) {
      try (Socket socket = connect()) {
        tally.connected();
        exchange(socket);
      } catch (IOException e) {
        tally.error("client %d (%s): %s".formatted(id, habit, e));
      }
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket();
    if (habit == Habit.SLOW_READER) {
      socket.setReceiveBufferSize(NARROW_BYTES);
    }
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MS);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MS);
    return socket;
  }

  private void exchange(Socket socket) throws IOException {
    BlockingQueue<Message> inFlight = new LinkedBlockingQueue<>(inFlightMax);
    Thread sender = Thread.ofVirtual().start(() -> send(socket, inFlight));
    try {
      check(socket, inFlight);
    } catch (IOException e) {
      throw new IOException(
          "%s, from %s".formatted(e.getMessage(), socket.getLocalSocketAddress()), e);
    } finally {
      socket.close();
      sender.interrupt();
    }
  }

  // --- the sender's thread ---

  private void send(Socket socket, BlockingQueue<Message> inFlight) {
    try {
      int count =
          habit.requestsMax == 0 ? Integer.MAX_VALUE : random.nextInt(habit.requestsMax) + 1;
      for (int i = 0; i < count && !isOver(think()); i++) {
        Message next = Message.of(id, number++, size(), System.nanoTime());
        inFlight.put(next);
        socket.getOutputStream().write(next.bytes());
      }
      inFlight.put(END);
      socket.shutdownOutput();
    } catch (IOException e) {
      if (!socket.isClosed()) {
        tally.error("client %d (%s): cannot send: %s".formatted(id, habit, e.getMessage()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private int size() {
    return payloadBytes > 0 ? payloadBytes : Message.payloadBytes(random);
  }

  private long think() {
    return habit.thinkMsMax == 0 ? 0 : random.nextInt(habit.thinkMsMax);
  }

  private boolean isOver(long withinMs) {
    try {
      return over.await(withinMs, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  // --- the reader's thread ---

  private void check(Socket socket, BlockingQueue<Message> inFlight) throws IOException {
    DataInputStream in = new DataInputStream(socket.getInputStream());
    try {
      for (Message next = inFlight.take(); next != END; next = inFlight.take()) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(habit.readPauseMs));
        byte[] reply = read(in, next);
        String wrong = next.differenceTo(reply);
        if (wrong != null) {
          throw new IOException(wrong);
        }
        tally.replied(reply.length);
        if (habit != Habit.SLOW_READER) {
          tally.paused(System.nanoTime() - next.sentNs(), socket.getLocalPort(), next);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    if (in.read() >= 0) {
      throw new IOException("unexpected bytes after the reply to request " + (number - 1));
    }
  }

  private static byte[] read(DataInputStream in, Message expected) throws IOException {
    try {
      int lengthBytes = in.readInt();
      if (lengthBytes < 0 || lengthBytes > Message.BYTES_MAX) {
        throw new IOException(
            "request %d: the reply has an invalid length: %d"
                .formatted(expected.number(), lengthBytes));
      }
      byte[] reply = new byte[Message.LENGTH_BYTES + lengthBytes];
      ByteBuffer.wrap(reply).putInt(lengthBytes);
      in.readFully(reply, Message.LENGTH_BYTES, lengthBytes);
      return reply;
    } catch (IOException e) {
      throw new IOException(
          "request %d of %d bytes, %d ms ago: %s"
              .formatted(
                  expected.number(),
                  expected.bytes().length,
                  (System.nanoTime() - expected.sentNs()) / 1_000_000,
                  e),
          e);
    }
  }
}
