package deskpulse.bench;

import java.util.Locale;

/**
 * What the sums of all agents and minutes add up to.
 *
 * @param events      events counted
 * @param waitSeconds total of {@code wait_seconds}
 */
public record Checksum(long events, double waitSeconds) {

  String json() {
    return String.format(Locale.ROOT, "{\"events\": %d, \"wait_seconds\": %.3f}", events, waitSeconds);
  }
}
