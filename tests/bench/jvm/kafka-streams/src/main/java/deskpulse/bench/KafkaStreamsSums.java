package deskpulse.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.AppInfoParser;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.WindowStore;

/** The job {@code sums} in the DSL of Kafka Streams. */
public final class KafkaStreamsSums {
  private static final String STORE = "sums";
  private static final Duration MINUTE = Duration.ofMinutes(1);
  /**
   * Whatever arrives later is dropped, and so is the state of minutes that long ago. Reading history, the partitions of
   * the topic run apart by hours of event time, and stream time is the latest of them. A year drops nothing, so that
   * every contender counts the same events; it costs nothing either, segments of the store being made when needed.
   */
  private static final Duration GRACE = Duration.ofDays(366);

  private final Serde<Event> events = Json.of(Event.class);
  private final Serde<Sums> sums = Json.of(Sums.class);
  private final AtomicLong done = new AtomicLong();

  private KafkaStreamsSums() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    new KafkaStreamsSums().run(Order.of(arguments).only("sums"));
  }

  private Topology topology(String topic) {
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(
            topic,
            Consumed.with(Serdes.Bytes(), events)
                .withTimestampExtractor((message, streamTime) -> ((Event) message.value()).at()))
        .filter((customer, event) -> hasAgent(event))
        // The key changes: Kafka Streams sends the events through a topic of its own, and reads them again by agent.
        .groupBy((customer, event) -> event.agentId(), Grouped.with(Serdes.String(), events))
        .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE, GRACE))
        // Materialized by default: RocksDB, a cache of 10 MB before it, a changelog topic behind it.
        .aggregate(
            Sums::new,
            this::counted,
            Materialized.<String, Sums, WindowStore<Bytes, byte[]>>as(STORE)
                .withKeySerde(Serdes.String())
                .withValueSerde(sums));
    return builder.build();
  }

  private boolean hasAgent(Event event) {
    if (event.agentId() != null) {
      return true;
    }
    done.incrementAndGet();
    return false;
  }

  private Sums counted(String agent, Event event, Sums before) {
    Sums after = before.plus(event);
    done.incrementAndGet();
    return after;
  }

  private static Properties properties(Order order, Scratch scratch) {
    Properties properties = new Properties();
    // The group's name too, and the prefix of the topics that Kafka Streams makes for itself.
    properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "bench-kafka-streams-" + UUID.randomUUID());
    properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, order.broker());
    properties.put(StreamsConfig.STATE_DIR_CONFIG, scratch.path().toString());
    // At least once, as by default; but saved every second, as Flink does here: at the default of 30 s a short run
    // would end before anything has been saved.
    properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    return properties;
  }

  private void run(Order order) throws IOException, InterruptedException {
    Stopwatch stopwatch = new Stopwatch(order);
    try (Scratch scratch = Scratch.of("kafka-streams");
        KafkaStreams streams = new KafkaStreams(topology(order.topic()), properties(order, scratch))) {
      streams.setUncaughtExceptionHandler(
          error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
          });
      streams.start();
      stopwatch.watch(done::get, () -> done.get() >= order.events());
      stopwatch.report("kafka-streams", AppInfoParser.getVersion(), stopwatch.complete() ? checksum(streams) : null);
    }
  }

  /** As read from the state that Kafka Streams has kept. */
  private static Checksum checksum(KafkaStreams streams) {
    long events = 0;
    double waitSeconds = 0;
    var store =
        streams.store(StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.<String, Sums>windowStore()));
    try (KeyValueIterator<Windowed<String>, Sums> all = store.all()) {
      while (all.hasNext()) {
        Sums each = all.next().value;
        events += each.events();
        waitSeconds += each.waitSeconds();
      }
    }
    return new Checksum(events, waitSeconds);
  }
}
