package dev.waymark.tools.directory.xds;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a client in state of the world wants of one type, and has been told. A response for
 * listeners or clusters has all that the client has asked for, and what it lacks does not exist;
 * for other types it has what is new. No I/O; confined to the event loop.
 */
final class SotwSubscription {
  private final ResourceType type;
  private final ResourceCache cache;
  private final boolean hasOlderState;
  private final Answers answers = new Answers();
  private Set<String> names = new HashSet<>();

  /** All names so far were none at all, which asks for everything. */
  private boolean hasNeverNamed = true;

  private boolean isWildcard;

  /** By name: the version that the client was told. */
  private Map<String, String> told = new HashMap<>();

  /** Names to be told of, if they are told one by one. */
  private final Set<String> due = new LinkedHashSet<>();

  /** A response is due even if nothing has changed. */
  private boolean isAsked;

  /** A response is due if something has changed. */
  private boolean isDue;

  /**
   * @param hasOlderState the client has resources from an earlier stream
   */
  SotwSubscription(ResourceType type, ResourceCache cache, boolean hasOlderState) {
    this.type = type;
    this.cache = cache;
    this.hasOlderState = hasOlderState;
    this.isAsked = type.isWholeSet();
  }

  // --- inputs ---

  /** A request has these names: all that the client wants. */
  void onNames(Collection<String> requested) {
    Set<String> next = new HashSet<>(requested);
    hasNeverNamed &= next.isEmpty();
    boolean isWild = type.isWholeSet() && (next.remove(StreamRules.WILDCARD) || hasNeverNamed);
    if (type.isWholeSet()) {
      isAsked |= (isWild && !isWildcard) || !names.containsAll(next);
    } else {
      next.stream().filter(name -> !names.contains(name)).forEach(due::add);
      due.retainAll(next);
    }
    if (!isWild) {
      told.keySet().retainAll(next);
    }
    isWildcard = isWild;
    names = next;
  }

  /** These services have changed in a way that matters to the type. */
  void onChanged(Set<String> services) {
    for (String service : services) {
      if (isWildcard || names.contains(service)) {
        if (type.isWholeSet()) {
          isDue = true;
        } else {
          due.add(service);
        }
      }
    }
  }

  // --- outputs ---

  Answers answers() {
    return answers;
  }

  int nameCount() {
    return names.size();
  }

  boolean isWildcard() {
    return isWildcard;
  }

  /** The resources of the next response; empty if none is due. */
  Optional<List<EncodedResource>> next() {
    if (hasOlderState && !cache.isWhole()) {
      return Optional.empty();
    }
    return type.isWholeSet() ? nextSet() : nextPart();
  }

  private Optional<List<EncodedResource>> nextSet() {
    if (!isAsked && !isDue) {
      return Optional.empty();
    }
    List<EncodedResource> resources = new ArrayList<>();
    Map<String, String> versions = new HashMap<>();
    for (String name : wanted()) {
      Optional<EncodedResource> found = cache.find(type, name);
      if (found.isPresent()) {
        resources.add(found.get());
        versions.put(name, found.get().version());
      } else if (!cache.isWhole()) {
        return Optional.empty();
      }
    }
    boolean isNews = isAsked || !versions.equals(told);
    isAsked = false;
    isDue = false;
    told = versions;
    return isNews ? Optional.of(resources) : Optional.empty();
  }

  private Set<String> wanted() {
    if (!isWildcard) {
      return names;
    }
    Set<String> all = new TreeSet<>(cache.services());
    all.addAll(names);
    return all;
  }

  private Optional<List<EncodedResource>> nextPart() {
    List<EncodedResource> resources = new ArrayList<>();
    int bytes = 0;
    for (Iterator<String> i = due.iterator(); i.hasNext() && bytes < StreamRules.RESPONSE_BYTES; ) {
      String name = i.next();
      Optional<EncodedResource> found = cache.find(type, name);
      if (found.isEmpty() && !cache.isWhole()) {
        continue;
      }
      i.remove();
      if (found.isEmpty() && type == ResourceType.ENDPOINTS) {
        found = Optional.of(cache.noEndpoints(name));
      }
      if (found.isEmpty()) {
        // There is no way to say so.
        told.remove(name);
      } else if (!found.get().version().equals(told.put(name, found.get().version()))) {
        resources.add(found.get());
        bytes += found.get().sizeBytes();
      }
    }
    return resources.isEmpty() ? Optional.empty() : Optional.of(resources);
  }
}
