// SPDX-License-Identifier: MIT
//
// The copy that is made for readers. Finding the original is tested with its first user, the
// analyzer.
#include "common/go_buildinfo.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/common/elf_builder.h"

namespace whittle {
namespace {

TEST(GoBuildInfoCopy, IsFoundAgainWhateverTheLengths) {
  for (const std::size_t modules : {0, 1, 127, 128, 300, 16384, 100000}) {
    const std::string text(modules, 'm');
    const Bytes copy = elf::inline_go_build_info({"go1.17.1", text});
    EXPECT_EQ(copy.size() % 16, 0u);
    test::ElfSpec spec;
    spec.data = as_text(copy);
    const test::ElfImage image = test::build(spec);
    const auto strings = elf::find_go_build_strings(elf::File::parse(image.bytes, "f"));
    ASSERT_TRUE(strings) << modules;
    EXPECT_EQ(strings->version, "go1.17.1");
    EXPECT_EQ(strings->modules, text);
  }
}

TEST(GoBuildInfoCopy, HasTheHeaderThatGoWrites) {
  const Bytes copy = elf::inline_go_build_info({"go1.20", "x"});
  EXPECT_EQ(as_text(ByteView(copy).first(14)), "\xff Go buildinf:");
  EXPECT_EQ(copy[14], 8);
  EXPECT_EQ(copy[15], 2);
  EXPECT_EQ(as_text(ByteView(copy).subspan(32, 9)), "\x06go1.20\x01x");
}

}  // namespace
}  // namespace whittle
