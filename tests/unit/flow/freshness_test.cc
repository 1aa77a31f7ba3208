// SPDX-License-Identifier: MIT
#include "flow/freshness.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "tests/unit/common/scratch_test.h"

namespace whittle::flow {
namespace {

using test::ScratchTest;
using testing::HasSubstr;

class FreshnessTest : public ScratchTest {
 protected:
  // A file that was last changed long ago.
  void write_old(const std::string& name) const {
    write(name, "old");
    const timespec time{.tv_sec = 1706918400, .tv_nsec = 0};  // 2024-02-03
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, (folder / name).c_str(), times, 0), 0);
  }
  // What there is to say of step `ship` when `build` has been done by the steps.
  std::string warning(const std::string& steps, const std::string& build = "true") const {
    const Plan plan =
        make_plan(config::parse_build_file("build:\n  steps:\n" + steps, "build.yml", {}));
    const Freshness freshness(plan, folder);
    const std::string command = "cd '" + folder.native() + "' && " + build;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    for (std::size_t i = 0; i < plan.steps.size(); i++) {
      if (plan.steps[i].step.label == "ship") return freshness.warning(i);
    }
    return "there is no step `ship`";
  }
};

constexpr const char* kOneStep = "    ship: {run: x, whittle: {binary: app}}\n";

TEST_F(FreshnessTest, WhatNobodyTouchedIsStale) {
  write_old("app");
  EXPECT_EQ(warning(kOneStep),
            "`app` is shipped, but this step did not change it; last changed 2024-02-03 00:00:00 "
            "UTC");
  EXPECT_THAT(warning(kOneStep, "echo new >ap"), HasSubstr("did not change it"));
}

TEST_F(FreshnessTest, EveryChangeIsOne) {
  for (const char* change :
       {"echo more >>app", "echo old >new && mv new app", "touch app", "ln -f app other",
        "rm app && printf old >app",
        // Written again with the same bytes and the same time, as reproducible builds do.
        "printf old >app && touch -d '2024-02-03 00:00 UTC' app"}) {
    write_old("app");
    EXPECT_EQ(warning(kOneStep, change), "") << change;
  }
}

TEST_F(FreshnessTest, WhatIsNewOrMissingIsNotStale) {
  EXPECT_EQ(warning(kOneStep), "");
  EXPECT_EQ(warning(kOneStep, "echo >app"), "");
}

TEST_F(FreshnessTest, AStepWithoutACommandIsNotAnswerable) {
  write_old("app");
  EXPECT_EQ(warning("    ship: {whittle: {binary: app}}\n"), "");
  EXPECT_EQ(warning("    other: {run: x}\n"
                    "    ship: {whittle: {binary: app}, depends_on: [other]}\n"),
            "");
}

// It made the file before, or would have had to.
TEST_F(FreshnessTest, AnEarlierStepMayHaveMadeIt) {
  const std::string steps =
      "    make: {run: x}\n"
      "    ship: {run: ./test, whittle: {binary: app}, depends_on: [make]}\n";
  write_old("app");
  EXPECT_EQ(warning(steps, "echo new >app"), "");
  EXPECT_THAT(warning(steps), HasSubstr("this step did not change it"));
}

TEST_F(FreshnessTest, WhatAnEarlierStepHandsOnIsItsOwn) {
  const std::string steps =
      "    make: {run: x, artifacts: [app]}\n"
      "    between: {run: x, depends_on: [make]}\n"
      "    ship: {whittle: {binary: ./app}, depends_on: [between]}\n";
  write_old("app");
  EXPECT_THAT(warning(steps), HasSubstr("`./app` is shipped, but step `make` did not change it"));
  EXPECT_EQ(warning(steps, "touch app"), "");
}

// The copy is new every time; what it was copied from is not.
TEST_F(FreshnessTest, ACopyIsAsFreshAsItsOrigin) {
  const std::string steps =
      "    make: {run: x, dir: src, artifacts: ['out/app:dist/bin']}\n"
      "    ship: {whittle: {binary: dist/bin/app}, depends_on: [make]}\n";
  write_old("src/out/app");
  write_old("dist/bin/app");
  EXPECT_THAT(warning(steps, "cp src/out/app dist/bin/app"),
              HasSubstr("`dist/bin/app` is shipped, but step `make` did not change `src/out/app`, "
                        "of which it is a copy; last changed 2024-02-03"));
  EXPECT_EQ(warning(steps, "touch src/out/app; cp src/out/app dist/bin/app"), "");
}

TEST_F(FreshnessTest, CopiesOfFoldersAndOfCopies) {
  const std::string steps =
      "    make: {run: x, artifacts: ['out/:a']}\n"
      "    move: {run: x, artifacts: ['a/out/bin:b'], depends_on: [make]}\n"
      "    ship: {run: x, artifacts: ['b/bin/app:.'], whittle: {binary: app}, depends_on: "
      "[move]}\n";
  write_old("out/bin/app");
  EXPECT_THAT(warning(steps), HasSubstr("step `make` did not change `out/bin/app`"));
}

// Whoever does not depend on a step does not get its files.
TEST_F(FreshnessTest, OtherStepsDoNotCount) {
  write_old("app");
  EXPECT_EQ(warning("    other: {run: x, artifacts: [app]}\n    ship: {whittle: {binary: app}}\n"),
            "");
}

}  // namespace
}  // namespace whittle::flow
