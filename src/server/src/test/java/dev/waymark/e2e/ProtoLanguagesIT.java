package dev.waymark.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.DescriptorProtos.FileOptions;
import dev.waymark.v1.BridgeFrame;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Generates code from the .proto for every language whose generator this machine has. */
final class ProtoLanguagesIT {
  /** Without these options protoc-gen-go fails, and other generators invent names. */
  @Test
  void proto_definesThePackageOfEachLanguage() {
    FileOptions options = BridgeFrame.getDescriptor().getFile().getOptions();
    assertThat(
            List.of(
                options.getGoPackage(),
                options.getJavaPackage(),
                options.getCsharpNamespace(),
                options.getObjcClassPrefix(),
                options.getPhpNamespace(),
                options.getRubyPackage()))
        .containsExactly(
            "waymark.dev/proto/waymark/v1;waymarkv1",
            "dev.waymark.v1",
            "Waymark.V1",
            "WMK",
            "Waymark\\V1",
            "Waymark::V1");
  }

  @ParameterizedTest
  @CsvSource({
    "cpp, waymark/v1/attach.pb.h",
    "csharp, Attach.cs",
    "go, waymark.dev/proto/waymark/v1/attach.pb.go",
    "go-grpc, waymark.dev/proto/waymark/v1/attach_grpc.pb.go",
    "java, dev/waymark/v1/BridgeFrame.java",
    "objc, waymark/v1/Attach.pbobjc.h",
    "php, Waymark/V1/BridgeFrame.php",
    "python, waymark/v1/attach_pb2.py",
    "ruby, waymark/v1/attach_pb.rb",
  })
  void protoc_generatesWhatTheLanguageExpects(String language, String file, @TempDir Path target) {
    assumeTrue(Waymark.isOnPath("protoc"), "no protoc: apt-get install protobuf-compiler");
    String plugin = "protoc-gen-" + language;
    if (language.startsWith("go")) {
      assumeTrue(Waymark.isOnPath(plugin), "no " + plugin + ": apt-get install " + plugin);
    }
    try (Waymark protoc =
        Waymark.program(
                "protoc",
                "--proto_path=proto",
                "--" + language + "_out=" + target,
                "waymark/v1/attach.proto")
            .start()) {
      int code = protoc.exitCode();
      assumeTrue(
          !protoc.stderr().contains("optional"),
          () -> "older than `optional` in proto3: " + protoc.stderr());
      assertThat(code).as(protoc.describe()).isZero();
    }
    assertThat(target.resolve(file)).isRegularFile();
  }
}
