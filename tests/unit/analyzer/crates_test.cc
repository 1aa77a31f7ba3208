// SPDX-License-Identifier: MIT
#include "analyzer/crates.h"

#include <zlib.h>

#include "tests/unit/analyzer/testing.h"

namespace whittle::analyzer {
namespace {

using testing::AllOf;

std::string compressed(std::string_view text) {
  std::string out(::compressBound(text.size()), '\0');
  uLongf size = out.size();
  EXPECT_EQ(::compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                        reinterpret_cast<const Bytef*>(text.data()), text.size(), 9),
            Z_OK);
  out.resize(size);
  return out;
}

Bytes with_section(const std::string& content) {
  ElfSpec spec;
  spec.sections = {{".dep-v0", content}};
  return build(spec).bytes;
}

std::vector<Module> listed(std::string_view json) {
  const Bytes bytes = with_section(compressed(json));
  return read_crate_list(elf::File::parse(bytes, "f"));
}

// The members that cargo-auditable writes, in its order.
constexpr std::string_view kList = R"({"packages":[
  {"name":"adler","version":"0.2.3","source":"crates.io"},
  {"name":"app","version":"0.1.0","source":"local","dependencies":[0,2,3],"root":true},
  {"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"},
  {"name":"fork","version":"2.0.0-rc.1+x","source":"git","dependencies":[0],"features":["a"]}]})";

TEST(CrateList, IsReadWithTheProgramItselfFirst) {
  const auto crates = listed(kList);
  ASSERT_EQ(crates.size(), 4u);
  EXPECT_EQ(crates[0].path, "app");
  EXPECT_EQ(crates[0].version, "0.1.0");
  EXPECT_EQ(crates[0].source, "local");
  EXPECT_EQ(crates[0].confidence, "high");
  EXPECT_EQ(crates[0].found_in, ".dep-v0");
  EXPECT_EQ(crates[1].path, "adler");
  EXPECT_EQ(crates[1].source, "crates.io");
  EXPECT_FALSE(crates[1].only_for_build);
  EXPECT_EQ(crates[2].path, "cc");
  EXPECT_TRUE(crates[2].only_for_build);
  EXPECT_EQ(crates[3].version, "2.0.0-rc.1+x");
  EXPECT_TRUE(listed(R"({"packages":[]})").empty());
}

TEST(CrateList, OfProgramsWithoutOneIsEmpty) {
  const Bytes bytes = build({}).bytes;
  EXPECT_FALSE(has_crate_list(elf::File::parse(bytes, "f")));
  EXPECT_TRUE(read_crate_list(elf::File::parse(bytes, "f")).empty());
}

TEST(CrateList, ThatIsNoneIsAnError) {
  const std::string list = compressed(kList);
  for (const std::string& content :
       {std::string("text"), list.substr(0, list.size() / 2), compressed("{"), compressed("[]"),
        compressed("{}"), compressed(R"({"packages":{}})"), compressed(R"({"packages":[1]})"),
        compressed(R"({"packages":[{"name":7}]})"),
        compressed(std::string("{\"packages\":[\xff]}")),
        compressed(R"({"packages":[]})" + std::string("x"))}) {
    const Bytes bytes = with_section(content);
    const Error error =
        expect_error(ErrorKind::malformed, [&] { read_crate_list(elf::File::parse(bytes, "f")); });
    EXPECT_THAT(error.message(), HasSubstr("list of crates"));
    EXPECT_TRUE(error.offset());
  }
}

// 200 MB out of 200 kB, nesting without end, and more crates than anybody has.
TEST(CrateList, TakesNoMoreThanItsShare) {
  EXPECT_LT(compressed(std::string(200'000'000, ' ')).size(), 300'000u);
  const auto is_refused = [](std::string_view json) {
    const Error error = expect_error(ErrorKind::malformed, [&] { listed(json); });
    return error.message();
  };
  EXPECT_THAT(is_refused(std::string(200'000'000, ' ')), HasSubstr("cannot be unpacked"));
  EXPECT_THAT(is_refused(std::string(8'000'000, '[')), HasSubstr("is not what"));
  std::string many = R"({"packages":[)";
  for (int i = 0; i < 20'001; i++) many += R"({"name":"a"},)";
  many.back() = ']';
  EXPECT_THAT(is_refused(many + '}'), HasSubstr("too long"));
  const std::string deep = R"({"packages":[{"name":"a","x":)" + std::string(1'000'000, '[') +
                           std::string(1'000'000, ']') + "}]}";
  EXPECT_EQ(listed(deep).size(), 1u);
}

TEST(CrateList, SurvivesDamage) {
  const Bytes bytes = with_section(compressed(kList));
  test::expect_survives(bytes, 2000,
                        [](ByteView damaged) { read_crate_list(elf::File::parse(damaged, "f")); });
}

TEST(CratesByPaths, HaveVersions) {
  ElfSpec spec;
  spec.data =
      "/.cargo/registry/src/index.crates.io-1949cf8c/quick-xml-0.31.0/src/lib.rs"
      "/.cargo/registry/src/index.crates.io-1949cf8c/serde-1.0.2-rc.1/src/lib.rs"
      "/.cargo/registry/src/index.crates.io-1949cf8c/serde-1.0.2-rc.1/src/de.rs"
      "/cargo/registry/src/x/lines-2d-1.10.0+b/src/lib.rs"
      "/rust/deps/hashbrown-0.15.2/src/raw.rs"
      "/registry/src/x/noversion/src /registry/src/x/short-1.0/src"
      "/registry/src/x/od\x1b-1.0.0/a /registry/src/x/cut-1.0.0 /registry/src/";
  const Bytes bytes = build(spec).bytes;
  const auto crates = find_crates_by_paths(elf::File::parse(bytes, "f"));
  const auto crate = [](const char* name, const char* version) {
    return AllOf(Field(&Module::path, name), Field(&Module::version, version),
                 Field(&Module::confidence, "medium"));
  };
  EXPECT_THAT(crates, ElementsAre(crate("hashbrown", "0.15.2"), crate("lines-2d", "1.10.0+b"),
                                  crate("quick-xml", "0.31.0"), crate("serde", "1.0.2-rc.1")));
}

}  // namespace
}  // namespace whittle::analyzer
