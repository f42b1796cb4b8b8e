package dev.waymark.upstream.stub;

/**
 * Text that may be read only so often: ends a pattern that goes back and forth over it. Confined to one thread.
 *
 * @param readsLeft one number, shared by all parts of the text
 */
record BoundedText(CharSequence text, int[] readsLeft) implements CharSequence {
  static final int READS_MAX = 1_000_000;

  @Override
  public int length() {
    return text.length();
  }

  /**
   * @throws IllegalStateException after {@link #READS_MAX} reads
   */
  @Override
  public char charAt(int index) {
    if (--readsLeft[0] < 0) {
      throw new IllegalStateException("text read too often");
    }
    return text.charAt(index);
  }

  @Override
  public CharSequence subSequence(int start, int end) {
    return new BoundedText(text.subSequence(start, end), readsLeft);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
