package dev.waymark.etcd;

import dev.waymark.net.dial.UpstreamProblem;

/** What is done with an {@link EtcdClient}, from session to session. */
interface EtcdTask {
  /** There is a session; the former has ended. */
  void onSession(EtcdSession session);

  /** The session has ended with all its calls, which are not answered any more. */
  void onSessionEnd();

  /** etcd cannot be reached, or does not work. It is tried again. */
  void onProblem(UpstreamProblem problem);
}
