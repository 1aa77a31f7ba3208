// SPDX-License-Identifier: MIT
#include "analyzer/go_buildinfo.h"

#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

const std::string kSentinel = "0123456789abcdef";
const std::string kModules =
    "path\texample.com/hello/cmd\n"
    "mod\texample.com/hello\tv0.1.0\th1:main=\n"
    "dep\texample.com/a\tv1.0.0\th1:a=\n"
    "dep\texample.com/b\tv2.0.0\n"
    "=>\texample.com/fork\tv2.0.1\th1:fork=\n"
    "dep\texample.com/c\tv3.0.0\n"
    "=>\t./c\n"
    "build\t-compiler=gc\n";

std::string header(char pointer_size, char flags) {
  return std::string("\xff Go buildinf:") + pointer_size + flags;
}

std::string varint(std::uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7) text += static_cast<char>((value & 0x7f) | 0x80);
  return text + static_cast<char>(value);
}

std::string inline_form(const std::string& version, const std::string& modules) {
  return header(0, 2) + std::string(16, '\0') + varint(version.size()) + version +
         varint(modules.size()) + modules;
}

std::string wrapped(const std::string& modules) { return kSentinel + modules + kSentinel; }

void expect_everything(const std::optional<GoBuildInfo>& info) {
  ASSERT_TRUE(info);
  EXPECT_EQ(info->version, "go1.18.3");
  EXPECT_EQ(info->main_package, "example.com/hello/cmd");
  ASSERT_EQ(info->modules.size(), 4u);
  EXPECT_EQ(info->modules[0].path, "example.com/hello");
  EXPECT_EQ(info->modules[0].version, "v0.1.0");
  EXPECT_EQ(info->modules[0].sum, "h1:main=");
  EXPECT_EQ(info->modules[1].replaced_by, "");
  EXPECT_EQ(info->modules[2].path, "example.com/b");
  EXPECT_EQ(info->modules[2].version, "v2.0.0");
  EXPECT_EQ(info->modules[2].replaced_by, "example.com/fork@v2.0.1");
  EXPECT_EQ(info->modules[2].sum, "h1:fork=");
  EXPECT_EQ(info->modules[3].replaced_by, "./c");
}

std::optional<GoBuildInfo> read(const ElfImage& image) {
  return read_go_build_info(elf::File::parse(image.bytes, "f"));
}

ElfImage with_data(const std::string& data) {
  ElfSpec spec;
  spec.data = data;
  return build(spec);
}

TEST(GoBuildInfo, ReadsInlineStrings) {
  expect_everything(read(with_data(inline_form("go1.18.3", wrapped(kModules)))));
}

TEST(GoBuildInfo, FindsTheHeaderBehindOtherData) {
  expect_everything(
      read(with_data(std::string(48, 'x') + inline_form("go1.18.3", wrapped(kModules)))));
}

TEST(GoBuildInfo, IgnoresUnalignedHeadersAsGoDoes) {
  EXPECT_FALSE(read(with_data(std::string(8, 'x') + inline_form("go1.18.3", wrapped(kModules)))));
}

TEST(GoBuildInfo, GoesOnBehindAFalseHeader) {
  expect_everything(read(with_data(inline_form("no version", "") + std::string(4, '\0') +
                                   inline_form("go1.18.3", wrapped(kModules)))));
}

TEST(GoBuildInfo, ReadsTheSectionFirst) {
  ElfSpec spec;
  spec.data = inline_form("go1.99", "");
  spec.sections = {{".go.buildinfo", inline_form("go1.18.3", wrapped(kModules))}};
  expect_everything(read(build(spec)));
}

// Header, two pointers to string headers, the string headers, the strings.
class PointerForm : public testing::TestWithParam<std::pair<bool, ByteOrder>> {
 protected:
  ElfImage image() const {
    ElfSpec spec;
    spec.is_64bit = GetParam().first;
    spec.order = GetParam().second;
    spec.machine = 4321;
    const std::uint64_t word = spec.is_64bit ? 8 : 4;
    const std::string version = "go1.18.3", modules = wrapped(kModules);
    spec.data = header(static_cast<char>(word), spec.order == ByteOrder::big ? 1 : 0) +
                std::string(16 + 4 * word, '\0') + version + modules;
    ElfImage image = build(spec);
    const unsigned w = image.word();
    const std::uint64_t start = image.data, address = test::kDataBase + start;
    const std::uint64_t strings = 32 + 4 * word;
    image.set(start + 16, w, address + 32);
    image.set(start + 16 + word, w, address + 32 + 2 * word);
    image.set(start + 32, w, address + strings);
    image.set(start + 32 + word, w, version.size());
    image.set(start + 32 + 2 * word, w, address + strings + version.size());
    image.set(start + 32 + 3 * word, w, modules.size());
    return image;
  }
};

INSTANTIATE_TEST_SUITE_P(Forms, PointerForm,
                         testing::Values(std::pair{true, ByteOrder::little},
                                         std::pair{true, ByteOrder::big},
                                         std::pair{false, ByteOrder::little},
                                         std::pair{false, ByteOrder::big}));

TEST_P(PointerForm, IsRead) { expect_everything(read(image())); }

TEST_P(PointerForm, WithBadPointersIsNoBuildInfo) {
  const ElfImage good = image();
  const unsigned w = good.word();
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{12345}, UINT64_MAX}) {
    for (const std::uint64_t at : {16u, 32u, 32u + w}) {
      ElfImage bad = good;
      bad.set(bad.data + at, w, value);
      const auto info = read(bad);
      EXPECT_FALSE(info && info->version == "go1.18.3") << at << " " << value;
    }
  }
  ElfImage bad = good;
  bad.set(bad.data + 14, 1, 3);  // the size of a pointer
  EXPECT_FALSE(read(bad));
}

