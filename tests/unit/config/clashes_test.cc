// SPDX-License-Identifier: MIT
#include "config/clashes.h"

#include <gmock/gmock.h>

#include "flow/plan.h"
#include "tests/unit/common/scratch_test.h"

namespace whittle::config {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

// Steps as lines, the first of which is line 3.
BuildFile parse(const std::string& steps) {
  return parse_build_file("build:\n  steps:\n" + steps, "build.yml", {});
}

std::string problem(const std::string& steps) {
  const Error error = error_of([&] { parse(steps); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  return error.what();
}

void fine(const std::string& steps) { EXPECT_NO_THROW(parse(steps)) << steps; }

// The kinds of outputs, each as a step's lines that write `dist/x`.
const std::vector<std::string> kOutputsToX = {
    "{run: r, artifacts: [\"o1/x:dist\"]}",
    "{run: r, dir: o2, artifacts: [\"x:dist\"]}",
    "{run: r, dir: dist, artifacts: [x/:./dist/.]}",
    "{dockerfile: d, artifacts: [/out/x/:dist/]}",
    "{whittle: {binary: b, output: dist/x}}",
    "{whittle: {binary: b, image: {output: ./dist//x}}}",
    "{whittle: {binary: b, image: {layout: dist/x/}}}",
    "{whittle: {binary: b, output: y, image: {output: dist/y/../x}}}",
};

TEST(Clashes, BothLinesAreNamed) {
  EXPECT_EQ(problem(R"(    a: {run: 'mkdir -p o1; echo from-a > o1/x', artifacts: ["o1/x:dist"]}
    b: {run: 'mkdir -p o2; echo from-b > o2/x', artifacts: ["o2/x:dist"]}
)"),
            "build.yml:4:61: `build.steps.b.artifacts[0]` would write `dist/x`, as does "
            "`build.steps.a.artifacts[0]` (3:61); name another folder for one of them");
}

TEST(Clashes, NoTwoOutputsGoToOnePath) {
  for (const std::string& first : kOutputsToX) {
    for (const std::string& second : kOutputsToX) {
      const bool both_layouts = first == second && first.find("layout") != first.npos;
      const bool same_source = first == second && first.find("run") != first.npos &&
                               first.find("artifacts") != first.npos;
      if (both_layouts || same_source) {
        fine("    a: " + first + "\n    b: " + second + "\n");
        continue;
      }
      // Whether or not one waits for the other: the earlier one would be lost.
      const std::string waiting = second.substr(0, second.size() - 1) + ", depends_on: [a]}";
      for (const std::string& other : {second, waiting}) {
        EXPECT_THAT(problem("    a: " + first + "\n    b: " + other + "\n"),
                    AllOf(HasSubstr("build.yml:4:"), HasSubstr(", as does `build.steps.a."),
                          HasSubstr(" (3:")))
            << first << other;
      }
    }
  }
}

TEST(Clashes, OneStepWritesNothingTwice) {
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\"p/x:d\", \"q/x:d\"]}\n"),
              HasSubstr("build.yml:3:38: `build.steps.a.artifacts[1]` would write `d/x`, as does "
                        "`build.steps.a.artifacts[0]` (3:29)"));
  EXPECT_THAT(problem("    a: {whittle: {binary: b, output: x, image: {output: ./x}}}\n"),
              HasSubstr("would write `x`, as does `build.steps.a.whittle.output`"));
  EXPECT_THAT(
      problem("    a: {whittle: {binary: b, output: b.tar}}\n"),
      HasSubstr("build.yml:3:38: `build.steps.a.whittle.output` would write `b.tar`, as does "
                "`build.steps.a.whittle` (3:18)"));
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\"o/b.tar:.\"], whittle: {binary: b}}\n"),
              HasSubstr("`build.steps.a.whittle` would write `b.tar`, as does"));
  // What is shipped is written after the artifacts: only an old one could be handed on.
  EXPECT_THAT(problem("    a: {run: r, artifacts: [b.tar], whittle: {binary: b}}\n"),
              HasSubstr("would write `b.tar`"));
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\"b.small:d\"], "
                      "whittle: {binary: b, output: b.small}}\n"),
              HasSubstr("`build.steps.a.whittle.output` would write `b.small`, which is read by "
                        "`build.steps.a.artifacts[0]`"));
}

