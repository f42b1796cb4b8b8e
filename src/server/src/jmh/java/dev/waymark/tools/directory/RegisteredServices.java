package dev.waymark.tools.directory;

import dev.waymark.v1.Instance;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import dev.waymark.v1.RegistryGrpc;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Keeps services registered with a directory until its standard input ends: {@code HOST PORT}, and
 * then any number of {@code NAME SERVICES INSTANCES}, which stand for services name-0, name-1 and
 * so on, each with that many instances. Prints a line when all are registered. Run by {@code
 * misc/bench/jmh.sh services}.
 */
final class RegisteredServices {
  private static final int HEARTBEAT_MS = 2_000;

  /** Less than a directory takes of one node. */
  private static final int INSTANCES_PER_NODE = 5_000;

  private static final int TIMEOUT_S = 60;
  private static final int OCTETS = 256;

  public static void main(String[] args) throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(args[0], Integer.parseInt(args[1])).usePlaintext().build();
    List<Instance> instances = new ArrayList<>();
    for (int i = 2; i < args.length; i += 3) {
      add(instances, args[i], Integer.parseInt(args[i + 1]), Integer.parseInt(args[i + 2]));
    }
    List<Node> nodes = new ArrayList<>();
    for (int from = 0; from < instances.size(); from += INSTANCES_PER_NODE) {
      int to = Math.min(instances.size(), from + INSTANCES_PER_NODE);
      nodes.add(new Node(channel, "node-" + from, instances.subList(from, to)));
    }
    for (Node each : nodes) {
      each.awaitRegistered();
    }
    System.out.printf("%d instances are registered%n", instances.size());
    try (var timer = Executors.newSingleThreadScheduledExecutor()) {
      var _ =
          timer.scheduleAtFixedRate(
              () -> nodes.forEach(Node::heartbeat),
              HEARTBEAT_MS,
              HEARTBEAT_MS,
              TimeUnit.MILLISECONDS);
      System.in.transferTo(OutputStream.nullOutputStream());
      timer.shutdownNow();
    }
    channel.shutdownNow();
  }

  private static void add(List<Instance> instances, String name, int services, int each) {
    for (int service = 0; service < services; service++) {
      for (int i = 0; i < each; i++) {
        int number = instances.size();
        String ip =
            "10."
                + number / OCTETS / OCTETS
                + "."
                + number / OCTETS % OCTETS
                + "."
                + number % OCTETS;
        instances.add(
            Instance.newBuilder()
                .setService(name + "-" + service)
                .setAddress(ip + ":4770")
                .build());
      }
    }
  }

  /** One call of Register. */
  private static final class Node implements StreamObserver<RegisterResponse> {
    private final CountDownLatch registered = new CountDownLatch(1);
    private final StreamObserver<RegisterRequest> requests;

    Node(ManagedChannel channel, String name, List<Instance> instances) {
      requests = RegistryGrpc.newStub(channel).register(this);
      requests.onNext(RegisterRequest.newBuilder().setNode(name).addAllPut(instances).build());
    }

    void heartbeat() {
      requests.onNext(RegisterRequest.getDefaultInstance());
    }

    void awaitRegistered() throws InterruptedException {
      if (!registered.await(TIMEOUT_S, TimeUnit.SECONDS)) {
        throw new IllegalStateException("the directory does not answer");
      }
    }

    @Override
    public void onNext(RegisterResponse response) {
      if (response.getRefusedCount() > 0) {
        throw new IllegalStateException(response.getRefused(0).getReason());
      }
      registered.countDown();
    }

    @Override
    public void onError(Throwable error) {
      System.err.println("the call of Register broke: " + error.getMessage());
      System.exit(1);
    }

    @Override
    public void onCompleted() {}
  }
}
