package deskpulse.bench;

import java.time.Duration;
import java.util.UUID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/** The job {@code sums} in Flink SQL, with a Flink cluster in this one JVM. */
public final class FlinkSqlSums {
  /** Reads only the fields that the query needs; the watermark is kept per partition, in which events are in order. */
  private static final String EVENTS =
      """
      CREATE TABLE events (
        `type` STRING,
        `time` STRING,
        agent_id STRING,
        wait_seconds DOUBLE,
        talk_seconds DOUBLE,
        happened_at AS EVENT_TIME(`time`),
        WATERMARK FOR happened_at AS happened_at - INTERVAL '10' SECOND
      ) WITH (
        'connector' = 'kafka',
        'format' = 'json',
        'topic' = '%s',
        'properties.bootstrap.servers' = '%s',
        'properties.group.id' = 'bench-flink-sql-%s',
        'scan.startup.mode' = 'earliest-offset',
        'scan.bounded.mode' = 'specific-offsets',
        'scan.bounded.specific-offsets' = '%s'
      )""";

  /** A row per type instead of a map of counts by type: how SQL says it. */
  private static final String SUMS =
      """
      SELECT agent_id, window_start, `type`,
             COUNT(*) AS events, SUM(wait_seconds) AS wait_seconds, SUM(talk_seconds) AS talk_seconds
      FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(happened_at), INTERVAL '1' MINUTE))
      WHERE agent_id IS NOT NULL
      GROUP BY agent_id, window_start, window_end, `type`""";

  private FlinkSqlSums() {}

  public static void main(String[] arguments) throws Exception {
    Order order = Order.of(arguments).only("sums");
    Stopwatch stopwatch = new Stopwatch(order);
    try (Scratch scratch = Scratch.of("flink-sql")) {
      JobClient job = start(order, configuration(scratch));
      var result = job.getJobExecutionResult();
      stopwatch.watch(SourceMeter::taken, () -> Totals.complete() || result.isCompletedExceptionally());
      if (result.isCompletedExceptionally()) {
        result.get();
      }
      boolean complete = Totals.complete();
      stopwatch.report("flink-sql", EnvironmentInformation.getVersion(), complete ? Totals.checksum() : null);
      if (complete) {
        result.get();
      } else {
        job.cancel().get();
      }
    }
  }

  private static Configuration configuration(Scratch scratch) {
    Configuration configuration = new Configuration();
    // Flink's default for state, named because the figures depend on it: on the heap, saved whole at each checkpoint.
    configuration.set(StateBackendOptions.STATE_BACKEND, "hashmap");
    configuration.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, scratch.path().toUri().toString());
    // Without it Flink saves nothing at all.
    configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(1));
    configuration.set(MetricOptions.REPORTERS_LIST, "source");
    configuration.setString("metrics.reporter.source.factory.class", SourceMeter.Factory.class.getName());
    return configuration;
  }

  private static JobClient start(Order order, Configuration configuration) throws Exception {
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
    StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
    tables.createTemporarySystemFunction("EVENT_TIME", EventTime.class);
    tables.executeSql(EVENTS.formatted(order.topic(), order.broker(), UUID.randomUUID(), Bounds.of(order)));
    tables.toDataStream(tables.sqlQuery(SUMS)).sinkTo(new Totals());
    return environment.executeAsync("sums");
  }
}
