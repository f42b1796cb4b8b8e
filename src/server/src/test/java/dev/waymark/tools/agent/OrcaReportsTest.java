package dev.waymark.tools.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.registry.LoadReport;
import dev.waymark.xds.data.orca.v3.OrcaLoadReport;
import org.junit.jupiter.api.Test;

final class OrcaReportsTest {
  @Test
  void load_hasTheApplicationsUtilisation_elseThatOfTheCpu() {
    OrcaLoadReport report =
        OrcaLoadReport.newBuilder()
            .setCpuUtilization(0.25)
            .setMemUtilization(0.5)
            .setRpsFractional(100)
            .setEps(3)
            .build();
    assertThat(OrcaReports.load(report)).isEqualTo(new LoadReport(0.25, 0, 0, 0.5, 100, 3));
    assertThat(OrcaReports.load(report.toBuilder().setApplicationUtilization(1.5).build()))
        .isEqualTo(new LoadReport(1.5, 0, 0, 0.5, 100, 3));
  }

  @Test
  void load_withNumbersThatAreNone_isUnknown() {
    OrcaLoadReport report =
        OrcaLoadReport.newBuilder()
            .setCpuUtilization(Double.NaN)
            .setMemUtilization(-1)
            .setRpsFractional(Double.NEGATIVE_INFINITY)
            .build();
    assertThat(OrcaReports.load(report)).isEqualTo(LoadReport.UNKNOWN);
    LoadReport huge =
        OrcaReports.load(
            OrcaLoadReport.newBuilder()
                .setCpuUtilization(Double.POSITIVE_INFINITY)
                .setMemUtilization(7)
                .build());
    assertThat(huge).isEqualTo(new LoadReport(100, 0, 0, 1, 0, 0));
  }
}
