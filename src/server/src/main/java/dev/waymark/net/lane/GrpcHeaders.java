package dev.waymark.net.lane;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What an upstream's headers, RST_STREAM and GOAWAY mean in gRPC ("gRPC over HTTP2" and "HTTP to
 * gRPC Status Code Mapping", github.com/grpc/grpc/tree/master/doc). Stateless.
 */
final class GrpcHeaders {
  static final AsciiString CONTENT_TYPE = AsciiString.cached("content-type");
  static final AsciiString GRPC = AsciiString.cached("application/grpc");

  /** The beginning of the description of a response that is not gRPC's. */
  static final String HTTP_STATUS = "HTTP status ";

  private static final AsciiString GRPC_STATUS = AsciiString.cached("grpc-status");
  private static final AsciiString GRPC_MESSAGE = AsciiString.cached("grpc-message");
  private static final int HTTP_OK = 200;

  /** How much of GOAWAY's debug data is worth showing. */
  private static final int DEBUG_BYTES_MAX = 256;

  private GrpcHeaders() {}

  /** Whether other headers follow that are not trailers (RFC 9110, section 15.2). */
  static boolean isInformational(Http2Headers headers) {
    CharSequence status = headers.status();
    return status != null && status.length() > 0 && status.charAt(0) == '1';
  }

  /** Returns why these are not the first headers of a gRPC response; null if they are. */
  static @Nullable Status problemOf(Http2Headers headers) {
    int httpStatus = number(headers.status());
    CharSequence type = headers.get(CONTENT_TYPE);
    return httpStatus == HTTP_OK && isGrpc(type) ? null : ofHttp(httpStatus, type);
  }

  /** Whether this is gRPC with some encoding of messages; gRPC-Web, for example, is not. */
  private static boolean isGrpc(@Nullable CharSequence type) {
    if (type == null || !AsciiString.regionMatches(type, true, 0, GRPC, 0, GRPC.length())) {
      return false;
    }
    return type.length() == GRPC.length() || "+; ".indexOf(type.charAt(GRPC.length())) >= 0;
  }

  /** Returns the status of a response that consists of one block of headers. */
  static Status ofTrailersOnly(Http2Headers headers) {
    return headers.contains(GRPC_STATUS)
        ? ofTrailers(headers)
        : ofHttp(number(headers.status()), headers.get(CONTENT_TYPE));
  }

  /** Returns the status of a response that has begun. */
  static Status ofTrailers(Http2Headers trailers) {
    int code = number(trailers.get(GRPC_STATUS));
    if (code < 0) {
      return Status.UNKNOWN.withDescription("the stream ended without a valid grpc-status");
    }
    CharSequence message = trailers.get(GRPC_MESSAGE);
    Status status = Status.fromCodeValue(code);
    return message == null ? status : status.withDescription(decoded(message));
  }

  /** Returns the status of a stream that was reset. */
  static Status ofReset(long errorCode) {
    Http2Error error = Http2Error.valueOf(errorCode);
    Status.Code code =
        switch (error) {
          case REFUSED_STREAM -> Status.Code.UNAVAILABLE;
          case CANCEL -> Status.Code.CANCELLED;
          case ENHANCE_YOUR_CALM -> Status.Code.RESOURCE_EXHAUSTED;
          case INADEQUATE_SECURITY -> Status.Code.PERMISSION_DENIED;
          case null, default -> Status.Code.INTERNAL;
        };
    return code.toStatus().withDescription("RST_STREAM " + name(error, errorCode));
  }

  /** Returns the status of a stream that ends because the connection does. */
  static Status ofGoAway(long errorCode, ByteBuf debugData) {
    String text = "GOAWAY " + name(Http2Error.valueOf(errorCode), errorCode);
    int bytes = Math.min(debugData.readableBytes(), DEBUG_BYTES_MAX);
    String debug = debugData.toString(debugData.readerIndex(), bytes, UTF_8);
    return Status.UNAVAILABLE.withDescription(debug.isEmpty() ? text : text + ": " + debug);
  }

  private static Status ofHttp(int httpStatus, @Nullable CharSequence type) {
    Status.Code code =
        switch (httpStatus) {
          case 400 -> Status.Code.INTERNAL;
          case 401 -> Status.Code.UNAUTHENTICATED;
          case 403 -> Status.Code.PERMISSION_DENIED;
          case 404 -> Status.Code.UNIMPLEMENTED;
          case 429, 502, 503, 504 -> Status.Code.UNAVAILABLE;
          default -> Status.Code.UNKNOWN;
        };
    return code.toStatus().withDescription(HTTP_STATUS + httpStatus + ", content-type " + type);
  }

  private static String name(@Nullable Http2Error error, long code) {
    return error == null ? "with error code " + code : error.name();
  }

  private static int number(@Nullable CharSequence digits) {
    if (digits == null || digits.isEmpty() || digits.length() > 3) {
      return -1;
    }
    int number = 0;
    for (int i = 0; i < digits.length(); i++) {
      int digit = digits.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      number = 10 * number + digit;
    }
    return number;
  }

  /**
   * Decodes Status-Message; what is not a valid escape stays as it is, as the specification asks.
   */
  private static String decoded(CharSequence encoded) {
    byte[] bytes = encoded.toString().getBytes(ISO_8859_1);
    var text = new ByteArrayOutputStream(bytes.length);
    for (int i = 0; i < bytes.length; i++) {
      int escaped =
          bytes[i] == '%' && i + 2 < bytes.length ? octet(bytes[i + 1], bytes[i + 2]) : -1;
      text.write(escaped < 0 ? bytes[i] : escaped);
      i += escaped < 0 ? 0 : 2;
    }
    return text.toString(UTF_8);
  }

  private static int octet(byte high, byte low) {
    int highDigit = Character.digit(high, 16);
    int lowDigit = Character.digit(low, 16);
    return highDigit < 0 || lowDigit < 0 ? -1 : highDigit << 4 | lowDigit;
  }
}
