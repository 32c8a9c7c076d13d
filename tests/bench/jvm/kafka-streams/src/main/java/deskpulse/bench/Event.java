package deskpulse.bench;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.time.OffsetDateTime;

/** As much of an event as the job {@code sums} needs; numbers are null where the event has none. */
@JsonNaming(SnakeCaseStrategy.class)
@JsonIgnoreProperties(ignoreUnknown = true)
public record Event(String type, String time, String agentId, Double waitSeconds, Double talkSeconds) {

  /** Event time in milliseconds since 1970 UTC. */
  long at() {
    return OffsetDateTime.parse(time).toInstant().toEpochMilli();
  }
}
