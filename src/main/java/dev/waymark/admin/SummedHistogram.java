package dev.waymark.admin;

import com.codahale.metrics.Histogram;
import com.codahale.metrics.LockFreeExponentiallyDecayingReservoir;
import java.util.concurrent.atomic.LongAdder;

/** Dropwizard's Histogram with the sum that a Prometheus summary has and it lacks. Thread-safe. */
final class SummedHistogram extends Histogram {
  private final LongAdder sum = new LongAdder();

  SummedHistogram() {
    super(LockFreeExponentiallyDecayingReservoir.builder().build());
  }

  @Override
  public void update(int value) {
    update((long) value);
  }

  @Override
  public void update(long value) {
    super.update(value);
    sum.add(value);
  }

  long sum() {
    return sum.sum();
  }
}
