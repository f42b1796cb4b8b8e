package dev.waymark.tools.directory.xds;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import dev.waymark.xds.proto.AggregatedConfigSource;
import dev.waymark.xds.proto.ApiListener;
import dev.waymark.xds.proto.ApiVersion;
import dev.waymark.xds.proto.Cluster;
import dev.waymark.xds.proto.ConfigSource;
import dev.waymark.xds.proto.HttpConnectionManager;
import dev.waymark.xds.proto.HttpFilter;
import dev.waymark.xds.proto.Listener;
import dev.waymark.xds.proto.Route;
import dev.waymark.xds.proto.RouteAction;
import dev.waymark.xds.proto.RouteConfiguration;
import dev.waymark.xds.proto.RouteMatch;
import dev.waymark.xds.proto.Router;
import dev.waymark.xds.proto.VirtualHost;

/**
 * What leads a client from the name of a service to its endpoints. All resources have the service's
 * name: a listener, whose only route, within it, goes to a cluster, whose endpoints come from ADS
 * (gRFC A27). So one line, {@code xds:///echo}, is a client's whole configuration. Stateless.
 */
final class RouteResources {
  private static final String ROUTER = "router";

  private RouteResources() {}

  static Listener listener(String service) {
    HttpConnectionManager manager =
        HttpConnectionManager.newBuilder()
            .setStatPrefix(service)
            .setRouteConfig(route(service))
            .addHttpFilters(
                HttpFilter.newBuilder()
                    .setName(ROUTER)
                    .setTypedConfig(any(Router.getDefaultInstance())))
            .build();
    return Listener.newBuilder()
        .setName(service)
        .setApiListener(ApiListener.newBuilder().setApiListener(any(manager)))
        .build();
  }

  static RouteConfiguration route(String service) {
    Route all =
        Route.newBuilder()
            .setMatch(RouteMatch.newBuilder().setPrefix(""))
            .setRoute(RouteAction.newBuilder().setCluster(service))
            .build();
    return RouteConfiguration.newBuilder()
        .setName(service)
        .addVirtualHosts(VirtualHost.newBuilder().setName(service).addDomains("*").addRoutes(all))
        .build();
  }

  static Cluster cluster(String service) {
    ConfigSource ads =
        ConfigSource.newBuilder()
            .setAds(AggregatedConfigSource.getDefaultInstance())
            .setResourceApiVersion(ApiVersion.V3)
            .build();
    return Cluster.newBuilder()
        .setName(service)
        .setType(Cluster.DiscoveryType.EDS)
        .setEdsClusterConfig(
            Cluster.EdsClusterConfig.newBuilder().setEdsConfig(ads).setServiceName(service))
        .setLbPolicy(Cluster.LbPolicy.ROUND_ROBIN)
        .build();
  }

  private static Any any(Message content) {
    return Any.newBuilder()
        .setTypeUrl("type.googleapis.com/" + content.getDescriptorForType().getFullName())
        .setValue(content.toByteString())
        .build();
  }
}
