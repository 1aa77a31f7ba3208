// SPDX-License-Identifier: MIT
#include "common/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "tests/unit/common/mutate.h"
#include "tests/unit/common/scratch.h"

namespace whittle {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using testing::ElementsAre;

class FileTest : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return scratch_.path() / name; }
  std::string content(const std::string& name) const {
    return std::string(as_text(read_file(path(name)).bytes));
  }
  std::vector<std::string> names() const { return scratch_.names(); }

  test::Scratch scratch_;
};

// Root may read and write everything; the tests of permissions run as somebody else.
void as_nobody(const std::function<void()>& action) {
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  action();
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
}

TEST_F(FileTest, ReadsWhatIsThere) {
  write_file_atomic(path("a"), as_bytes("hello"), 0750);
  const LoadedFile file = read_file(path("a"));
  EXPECT_EQ(as_text(file.bytes), "hello");
  EXPECT_EQ(file.status.size, 5u);
  EXPECT_EQ(file.status.mode & 0700, 0700u);
  EXPECT_EQ(file.status.links, 1u);
}

TEST_F(FileTest, ReadsAnEmptyFile) {
  write_file_atomic(path("empty"), {});
  EXPECT_TRUE(read_file(path("empty")).bytes.empty());
}

TEST_F(FileTest, AFileOfTheKernelIsNotAnEmptyOne) {
  const Error error = test::expect_error(ErrorKind::refused, [] { read_file("/proc/self/stat"); });
  EXPECT_THAT(error.message(), testing::HasSubstr("has 0 bytes, and has more"));
}

TEST_F(FileTest, ReportsSetUserId) {
  write_file_atomic(path("a"), as_bytes("x"), 0755);
  ASSERT_EQ(::chmod(path("a").c_str(), 04755), 0);
  EXPECT_EQ(read_file(path("a")).status.mode, 04755u);
}

TEST_F(FileTest, RefusesWhatIsNotARegularFile) {
  expect_error(ErrorKind::io, [&] { read_file(path("missing")); });
  EXPECT_THAT(expect_error(ErrorKind::refused, [&] { read_file(scratch_.path()); }).message(),
              testing::HasSubstr("a folder"));
  EXPECT_THAT(expect_error(ErrorKind::refused, [&] { read_file("/dev/zero"); }).message(),
              testing::HasSubstr("a device"));
}

TEST_F(FileTest, DoesNotWaitForTheWriterOfAFifo) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(expect_error(ErrorKind::refused, [&] { read_file(path("fifo")); }).message(),
              testing::HasSubstr("a FIFO"));
}

TEST_F(FileTest, SaysWhenAFileMayNotBeRead) {
  write_file_atomic(path("secret"), as_bytes("x"), 0600);
  ASSERT_EQ(::chmod(path("secret").c_str(), 0), 0);
  ASSERT_EQ(::chmod(scratch_.path().c_str(), 0755), 0);
  as_nobody([&] {
    EXPECT_THAT(expect_error(ErrorKind::io, [&] { read_file(path("secret")); }).message(),
                testing::HasSubstr("Permission denied"));
  });
}

TEST_F(FileTest, RefusesFilesAboveTheLimitBeforeReadingThem) {
  write_file_atomic(path("a"), as_bytes("12345"));
  EXPECT_EQ(read_file(path("a"), 5).bytes.size(), 5u);
  expect_error(ErrorKind::refused, [&] { read_file(path("a"), 4); });
  // A sparse file as large as the file system allows costs nothing.
  ASSERT_EQ(::truncate(path("a").c_str(), off_t{1} << 40), 0);
  expect_error(ErrorKind::refused, [&] { read_file(path("a")); });
}

TEST_F(FileTest, KnowsTheSameFileByAllItsNames) {
  write_file_atomic(path("a"), as_bytes("x"));
  write_file_atomic(path("b"), as_bytes("x"));
  fs::create_hard_link(path("a"), path("hard"));
  fs::create_symlink("a", path("soft"));
  EXPECT_TRUE(same_file(path("a"), path("hard")));
  EXPECT_TRUE(same_file(path("a"), path("soft")));
  EXPECT_TRUE(same_file(path("a"), scratch_.path() / "." / "a"));
  EXPECT_FALSE(same_file(path("a"), path("b")));
  EXPECT_FALSE(same_file(path("a"), path("missing")));
  EXPECT_FALSE(same_file(path("missing"), path("missing")));
}

