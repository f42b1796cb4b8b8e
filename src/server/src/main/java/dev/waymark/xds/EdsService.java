package dev.waymark.xds;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.Code;
import com.google.rpc.Status;
import dev.waymark.config.PoolConfig.Endpoint;
import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import dev.waymark.xds.proto.ClusterLoadAssignment;
import dev.waymark.xds.proto.Node;
import java.util.List;
import java.util.Optional;

/**
 * The endpoints of one service, as control planes tell them on one stream after the other. What
 * cannot be used is refused, and what was there before stays in force. A state machine, confined to
 * the control thread.
 */
public final class EdsService {
  static final String TYPE_URL =
      "type.googleapis.com/" + ClusterLoadAssignment.getDescriptor().getFullName();

  private enum State {
    /** No control plane has said anything of it. */
    UNKNOWN,
    PRESENT,
    /** There is no such service. */
    ABSENT
  }

  private final String name;
  private final Node node;
  private State state = State.UNKNOWN;
  private List<KnownEndpoint> endpoints = List.of();

  /** Why the last assignment was refused; empty if it was not. */
  private String refusal = "";

  /** Whether no control plane has answered for long. */
  private boolean isOverdue;

  /** Of the resource, incremental; empty: there is none. */
  private String version = "";

  /** Of the last response in state of the world that was taken. */
  private String versionInfo = "";

  /**
   * @param name of the service: the name of the resource
   * @param client what the bridge calls itself
   */
  public EdsService(String name, String client) {
    this.name = name;
    this.node = Node.newBuilder().setId(client).setUserAgentName("waymark").build();
  }

  // --- inputs ---

  /** Speaks incrementally on a new stream. */
  public EdsDialect.Incremental incremental() {
    return new EdsDialect.Incremental(this);
  }

  /** Speaks in state of the world on a new stream. */
  public EdsDialect.StateOfTheWorld stateOfTheWorld() {
    return new EdsDialect.StateOfTheWorld(this);
  }

  /** There was no answer for as long as one may take: then there is no such service. */
  public void onOverdue() {
    isOverdue = state == State.UNKNOWN;
  }

  /**
   * An assignment has arrived. Returns why it is refused; empty: it is in force, or that of another
   * service.
   *
   * @param isNamed whether the response says that it is that of this service
   */
  Optional<String> onAssignment(Any resource, boolean isNamed) {
    try {
      if (!resource.getTypeUrl().equals(TYPE_URL)) {
        throw new BadAssignmentException("its type is " + resource.getTypeUrl());
      }
      ClusterLoadAssignment assignment = ClusterLoadAssignment.parseFrom(resource.getValue());
      boolean isMine = assignment.getClusterName().equals(name);
      if (!isMine && isNamed) {
        throw new BadAssignmentException("its cluster_name is " + assignment.getClusterName());
      }
      if (!isMine) {
        return Optional.empty();
      }
      endpoints = AssignmentReader.read(assignment);
      state = State.PRESENT;
      refusal = "";
      isOverdue = false;
      return Optional.empty();
    } catch (InvalidProtocolBufferException broken) {
      refusal = "it cannot be decoded: " + broken.getMessage();
    } catch (BadAssignmentException bad) {
      refusal = bad.why();
    }
    isOverdue = false;
    refusal = UpstreamProblem.shortened("assignment of " + name + ": " + refusal);
    return Optional.of(refusal);
  }

  /** There is no such service, or no longer. */
  void onRemoved() {
    state = State.ABSENT;
    endpoints = List.of();
    version = "";
    refusal = "";
    isOverdue = false;
  }

  void onVersion(String taken) {
    version = taken;
  }

  void onVersionInfo(String taken) {
    versionInfo = taken;
  }

  // --- outputs ---

  /** Whether any control plane has said what there is. Until then there is no list. */
  public boolean isKnown() {
    return state != State.UNKNOWN;
  }

  /** The upstreams, each once, in the order of their addresses. */
  public List<Endpoint> upstreams() {
    return endpoints.stream()
        .filter(KnownEndpoint::isUpstream)
        .map(KnownEndpoint::endpoint)
        .toList();
  }

  /** All endpoints, each once, in the order of their addresses. */
  public List<KnownEndpoint> endpoints() {
    return endpoints;
  }

  /** The version of the endpoints, as the control plane calls it; empty if there is none. */
  public String currentVersion() {
    return version.isEmpty() ? versionInfo : version;
  }

  /** What is worth telling the operator of what the control plane says; empty if nothing. */
  public Optional<UpstreamProblem> problem() {
    if (!refusal.isEmpty()) {
      return problem(Kind.REGISTRY_FAILED, "refused from the control plane: " + refusal);
    }
    if (state == State.ABSENT || isOverdue) {
      return problem(Kind.NO_SUCH_NAME, "the control plane knows no service " + name);
    }
    if (state == State.UNKNOWN || endpoints.stream().anyMatch(KnownEndpoint::isUpstream)) {
      return Optional.empty();
    }
    return problem(
        Kind.NO_ADDRESS,
        !endpoints.isEmpty()
            ? "none of the endpoints of " + name + " that the control plane knows is healthy"
            : "the control plane knows no endpoint of " + name);
  }

  private static Optional<UpstreamProblem> problem(Kind kind, String text) {
    return Optional.of(new UpstreamProblem(kind, text));
  }

  String name() {
    return name;
  }

  Node node() {
    return node;
  }

  String version() {
    return version;
  }

  String versionInfo() {
    return versionInfo;
  }

  /** The detail of a NACK. */
  static Status detail(String why) {
    return Status.newBuilder().setCode(Code.INVALID_ARGUMENT_VALUE).setMessage(why).build();
  }
}
