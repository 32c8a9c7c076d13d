package deskpulse.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Time, processor time and progress of a job, from the first event done to the last.
 *
 * <p>It looks at a counter every few milliseconds, from a thread of its own: the job itself pays for no clock, and
 * start-up, joining the group and compiling the plan are left out.
 */
public final class Stopwatch {
  /** Wall-clock and processor time (of all threads of this process) in nanoseconds, and events done until then. */
  private record Moment(long wall, long processor, long events) {}

  private static final long INTERVAL_MILLIS = 5;
  private static final double FIRST_EVENT_WITHIN_SECONDS = 60;
  private static final OperatingSystemMXBean PROCESS =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final Order order;
  private final List<Moment> moments = new ArrayList<>();

  public Stopwatch(Order order) {
    this.order = order;
  }

  /**
   * Watches until the job has ended or its seconds are over.
   *
   * @param done  events done so far
   * @param ended whether nothing is left to do
   */
  public void watch(LongSupplier done, BooleanSupplier ended) throws InterruptedException {
    long asked = System.nanoTime();
    while (true) {
      // The end is looked at first: a count read after it is the whole count.
      boolean last = ended.getAsBoolean();
      Moment now = new Moment(System.nanoTime(), PROCESS.getProcessCpuTime(), done.getAsLong());
      if (now.events > 0) {
        moments.add(now);
        if (last || seconds(moments.get(0), now) >= order.seconds()) {
          return;
        }
      } else if ((now.wall - asked) / 1e9 > FIRST_EVENT_WITHIN_SECONDS) {
        throw new IllegalStateException(
            "no event of " + order.topic() + " came within " + FIRST_EVENT_WITHIN_SECONDS + " s");
      }
      Thread.sleep(INTERVAL_MILLIS);
    }
  }

  /** Whether all events of the order were done. */
  public boolean complete() {
    return last().events >= order.events();
  }

  /**
   * Prints the one line that the bench reads.
   *
   * @param checksum the result's figures, by which the bench tells that all did the same job; null where the job has
   *     none or was not completed
   */
  public void report(String contender, String version, Checksum checksum) throws IOException {
    Moment first = moments.get(0);
    Moment last = last();
    // A JVM compiles while it runs: the second half shows the speed that a long run has.
    Moment middle = moments.stream().filter(each -> each.events >= last.events / 2).findFirst().orElse(first);
    System.out.println(
        String.format(
            Locale.ROOT,
            "{\"contender\": \"%s\", \"version\": \"%s\", \"job\": \"%s\", \"events\": %d, \"seconds\": %.4f, "
                + "\"cpu_seconds\": %.4f, \"max_rss_mb\": %.1f, \"steady_events_per_second\": %s, \"checksum\": %s}",
            contender,
            version,
            order.job(),
            last.events,
            seconds(first, last),
            (last.processor - first.processor) / 1e9,
            peakMemoryMegabytes(),
            rate(middle, last),
            checksum == null ? "null" : checksum.json()));
    System.out.flush();
  }

  private Moment last() {
    return moments.get(moments.size() - 1);
  }

  private static double seconds(Moment from, Moment to) {
    return (to.wall - from.wall) / 1e9;
  }

  private static String rate(Moment from, Moment to) {
    double seconds = seconds(from, to);
    return seconds > 0 ? String.format(Locale.ROOT, "%.0f", (to.events - from.events) / seconds) : "null";
  }

  /** The most memory that this process has held, as Linux counts it. */
  private static double peakMemoryMegabytes() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      String line = lines.filter(each -> each.startsWith("VmHWM:")).findFirst().orElseThrow();
      return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    }
  }
}
