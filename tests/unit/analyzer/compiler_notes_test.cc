// SPDX-License-Identifier: MIT
#include "analyzer/compiler_notes.h"

#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

using namespace std::string_literals;

std::vector<std::string> notes_of(const ElfSpec& spec) {
  const ElfImage image = build(spec);
  return read_compiler_notes(elf::File::parse(image.bytes, "f"));
}

// A note of a build attribute: the name is the attribute, the data two addresses.
std::string attribute(std::string name, ByteOrder order, std::size_t data = 16) {
  std::string out;
  const auto number = [&](std::uint64_t value) {
    for (int i = 0; i < 4; i++) {
      out += static_cast<char>(value >> (8 * (order == ByteOrder::little ? i : 3 - i)));
    }
  };
  name += '\0';
  number(name.size()), number(data), number(0x100);
  name.resize((name.size() + 3) / 4 * 4);
  return out + name + std::string(data, '\0');
}

TEST(CompilerNotes, OfCommentsComeOnce) {
  ElfSpec spec;
  spec.sections = {{".comment",
                    "GCC: (GNU) 9.4.0\0\0rustc version 1.63.0\0GCC: (GNU) 9.4.0\0"
                    "es\x1b"
                    "cape\0cut"s}};
  EXPECT_THAT(notes_of(spec),
              ElementsAre("GCC: (GNU) 9.4.0", "rustc version 1.63.0", "es\\x1bcape", "cut"));
  EXPECT_THAT(notes_of({}), IsEmpty());
}

TEST(CompilerNotes, OfAnnobinNameTheTools) {
  for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
    ElfSpec spec;
    spec.order = order;
    const std::string section = attribute(
                                    "GA$\x01"
                                    "3p1113",
                                    order) +
                                attribute("GA$\x05running gcc 11.3.1 20220421", order) +
                                attribute("GA*\x05stack", order, 0) +
                                attribute(
                                    "GA$\x05"
                                    "annobin gcc 11.3.1",
                                    order) +
                                attribute("GA$\x05running gcc 11.3.1 20220421", order, 0);
    spec.sections = {{".gnu.build.attributes.hot", section}};
    EXPECT_THAT(notes_of(spec), ElementsAre("running gcc 11.3.1 20220421", "annobin gcc 11.3.1"));
    spec.sections = {{".gnu.build.attributes", section.substr(0, section.size() - 30)}};
    EXPECT_EQ(notes_of(spec).size(), 2u);
  }
}

TEST(CompilerNotes, AreBounded) {
  ElfSpec spec;
  std::string comment;
  for (int i = 0; i < 1000; i++) comment += "tool " + std::to_string(i) + '\0';
  spec.sections = {{".comment", std::string(100'000, 'x') + '\0' + comment}};
  const auto notes = notes_of(spec);
  EXPECT_EQ(notes.size(), 64u);
  EXPECT_EQ(notes[0].size(), 256u);
}

TEST(CompilerNotes, SurviveDamage) {
  ElfSpec spec;
  spec.sections = {{".gnu.build.attributes", attribute("GA$\x05running gcc", ByteOrder::little)},
                   {".comment", "GCC\0"s}};
  test::expect_survives(build(spec).bytes, 1000, [](ByteView damaged) {
    read_compiler_notes(elf::File::parse(damaged, "f"));
  });
}

}  // namespace
}  // namespace whittle::analyzer
