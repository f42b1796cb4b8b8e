package dev.waymark.net.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.waymark.testing.Authority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PrivateKey;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrivateKeysTest {
  private static final String EC = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
  private static final String RSA = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";

  @TempDir private static Path folder;

  @BeforeAll
  static void assumeOpenssl() {
    Authority.assumeOpenssl();
  }

  private static Path write(String text) throws IOException {
    Path file = Files.createTempFile(folder, "key", ".pem");
    Files.writeString(file, text);
    return file;
  }

  private static Path file(String command) throws IOException {
    return write(Authority.openssl(command));
  }

  private static PrivateKey read(Path file) throws TlsFileException {
    return PrivateKeys.read(file, false);
  }

  private static void assertRefused(Path file, String problem) {
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(TlsFileException.class)
        .hasMessage(file + ": " + problem);
  }

  @ParameterizedTest
  @CsvSource({
    "PKCS#8, genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256, EC",
    "PKCS#8, genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384, EC",
    "PKCS#8, genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048, RSA",
    "PKCS#1, genrsa -traditional 2048, RSA",
    "PKCS#1 beyond 64 KiB in all lengths, genrsa -traditional 4096, RSA",
    "SEC 1, ecparam -name prime256v1 -genkey -noout, EC",
    "SEC 1 after its parameters, ecparam -name secp384r1 -genkey, EC"
  })
  void key_inEveryFormOfOpenssl_isRead(String form, String command, String algorithm)
      throws Exception {
    Path file = file(command);
    PrivateKey key = read(file);
    assertThat(key.getAlgorithm()).as(form).isEqualTo(algorithm);
    // What Java writes is PKCS#8, so openssl tells whether it is the same key.
    Path converted = folder.resolve("converted.der");
    Files.write(converted, key.getEncoded());
    assertThat(Authority.openssl("pkey -pubout -inform DER -in " + converted))
        .isEqualTo(Authority.openssl("pkey -pubout -in " + file));
  }

  @Test
  void text_aroundTheKey_isIgnored() throws Exception {
    String key = Authority.openssl(EC).replace("\n", "\r\n");
    assertThat(read(write("Bag Attributes\r\n - friendly\r\n" + key + "\r\n")).getAlgorithm())
        .isEqualTo("EC");
  }

  @Test
  void key_thatNeedsAPassword_isRefused() throws Exception {
    String problem =
        "the private key needs a password; decrypt it with openssl pkey -in KEY -out NEW";
    assertRefused(file(EC + " -aes256 -pass pass:secret"), problem);
    Path plain = file("genrsa -traditional 2048");
    assertRefused(file("rsa -traditional -aes128 -passout pass:secret -in " + plain), problem);
  }

  @Test
  void file_withNoKeyOrTwo_isRefused() throws Exception {
    Authority root = Authority.root(folder.resolve("root"), "root");
    assertRefused(root.certificate(), "has no private key (-----BEGIN PRIVATE KEY-----)");
    assertRefused(
        write(Authority.openssl(EC) + Authority.openssl(EC)), "has 2 private keys; keep one");
    assertRefused(write("hello"), "not PEM: it has no -----BEGIN … line; convert it with openssl");
    assertRefused(folder.resolve("missing"), "no such file; check the path");
    assertRefused(folder, "a directory, not a file");
  }

  @Test
  void key_ofAnotherAlgorithm_isRefused() throws Exception {
    assertRefused(
        file("genpkey -algorithm ED25519"), "the private key is neither RSA nor ECDSA, or damaged");
    assertRefused(
        write("-----BEGIN DSA PRIVATE KEY-----\nMAA=\n-----END DSA PRIVATE KEY-----\n"),
        "the private key is neither RSA nor ECDSA, or damaged");
  }

  @Test
  void curve_thatIsNotNamed_isRefused() throws Exception {
    Path key = file("ecparam -name prime256v1 -genkey -noout -param_enc explicit");
    assertRefused(
        key, "the EC key does not name its curve; convert it with openssl pkcs8 -topk8 -nodes");
  }

  @Test
  void key_thatIsDamaged_isRefused_orHasAllItNeeds() throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    for (String command : new String[] {EC, "ecparam -name prime256v1 -genkey -noout"}) {
      String good = Authority.openssl(command);
      for (int i = 0; i < 300; i++) {
        char[] bad = good.toCharArray();
        int at = 28 + random.nextInt(bad.length - 56);
        bad[at] = (char) random.nextInt(32, 127);
        Path file = write(new String(bad));
        try {
          assertThat(read(file).getAlgorithm()).isEqualTo("EC");
        } catch (TlsFileException refused) {
          assertThat(refused.problem()).startsWith(file + ": ");
        }
        Files.delete(file);
      }
    }
  }

  @Test
  void key_thatOnlyItsGroupMayReadToo_isRead() throws Exception {
    Path key = file(EC);
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r-----"));
    assertThat(read(key)).isNotNull();
  }

  @Test
  void key_thatEverybodyMayRead_isRefused_unlessTheOperatorWantsIt() throws Exception {
    Path key = file(EC);
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
    assertRefused(
        key,
        "everybody may read it, and it has a secret; chmod o-r it, or set key-permissions to any");
    assertThat(PrivateKeys.read(key, true)).isNotNull();
  }

  @Test
  void key_matchesItsOwnPublicKeyAlone() throws Exception {
    Path ca = folder.resolve("match");
    Authority root = Authority.root(ca, "match");
    var certificate = Certificates.read(root.certificate()).getFirst();
    assertThat(PrivateKeys.match(read(ca.resolve("ca.key")), certificate.getPublicKey())).isTrue();
    assertThat(PrivateKeys.match(read(file(EC)), certificate.getPublicKey())).isFalse();
    assertThat(PrivateKeys.match(read(file(RSA)), certificate.getPublicKey())).isFalse();
  }
}
