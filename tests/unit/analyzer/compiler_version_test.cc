// SPDX-License-Identifier: MIT
#include "analyzer/compiler_version.h"

#include <gtest/gtest.h>

#include <string>

namespace whittle::analyzer {
namespace {

// "1.22.3", "before 1.22", or "unknown".
std::string text_of(const std::optional<CompilerVersion>& version) {
  if (!version) return "unknown";
  return (version->before_release ? "before " : "") + std::string(version->number);
}

TEST(CompilerVersion, OfGo) {
  struct Case {
    const char *signature, *version;
  };
  for (const auto& [signature, version] : {
           Case{"go1.19.8", "1.19.8"},
           Case{"go1.20", "1.20"},
           Case{"go1.21.0 X:boringcrypto", "1.21.0"},
           Case{"go1.25.3-X:nodwarf5", "1.25.3"},
           Case{"go1.22.4+auto", "1.22.4"},
           Case{"go1.20.5 (Red Hat 1.20.5-1.el9)", "1.20.5"},
           Case{"go1.22rc1", "before 1.22"},
           Case{"go1.9beta2", "before 1.9"},
           Case{"devel go1.22-5c63d5b Thu Aug 3 2023", "before 1.22"},
           Case{"go1.22-20230913-RC00 cl/565", "before 1.22"},
           Case{"devel +5c63d5b1 Thu Aug 3 2023", "unknown"},
           Case{"go1", "unknown"},
           Case{"go1.x", "unknown"},
           Case{"go1.22x", "unknown"},
           Case{"gccgo (Debian 12.2.0-14) 12.2.0", "unknown"},
           Case{"", "unknown"},
       }) {
    EXPECT_EQ(text_of(go_version(signature)), version) << signature;
  }
}

TEST(CompilerVersion, OfRust) {
  struct Case {
    const char *signature, *version;
  };
  for (const auto& [signature, version] : {
           Case{"rustc version 1.63.0", "1.63.0"},
           Case{"rustc version 1.97.1 (8bab26f4f 2026-07-14)", "1.97.1"},
           Case{"rustc version 1.75.0-nightly (bf9a1c8a1 2023-10-01)", "before 1.75.0"},
           Case{"rustc version 1.70.0-beta.3", "before 1.70.0"},
           Case{"rustc, commit a55dd71d5fb0ec5a6a3a9e8c27b2127ba491ce52", "unknown"},
           Case{"rustc version 1.70.0x", "unknown"},
           Case{"rustc version 170", "unknown"},
           Case{"1.70.0", "unknown"},
           Case{"", "unknown"},
       }) {
    EXPECT_EQ(text_of(rust_version(signature)), version) << signature;
  }
}

TEST(CompilerVersion, WhatComesBeforeAReleaseIsOlder) {
  EXPECT_TRUE(is_at_least({"1.22"}, "1.22"));
  EXPECT_TRUE(is_at_least({"1.22"}, "1.22.0"));
  EXPECT_FALSE(is_at_least({"1.22", true}, "1.22"));
  EXPECT_TRUE(is_at_least({"1.22", true}, "1.21.9"));
  EXPECT_FALSE(is_at_least({"1.9"}, "1.22"));
}

TEST(CompilerVersion, ComparesNumbers) {
  EXPECT_LT(compare_versions("2.9", "2.34"), 0);
  EXPECT_GT(compare_versions("2.34", "2.4"), 0);
  EXPECT_EQ(compare_versions("2.34", "2.34"), 0);
  EXPECT_LT(compare_versions("2.34", "2.34.1"), 0);
  EXPECT_EQ(compare_versions("2.34", "2.34.0"), 0);
  EXPECT_EQ(compare_versions("2.04", "2.4"), 0);
  EXPECT_LT(compare_versions("", "1"), 0);
  EXPECT_GT(compare_versions("18446744073709551617", "1"), 0);
}

}  // namespace
}  // namespace whittle::analyzer
