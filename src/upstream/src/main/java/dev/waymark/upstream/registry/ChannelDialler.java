package dev.waymark.upstream.registry;

import io.grpc.Channel;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Every attempt uses the same channel, which belongs to somebody else. Thread-safe. */
final class ChannelDialler implements DirectoryDialler {
  private record Link(Channel channel) implements DirectoryLink {}

  private final ManagedChannel channel;

  /** Set while the channel's state is observed. */
  private final AtomicReference<@Nullable Runnable> onReady = new AtomicReference<>();

  ChannelDialler(ManagedChannel channel) {
    this.channel = channel;
  }

  @Override
  public String name() {
    return channel.authority();
  }

  @Override
  public CompletionStage<DirectoryLink> dial() {
    // The channel's own back-off grows to two minutes; ours sets the pace.
    channel.resetConnectBackoff();
    return CompletableFuture.completedStage(new Link(channel));
  }

  /** Calls fail at once while a channel that could not connect tries it again. */
  @Override
  public void whenReachable(Runnable retry) {
    if (onReady.getAndSet(retry) == null) {
      observe();
    }
  }

  private void observe() {
    ConnectivityState state = channel.getState(false);
    if (state == ConnectivityState.READY || state == ConnectivityState.SHUTDOWN) {
      onReady.set(null);
    } else {
      channel.notifyWhenStateChanged(state, this::onState);
    }
  }

  private void onState() {
    if (channel.getState(false) != ConnectivityState.READY) {
      observe();
      return;
    }
    Runnable retry = onReady.getAndSet(null);
    if (retry != null) {
      retry.run();
    }
  }
}
