package dev.waymark.api.http;

/** The answer of an {@link Authenticator}: who sends a request, or why nobody knows. Immutable. */
public sealed interface Authentication permits Sender, Denial {}
