// SPDX-License-Identifier: MIT
#include "imagegen/root_tree.h"

#include <gmock/gmock.h>

#include <string>

namespace whittle::imagegen {
namespace {

using testing::ElementsAre;

ImageSpec spec() {
  ImageSpec spec;
  spec.files = {{.path = "/usr/bin/app", .content = {}, .mode = 0755}};
  spec.links = {{"/bin", "usr/bin"},      {"/usr/bin/a", "app"},  {"/usr/b", "/bin/a"},
                {"/usr/c", "../usr/./b"}, {"/loop", "loop"},      {"/one", "two"},
                {"/two", "/one"},         {"/gone", "missing/x"}, {"/through", "usr/bin/app/.."}};
  return spec;
}

TEST(RootTree, FollowsLinksInsideTheImage) {
  const ImageSpec image = spec();
  const RootTree tree(image);
  for (const char* path : {"/usr/bin/app", "/bin/app", "/bin/a", "/usr/b", "/usr/c", "/usr//c",
                           "/bin/../bin/a", "/usr/bin/../../usr/b"}) {
    const auto found = resolve(tree, path);
    ASSERT_TRUE(found) << path;
    EXPECT_EQ(found->path, "/usr/bin/app") << path;
  }
  // ".." after a link is the folder above the one that it leads to.
  EXPECT_EQ(resolve(tree, "/bin/..")->path, "/usr");
  EXPECT_TRUE(resolve(tree, "/")->entry.is_folder());
  EXPECT_TRUE(resolve(tree, "/../..")->entry.is_folder());
  // The last goes through a file, which has nothing above it.
  for (const char* path :
       {"/loop", "/one", "/gone", "/x", "/usr/bin/app/x", "/usr/bin/ap", "/through"}) {
    EXPECT_FALSE(resolve(tree, path)) << path;
  }
}

TEST(RootTree, NamesWhatIsInAFolder) {
  const ImageSpec image = spec();
  const RootTree tree(image);
  EXPECT_THAT(tree.names("/usr"), ElementsAre("b", "bin", "c"));
  EXPECT_THAT(tree.names("/usr/bin"), ElementsAre("a", "app"));
  EXPECT_THAT(tree.names("/nothing"), ElementsAre());
  EXPECT_THAT(tree.files(), ElementsAre("/usr/bin/app"));
}

}  // namespace
}  // namespace whittle::imagegen
