/** Notices that files have changed. What is in them is the business of whoever follows them. */
@NullMarked
package dev.waymark.files;

import org.jspecify.annotations.NullMarked;