TEST_F(FileTest, AppearsOnCommitAndNotBefore) {
  AtomicFile file(path("out"), 0644);
  file.write(as_bytes("one "));
  file.write(as_bytes("two"));
  EXPECT_FALSE(fs::exists(path("out")));
  file.commit();
  EXPECT_EQ(content("out"), "one two");
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(FileTest, LeavesTheOldFileUntilCommit) {
  write_file_atomic(path("out"), as_bytes("old"));
  {
    AtomicFile file(path("out"), 0644);
    file.write(as_bytes("new"));
    EXPECT_EQ(content("out"), "old");
  }
  EXPECT_EQ(content("out"), "old");
  EXPECT_THAT(names(), ElementsAre("out"));
  write_file_atomic(path("out"), as_bytes("new"));
  EXPECT_EQ(content("out"), "new");
}

TEST_F(FileTest, HasTheModeAskedForUnderTheUmask) {
  const mode_t before = ::umask(027);
  write_file_atomic(path("out"), as_bytes("x"), 0777);
  ::umask(before);
  EXPECT_EQ(read_file(path("out")).status.mode, 0750u);
}

TEST_F(FileTest, AFolderHasTheModeOfAnyFolderUnderTheUmask) {
  const mode_t before = ::umask(027);
  TemporaryFolder folder(path("out"));
  EXPECT_TRUE(folder.commit());
  ::umask(before);
  EXPECT_EQ(fs::status(path("out")).permissions(), static_cast<fs::perms>(0750));
}

TEST_F(FileTest, AFolderTakesNoPlaceThatIsTaken) {
  TemporaryFolder first(path("out")), second(path("out"));
  write_file_atomic(first.path() / "a", as_bytes("first"));
  write_file_atomic(second.path() / "a", as_bytes("second"));
  EXPECT_TRUE(first.commit());
  EXPECT_FALSE(second.commit());
  EXPECT_EQ(content("out/a"), "first");

  fs::create_directory(path("empty"));
  TemporaryFolder third(path("empty"));
  EXPECT_FALSE(third.commit());
  write_file_atomic(path("file"), as_bytes("x"));
  TemporaryFolder fourth(path("file"));
  EXPECT_FALSE(fourth.commit());
  EXPECT_EQ(content("file"), "x");
}

TEST_F(FileTest, RecognisesTemporaryNames) {
  const AtomicFile file(path("index.json"), 0644);
  const TemporaryFolder folder(path("a.b"));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path("."))) {
    names.emplace_back(name_of_temporary(entry.path().filename().native()));
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("index.json", "a.b"));
  for (const char* name : {"", ".", "index.json", ".index.json", ".index.json.abc",
                           ".index.json.abcdefghiJ", "index.json.abcdefghij", "..abcdefghij"}) {
    EXPECT_EQ(name_of_temporary(name), "") << name;
  }
}

TEST_F(FileTest, KnowsWhetherAnOwnerIsTheSame) {
  write_file_atomic(path("like"), as_bytes("x"));
  FileStatus like = read_file(path("like")).status;
  const AtomicFile file(path("out"), 0644);
  EXPECT_TRUE(file.has_owner_of(like));
  like.owner++;
  EXPECT_FALSE(file.has_owner_of(like));
}

TEST_F(FileTest, ReplacesTheFileASymbolicLinkLeadsTo) {
  write_file_atomic(path("target"), as_bytes("old"));
  fs::create_symlink("target", path("link"));
  write_file_atomic(path("link"), as_bytes("new"));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content("target"), "new");
}

TEST_F(FileTest, LeavesOtherNamesOfTheOldFileAlone) {
  write_file_atomic(path("a"), as_bytes("old"));
  fs::create_hard_link(path("a"), path("b"));
  write_file_atomic(path("a"), as_bytes("new"));
  EXPECT_EQ(content("b"), "old");
}

TEST_F(FileTest, SaysWhereItCannotWrite) {
  expect_error(ErrorKind::io, [&] { write_file_atomic(path("no/such/folder/out"), {}); });
  expect_error(ErrorKind::io, [&] { write_file_atomic(scratch_.path(), {}); });
  EXPECT_THAT(names(), ElementsAre());
  ASSERT_EQ(::chmod(scratch_.path().c_str(), 0555), 0);
  as_nobody([&] { expect_error(ErrorKind::io, [&] { write_file_atomic(path("out"), {}); }); });
  EXPECT_THAT(names(), ElementsAre());
}

TEST_F(FileTest, SaysThatADeviceIsFull) {
  const Error error =
      expect_error(ErrorKind::io, [] { write_file_atomic("/dev/full", as_bytes("x")); });
  EXPECT_EQ(error.path(), "/dev/full");
  EXPECT_THAT(error.message(), testing::HasSubstr("No space left on device"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(FileTest, LeavesNothingBehindWhenTheDiskIsFull) {
  write_file_atomic(path("out"), as_bytes("old"));
  // A file size limit fails a write half-way, as a full disk does.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Bytes large(1'000'000, 'x');
  expect_error(ErrorKind::io, [&] { write_file_atomic(path("out"), large); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(content("out"), "old");
  EXPECT_THAT(names(), ElementsAre("out"));
}

TEST_F(FileTest, WritesIntoAnExistingFifo) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] {
    const int fd = ::open(path("fifo").c_str(), O_RDONLY | O_CLOEXEC);
    char buffer[16];
    for (ssize_t n; (n = ::read(fd, buffer, sizeof buffer)) > 0;) {
      received.append(buffer, static_cast<std::size_t>(n));
    }
    ::close(fd);
  });
  write_file_atomic(path("fifo"), as_bytes("through"));
  reader.join();
  EXPECT_EQ(received, "through");
  EXPECT_TRUE(fs::is_fifo(path("fifo")));
}

// Runs `action` in a child process that handles signals as the command does.
int status_of_child(const std::function<void()>& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    remove_temporaries_on_signals();
    action();
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(FileTest, LeavesNothingBehindWhenInterrupted) {
  write_file_atomic(path("out"), as_bytes("old"));
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const auto previous = ::signal(number, SIG_DFL);  // the test itself may run under nohup
    const int status = status_of_child([&] {
      AtomicFile first(path("out"), 0644);
      AtomicFile second(path("other"), 0644);
      first.write(as_bytes("half of the new one"));
      ::raise(number);
    });
    ::signal(number, previous);
    EXPECT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), number);
    EXPECT_EQ(content("out"), "old");
    EXPECT_THAT(names(), ElementsAre("out"));
  }
}

TEST_F(FileTest, KeepsIgnoringSignalsThatTheParentIgnored) {
  const auto previous = ::signal(SIGHUP, SIG_IGN);
  const int status = status_of_child([&] {
    AtomicFile file(path("out"), 0644);
    file.write(as_bytes("all of it"));
    ::raise(SIGHUP);
    file.commit();
  });
  ::signal(SIGHUP, previous);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 99);
  EXPECT_EQ(content("out"), "all of it");
}

}  // namespace
}  // namespace whittle
