package deskpulse.bench;

import java.time.Instant;
import java.time.OffsetDateTime;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.ScalarFunction;

/** EVENT_TIME(text): an RFC 3339 time with any offset; the JSON format of Flink itself reads none but Z. */
public final class EventTime extends ScalarFunction {

  public @DataTypeHint("TIMESTAMP_LTZ(3)") Instant eval(String time) {
    return OffsetDateTime.parse(time).toInstant();
  }
}
