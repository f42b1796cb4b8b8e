package dev.waymark.tools.directory.xds;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps the events as text. */
public final class RecordedAdsEvents implements AdsEvents {
  public final List<String> all = new CopyOnWriteArrayList<>();

  @Override
  public void onRefusedByClient(String node, String peer, ResourceType type, String why) {
    all.add("nack " + node + " " + type + " " + why);
  }

  @Override
  public void onStreamRefused(String node, String peer, String why) {
    all.add("refused " + node + " " + why);
  }

  @Override
  public void onUnknownType(String node, String peer, String typeUrl) {
    all.add("unknown " + node + " " + typeUrl);
  }

  @Override
  public void onUnusable(String service, String address, String why) {
    all.add("unusable " + service + " " + address + ": " + why);
  }
}
