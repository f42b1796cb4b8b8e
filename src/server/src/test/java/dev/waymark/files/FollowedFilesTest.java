package dev.waymark.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FollowedFilesTest {
  @TempDir private Path folder;
  private Path one = Path.of("");
  private Path two = Path.of("");

  @SuppressWarnings("NullAway.Init")
  private FollowedFiles files;

  @BeforeEach
  void start() throws IOException {
    one = folder.resolve("one");
    two = folder.resolve("two");
    replace(one, "1");
    replace(two, "1");
    files = new FollowedFiles(List.of(one, two));
  }

  private void replace(Path file, String text) throws IOException {
    Path copy = Files.writeString(folder.resolve("new"), text);
    Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void files_thatStayTheSame_areNeverDue() {
    assertThat(files.areDue(0)).isFalse();
    assertThat(files.areDue(100_000)).isFalse();
  }

  @Test
  void files_thatHaveComeToRest_areDueOnce() throws Exception {
    replace(one, "22");
    assertThat(files.areDue(0)).isFalse();
    replace(two, "22");
    assertThat(files.areDue(250)).isFalse();
    assertThat(files.areDue(500)).isTrue();
    assertThat(files.areDue(750)).isFalse();
  }

  @Test
  void file_thatVanishesOrIsReplacedByItsLike_isDue() throws Exception {
    Files.delete(one);
    assertThat(files.areDue(0)).isFalse();
    assertThat(files.areDue(250)).isTrue();
    replace(one, "1");
    assertThat(files.areDue(500)).isFalse();
    assertThat(files.areDue(750)).isTrue();
  }

  @Test
  void files_thatWereRefused_areTriedAgain_andTheSameProblemIsNoNews() throws Exception {
    replace(one, "22");
    assertThat(files.areDue(0)).isFalse();
    assertThat(files.areDue(250)).isTrue();
    assertThat(files.refuse("unreadable", 250)).isTrue();
    assertThat(files.areDue(10_249)).isFalse();
    assertThat(files.areDue(10_250)).isTrue();
    assertThat(files.refuse("unreadable", 10_250)).isFalse();
    assertThat(files.areDue(20_250)).isTrue();
    assertThat(files.areDue(40_000)).isFalse();
  }

  @Test
  void problem_ofOtherFiles_isNews() throws Exception {
    files.refuse("unreadable", 0);
    replace(one, "22");
    assertThat(files.areDue(1)).isFalse();
    assertThat(files.areDue(2)).isTrue();
    assertThat(files.refuse("unreadable", 2)).isTrue();
  }
}
