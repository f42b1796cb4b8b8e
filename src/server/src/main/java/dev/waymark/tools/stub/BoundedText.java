package dev.waymark.tools.stub;

/**
 * Text with a limit on the number of reads, which stops a regex that backtracks excessively.
 * Confined to one thread.
 */
final class BoundedText implements CharSequence {
  private static final int READS_MAX = 1_000_000;

  /** Shared by all subsequences of a text. */
  private static final class Budget {
    int reads = READS_MAX;
  }

  private final CharSequence text;
  private final Budget budget;

  private BoundedText(CharSequence text, Budget budget) {
    this.text = text;
    this.budget = budget;
  }

  static BoundedText of(String text) {
    return new BoundedText(text, new Budget());
  }

  @Override
  public int length() {
    return text.length();
  }

  /**
   * @throws IllegalStateException after a million reads
   */
  @Override
  public char charAt(int index) {
    if (--budget.reads < 0) {
      throw new IllegalStateException("too many reads");
    }
    return text.charAt(index);
  }

  @Override
  public CharSequence subSequence(int start, int end) {
    return new BoundedText(text.subSequence(start, end), budget);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
