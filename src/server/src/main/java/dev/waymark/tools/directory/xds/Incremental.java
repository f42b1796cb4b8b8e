package dev.waymark.tools.directory.xds;

import dev.waymark.tools.directory.xds.StreamStatus.TypeStatus;
import dev.waymark.xds.proto.DeltaDiscoveryRequest;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Incremental: requests and responses say what has changed. */
final class Incremental implements Dialect<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
  private final Client client;
  private final ResourceCache cache;
  private final AdsLimits limits;
  private final AdsEvents events;
  private final Map<ResourceType, DeltaSubscription> subscriptions =
      new EnumMap<>(ResourceType.class);

  Incremental(Client client, ResourceCache cache, AdsLimits limits, AdsEvents events) {
    this.client = client;
    this.cache = cache;
    this.limits = limits;
    this.events = events;
  }

  @Override
  public Optional<String> onRequest(DeltaDiscoveryRequest request) {
    client.onNode(request.getNode());
    Optional<ResourceType> type = ResourceType.of(request.getTypeUrl());
    if (type.isEmpty()) {
      client.onUnknownType(request.getTypeUrl(), events);
      return Optional.empty();
    }
    List<String> more = request.getResourceNamesSubscribeList();
    Map<String, String> versions = request.getInitialResourceVersionsMap();
    DeltaSubscription known = subscriptions.get(type.get());
    if (known == null) {
      known = new DeltaSubscription(type.get(), cache, more, versions);
      subscriptions.put(type.get(), known);
    } else {
      // What is subscribed to counts with any nonce: it is never repeated.
      onAnswer(type.get(), known.answers(), request);
      known.subscribe(more);
      known.unsubscribe(request.getResourceNamesUnsubscribeList());
    }
    int count = subscriptions.values().stream().mapToInt(DeltaSubscription::nameCount).sum();
    return StreamRules.problem(more, count, limits)
        .or(() -> StreamRules.problem(versions.keySet(), versions.size(), limits));
  }

  private void onAnswer(ResourceType type, Answers answers, DeltaDiscoveryRequest request) {
    String nonce = request.getResponseNonce();
    if (!request.hasErrorDetail()) {
      answers.onAck(nonce);
    } else if (answers.onNack(nonce, request.getErrorDetail().getMessage())) {
      events.onRefusedByClient(client.node(), client.peer(), type, answers.refusal());
    }
  }

  @Override
  public void onChanged(Set<String> changed, Set<String> newOrGone) {
    subscriptions.forEach((type, subscription) ->
        subscription.onChanged(type == ResourceType.ENDPOINTS ? changed : newOrGone));
  }

  @Override
  public Optional<DeltaDiscoveryResponse> next() {
    for (var each : subscriptions.entrySet()) {
      Optional<DeltaSubscription.Part> part = each.getValue().next();
      if (part.isPresent()) {
        return Optional.of(response(each.getKey(), each.getValue().answers(), part.get()));
      }
    }
    return Optional.empty();
  }

  private DeltaDiscoveryResponse response(
      ResourceType type, Answers answers, DeltaSubscription.Part part) {
    String nonce = client.nextNonce();
    String version = Long.toString(cache.revision());
    answers.onSent(nonce, version);
    DeltaDiscoveryResponse.Builder response =
        DeltaDiscoveryResponse.newBuilder()
            .setTypeUrl(type.url())
            .setSystemVersionInfo(version)
            .setNonce(nonce)
            .addAllRemovedResources(part.removed());
    part.resources().forEach(resource -> response.addResources(resource.incremental()));
    return response.build();
  }

  @Override
  public boolean isIncremental() {
    return true;
  }

  @Override
  public List<TypeStatus> types() {
    return subscriptions.entrySet().stream()
        .map(each ->
            each.getValue()
                .answers()
                .status(each.getKey(), each.getValue().isWildcard(), each.getValue().nameCount()))
        .toList();
  }
}