TEST_P(PointerForm, SurvivesMutations) {
  const ElfImage good = image();
  test::expect_survives(good.bytes, 500, [](ByteView damaged) {
    (void)read_go_build_info(elf::File::parse(damaged, "f"));
  });
}

TEST(GoBuildInfo, TakesNoLengthOnTrust) {
  const std::string start = header(0, 2) + std::string(16, '\0');
  const std::string longest(9, '\xff');
  EXPECT_FALSE(read(with_data(start + longest + "\x7f")));
  EXPECT_FALSE(read(with_data(start + std::string(20, '\xff'))));
  EXPECT_FALSE(read(with_data(start + varint(200) + "go1.18")));
  EXPECT_FALSE(read(with_data(start + varint(8) + "go1.18.3" + varint(UINT64_MAX >> 1))));
  EXPECT_FALSE(read(with_data(start)));
  EXPECT_FALSE(read(with_data(start.substr(0, 16))));
}

TEST(GoBuildInfo, WithoutSentinelsHasNoModules) {
  for (const std::string& modules : {std::string(), std::string("short"), kModules,
                                     wrapped(kModules.substr(0, kModules.size() - 1))}) {
    const auto info = read(with_data(inline_form("go1.18.3", modules)));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->version, "go1.18.3");
    EXPECT_TRUE(info->modules.empty());
  }
}

TEST(GoBuildInfo, ParsesDamagedLinesWithoutComplaint) {
  GoBuildInfo info;
  parse_go_modules("=>\tbefore any module\n\n\t\t\nmod\ndep\tonly-path\nunknown\tx\npath", info);
  ASSERT_EQ(info.modules.size(), 2u);
  EXPECT_EQ(info.modules[0].path, "");
  EXPECT_EQ(info.modules[1].path, "only-path");
  EXPECT_EQ(info.main_package, "");
}

// Without a header: the string header that points to "go1.26.5" says where the version ends.
TEST(GoVersion, IsFoundThroughItsStringHeader) {
  ElfSpec spec;
  spec.code = std::string(32, '\x90') + "see go1.15 notes go1.26.51.5 of another string";
  spec.data = std::string(64, '\0');
  ElfImage image = build(spec);
  const std::uint64_t text = test::kBase + image.code + spec.code.find("go1.26.5");
  EXPECT_EQ(find_go_version(elf::File::parse(image.bytes, "f")), "");
  image.set(image.data + 16, 8, text);
  image.set(image.data + 24, 8, 8);
  EXPECT_EQ(find_go_version(elf::File::parse(image.bytes, "f")), "go1.26.5");
  image.set(image.data + 24, 8, 1'000'000);
  EXPECT_EQ(find_go_version(elf::File::parse(image.bytes, "f")), "");
}

TEST(GoProgram, IsKnownByItsNoteSectionsOrFunctionTable) {
  const auto is_go = [](const ElfSpec& spec) {
    const ElfImage image = build(spec);
    return is_go_program(elf::File::parse(image.bytes, "f"));
  };
  EXPECT_FALSE(is_go({}));
  ElfSpec note;
  note.notes = {{"Go", elf::kNoteGoBuildId, "id"}};
  EXPECT_TRUE(is_go(note));
  ElfSpec section;
  section.sections = {{".gopclntab", "x"}};
  EXPECT_TRUE(is_go(section));
  ElfSpec table;
  table.data = std::string(32, '\0') + std::string("\xf1\xff\xff\xff\0\0\x01\x08", 8);
  EXPECT_TRUE(is_go(table));
  table.data.back() = 4;  // not this machine's pointer size
  EXPECT_FALSE(is_go(table));
}

TEST(GoBuildInfo, OfRealProgramsIsWhatGoPrints) {
  for (const std::string program :
       {"go_static", "go_without_symbols", "go_pie", "go_mips", "go_arm64"}) {
    WHITTLE_NEEDS_PROGRAM(program);
    const Bytes bytes = test::load_program(program);
    const auto info = read_go_build_info(elf::File::parse(bytes, program));
    ASSERT_TRUE(info) << program;
    EXPECT_EQ(info->main_package, "example.com/hello");
    ASSERT_EQ(info->modules.size(), 2u);
    EXPECT_EQ(info->modules[0].path, "example.com/hello");
    EXPECT_EQ(info->modules[1].path, "example.com/greeting");
    EXPECT_EQ(info->modules[1].version, "v1.2.3");
    EXPECT_THAT(info->modules[1].replaced_by, testing::StartsWith("./greeting"));
    const auto go =
        test::run("'" WHITTLE_TEST_GO "' version '" + test::program_path(program).native() + "'");
    EXPECT_THAT(go.output, testing::HasSubstr(": " + info->version + "\n")) << program;
    EXPECT_EQ(find_go_version(elf::File::parse(bytes, program)), info->version) << program;
  }
}

TEST(GoBuildInfo, SurvivesMutations) {
  const ElfImage good = with_data(inline_form("go1.18.3", wrapped(kModules)));
  const int values = test::expect_survives(good.bytes, 1000, [](ByteView damaged) {
    const elf::File file = elf::File::parse(damaged, "f");
    (void)read_go_build_info(file);
    (void)is_go_program(file);
    (void)find_go_version(file);
  });
  EXPECT_GT(values, 0);
}

}  // namespace
}  // namespace whittle::analyzer
