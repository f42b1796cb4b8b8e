package dev.waymark.config;

/** What a reload does with a key whose value has changed. */
enum OnReload {
  /** The new value takes effect with the reload. */
  AT_ONCE("at once", "Takes effect on reload."),

  /** Connections that are open keep the old value. */
  NEW_CONNECTIONS("new connections", "After a reload, applies to new connections only."),

  /** Built into a listening socket: a reload takes it only together with a new address. */
  NEW_ADDRESS("new address", "A reload can change it only together with the address."),

  /** Built into what is running: the reload is refused. */
  RESTART("restart", "A change needs a restart.");

  private final String label;
  private final String sentence;

  OnReload(String label, String sentence) {
    this.label = label;
    this.sentence = sentence;
  }

  /** For the reference's table. */
  String label() {
    return label;
  }

  /** For descriptions. */
  String sentence() {
    return sentence;
  }
}
