package dev.waymark.net.tls;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.List;

/**
 * Reads private keys: PKCS#8 (RFC 5958), and the older forms of one algorithm each, which OpenSSL
 * still writes: PKCS#1 for RSA (RFC 8017) and SEC 1 for elliptic curves (RFC 5915). Java reads only
 * PKCS#8, so the others are wrapped in it. Stateless.
 */
public final class PrivateKeys {
  private static final List<String> ALGORITHMS = List.of("RSA", "EC");

  /** INTEGER 0: the version of a PKCS#8 key. */
  private static final byte[] VERSION = {0x02, 0x01, 0x00};

  /** AlgorithmIdentifier of rsaEncryption, with NULL as its parameters (RFC 8017, appendix A.1). */
  private static final byte[] RSA = {
    0x30,
    0x0d,
    0x06,
    0x09,
    0x2a,
    (byte) 0x86,
    0x48,
    (byte) 0x86,
    (byte) 0xf7,
    0x0d,
    0x01,
    0x01,
    0x01,
    0x05,
    0x00
  };

  /** OBJECT IDENTIFIER id-ecPublicKey (RFC 5480, section 2.1.1). */
  private static final byte[] EC = {
    0x06, 0x07, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 0x02, 0x01
  };

  private static final int SEQUENCE = 0x30;
  private static final int OCTET_STRING = 0x04;
  private static final int OBJECT_IDENTIFIER = 0x06;

  /** The curve of a key in the form of SEC 1. */
  private static final int PARAMETERS = 0xa0;

  private PrivateKeys() {}

  /**
   * Reads the only private key in the file.
   *
   * @param mayBeReadByAll whether a file that everybody may read is accepted
   */
  static PrivateKey read(Path file, boolean mayBeReadByAll) throws TlsFileException {
    List<Pem> keys =
        Pem.read(file).stream().filter(block -> block.label().endsWith("PRIVATE KEY")).toList();
    if (keys.isEmpty()) {
      throw TlsFileException.withoutKey(file);
    }
    if (keys.size() > 1) {
      throw new TlsFileException(file, "has " + keys.size() + " private keys; keep one");
    }
    if (!mayBeReadByAll) {
      refuseIfReadableByAll(file);
    }
    return read(file, keys.getFirst());
  }

  private static PrivateKey read(Path file, Pem key) throws TlsFileException {
    if (key.isEncrypted() || key.label().startsWith("ENCRYPTED")) {
      throw new TlsFileException(
          file, "the private key needs a password; decrypt it with openssl pkey -in KEY -out NEW");
    }
    byte[] pkcs8 =
        switch (key.label()) {
          case "PRIVATE KEY" -> key.der();
          case "RSA PRIVATE KEY" -> sequence(VERSION, RSA, element(OCTET_STRING, key.der()));
          case "EC PRIVATE KEY" ->
              sequence(
                  VERSION, sequence(EC, curve(file, key.der())), element(OCTET_STRING, key.der()));
          default -> throw unsupported(file);
        };
    for (String algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (InvalidKeySpecException other) {
        continue;
      } catch (NoSuchAlgorithmException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
    throw unsupported(file);
  }

  private static TlsFileException unsupported(Path file) {
    return new TlsFileException(file, "the private key is neither RSA nor ECDSA, or damaged");
  }

  /** Refuses a file with secrets that everybody may read. */
  public static void refuseIfReadableByAll(Path file) throws TlsFileException {
    try {
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        throw new TlsFileException(
            file,
            "everybody may read it, and it has a secret; chmod o-r it, or set key-permissions to any");
      }
    } catch (NoSuchFileException missing) {
      throw new TlsFileException(file, "no such file; check the path");
    } catch (IOException failed) {
      throw new TlsFileException(file, "cannot be read: " + failed.getMessage());
    }
  }

  /** Finds the OBJECT IDENTIFIER of the curve in a key in the form of SEC 1. */
  private static byte[] curve(Path file, byte[] key) throws TlsFileException {
    try {
      int at = contentOf(key, 0);
      while (at < key.length) {
        int content = contentOf(key, at);
        int end = content + lengthOf(key, at);
        if (end < content || end > key.length) {
          throw unsupported(file);
        }
        if ((key[at] & 0xff) == PARAMETERS && key[content] == OBJECT_IDENTIFIER) {
          return Arrays.copyOfRange(key, content, end);
        }
        at = end;
      }
    } catch (ArrayIndexOutOfBoundsException cut) {
      throw unsupported(file);
    }
    throw new TlsFileException(
        file, "the EC key does not name its curve; convert it with openssl pkcs8 -topk8 -nodes");
  }

  /** Where the content of the element at this place starts (X.690, section 8.1.3). */
  private static int contentOf(byte[] der, int at) {
    int first = der[at + 1] & 0xff;
    return at + 2 + (first < 0x80 ? 0 : first - 0x80);
  }

  /** The length of the content; any number if it is damaged. */
  private static int lengthOf(byte[] der, int at) {
    int first = der[at + 1] & 0xff;
    int length = first < 0x80 ? first : 0;
    for (int i = at + 2; i < contentOf(der, at); i++) {
      length = (length << 8) | (der[i] & 0xff);
    }
    return length;
  }

  private static byte[] sequence(byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    return element(SEQUENCE, content.toByteArray());
  }

  private static byte[] element(int tag, byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    if (content.length < 0x80) {
      out.write(content.length);
    } else {
      // Three bytes of length are valid BER for any size that fits, and Java takes them.
      out.write(0x83);
      out.write(content.length >> 16);
      out.write(content.length >> 8);
      out.write(content.length);
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  /** Whether the private key belongs to the certificate: it signs what the public key verifies. */
  static boolean match(PrivateKey key, PublicKey publicKey) {
    String algorithm = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
    byte[] sample = {1, 2, 3};
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(sample);
      byte[] signed = signature.sign();
      signature.initVerify(publicKey);
      signature.update(sample);
      return signature.verify(signed);
    } catch (GeneralSecurityException differentAlgorithms) {
      return false;
    }
  }
}
