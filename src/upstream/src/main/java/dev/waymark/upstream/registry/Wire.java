package dev.waymark.upstream.registry;

import dev.waymark.v1.Instance;
import dev.waymark.v1.Instance.Health;
import dev.waymark.v1.Load;
import dev.waymark.v1.Refused;
import dev.waymark.v1.RegisterRequest;
import dev.waymark.v1.RegisterResponse;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Between the values of this package and the messages of registry.proto. Stateless. */
final class Wire {
  /** Texts come from the directory, which may send 4 MiB of them. */
  private static final int TEXT_CHARS_MAX = 400;

  private Wire() {}

  static String shortened(String text) {
    return text.length() <= TEXT_CHARS_MAX ? text : text.substring(0, TEXT_CHARS_MAX - 1) + "…";
  }

  static RegisterRequest request(Step.Send step, String node, Duration ttl) {
    RegisterRequest.Builder request = RegisterRequest.newBuilder();
    if (step.isFirst()) {
      request.setNode(node).setTtlMs((int) ttl.toMillis());
    }
    step.put().forEach(instance -> request.addPut(instance(instance)));
    step.remove().forEach(key -> request.addRemove(key(key)));
    return request.build();
  }

  /** The instances that were not taken, and why. */
  static Map<InstanceKey, String> refused(RegisterResponse response) {
    Map<InstanceKey, String> reasons = new LinkedHashMap<>();
    for (Refused one : response.getRefusedList()) {
      dev.waymark.v1.InstanceKey key = one.getInstance();
      reasons.put(new InstanceKey(key.getService(), key.getAddress()), shortened(one.getReason()));
    }
    return reasons;
  }

  private static dev.waymark.v1.InstanceKey key(InstanceKey key) {
    return dev.waymark.v1.InstanceKey.newBuilder()
        .setService(key.service())
        .setAddress(key.address())
        .build();
  }

  private static Instance instance(ServiceInstance from) {
    Instance.Builder to =
        Instance.newBuilder()
            .setService(from.service())
            .setAddress(from.address())
            .setWeight(from.weight())
            .setPriority(from.priority())
            .putAllLabels(from.labels())
            .setHealth(health(from.health()));
    if (!from.load().equals(InstanceLoad.UNKNOWN)) {
      to.setLoad(load(from.load()));
    }
    return to.build();
  }

  private static Health health(ServiceInstance.Health from) {
    return switch (from) {
      case HEALTHY -> Health.HEALTHY;
      case DRAINING -> Health.DRAINING;
      case UNHEALTHY -> Health.UNHEALTHY;
    };
  }

  private static Load load(InstanceLoad from) {
    return Load.newBuilder()
        .setUtilisation(from.utilisation())
        .setCapacity(from.capacity())
        .setInFlight(from.inFlight())
        .setMemory(from.memory())
        .setRequestsPerSecond(from.requestsPerSecond())
        .setErrorsPerSecond(from.errorsPerSecond())
        .build();
  }
}
