package dev.waymark.registry.wire;

import dev.waymark.registry.Instance;
import dev.waymark.registry.InstanceKey;
import dev.waymark.registry.LoadReport;
import dev.waymark.v1.Load;

/** Writes instances for peers. Stateless. */
public final class InstanceWriter {
  private InstanceWriter() {}

  /** The message for an instance. */
  public static dev.waymark.v1.Instance write(Instance instance) {
    dev.waymark.v1.Instance.Builder message =
        dev.waymark.v1.Instance.newBuilder()
            .setService(instance.service())
            .setAddress(instance.address())
            .setWeight(instance.weight())
            .setPriority(instance.priority())
            .putAllLabels(instance.labels())
            .setHealth(
                switch (instance.health()) {
                  case HEALTHY -> dev.waymark.v1.Instance.Health.HEALTHY;
                  case DRAINING -> dev.waymark.v1.Instance.Health.DRAINING;
                  case UNHEALTHY -> dev.waymark.v1.Instance.Health.UNHEALTHY;
                });
    if (!instance.load().equals(LoadReport.UNKNOWN)) {
      message.setLoad(write(instance.load()));
    }
    return message.build();
  }

  /** The message for a key. */
  public static dev.waymark.v1.InstanceKey write(InstanceKey key) {
    return dev.waymark.v1.InstanceKey.newBuilder()
        .setService(key.service())
        .setAddress(key.address())
        .build();
  }

  private static Load write(LoadReport load) {
    return Load.newBuilder()
        .setUtilisation(load.utilisation())
        .setCapacity(load.capacity())
        .setInFlight(load.inFlight())
        .setMemory(load.memory())
        .setRequestsPerSecond(load.requestsPerSecond())
        .setErrorsPerSecond(load.errorsPerSecond())
        .build();
  }
}