TEST(Clashes, TheDefaultArchiveIsAnOutput) {
  EXPECT_THAT(problem("    a: {whittle: {binary: app}}\n    b: {whittle: {binary: d/app}}\n"),
              HasSubstr("build.yml:4:18: `build.steps.b.whittle` would write `app.tar`, as does "
                        "`build.steps.a.whittle` (3:18)"));
  fine(
      "    a: {whittle: {binary: app}}\n"
      "    b: {whittle: {binary: d/app, image: {layout: app.oci}}}\n");
}

TEST(Clashes, WhatIsAllowed) {
  // Images in one layout.
  fine(
      "    a: {whittle: {binary: a, image: {layout: all}}}\n"
      "    b: {whittle: {binary: b, image: {layout: ./all/}}}\n");
  // One source, one place; in its place already.
  fine("    a: {run: r, artifacts: [\"o/x:d\"]}\n    b: {run: r, dir: o, artifacts: [\"x:d\"]}\n");
  fine("    a: {run: r, artifacts: [x, ./x]}\n    b: {run: r, artifacts: [x]}\n");
  fine("    a: {run: r, dir: d, artifacts: [\".\", \"./\"]}\n");
  fine("    a: {run: r, artifacts: [\"o/x:d\", \"o/x:d\"]}\n");
  // Names that only begin alike.
  fine("    a: {run: r, artifacts: [\"o/d:.\"]}\n    b: {run: r, artifacts: [\"o/x:d2\"]}\n");
  fine("    a: {run: r, artifacts: [\"o/x:d\", \"o/x:e\"]}\n");
  // A step's artifact is what it ships.
  fine("    a: {run: r, dir: src, artifacts: [app], whittle: {binary: app}}\n");
}

TEST(Clashes, AnArtifactsFolderTakesMoreOnlyInOrder) {
  const std::string folder = "    a: {run: r, artifacts: [\"o/out:dist\"]}\n";
  EXPECT_EQ(
      problem(folder + "    b: {run: r, artifacts: [\"o/x:dist/out\"]}\n"),
      "build.yml:4:29: `build.steps.b.artifacts[0]` would write `dist/out/x` into `dist/out`, "
      "which is written by `build.steps.a.artifacts[0]` (3:29); name another folder, or let "
      "step `b` depend on `a`");
  EXPECT_THAT(problem("    b: {run: r, artifacts: [\"o/x:dist/out\"]}\n" + folder),
              HasSubstr("build.yml:3:29: `build.steps.b.artifacts[0]` would write"));
  fine(folder + "    b: {run: r, artifacts: [\"o/x:dist/out/deep\"], depends_on: [a]}\n");
  fine(folder +
       "    m: {run: r, depends_on: [a]}\n"
       "    b: {run: r, artifacts: [\"o/x:dist/out\"], depends_on: [m]}\n");
  // The other way round, the folder would go over it.
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\"o/out:dist\"], depends_on: [b]}\n"
                      "    b: {run: r, artifacts: [\"o/x:dist/out\"]}\n"),
              HasSubstr("`build.steps.b.artifacts[0]` would write `dist/out/x` into `dist/out`"));
  for (const char* ship : {"output: dist/out/app", "image: {output: dist/out/app.tar}",
                           "image: {layout: dist/out/app}"}) {
    const std::string step = "{whittle: {binary: b, " + std::string(ship) + "}";
    EXPECT_THAT(problem(folder + "    b: " + step + "}\n"),
                HasSubstr("let step `b` depend on `a`"));
    fine(folder + "    b: " + step + ", depends_on: [a]}\n");
  }
  // In one step, in the order of the list; what is shipped comes last.
  fine("    a: {run: r, artifacts: [\"o/out:dist\", \"p/x:dist/out\"]}\n");
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\"p/x:dist/out\", \"o/out:dist\"]}\n"),
              HasSubstr("list it after that one"));
  fine("    a: {run: r, artifacts: [dist], whittle: {binary: b, image: {output: dist/b.tar}}}\n");
  // A folder in its place is not copied over anything.
  fine("    a: {run: r, artifacts: [\"o/x:dist\", dist, \"dist/y:dist\"]}\n");
  fine("    a: {run: r, artifacts: [dist]}\n    b: {run: r, artifacts: [\"dist/x:dist\"]}\n");
  EXPECT_THAT(problem("    a: {run: r, artifacts: [dist]}\n"
                      "    b: {run: r, artifacts: [\"o/x:dist\"]}\n"),
              HasSubstr("let step `b` depend on `a`"));
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\"src/dist:.\", \"dist/x:dist\"]}\n"),
              HasSubstr("`build.steps.a.artifacts[1]` would write `dist/x` into `dist`"));
}

