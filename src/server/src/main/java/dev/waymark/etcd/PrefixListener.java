package dev.waymark.etcd;

import com.google.protobuf.ByteString;
import dev.waymark.net.dial.UpstreamProblem;

/**
 * Receives what etcd has below a prefix: first everything, then the changes. Called on the control
 * thread.
 */
public interface PrefixListener {
  /** A list begins: it is what is put from now on until {@link #onListed}. */
  void onList();

  /** This key has this value, within a list or as a change. */
  void onPut(ByteString key, ByteString value);

  /** This key is gone. It may have been unknown. */
  void onDelete(ByteString key);

  /**
   * The list is complete, and takes the place of all that was known.
   *
   * @param isOtherStore whether etcd has lost what it knew, by a new data directory or an old
   *     backup: keys may be missing just because nobody has written them again yet
   */
  void onListed(boolean isOtherStore);

  /** All changes so far have been told. Also called when a watch begins. */
  void onCurrent();

  /** Whether these are more than can be kept; asked after each answer of etcd. */
  boolean isFull();

  /** etcd cannot be asked, or refuses, or there is too much. What was known stays. */
  void onProblem(UpstreamProblem problem);
}
