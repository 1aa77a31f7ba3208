// SPDX-License-Identifier: MIT
#include "analyzer/hardening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analyzer/analyzer.h"
#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"

namespace whittle::analyzer {
namespace {

using State = HardeningState;
using testing::ElementsAre;
using testing::IsEmpty;

BinaryReport look_at(const std::string& program) {
  return inspect(test::load_program(program), program, {.symbols = false});
}

TEST(Hardening, OfAProgramThatHasItAll) {
  WHITTLE_NEEDS_PROGRAM("hard_all");
  const Hardening found = look_at("hard_all").hardening;
  EXPECT_EQ(found.nx, State::yes);
  EXPECT_EQ(found.relro, State::yes);
  EXPECT_EQ(found.pie, State::yes);
  EXPECT_EQ(found.canary, State::yes);
  EXPECT_EQ(found.fortify, State::yes);
  EXPECT_EQ(found.no_writable_code, State::yes);
  EXPECT_FALSE(found.debug_info);
  EXPECT_THAT(found.runpath, ElementsAre("/opt/lib"));
  EXPECT_THAT(found.rpath, IsEmpty());
}

TEST(Hardening, OfAProgramThatHasSomeOfIt) {
  WHITTLE_NEEDS_PROGRAM("hard_partial");
  const Hardening found = look_at("hard_partial").hardening;
  EXPECT_EQ(found.relro, State::partial);
  EXPECT_TRUE(found.debug_info);
  EXPECT_THAT(found.rpath, ElementsAre("/opt/old"));
  EXPECT_THAT(found.runpath, IsEmpty());
}

TEST(Hardening, OfAProgramThatHasNone) {
  WHITTLE_NEEDS_PROGRAM("hard_none");
  const Hardening found = look_at("hard_none").hardening;
  EXPECT_EQ(found.nx, State::no);
  EXPECT_EQ(found.relro, State::no);
  EXPECT_EQ(found.pie, State::no);
  EXPECT_EQ(found.canary, State::no);
  EXPECT_EQ(found.fortify, State::no);
}

TEST(Hardening, SeesCodeThatCanBeWritten) {
  WHITTLE_NEEDS_PROGRAM("hard_writable_code");
  const Hardening found = look_at("hard_writable_code").hardening;
  EXPECT_EQ(found.no_writable_code, State::no);
  EXPECT_EQ(found.canary, State::unknown);  // stripped: nothing tells
}

TEST(Hardening, StaticLibrariesDoNotSpeakForTheProgram) {
  WHITTLE_NEEDS_PROGRAM("c_static");
  EXPECT_EQ(look_at("c_static").hardening.canary, State::unknown);  // glibc itself is guarded
  WHITTLE_NEEDS_PROGRAM("hard_musl");  // musl's start-up code has __stack_chk_fail in any case
  EXPECT_EQ(look_at("hard_musl").hardening.canary, State::unknown);
  WHITTLE_NEEDS_PROGRAM("musl_static");
  EXPECT_EQ(look_at("musl_static").hardening.canary, State::unknown);
  EXPECT_EQ(look_at("musl_static").hardening.fortify, State::no);
}

State fortify_of(std::vector<std::string_view> imports, std::string language = "C/C++") {
  test::ElfSpec spec;
  const Bytes bytes = test::build(spec).bytes;
  const elf::File file = elf::File::parse(bytes, "f");
  Toolchain toolchain;
  toolchain.language = std::move(language);
  std::vector<Symbol> symbols(imports.size());
  for (std::size_t i = 0; i < imports.size(); i++) symbols[i].name = imports[i];
  return find_hardening({.file = file,
                         .kind = Kind::dynamic_executable,
                         .toolchain = toolchain,
                         .symbols = {},
                         .dynamic_symbols = symbols})
      .fortify;
}

TEST(Hardening, WhatCannotBeCheckedIsNoDefect) {
  EXPECT_EQ(fortify_of({"puts", "exit"}), State::not_applicable);
  EXPECT_EQ(fortify_of({"puts", "memcpy"}), State::no);
  EXPECT_EQ(fortify_of({"memcpy", "__memcpy_chk"}), State::yes);
  EXPECT_EQ(fortify_of({}), State::unknown);
}

TEST(Hardening, GoAndRustShowWhatTheirPartsInCHave) {
  EXPECT_EQ(fortify_of({"memcpy"}, "Rust"), State::not_applicable);
  EXPECT_EQ(fortify_of({"memcpy", "__memcpy_chk"}, "Rust"), State::yes);
  EXPECT_EQ(fortify_of({"memcpy", "__memcpy_chk"}, "Go"), State::yes);
}

TEST(Hardening, GoNeedsNoCanary) {
  WHITTLE_NEEDS_PROGRAM("go_static");
  const Hardening found = look_at("go_static").hardening;
  EXPECT_EQ(found.canary, State::not_applicable);
  EXPECT_EQ(found.fortify, State::not_applicable);
  EXPECT_EQ(found.relro, State::not_applicable);
  EXPECT_EQ(found.nx, State::yes);
  EXPECT_EQ(found.pie, State::no);
  EXPECT_EQ(found.bti, State::not_applicable);
  EXPECT_EQ(look_at("go_pie").hardening.pie, State::yes);
}

// A property note is a list of (type, size, data): one of another type, then CET's bits.
TEST(Hardening, ReadsControlFlowProperties) {
  const auto word = [](std::uint32_t value) {
    std::string out;
    for (int i = 0; i < 4; i++) out += static_cast<char>(value >> (8 * i));
    return out;
  };
  const std::string other = word(0xc0008002) + word(4) + word(1) + word(0);
  test::ElfSpec spec;
  spec.notes = {{"GNU", 5, other + word(0xc0000002) + word(4) + word(3) + word(0)}};
  Hardening found = inspect(test::build(spec).bytes, "f", {.symbols = false}).hardening;
  EXPECT_EQ(found.ibt, State::yes);
  EXPECT_EQ(found.shadow_stack, State::yes);
  spec.machine = elf::kMachineAarch64;
  spec.notes = {{"GNU", 5, word(0xc0000000) + word(4) + word(1) + word(0)}};
  found = inspect(test::build(spec).bytes, "f", {.symbols = false}).hardening;
  EXPECT_EQ(found.bti, State::yes);
  EXPECT_EQ(found.pac, State::no);
  EXPECT_EQ(found.ibt, State::not_applicable);
  spec.notes = {{"GNU", 5, word(0xc0000000) + word(0xffffffff)}};  // a size beyond the note
  found = inspect(test::build(spec).bytes, "f", {.symbols = false}).hardening;
  EXPECT_EQ(found.bti, State::no);
}

TEST(Hardening, A32BitProgramWithoutASayGetsAnExecutableStack) {
  test::ElfSpec spec;
  EXPECT_EQ(inspect(test::build(spec).bytes, "f", {.symbols = false}).hardening.nx, State::yes);
  spec.is_64bit = false;
  spec.machine = elf::kMachine386;
  EXPECT_EQ(inspect(test::build(spec).bytes, "f", {.symbols = false}).hardening.nx, State::no);
}

}  // namespace
}  // namespace whittle::analyzer
