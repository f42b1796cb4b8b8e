/** Holds the documents to the code. */
@NullMarked
package dev.waymark.docs;

import org.jspecify.annotations.NullMarked;
