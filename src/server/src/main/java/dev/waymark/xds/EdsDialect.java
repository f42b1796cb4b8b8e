package dev.waymark.xds;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.waymark.xds.proto.DeltaDiscoveryRequest;
import dev.waymark.xds.proto.DeltaDiscoveryResponse;
import dev.waymark.xds.proto.DiscoveryRequest;
import dev.waymark.xds.proto.DiscoveryResponse;
import dev.waymark.xds.proto.Resource;
import java.util.Optional;

/**
 * What a client says on one stream of ADS to follow the endpoints of a service. A state machine,
 * confined to the control thread.
 *
 * @param <Q> requests
 * @param <R> responses
 */
public sealed interface EdsDialect<Q, R> {
  /** The first request. */
  Q first();

  /**
   * A response has arrived, and is applied.
   *
   * @return what to answer: an ACK or a NACK; empty if the response is of a type that was not asked
   *     for
   */
  Optional<Q> onResponse(R response);

  /** Incremental: a stream goes on from what an earlier one has brought. */
  final class Incremental implements EdsDialect<DeltaDiscoveryRequest, DeltaDiscoveryResponse> {
    private final EdsService service;

    Incremental(EdsService service) {
      this.service = service;
    }

    @Override
    public DeltaDiscoveryRequest first() {
      DeltaDiscoveryRequest.Builder request =
          DeltaDiscoveryRequest.newBuilder()
              .setNode(service.node())
              .setTypeUrl(EdsService.TYPE_URL)
              .addResourceNamesSubscribe(service.name());
      if (!service.version().isEmpty()) {
        request.putInitialResourceVersions(service.name(), service.version());
      }
      return request.build();
    }

    @Override
    public Optional<DeltaDiscoveryRequest> onResponse(DeltaDiscoveryResponse response) {
      if (!response.getTypeUrl().equals(EdsService.TYPE_URL)) {
        return Optional.empty();
      }
      DeltaDiscoveryRequest.Builder answer =
          DeltaDiscoveryRequest.newBuilder()
              .setTypeUrl(EdsService.TYPE_URL)
              .setResponseNonce(response.getNonce());
      if (response.getRemovedResourcesList().contains(service.name())) {
        service.onRemoved();
      }
      for (Resource resource : response.getResourcesList()) {
        if (resource.getName().equals(service.name())) {
          Optional<String> refusal = service.onAssignment(resource.getResource(), true);
          if (refusal.isPresent()) {
            answer.setErrorDetail(EdsService.detail(refusal.get()));
          } else {
            service.onVersion(resource.getVersion());
          }
        }
      }
      return Optional.of(answer.build());
    }
  }

  /** State of the world: each request names what is wanted, and what was taken last. */
  final class StateOfTheWorld implements EdsDialect<DiscoveryRequest, DiscoveryResponse> {
    private static final String WRAPPER =
        "type.googleapis.com/" + Resource.getDescriptor().getFullName();

    private final EdsService service;

    StateOfTheWorld(EdsService service) {
      this.service = service;
    }

    @Override
    public DiscoveryRequest first() {
      return request("").setNode(service.node()).build();
    }

    private DiscoveryRequest.Builder request(String nonce) {
      return DiscoveryRequest.newBuilder()
          .setTypeUrl(EdsService.TYPE_URL)
          .addResourceNames(service.name())
          .setVersionInfo(service.versionInfo())
          .setResponseNonce(nonce);
    }

    /** A response may have any part of what was asked for: what it lacks is unchanged. */
    @Override
    public Optional<DiscoveryRequest> onResponse(DiscoveryResponse response) {
      if (!response.getTypeUrl().equals(EdsService.TYPE_URL)) {
        return Optional.empty();
      }
      Optional<String> refusal = Optional.empty();
      for (Any resource : response.getResourcesList()) {
        refusal = refusal.or(() -> service.onAssignment(unwrapped(resource), false));
      }
      if (refusal.isPresent()) {
        // With the version that was taken last.
        return Optional.of(
            request(response.getNonce()).setErrorDetail(EdsService.detail(refusal.get())).build());
      }
      service.onVersionInfo(response.getVersionInfo());
      return Optional.of(request(response.getNonce()).build());
    }

    /** Resources may come in a Resource of their own. */
    private static Any unwrapped(Any resource) {
      if (!resource.getTypeUrl().equals(WRAPPER)) {
        return resource;
      }
      try {
        return Resource.parseFrom(resource.getValue()).getResource();
      } catch (InvalidProtocolBufferException broken) {
        return resource;
      }
    }
  }
}
