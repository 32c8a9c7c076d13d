package deskpulse.bench;

import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.types.Row;

/** Takes the rows of the query, adds them up and knows when the last one has come. One in a JVM, at parallelism 1. */
final class Totals implements Sink<Row> {
  private static final long serialVersionUID = 1;

  private static long events;
  private static double waitSeconds;
  private static volatile boolean complete;

  /** Whether all windows of a source that ends have been closed. */
  static boolean complete() {
    return complete;
  }

  /** Of all rows; only to be read when complete. */
  static Checksum checksum() {
    return new Checksum(events, waitSeconds);
  }

  @Override
  public SinkWriter<Row> createWriter(WriterInitContext context) {
    return new SinkWriter<>() {
      @Override
      public void write(Row row, Context context) {
        events += row.<Long>getFieldAs("events");
        Double seconds = row.getFieldAs("wait_seconds");
        waitSeconds += seconds == null ? 0 : seconds;
      }

      @Override
      public void flush(boolean endOfInput) {
        complete = endOfInput;
      }

      @Override
      public void close() {}
    };
  }
}
