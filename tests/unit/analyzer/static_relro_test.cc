// SPDX-License-Identifier: MIT
#include "analyzer/static_relro.h"

#include <gtest/gtest.h>

#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/mutate.h"

namespace whittle::analyzer {
namespace {

using State = HardeningState;

State relro_of(ByteView bytes, std::string_view libc = "glibc") {
  return find_static_relro(elf::File::parse(bytes, "f"), libc);
}

TEST(StaticRelro, IsFullOnlyWhereNoSlotIsLeftOut) {
  struct Case {
    const char* program;
    State state;
  };
  for (const auto& [program, state] :
       {Case{"relro_lazy", State::partial}, Case{"relro_now", State::yes},
        Case{"relro_none", State::no}, Case{"relro_pie_lazy", State::partial},
        Case{"relro_pie_now", State::yes}, Case{"relro_arm64_lazy", State::partial},
        Case{"relro_arm64_now", State::yes}}) {
    SCOPED_TRACE(program);
    WHITTLE_NEEDS_PROGRAM(program);
    EXPECT_EQ(relro_of(test::load_program(program)), state);
  }
}

TEST(StaticRelro, DependsOnWhoseStartUpCodeItIs) {
  WHITTLE_NEEDS_PROGRAM("relro_now");
  const Bytes bytes = test::load_program("relro_now");
  EXPECT_EQ(relro_of(bytes, "musl"), State::no);  // leaves the range as it is
  EXPECT_EQ(relro_of(bytes, ""), State::unknown);
}

// A range that is cut keeps slots out, wherever the program headers say that it ends.
TEST(StaticRelro, ProtectsWholePagesOnly) {
  WHITTLE_NEEDS_PROGRAM("relro_now");
  Bytes bytes = test::load_program("relro_now");
  const elf::File file = elf::File::parse(bytes, "f");
  for (std::size_t i = 0; i < file.segments().size(); i++) {
    if (file.segments()[i].type != elf::kSegmentGnuRelro) continue;
    constexpr std::size_t kHeader = 64, kSegment = 56, kMemorySize = 40;
    const std::uint64_t size = file.segments()[i].memsz - 1;
    for (std::size_t byte = 0; byte < 8; byte++) {
      bytes[kHeader + i * kSegment + kMemorySize + byte] =
          static_cast<std::uint8_t>(size >> (8 * byte));
    }
  }
  EXPECT_EQ(relro_of(bytes), State::partial);
}

}  // namespace
}  // namespace whittle::analyzer
