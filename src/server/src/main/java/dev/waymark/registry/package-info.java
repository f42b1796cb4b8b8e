/** What is registered: instances of services, and how others read them. Knows no protocol. */
@NullMarked
package dev.waymark.registry;

import org.jspecify.annotations.NullMarked;
