@NullMarked
package dev.waymark.cli.bench;

import org.jspecify.annotations.NullMarked;
