package deskpulse.bench;

import java.util.Properties;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/**
 * How many events the source has taken, from Flink's own metrics: SQL shows nothing of the events that a WHERE leaves
 * out, and a counting function in the query would make it slower.
 */
public final class SourceMeter implements MetricReporter {
  private static volatile Counter taken;

  /** Events decoded and handed on by the source so far. */
  static long taken() {
    Counter counter = taken;
    return counter == null ? 0 : counter.getCount();
  }

  @Override
  public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
    String operator = group.getAllVariables().get("<operator_name>");
    if (name.equals("numRecordsIn") && operator != null && operator.startsWith("Source: ")) {
      taken = (Counter) metric;
    }
  }

  @Override
  public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {
    // The count stays readable when the job has ended.
  }

  @Override
  public void open(MetricConfig configuration) {}

  @Override
  public void close() {}

  /** Flink finds it by META-INF/services. */
  public static final class Factory implements MetricReporterFactory {
    @Override
    public MetricReporter createMetricReporter(Properties properties) {
      return new SourceMeter();
    }
  }
}
