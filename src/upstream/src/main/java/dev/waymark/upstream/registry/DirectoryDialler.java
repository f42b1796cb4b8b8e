package dev.waymark.upstream.registry;

import java.util.concurrent.CompletionStage;

/**
 * Finds a way to a directory for each attempt to register: for those who choose between several
 * servers, resolve names or read credentials themselves.
 */
public interface DirectoryDialler {
  /** The directory's name, for people. */
  String name();

  /**
   * Returns a link for one attempt, which the registration closes after it. Called on the
   * registration's scheduler; must not block. The result may complete on any thread; an exception
   * is a failed attempt, and its message says why.
   */
  CompletionStage<DirectoryLink> dial();

  /**
   * Asks to be told once when another attempt has better prospects than the last one, which failed;
   * until then it waits for its turn. By default nobody knows.
   *
   * @param retry may be called on any thread
   */
  default void whenReachable(Runnable retry) {}
}
