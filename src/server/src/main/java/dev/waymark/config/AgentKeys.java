package dev.waymark.config;

import java.time.Duration;

/** The keys of a service that an agent minds. Immutable. */
final class AgentKeys {
  static final KeyGroup<AgentService> GROUP =
      new KeyGroup<>("Services of an agent", Scope.AGENT_SERVICE, "");

  static final Key<AgentService, String> SERVICE =
      GROUP
          .key("service", Targets.service())
          .required()
          .readByHand()
          .example("echo")
          .meaning("The name under which the service is registered. Required.");

  static final Key<AgentService, String> ADDRESS =
      GROUP
          .key("address", Targets.registeredAddress())
          .required()
          .readByHand()
          .example("10.0.0.7:4770")
          .meaning("Where it serves, as others reach it. Required.");

  static final Key<AgentService, ServiceCheck> CHECK =
      GROUP
          .key("check", ServiceCheck.type())
          .required()
          .readByHand()
          .example("grpc")
          .meaning("How it is tested. Required.");

  static final Key<AgentService, Integer> WEIGHT =
      GROUP
          .key("weight", ValueType.number(1, 1000))
          .byDefault("1")
          .meaning("Its share of new work, relative to the others.");

  static final Key<AgentService, Integer> PRIORITY =
      GROUP
          .key("priority", ValueType.number(0, 100))
          .byDefault("0")
          .meaning("It gets work only while no instance with a lower number serves.");

  static final Key<AgentService, String> ZONE =
      GROUP
          .key("zone", ValueType.text(0, 253))
          .readByHand()
          .example("eu-1a")
          .meaning("Where it is. The same as the label `zone`.");

  static final Key<AgentService, String> LABEL =
      GROUP
          .key("labels.*", ValueType.text(0, 253))
          .readByHand()
          .example("a")
          .meaning("Anything worth knowing about it, as NAME: TEXT.");

  static final Key<AgentService, Duration> CHECK_INTERVAL =
      GROUP
          .key("check-interval", ValueType.duration("1h"))
          .byDefault("2s")
          .meaning("How often it is tested.");

  static final Key<AgentService, Duration> CHECK_TIMEOUT =
      GROUP
          .key("check-timeout", ValueType.duration("1h"))
          .byDefault("1s")
          .meaning("How long a test may take.");

  static final Key<AgentService, Integer> RISE =
      GROUP
          .key("rise", ValueType.number(1, 100))
          .byDefault("2")
          .meaning("Tests in a row that must pass before a service that failed is healthy.");

  static final Key<AgentService, Integer> FALL =
      GROUP
          .key("fall", ValueType.number(1, 100))
          .byDefault("3")
          .meaning("Tests in a row that must fail before a healthy service is not.");

  static final Key<AgentService, AgentService.Load> LOAD =
      GROUP
          .key("load", ValueType.word(AgentService.Load.class))
          .byDefault("none")
          .meaning("Where its load comes from.");

  private AgentKeys() {}
}
