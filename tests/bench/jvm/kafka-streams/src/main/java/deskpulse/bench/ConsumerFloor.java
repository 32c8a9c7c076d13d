package deskpulse.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** The floor of every job on the JVM: Kafka's own consumer, which only fetches ({@code read}) or also decodes. */
public final class ConsumerFloor {
  private static final Duration PATIENCE = Duration.ofMillis(100);

  private final AtomicLong done = new AtomicLong();
  private final AtomicBoolean stopped = new AtomicBoolean();

  private ConsumerFloor() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    new ConsumerFloor().run(Order.of(arguments).only("read", "decode"));
  }

  private void run(Order order) throws IOException, InterruptedException {
    Stopwatch stopwatch = new Stopwatch(order);
    Thread consuming = new Thread(() -> consume(order), "consumer");
    consuming.setUncaughtExceptionHandler(
        (thread, error) -> {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
        });
    consuming.start();
    stopwatch.watch(done::get, () -> done.get() >= order.events());
    stopwatch.report("java-consumer", AppInfoParser.getVersion(), null);
    stopped.set(true);
    consuming.join();
  }

  private void consume(Order order) {
    boolean decode = order.job().equals("decode");
    // Decoded here rather than by the consumer, so that what is fetched is the same in both jobs.
    Deserializer<Event> events = Json.of(Event.class).deserializer();
    Map<String, Object> properties =
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, order.broker(),
            ConsumerConfig.GROUP_ID_CONFIG, "bench-java-consumer-" + UUID.randomUUID(),
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.subscribe(List.of(order.topic()));
      while (!stopped.get()) {
        for (ConsumerRecord<byte[], byte[]> message : consumer.poll(PATIENCE)) {
          if (decode) {
            events.deserialize(order.topic(), message.value()).at();
          }
          done.incrementAndGet();
        }
      }
    }
  }
}
