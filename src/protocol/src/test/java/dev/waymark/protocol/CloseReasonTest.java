package dev.waymark.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CloseReasonTest {
  @Test
  void reasons_inEnumAndProto_areTheSame() {
    for (CloseReason reason : CloseReason.values()) {
      assertThat(dev.waymark.v1.CloseReason.valueOf(reason.name()).getNumber())
          .as(reason.name())
          .isEqualTo(reason.wireCode());
      assertThat(CloseReason.ofWireCode(reason.wireCode())).isEqualTo(reason);
    }
    long known =
        Arrays.stream(dev.waymark.v1.CloseReason.values())
            .filter(reason -> reason != dev.waymark.v1.CloseReason.UNRECOGNIZED)
            .filter(reason -> reason.getNumber() != 0)
            .count();
    assertThat(known).isEqualTo(CloseReason.values().length);
  }

  @Test
  void wireCode_reservedForBridges_fromUpstreamBecomesProtocol() {
    for (CloseReason reason : CloseReason.values()) {
      assertThat(CloseReason.saidByUpstream(reason.wireCode()))
          .isEqualTo(
              switch (reason) {
                case FENCED, MOVED, UNKNOWN_CONNECTION -> CloseReason.PROTOCOL;
                default -> reason;
              });
    }
  }

  @Test
  void wireCode_unknown_becomesProtocol() {
    assertThat(CloseReason.ofWireCode(0)).isEqualTo(CloseReason.PROTOCOL);
    assertThat(CloseReason.ofWireCode(-1)).isEqualTo(CloseReason.PROTOCOL);
    assertThat(CloseReason.ofWireCode(1000)).isEqualTo(CloseReason.PROTOCOL);
  }
}
