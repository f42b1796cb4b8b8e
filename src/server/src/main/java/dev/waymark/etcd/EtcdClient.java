package dev.waymark.etcd;

import dev.waymark.config.ConfigException;
import dev.waymark.etcd.pb.AuthenticateResponse;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.registry.client.RegistryChannel;
import dev.waymark.registry.client.RegistryChannels;
import dev.waymark.upstreams.control.ControlLoop;
import dev.waymark.upstreams.control.RetryWaits;
import io.grpc.Status;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a session with one of the servers of etcd for all that is done with it. If the server fails
 * in any way, the next one is tried, for ever, after waits that grow from 0.1 s to 3 s and are
 * random. Confined to the control thread.
 */
public final class EtcdClient implements AutoCloseable {
  private static final Duration RETRY_MIN = Duration.ofMillis(100);

  /**
   * So that those who hold leases are back before these end: etcd gives each lease its whole TTL
   * again when it is back itself.
   */
  private static final Duration RETRY_MAX = Duration.ofSeconds(3);

  /** When a server must be found and connected, and the login done. */
  private static final long ATTEMPT_TIMEOUT_MS = 15_000;

  /** After a session that was shorter, another login with the same server would not help. */
  private static final long LOGIN_AGAIN_AFTER_MS = 1_000;

  private final ControlLoop control;
  private final RegistryChannels channels;
  private final Optional<EtcdUser> user;
  private final RetryWaits waits;
  private final List<EtcdTask> tasks = new ArrayList<>();

  /** Null before the first task, between attempts and at the end. */
  private @Nullable Attempt current;

  private @Nullable ScheduledFuture<?> nextAttempt;
  private boolean isClosed;

  /**
   * @param channels to the servers; closed by this
   * @param user empty: no login. etcd may take the user from a client certificate
   */
  public EtcdClient(
      ControlLoop control,
      RandomGenerator random,
      RegistryChannels channels,
      Optional<EtcdUser> user) {
    this.control = control;
    this.channels = channels;
    this.user = user;
    this.waits = new RetryWaits(RETRY_MIN, RETRY_MAX, random);
  }

  /** Begins a task. Connects if it is the first. */
  void add(EtcdTask task) {
    tasks.add(task);
    if (current == null && nextAttempt == null) {
      connect();
    } else if (current != null && current.session != null) {
      task.onSession(current.session);
    }
  }

  /** Ends a task, which cancels its calls itself. */
  void remove(EtcdTask task) {
    tasks.remove(task);
  }

  /** Ends the session and all calls. */
  @Override
  public void close() {
    isClosed = true;
    tasks.clear();
    cancel(nextAttempt);
    endAttempt();
    channels.close();
  }

  private void connect() {
    nextAttempt = null;
    if (!isClosed) {
      current = new Attempt();
      current.start();
    }
  }

  /** The server is left, and the next one tried. */
  private void fail(UpstreamProblem problem) {
    Attempt failed = current;
    if (failed == null) {
      return;
    }
    EtcdSession session = failed.session;
    waits.resetAfter(session == null ? 0 : session.answeringMs());
    endAttempt();
    nextAttempt =
        control.eventLoop().schedule(this::connect, waits.nextMs(), TimeUnit.MILLISECONDS);
    if (session != null) {
      tell(EtcdTask::onSessionEnd);
    }
    tell(task -> task.onProblem(problem));
  }

  private void endAttempt() {
    Attempt ended = current;
    current = null;
    if (ended != null) {
      ended.end();
    }
  }

  private void tell(Consumer<EtcdTask> what) {
    List.copyOf(tasks).stream().filter(tasks::contains).forEach(what);
  }

  private static void cancel(@Nullable ScheduledFuture<?> timer) {
    if (timer != null) {
      timer.cancel(false);
    }
  }

  /** One channel, and the sessions on it. What comes after its end is ignored. */
  private final class Attempt {
    private @Nullable ScheduledFuture<?> deadline;
    private @Nullable RegistryChannel channel;

    /** For the login; then null. */
    private @Nullable EtcdSession login;

    private @Nullable EtcdSession session;

    void start() {
      limitTime();
      channels.open(this::onChannel, this::onFailed);
    }

    private void limitTime() {
      deadline =
          control.eventLoop().schedule(this::onTimeout, ATTEMPT_TIMEOUT_MS, TimeUnit.MILLISECONDS);
    }

    void end() {
      cancel(deadline);
      if (login != null) {
        login.close();
      }
      if (session != null) {
        session.close();
      }
      if (channel != null) {
        channel.close();
      }
    }

    private void onChannel(RegistryChannel opened) {
      if (current != this) {
        opened.close();
        return;
      }
      channel = opened;
      logIn(opened);
    }

    private void onTimeout() {
      String server = channel == null ? "etcd" : channel.server();
      onFailed(
          new UpstreamProblem(
              Kind.REGISTRY_FAILED,
              server + ": no login within " + ATTEMPT_TIMEOUT_MS / 1_000 + " s"));
    }

    private void onFailed(UpstreamProblem problem) {
      if (current == this) {
        fail(problem);
      }
    }

    // --- login ---

    private void logIn(RegistryChannel server) {
      if (user.isEmpty()) {
        onLogin(server, Optional.empty());
        return;
      }
      EtcdUser who = user.get();
      // A file system may block.
      Thread.ofVirtual()
          .start(() -> {
            try {
              String password = who.password().get();
              control.eventLoop().execute(() -> authenticate(server, who.name(), password));
            } catch (ConfigException unusable) {
              var problem =
                  new UpstreamProblem(Kind.REGISTRY_DENIED, String.valueOf(unusable.getMessage()));
              control.eventLoop().execute(() -> onFailed(problem));
            }
          });
    }

    private void authenticate(RegistryChannel server, String name, String password) {
      if (current != this) {
        return;
      }
      EtcdSession without =
          new EtcdSession(control, server, Optional.empty(), (_, problem, _) -> onFailed(problem));
      login = without;
      without.authenticate(
          name,
          password,
          answer -> onAuthenticated(server, answer),
          refusal -> onLoginRefused(server, without, refusal));
    }

    private void onAuthenticated(RegistryChannel server, AuthenticateResponse answer) {
      onLogin(server, Optional.of(answer.getToken()));
    }

    private void onLoginRefused(RegistryChannel server, EtcdSession without, Status refusal) {
      if (EtcdErrors.isWithoutLogin(refusal)) {
        onLogin(server, Optional.empty());
      } else {
        onFailed(without.problem(refusal));
      }
    }

    private void onLogin(RegistryChannel server, Optional<String> token) {
      cancel(deadline);
      login = null;
      EtcdSession opened = new EtcdSession(control, server, token, this::onSessionEnd);
      session = opened;
      tell(task -> {
        if (session == opened) {
          task.onSession(opened);
        }
      });
    }

    private void onSessionEnd(EtcdSession ended, UpstreamProblem problem, boolean isTokenStale) {
      if (isTokenStale
          && channel != null
          && user.isPresent()
          && ended.answeringMs() >= LOGIN_AGAIN_AFTER_MS) {
        session = null;
        tell(EtcdTask::onSessionEnd);
        limitTime();
        logIn(channel);
      } else {
        fail(problem);
      }
    }
  }
}
