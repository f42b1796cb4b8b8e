package dev.waymark.tools.directory.xds;

import dev.waymark.tools.directory.xds.StreamStatus.TypeStatus;
import dev.waymark.xds.proto.DiscoveryRequest;
import dev.waymark.xds.proto.DiscoveryResponse;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** State of the world: each request names all that the client wants. */
final class StateOfTheWorld implements Dialect<DiscoveryRequest, DiscoveryResponse> {
  private final Client client;
  private final ResourceCache cache;
  private final AdsLimits limits;
  private final AdsEvents events;
  private final Map<ResourceType, SotwSubscription> subscriptions =
      new EnumMap<>(ResourceType.class);

  StateOfTheWorld(Client client, ResourceCache cache, AdsLimits limits, AdsEvents events) {
    this.client = client;
    this.cache = cache;
    this.limits = limits;
    this.events = events;
  }

  @Override
  public Optional<String> onRequest(DiscoveryRequest request) {
    client.onNode(request.getNode());
    Optional<ResourceType> type = ResourceType.of(request.getTypeUrl());
    if (type.isEmpty()) {
      client.onUnknownType(request.getTypeUrl(), events);
      return Optional.empty();
    }
    SotwSubscription known = subscriptions.get(type.get());
    if (known == null) {
      known = new SotwSubscription(type.get(), cache, !request.getVersionInfo().isEmpty());
      subscriptions.put(type.get(), known);
    } else if (known.answers().isStale(request.getResponseNonce())) {
      // The client will repeat what it wants in its answer to the last response.
      return Optional.empty();
    } else {
      onAnswer(type.get(), known.answers(), request);
    }
    List<String> names = request.getResourceNamesList();
    known.onNames(names);
    int count = subscriptions.values().stream().mapToInt(SotwSubscription::nameCount).sum();
    return StreamRules.problem(names, count, limits);
  }

  private void onAnswer(ResourceType type, Answers answers, DiscoveryRequest request) {
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
  public Optional<DiscoveryResponse> next() {
    for (var each : subscriptions.entrySet()) {
      Optional<List<EncodedResource>> resources = each.getValue().next();
      if (resources.isPresent()) {
        return Optional.of(response(each.getKey(), each.getValue().answers(), resources.get()));
      }
    }
    return Optional.empty();
  }

  private DiscoveryResponse response(
      ResourceType type, Answers answers, List<EncodedResource> resources) {
    String nonce = client.nextNonce();
    String version = Long.toString(cache.revision());
    answers.onSent(nonce, version);
    DiscoveryResponse.Builder response =
        DiscoveryResponse.newBuilder()
            .setTypeUrl(type.url())
            .setVersionInfo(version)
            .setNonce(nonce);
    resources.forEach(resource -> response.addResources(resource.any()));
    return response.build();
  }

  @Override
  public boolean isIncremental() {
    return false;
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
