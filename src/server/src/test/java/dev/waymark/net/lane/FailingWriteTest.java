package dev.waymark.net.lane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** A socket may fail within a write, while the engine is in the middle of sending. */
class FailingWriteTest {
  private final List<String> events = new CopyOnWriteArrayList<>();
  private final AttachStream stream =
      AttachStream.create("http", "a:1", "waymark/test", 1 << 20, new Recorder());
  private volatile boolean isBroken;

  @Test
  void end_isNotToldDuringSend() throws Exception {
    try (var group = new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory())) {
      LocalAddress address = new LocalAddress(FailingWriteTest.class);
      Channel server =
          new ServerBootstrap()
              .group(group)
              .channel(LocalServerChannel.class)
              .childHandler(new SettingsSender())
              .bind(address)
              .sync()
              .channel();
      Channel channel =
          new Bootstrap()
              .group(group)
              .channel(LocalChannel.class)
              .handler(
                  new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel dialled) {
                      dialled.pipeline().addLast(new Socket(), stream);
                    }
                  })
              .connect(address)
              .sync()
              .channel();
      await().until(() -> events.contains("writable"));
      isBroken = true;
      List<String> during =
          channel
              .eventLoop()
              .submit(() -> {
                stream.send(Unpooled.buffer().writeZero(10));
                return List.copyOf(events);
              })
              .get();

      assertThat(during).containsExactly("writable");
      await().until(() -> events.contains("end connection lost: Broken pipe"));
      server.close().sync();
    }
  }

  private final class Socket extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext to, Object message, ChannelPromise promise) {
      if (isBroken) {
        ReferenceCountUtil.release(message);
        promise.setFailure(new IOException("Broken pipe"));
      } else {
        to.write(message, promise);
      }
    }
  }

  private static final class SettingsSender extends ChannelInboundHandlerAdapter {
    @Override
    public boolean isSharable() {
      return true;
    }

    @Override
    public void channelActive(ChannelHandlerContext accepted) {
      accepted.writeAndFlush(Unpooled.wrappedBuffer(RawFrames.settings()));
    }

    @Override
    public void channelRead(ChannelHandlerContext from, Object message) {
      ReferenceCountUtil.release(message);
    }
  }

  private final class Recorder implements AttachStream.Listener {
    @Override
    public void onWritable() {
      events.add("writable");
    }

    @Override
    public void onAccepted() {}

    @Override
    public void onData(ByteBuf data) {}

    @Override
    public void onGoAway() {}

    @Override
    public void onEnd(Status status) {
      events.add("end " + status.getDescription());
    }
  }
}
