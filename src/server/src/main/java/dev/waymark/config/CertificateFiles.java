package dev.waymark.config;

import java.nio.file.Path;

/**
 * The files of a certificate and its private key, as PEM. Immutable.
 *
 * @param key may be the same file
 */
public record CertificateFiles(Path certificate, Path key) {}
