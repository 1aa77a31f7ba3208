// SPDX-License-Identifier: MIT
#include "common/mapped_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "common/error.h"
#include "tests/unit/common/mutate.h"
#include "tests/unit/common/scratch.h"

namespace whittle {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public testing::Test {
 protected:
  fs::path put(const std::string& name, ByteView bytes) const {
    write_file_atomic(scratch_.path() / name, bytes, 0640);
    return scratch_.path() / name;
  }
  test::Scratch scratch_;
};

TEST_F(MappedFileTest, GivesWhatIsThere) {
  Bytes bytes(100'000);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<std::uint8_t>(i * 7);
  bool called = false;
  with_mapped_file(put("file", bytes), [&](ByteView seen, const FileStatus& status) {
    called = true;
    EXPECT_TRUE(std::equal(seen.begin(), seen.end(), bytes.begin(), bytes.end()));
    EXPECT_EQ(status.size, bytes.size());
    EXPECT_EQ(status.mode, 0640u);
  });
  EXPECT_TRUE(called);
}

TEST_F(MappedFileTest, GivesAnEmptyFile) {
  bool called = false;
  with_mapped_file(put("file", {}), [&](ByteView seen, const FileStatus&) {
    called = true;
    EXPECT_TRUE(seen.empty());
  });
  EXPECT_TRUE(called);
}

TEST_F(MappedFileTest, RefusesWhatReadFileRefuses) {
  const auto never = [](ByteView, const FileStatus&) { FAIL(); };
  test::expect_error(ErrorKind::io, [&] { with_mapped_file(scratch_.path() / "gone", never); });
  test::expect_error(ErrorKind::refused, [&] { with_mapped_file(scratch_.path(), never); });
  const fs::path file = put("file", Bytes(10));
  test::expect_error(ErrorKind::refused, [&] { with_mapped_file(file, never, 9); });
}

TEST_F(MappedFileTest, AFileThatBecomesShorterIsAnErrorNotTheEnd) {
  const fs::path file = put("file", Bytes(1 << 20, 1));
  std::uint8_t seen = 9;
  test::expect_error(ErrorKind::io, [&] {
    with_mapped_file(file, [&](ByteView bytes, const FileStatus&) {
      ASSERT_EQ(::truncate(file.c_str(), 4096), 0);
      seen = bytes[1 << 19];
    });
  });
  EXPECT_EQ(seen, 0);
  // The cause is told, not what a reader makes of the zeros.
  test::expect_error(ErrorKind::io, [&] {
    with_mapped_file(put("file", Bytes(1 << 20, 1)), [&](ByteView bytes, const FileStatus&) {
      ASSERT_EQ(::truncate(file.c_str(), 0), 0);
      if (bytes[0] == 0) throw Error(ErrorKind::malformed, "", "begins with a zero");
    });
  });
}

TEST_F(MappedFileTest, ThreadsDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  std::atomic<int> errors = 0;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&, i] {
      const fs::path file = put("file" + std::to_string(i), Bytes(1 << 20, 1));
      const bool shrinks = i % 2 == 0;
      try {
        with_mapped_file(file, [&](ByteView bytes, const FileStatus&) {
          if (shrinks && ::truncate(file.c_str(), 0) != 0) return;
          for (std::size_t at = 0; at < bytes.size(); at += 4096) {
            EXPECT_EQ(bytes[at], shrinks ? 0 : 1);
          }
        });
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::io);
        errors++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(errors, 4);
}

// A bus error outside of the mapping ends the process, as if there were no handler.
TEST_F(MappedFileTest, OtherBusErrorsAreNotHidden) {
  const fs::path file = put("file", Bytes(10)), other = put("other", Bytes(4096, 1));
  const auto touch_a_page_that_is_gone = [&](ByteView, const FileStatus&) {
    const int fd = ::open(other.c_str(), O_RDONLY);
    const volatile std::uint8_t* page =
        static_cast<const std::uint8_t*>(::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
    if (::truncate(other.c_str(), 0) == 0) (void)*page;
  };
  const auto did_not_go_on = [](int status) {
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  };
  EXPECT_EXIT(
      {
        with_mapped_file(file, touch_a_page_that_is_gone);
        ::_exit(0);
      },
      did_not_go_on, "");
}

}  // namespace
}  // namespace whittle