TEST(Clashes, FilesAndLayoutsTakeNothing) {
  for (const char* outer :
       {"output: dist/out", "image: {output: dist/out}", "image: {layout: dist/out}"}) {
    const std::string step = "    a: {whittle: {binary: b, " + std::string(outer) + "}}\n";
    for (const char* inner :
         {"{run: r, artifacts: [\"o/x:dist/out\"], depends_on: [a]}",
          "{whittle: {binary: c, output: dist/out/x}, depends_on: [a]}",
          "{whittle: {binary: c, image: {output: dist/out/blobs/x}}, depends_on: [a]}",
          "{whittle: {binary: c, image: {layout: dist/out/x}}, depends_on: [a]}"}) {
      EXPECT_THAT(
          problem(step + "    b: " + inner + "\n"),
          AllOf(HasSubstr("build.yml:4:"), HasSubstr(" into `dist/out`, which is written by "
                                                     "`build.steps.a.whittle")));
    }
  }
  EXPECT_THAT(problem("    a: {whittle: {binary: b, image: {layout: d, output: d/b.tar}}}\n"),
              HasSubstr("would write `d/b.tar` into `d`"));
}

TEST(Clashes, AnInputIsNotOverwritten) {
  const auto whittle = [](std::string_view rest) {
    return "    s: {whittle: {binary: dir/app, " + std::string(rest) + "}}\n";
  };
  EXPECT_EQ(
      problem(whittle("output: ./dir/app")),
      "build.yml:3:44: `build.steps.s.whittle.output` would write `dir/app`, which is read by "
      "`build.steps.s.whittle.binary` (3:27); name another path for one of them");
  EXPECT_THAT(problem(whittle("image: {output: dir/app}")), HasSubstr("which is read by"));
  EXPECT_THAT(problem(whittle("image: {layout: dir}")), HasSubstr("would write `dir`"));
  EXPECT_THAT(problem(whittle("output: data, image: {add: ['data:/data']}")),
              HasSubstr("which is read by `build.steps.s.whittle.image.add[0]`"));
  EXPECT_THAT(problem(whittle("image: {add: ['app.tar:/data']}")), HasSubstr("`app.tar`"));
  // A folder is read with all that is in it.
  EXPECT_THAT(problem(whittle("output: site/x, image: {add: ['./site/:/srv/']}")),
              HasSubstr("would write `site/x`, which is read by"));
  EXPECT_THAT(problem(whittle("image: {layout: lay, add: ['.:/srv']}")),
              HasSubstr("would write `lay`, which is read by"));
  fine(whittle("output: sites, image: {add: ['site:/srv']}"));

  // Of another step: unless it comes before, and that step depends on it.
  const std::string reader = "    s: {whittle: {binary: app, image: {add: [\"data:/d\"]}}";
  const std::string after = ", depends_on: [w]}\n";
  for (const std::string write :
       {"{run: r, artifacts: [\"o/app:.\"]}", "{run: r, artifacts: [o/data]}",
        "{whittle: {binary: x, output: data}}", "{whittle: {binary: x, image: {output: app}}}"}) {
    const std::string writer = "    w: " + write + "\n";
    EXPECT_THAT(problem(reader + "}\n" + writer),
                AllOf(HasSubstr("build.yml:4:"), HasSubstr("which is read by `build.steps.s."),
                      HasSubstr("or let step `s` depend on `w`")));
    fine(reader + after + writer);
    const std::string later = write.substr(0, write.size() - 1) + ", depends_on: [s]}";
    EXPECT_THAT(problem(reader + "}\n    w: " + later + "\n"),
                HasSubstr("name another path for one of them"));
  }
  // Sources of artifacts.
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\"o/x:d\"]}\n"
                      "    b: {run: r, artifacts: [\"p/x:o\"]}\n"),
              HasSubstr("build.yml:4:29: `build.steps.b.artifacts[0]` would write `o/x`, which is "
                        "read by `build.steps.a.artifacts[0]` (3:29)"));
  fine(
      "    a: {run: r, artifacts: [\"o/x:d\"], depends_on: [b]}\n"
      "    b: {run: r, artifacts: [\"p/x:o\"]}\n");
  fine("    a: {run: r, artifacts: [\"p/x:o\", \"o/x:d\"]}\n");
  // In a folder that another step hands on.
  EXPECT_THAT(
      problem("    a: {run: r, artifacts: [\"o/out:d\"]}\n    b: {whittle: {binary: d/out/b}}\n"),
      HasSubstr("let step `b` depend on `a`"));
}

