@NullMarked
package dev.waymark.tools.bench;

import org.jspecify.annotations.NullMarked;
