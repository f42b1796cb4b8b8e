package dev.waymark.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * A certificate authority for tests, which runs the {@code openssl} command: so the files are those
 * that others write. Confined to one thread.
 */
public final class Authority {
  /** Files with a certificate, followed by those of the CAs up to the root, and its key. */
  public record Issued(Path certificate, Path key) {}

  /**
   * What to issue.
   *
   * @param subject such as {@code /CN=device-7}
   * @param names such as {@code DNS:a.example,URI:spiffe://example/a}; empty for none
   * @param usage the extended key usage; empty for none
   */
  public record Request(
      String subject,
      String names,
      String usage,
      KeyType keyType,
      Instant notBefore,
      Instant notAfter) {
    /** For a server with these DNS names, valid now. */
    public static Request server(String... names) {
      String alternative =
          String.join(",", Stream.of(names).map(name -> "DNS:" + name).toArray(String[]::new));
      return new Request(
          "/CN=" + names[0], alternative, "serverAuth", KeyType.EC, hours(-1), hours(24));
    }

    /** For a client with this common name, valid now. */
    public static Request client(String name) {
      return new Request("/CN=" + name, "", "clientAuth", KeyType.EC, hours(-1), hours(24));
    }

    private static Instant hours(int fromNow) {
      return Instant.now().plus(fromNow, ChronoUnit.HOURS);
    }

    public Request subject(String name) {
      return new Request(name, names, usage, keyType, notBefore, notAfter);
    }

    public Request names(String alternative) {
      return new Request(subject, alternative, usage, keyType, notBefore, notAfter);
    }

    public Request usage(String extended) {
      return new Request(subject, names, extended, keyType, notBefore, notAfter);
    }

    public Request keyType(KeyType type) {
      return new Request(subject, names, usage, type, notBefore, notAfter);
    }

    public Request valid(Instant from, Instant to) {
      return new Request(subject, names, usage, keyType, from, to);
    }
  }

  /** The algorithm of a key. */
  public enum KeyType {
    EC("ec", "ec_paramgen_curve:P-256"),
    RSA("rsa", "rsa_keygen_bits:2048"),
    /** Takes milliseconds to sign. */
    RSA_4096("rsa", "rsa_keygen_bits:4096");

    private final String algorithm;
    private final String option;

    KeyType(String algorithm, String option) {
      this.algorithm = algorithm;
      this.option = option;
    }
  }

  private static final DateTimeFormatter ASN1_TIME =
      DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private static final String CONFIG =
      """
      [ca]
      default_ca = it
      [it]
      dir = %1$s
      database = %1$s/index.txt
      new_certs_dir = %1$s
      serial = %1$s/serial
      crlnumber = %1$s/crlnumber
      certificate = %1$s/ca.pem
      private_key = %1$s/ca.key
      default_md = sha256
      default_days = 1
      default_crl_hours = 24
      unique_subject = no
      policy = any
      [any]
      commonName = optional
      organizationName = optional
      """;

  private final Path folder;
  private final @Nullable Authority parent;
  private int issued;