TEST(Clashes, AnArtifactIsNotCopiedIntoItself) {
  EXPECT_EQ(problem("    a: {run: r, artifacts: [\"o:o/copy\"]}\n"),
            "build.yml:3:29: `build.steps.a.artifacts[0]` would be copied into itself, to "
            "`o/copy/o`");
  EXPECT_THAT(problem("    a: {run: r, artifacts: [\".:copy\"]}\n"),
              HasSubstr("is the work directory, which"));
  EXPECT_THAT(problem("    a: {run: r, dir: o, artifacts: [\".:o/x\"]}\n"),
              HasSubstr("into itself"));
}

// A link makes two names one place; that is known only where the file is run.
TEST(Clashes, AreFoundThroughLinks) {
  const BuildFile file = parse(
      "    a: {run: r, artifacts: [\"o1/x:dist\"]}\n    b: {run: r, artifacts: [\"o2/x:link\"]}\n");
  const auto resolve = [](const std::string& path) {
    return path.starts_with("link") ? "dist" + path.substr(4) : path;
  };
  EXPECT_THAT(
      error_of([&] { refuse_clashes("build.yml", file.steps, resolve); }).what(),
      HasSubstr("build.yml:4:29: `build.steps.b.artifacts[0]` would write `link/x`, as does"));
}

TEST(Clashes, ManyPathsTakeNoLongTime) {
  std::string artifacts;
  for (int i = 0; i < 40000; i++) artifacts += "\"a:d\",";
  for (int i = 0; i < 40000; i++) artifacts += "\"b:d/a\",";
  fine("    s: {run: r, artifacts: [" + artifacts + "]}\n");
  std::string deep = "d";
  while (deep.size() < 4000) deep += "/d";
  std::string steps;
  for (int i = 0; i < 200; i++) {
    steps += "    s" + std::to_string(i) + ": {run: r, artifacts: [\"x" + std::to_string(i) + ":" +
             deep + "\"]}\n";
  }
  fine(steps);
}

}  // namespace
}  // namespace whittle::config
