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

/**
 * What an incremental client wants of one type, and has been told. No I/O; confined to the event
 * loop.
 *
 * <p>The endpoints of a service that is gone become an empty list, since Envoy keeps its endpoints
 * when their resource is removed. Only endpoints that the client never had are told as removed.
 */
final class DeltaSubscription {
  /** In place of a version: the client was told that there is none. */
  private static final String ABSENT = "absent";

  /** In place of a version: what the client has does not matter. */
  private static final String UNKNOWN = "unknown";

  /** What a response has. */
  record Part(List<EncodedResource> resources, List<String> removed) {}

  private final ResourceType type;
  private final ResourceCache cache;
  private final boolean hasOlderState;
  private final Answers answers = new Answers();
  private final Set<String> names = new HashSet<>();
  private boolean isWildcard;

  /** By name: the version that the client has, or one of the words above. */
  private final Map<String, String> told;

  private final Set<String> due = new LinkedHashSet<>();

  /** A response is due even if it is empty: there is nothing at all. */
  private boolean isAsked;

  /**
   * Begins with the first request of the type.
   *
   * @param versions of the resources that the client has from an earlier stream, by name
   */
  DeltaSubscription(
      ResourceType type,
      ResourceCache cache,
      Collection<String> subscribed,
      Map<String, String> versions) {
    this.type = type;
    this.cache = cache;
    this.hasOlderState = !versions.isEmpty();
    this.told = new HashMap<>(versions);
    if (type.isWholeSet() && subscribed.isEmpty()) {
      beginWildcard();
    }
    subscribed.forEach(this::add);
    if (!isWildcard) {
      told.keySet().retainAll(names);
    }
  }

  // --- inputs ---

  /** The client wants these too, and is told of them even if it knows them. */
  void subscribe(Collection<String> more) {
    for (String name : more) {
      told.remove(name);
      add(name);
    }
  }

  /** The client does not want these any more. */
  void unsubscribe(Collection<String> fewer) {
    for (String name : fewer) {
      if (isWildcard(name)) {
        isWildcard = false;
        told.keySet().retainAll(names);
        due.retainAll(names);
      } else if (names.remove(name) && isWildcard) {
        // It still gets it as one of all, and forgets it unless it is told so.
        told.put(name, UNKNOWN);
        due.add(name);
      } else if (!isWildcard) {
        told.remove(name);
        due.remove(name);
      }
    }
  }

  /** These services have changed in a way that matters to the type. */
  void onChanged(Set<String> services) {
    for (String service : services) {
      if (isWildcard || names.contains(service)) {
        due.add(service);
      }
    }
  }

  private void add(String name) {
    if (isWildcard(name)) {
      beginWildcard();
    } else {
      names.add(name);
      due.add(name);
    }
  }

  private boolean isWildcard(String name) {
    return type.isWholeSet() && name.equals(StreamRules.WILDCARD);
  }

  private void beginWildcard() {
    isAsked |= !isWildcard;
    isWildcard = true;
    due.addAll(cache.services());
    // Those that the client has, and that may be gone.
    due.addAll(told.keySet());
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

  /** What the next response has; empty if none is due. */
  Optional<Part> next() {
    if (hasOlderState && !cache.isWhole()) {
      return Optional.empty();
    }
    Part part = new Part(new ArrayList<>(), new ArrayList<>());
    int bytes = 0;
    for (Iterator<String> i = due.iterator(); i.hasNext() && bytes < StreamRules.RESPONSE_BYTES; ) {
      String name = i.next();
      Optional<EncodedResource> found = cache.find(type, name);
      if (found.isPresent() || cache.isWhole()) {
        i.remove();
        bytes += tell(name, found, part);
      }
    }
    boolean isEmpty = part.resources.isEmpty() && part.removed.isEmpty();
    if (isEmpty && !(isAsked && cache.isWhole())) {
      return Optional.empty();
    }
    isAsked = false;
    return Optional.of(part);
  }

  /** Returns how many bytes it adds to the response. */
  private int tell(String name, Optional<EncodedResource> found, Part part) {
    String before = told.get(name);
    boolean isKnown = before != null && !before.equals(ABSENT);
    Optional<EncodedResource> now =
        found.isEmpty() && isKnown && type == ResourceType.ENDPOINTS
            ? Optional.of(cache.noEndpoints(name))
            : found;
    if (now.isPresent()) {
      EncodedResource resource = now.get();
      if (resource.version().equals(before)) {
        return 0;
      }
      told.put(name, resource.version());
      part.resources.add(resource);
      return resource.sizeBytes();
    }
    if (!isKnown && (ABSENT.equals(before) || !names.contains(name))) {
      return 0;
    }
    if (names.contains(name)) {
      told.put(name, ABSENT);
    } else {
      told.remove(name);
    }
    part.removed.add(name);
    return name.length();
  }
}
