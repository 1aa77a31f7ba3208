// SPDX-License-Identifier: MIT
#include "common/suggest.h"

#include <gtest/gtest.h>

namespace whittle {
namespace {

TEST(EditDistance, CountsEachKindOfSlipOnce) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("same", "same"), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("pack", "packs"), 1u);
  EXPECT_EQ(edit_distance("pack", "pck"), 1u);
  EXPECT_EQ(edit_distance("pack", "pick"), 1u);
  EXPECT_EQ(edit_distance("pack", "pakc"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Closest, OffersOnlyWhatIsClose) {
  const std::vector<std::string> keys = {"depends_on", "dockerfile", "run", "dir"};
  EXPECT_EQ(closest("depend_on", keys), "depends_on");
  EXPECT_EQ(closest("depends-on", keys), "depends_on");
  EXPECT_EQ(closest("docker_file", keys), "dockerfile");
  EXPECT_EQ(closest("urn", keys), "run");
  EXPECT_EQ(closest("zzz", keys), "");
  EXPECT_EQ(closest("", keys), "");
  EXPECT_EQ(closest(std::string(100000, 'x'), keys), "");
}

TEST(DidYouMean, IsTheTailOfAMessage) {
  EXPECT_EQ(did_you_mean("pakc", {"pack"}), "; did you mean `pack`?");
  EXPECT_EQ(did_you_mean("zzz", {"pack"}), "");
}

}  // namespace
}  // namespace whittle
