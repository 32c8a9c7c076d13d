package deskpulse.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** Where in each partition to stop, so that a topic ends for Flink and its last windows close. */
final class Bounds {
  private Bounds() {}

  /**
   * As the table option {@code scan.bounded.specific-offsets} takes it.
   *
   * <p>All partitions together hold as many messages as ordered. Of a longer topic every partition gives its share.
   *
   * @throws IllegalStateException where the topic, which must never have been deleted from, has fewer messages
   */
  static String of(Order order) throws ExecutionException, InterruptedException {
    Map<Integer, Long> ends = ends(order);
    long held = ends.values().stream().mapToLong(Long::longValue).sum();
    if (held < order.events()) {
      throw new IllegalStateException(
          order.topic() + " has " + held + " messages, " + order.events() + " were ordered: write them first");
    }
    List<String> bounds = new ArrayList<>();
    long before = 0;
    for (Map.Entry<Integer, Long> end : ends.entrySet()) {
      // Shares of what has been passed so far: rounded, they still add up to the whole.
      long share = (before + end.getValue()) * order.events() / held - before * order.events() / held;
      bounds.add("partition:" + end.getKey() + ",offset:" + share);
      before += end.getValue();
    }
    return String.join(";", bounds);
  }

  private static Map<Integer, Long> ends(Order order) throws ExecutionException, InterruptedException {
    Properties properties = new Properties();
    properties.put(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, order.broker());
    Map<Integer, Long> ends = new TreeMap<>();
    try (Admin admin = Admin.create(properties)) {
      var topic = admin.describeTopics(List.of(order.topic())).allTopicNames().get().get(order.topic());
      Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
      topic
          .partitions()
          .forEach(each -> wanted.put(new TopicPartition(order.topic(), each.partition()), OffsetSpec.latest()));
      admin.listOffsets(wanted).all().get().forEach((partition, end) -> ends.put(partition.partition(), end.offset()));
    }
    return ends;
  }
}
