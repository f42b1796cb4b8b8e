package dev.waymark.net.dial;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.waymark.net.dial.UpstreamProblem.Kind;
import io.netty.buffer.Unpooled;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FirstBytesTest {
  @Test
  void settings_areHttp2() {
    assertThat(problem("\0\0\0\4\0\0\0\0\0")).isNull();
    assertThat(problem("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\144")).isNull();
    assertThat(problem("\0\0\22\4")).as("a frame header up to its type").isNull();
  }

  private static Stream<Arguments> others() {
    return Stream.of(
        Arguments.of(
            "\25\3\1\0\2\2\12",
            Kind.LOOKS_LIKE_TLS,
            "looks like TLS; the bridge dials in plain text (a TLS alert)"),
        Arguments.of(
            "HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port",
            Kind.LOOKS_LIKE_TLS,
            "looks like TLS; the bridge dials in plain text (HTTP/1.1 400 Bad Request)"),
        Arguments.of(
            "HTTP/1.0 505 HTTP Version Not Supported\r\n",
            Kind.LOOKS_LIKE_HTTP1,
            "looks like HTTP/1.1 (HTTP/1.0 505 HTTP Version Not Supported)"),
        Arguments.of(
            "SSH-2.0-OpenSSH_9.2\r\n", Kind.LOOKS_LIKE_SSH, "looks like SSH (SSH-2.0-OpenSSH_9.2)"),
        Arguments.of(
            "PRI * HTTP/2.0\r\n",
            Kind.NOT_HTTP2,
            "looks like an echo server, which returns what it receives (PRI * HTTP/2.0)"));
  }

  @ParameterizedTest
  @MethodSource("others")
  void otherProtocols_areNamed(String bytes, Kind kind, String text) {
    assertThat(problem(bytes))
        .isEqualTo(new UpstreamProblem(kind, "answers, but not HTTP/2: " + text));
  }

  @Test
  void anythingElse_isQuotedWithoutUnprintableCharacters() {
    assertThat(problem("220 mail ready\r\nmore"))
        .isEqualTo(
            new UpstreamProblem(
                Kind.NOT_HTTP2, "answers, but not HTTP/2: it begins with '220 mail ready'"));
    assertThat(problem("-ERR 'x' \7\377" + "y".repeat(100)))
        .isEqualTo(
            new UpstreamProblem(
                Kind.NOT_HTTP2,
                "answers, but not HTTP/2: it begins with '-ERR .x. .." + "y".repeat(37) + "'"));
  }

  @Test
  void otherFrames_areNotHttp2() {
    for (String bytes : new String[] {"\0\0\0\1\0\0\0\0\0", "\0\0\0", "x", "\0\0\0\7\0"}) {
      assertThat(problem(bytes)).extracting(UpstreamProblem::kind).isEqualTo(Kind.NOT_HTTP2);
    }
  }

  private static @Nullable UpstreamProblem problem(String bytes) {
    return FirstBytes.problemOf(Unpooled.copiedBuffer(bytes, ISO_8859_1));
  }
}
