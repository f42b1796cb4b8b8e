package dev.waymark.config;

import dev.waymark.config.PoolConfig.Endpoint;

/**
 * The keys of one upstream in a list, which may be a part of the configuration or a file of its
 * own. Immutable.
 *
 * @param zone another way to write the label of that name
 */
record UpstreamKeys(
    KeyGroup<Endpoint> group,
    Key<Endpoint, String> address,
    Key<Endpoint, Integer> weight,
    Key<Endpoint, Integer> priority,
    Key<Endpoint, String> zone,
    Key<Endpoint, String> label) {
  static final UpstreamKeys IN_POOL = in("Upstreams of a list", Scope.UPSTREAM);

  /** A file that a {@code file:} target names: the list is all that it holds. */
  static final UpstreamKeys IN_FILE = in("Upstreams of a file", Scope.FILE_UPSTREAM);

  private static UpstreamKeys in(String title, Scope<Endpoint> scope) {
    KeyGroup<Endpoint> group = new KeyGroup<>(title, scope, "");
    return new UpstreamKeys(
        group,
        group
            .key("address", Targets.address())
            .required()
            .readByHand()
            .example("127.0.0.1:4770")
            .onReload(OnReload.AT_ONCE)
            .meaning("Address of one upstream. Required."),
        group
            .key("weight", ValueType.number(1, 1000))
            .byDefault("1")
            .onReload(OnReload.AT_ONCE)
            .meaning("Its share of new connections, relative to the others."),
        group
            .key("priority", ValueType.number(0, 100))
            .byDefault("0")
            .onReload(OnReload.AT_ONCE)
            .meaning(
                "It gets connections only while no upstream with a lower number serves; as soon as one does, its connections move there."),
        group
            .key("zone", ValueType.text(0, 253))
            .readByHand()
            .example("eu-1a")
            .onReload(OnReload.AT_ONCE)
            .meaning("Where it is. The same as the label `zone`."),
        group
            .key("labels.*", ValueType.text(0, 253))
            .readByHand()
            .example("a")
            .onReload(OnReload.AT_ONCE)
            .meaning("Anything worth knowing about it, as NAME: TEXT."));
  }
}
