package deskpulse.bench;

import java.util.HashMap;
import java.util.Map;

/**
 * What is kept per agent and minute.
 *
 * @param types       number of events by type
 * @param waitSeconds sum of {@code wait_seconds}
 * @param talkSeconds sum of {@code talk_seconds}
 */
public record Sums(Map<String, Long> types, double waitSeconds, double talkSeconds) {

  Sums() {
    this(new HashMap<>(), 0, 0);
  }

  /** With one more event. */
  Sums plus(Event event) {
    types.merge(event.type(), 1L, Long::sum);
    return new Sums(types, waitSeconds + orZero(event.waitSeconds()), talkSeconds + orZero(event.talkSeconds()));
  }

  long events() {
    return types.values().stream().mapToLong(Long::longValue).sum();
  }

  private static double orZero(Double seconds) {
    return seconds == null ? 0 : seconds;
  }
}
