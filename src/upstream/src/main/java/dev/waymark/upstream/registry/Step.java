package dev.waymark.upstream.registry;

import java.util.List;

/** What a registration does next. */
sealed interface Step {
  /** Find a way to the directory. */
  record Dial() implements Step {}

  /**
   * Send a request: what has changed, or nothing, as a heartbeat.
   *
   * @param isFirst the first of its call, with all instances
   */
  record Send(boolean isFirst, List<ServiceInstance> put, List<InstanceKey> remove)
      implements Step {}

  /** Half-close the call, which de-registers the instances. */
  record HalfClose() implements Step {}

  /** Cancel the call, or give up dialling. */
  record HangUp() implements Step {}

  /** Nothing before this time, unless there is an input. */
  record Wait(long untilNs) implements Step {}

  /** It is over. */
  record End() implements Step {}
}
