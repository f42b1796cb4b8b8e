package dev.waymark.upstreams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.dial.UpstreamProblem;
import dev.waymark.net.dial.UpstreamProblem.Kind;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ProblemReportTest {
  private static final UpstreamProblem REFUSED =
      new UpstreamProblem(Kind.CONNECTION_REFUSED, "connection refused");
  private static final UpstreamProblem SILENT = new UpstreamProblem(Kind.SILENT, "silent");

  private final ProblemReport report = new ProblemReport();
  private long nowNs = TimeUnit.DAYS.toNanos(1);

  @Test
  void problem_isReportedAtOnceThenPerKindThenPeriodically() {
    long startNs = nowNs;
    assertThat(report.on(nowNs, REFUSED)).isTrue();
    after(10);
    assertThat(report.on(nowNs, REFUSED)).isFalse();
    assertThat(report.on(nowNs, SILENT)).isTrue();
    after(49);
    assertThat(report.on(nowNs, REFUSED)).as("alternating kinds").isFalse();
    assertThat(report.on(nowNs, SILENT)).isFalse();
    after(11);
    assertThat(report.on(nowNs, SILENT)).isTrue();
    assertThat(report.sinceNs()).isEqualTo(startNs);
    report.clear();
    assertThat(report.current()).isEmpty();
    assertThat(report.on(nowNs, SILENT)).isTrue();
    assertThat(report.sinceNs()).isEqualTo(nowNs);
  }

  @Test
  void expectedProblem_isReportedOnlyIfItLasts() {
    assertThat(report.onExpected(nowNs, REFUSED)).isFalse();
    assertThat(report.current()).contains(REFUSED);
    after(60);
    assertThat(report.onExpected(nowNs, REFUSED)).isTrue();
    after(59);
    assertThat(report.onExpected(nowNs, REFUSED)).isFalse();
  }

  private void after(long seconds) {
    nowNs += TimeUnit.SECONDS.toNanos(seconds);
  }
}
