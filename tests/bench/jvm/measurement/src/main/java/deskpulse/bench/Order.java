package deskpulse.bench;

import java.util.HashMap;
import java.util.Map;

/**
 * What a contender is asked to do.
 *
 * @param job     {@code read}, {@code decode} or {@code sums}
 * @param broker  bootstrap address of Kafka, {@code HOST:PORT}
 * @param topic   the topic to be read from its beginning
 * @param events  how many messages of it
 * @param seconds after how many seconds of work to stop, done or not
 */
public record Order(String job, String broker, String topic, long events, double seconds) {

  /** The order as given on the command line: pairs of {@code --name value}, all of them required. */
  public static Order of(String[] arguments) {
    Map<String, String> given = new HashMap<>();
    for (int at = 0; at + 1 < arguments.length; at += 2) {
      given.put(arguments[at], arguments[at + 1]);
    }
    return new Order(
        required(given, "--job"),
        required(given, "--broker"),
        required(given, "--topic"),
        Long.parseLong(required(given, "--events")),
        Double.parseDouble(required(given, "--seconds")));
  }

  /** Refuses an order for another job than these. */
  public Order only(String... jobs) {
    for (String each : jobs) {
      if (each.equals(job)) {
        return this;
      }
    }
    throw new IllegalArgumentException("--job " + job + " is not one of " + String.join(", ", jobs));
  }

  private static String required(Map<String, String> given, String name) {
    String value = given.get(name);
    if (value == null) {
      throw new IllegalArgumentException(name + " is missing");
    }
    return value;
  }
}