  private Authority(Path folder, @Nullable Authority parent) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.parent = parent;
    Files.writeString(folder.resolve("ca.cnf"), String.format(Locale.ROOT, CONFIG, folder));
    Files.writeString(folder.resolve("index.txt"), "");
    Files.writeString(folder.resolve("serial"), "1000\n");
    Files.writeString(folder.resolve("crlnumber"), "01\n");
  }

  /** Skips the test if the command is missing. */
  public static void assumeOpenssl() {
    boolean isThere =
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(path -> Files.isExecutable(Path.of(path, "openssl")));
    Assumptions.assumeTrue(isThere, "openssl is not installed");
  }

  /** Creates a root, whose files are in this folder. */
  public static Authority root(Path folder, String name) throws IOException {
    Authority root = new Authority(folder, null);
    openssl(
        "req -x509 -nodes -days 30 -sha256 -newkey ec -pkeyopt ec_paramgen_curve:P-256",
        "-subj",
        "/CN=" + name,
        "-addext",
        "basicConstraints=critical,CA:true",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout",
        folder.resolve("ca.key").toString(),
        "-out",
        folder.resolve("ca.pem").toString());
    return root;
  }

  /** Creates an authority whose certificate this one signs. */
  public Authority intermediate(Path itsFolder, String name) throws IOException {
    Authority child = new Authority(itsFolder, this);
    String extensions =
        "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n";
    Request request = Request.client(name);
    sign(request, itsFolder.resolve("ca.pem"), itsFolder.resolve("ca.key"), extensions);
    return child;
  }

  /** The certificate of this authority. */
  public Path certificate() {
    return folder.resolve("ca.pem");
  }

  /** Issues a certificate with a new key, unencrypted in PKCS#8, readable by its owner alone. */
  public Issued issue(Request request) throws IOException {
    issued++;
    Path certificate = folder.resolve("issued-" + issued + ".pem");
    Path key = folder.resolve("issued-" + issued + ".key");
    List<String> extensions = new ArrayList<>();
    extensions.add("basicConstraints=critical,CA:false");
    if (!request.names().isEmpty()) {
      extensions.add("subjectAltName=" + request.names());
    }
    if (!request.usage().isEmpty()) {
      extensions.add("extendedKeyUsage=" + request.usage());
    }
    sign(request, certificate, key, String.join("\n", extensions) + "\n");
    StringBuilder chain = new StringBuilder(Files.readString(certificate));
    for (Authority next = this; next.parent != null; next = next.parent) {
      chain.append(Files.readString(next.certificate()));
    }
    Files.writeString(certificate, chain);
    return new Issued(certificate, key);
  }

  private void sign(Request request, Path certificate, Path key, String extensions)
      throws IOException {
    Path csr = folder.resolve("request.csr");
    Path extensionFile = Files.writeString(folder.resolve("extensions.cnf"), extensions);
    openssl(
        "req -new -nodes -sha256 -newkey " + request.keyType().algorithm,
        "-pkeyopt",
        request.keyType().option,
        "-subj",
        request.subject(),
        "-keyout",
        key.toString(),
        "-out",
        csr.toString());
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    openssl(
        "ca -batch -notext -preserveDN",
        "-config",
        folder.resolve("ca.cnf").toString(),
        "-extfile",
        extensionFile.toString(),
        "-startdate",
        ASN1_TIME.format(request.notBefore()),
        "-enddate",
        ASN1_TIME.format(request.notAfter()),
        "-in",
        csr.toString(),
        "-out",
        certificate.toString());
  }

  /** Revokes a certificate that this authority issued; the next {@link #revocationList} has it. */
  public void revoke(Issued certificate) throws IOException {
    openssl(
        "ca",
        "-config",
        folder.resolve("ca.cnf").toString(),
        "-revoke",
        certificate.certificate().toString());
  }

  /** Writes the current revocation list. */
  public Path revocationList() throws IOException {
    Path list = folder.resolve("crl.pem");
    openssl("ca -gencrl", "-config", folder.resolve("ca.cnf").toString(), "-out", list.toString());
    return list;
  }

  /**
   * Runs a command of openssl to its end.
   *
   * @param command split at spaces
   * @param more further arguments, which are not split
   * @return its standard output
   * @throws IllegalStateException with its errors if it fails
   */
  public static String openssl(String command, String... more) {
    List<String> line = new ArrayList<>(List.of("openssl"));
    line.addAll(List.of(command.split(" ")));
    line.addAll(List.of(more));
    try {
      Path errors = Files.createTempFile("openssl", ".txt");
      try {
        Process process =
            new ProcessBuilder(line)
                .redirectError(errors.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
        String output;
        try (InputStream stream = process.getInputStream()) {
          output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
        if (process.waitFor() != 0) {
          throw new IllegalStateException(line + ": " + Files.readString(errors));
        }
        return output;
      } finally {
        Files.delete(errors);
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }
}
