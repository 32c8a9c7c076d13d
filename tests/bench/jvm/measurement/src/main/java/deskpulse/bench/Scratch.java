package deskpulse.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A directory for what a framework keeps on disk; gone when it is closed. */
public record Scratch(Path path) implements AutoCloseable {

  public static Scratch of(String contender) throws IOException {
    return new Scratch(Files.createTempDirectory("bench-" + contender + "-"));
  }

  @Override
  public void close() throws IOException {
    List<Path> deepestFirst;
    try (Stream<Path> all = Files.walk(path)) {
      deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path each : deepestFirst) {
      Files.deleteIfExists(each);
    }
  }
}
