/** Checks the documents against the code. */
@NullMarked
package dev.waymark.docs;

import org.jspecify.annotations.NullMarked;
