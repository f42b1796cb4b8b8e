package dev.waymark.upstream.registry;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Every attempt uses the same channel, which belongs to somebody else. Immutable. */
record ChannelDialler(ManagedChannel channel) implements DirectoryDialler {
  private record Link(Channel channel) implements DirectoryLink {}

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
}
