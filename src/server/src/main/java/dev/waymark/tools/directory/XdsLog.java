package dev.waymark.tools.directory;

import dev.waymark.telemetry.Event;
import dev.waymark.telemetry.EventLog;
import dev.waymark.tools.directory.xds.AdsEvents;
import dev.waymark.tools.directory.xds.ResourceType;
import java.util.Locale;

/**
 * Writes what happens to xDS clients to the log, and counts it. Confined to the directory's loop.
 */
record XdsLog(EventLog log, DirectoryCounters counters) implements AdsEvents {
  @Override
  public void onRefusedByClient(String node, String peer, ResourceType type, String why) {
    counters.xdsRefused.increment();
    log.write(
        Event.XDS_REFUSED,
        "node",
        node,
        "peer",
        peer,
        "type",
        type.name().toLowerCase(Locale.ROOT),
        "reason",
        why);
  }

  @Override
  public void onStreamRefused(String node, String peer, String why) {
    counters.xdsEnded.increment();
    log.write(Event.XDS_ENDED, "node", node, "peer", peer, "reason", why);
  }

  @Override
  public void onUnknownType(String node, String peer, String typeUrl) {
    log.write(
        Event.XDS_REFUSED, "node", node, "peer", peer, "type", typeUrl, "reason", "not served");
  }

  @Override
  public void onUnusable(String service, String address, String why) {
    log.write(
        Event.INSTANCE_REFUSED,
        "node",
        "xds",
        "instances",
        1,
        "reason",
        service + " at " + address + " is not told to xDS clients: " + why);
  }
}
