// SPDX-License-Identifier: MIT
#include "flow/preflight.h"

#include <gmock/gmock.h>

#include <utility>

#include "flow/run.h"
#include "tests/unit/common/scratch_test.h"

namespace whittle::flow {
namespace {

using test::error_of;
using test::ScratchTest;
using testing::HasSubstr;
using testing::IsEmpty;

class Recorder : public ship::Observer {
 public:
  void on(const ship::Event& event) override {
    const auto* warning = std::get_if<ship::event::Warning>(&event.what);
    if (warning == nullptr) return;
    warnings += std::string(event.step) + ": " + std::string(warning->text) + "\n";
  }
  std::string warnings;
};

// Every step with a `run` would leave a file `ran`. Steps begin in line 3.
class PreflightTest : public ScratchTest {
 protected:
  PreflightTest() { std::filesystem::create_directory(folder / "w"); }

  Plan plan(const std::string& steps) const {
    return make_plan(config::parse_build_file("build:\n  steps:\n" + steps, "build.yml", {}));
  }
  void check(const std::string& steps) {
    recorder = {};
    check_host_paths(plan(steps), folder / "w", recorder);
  }
  void fine(const std::string& steps) {
    EXPECT_NO_THROW(check(steps)) << steps;
    EXPECT_THAT(recorder.warnings, IsEmpty()) << steps;
  }
  // Through the whole of `run`: that nothing ran is part of it.
  std::string problem(const std::string& steps, ErrorKind kind = ErrorKind::usage) {
    const Error error = error_of([&] { run(steps); });
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_FALSE(std::filesystem::exists(folder / "w/ran")) << steps;
    return error.what();
  }
  // Throws what keeps the build from running, or the first failure of a step.
  void run(const std::string& steps) {
    const Plan planned = plan(steps);
    Build build(planned, {.work_dir = folder / "w", .jobs = 1, .created = 0}, recorder);
    const report::BuildReport report = build.run();
    if (!report.failures.empty()) throw Error(*report.steps[report.failures[0]].error);
  }
  Recorder recorder;
};

TEST_F(PreflightTest, AMissingFolderOfAnOutput) {
  EXPECT_EQ(problem("    s: {run: touch ran, whittle: {binary: b, image: {output: no/x.tar}}}\n"),
            "build.yml:3:62: `build.steps.s.whittle.image.output` (`no/x.tar`) cannot be written: "
            "the folder `no` is missing, and nothing says that a step makes it");
  EXPECT_THAT(problem("    s: {run: touch ran, whittle: {binary: b, output: no/x}}\n"),
              HasSubstr("build.yml:3:54: `build.steps.s.whittle.output` (`no/x`) cannot be"));
  EXPECT_THAT(problem("    s: {run: touch ran, whittle: {binary: b, image: {layout: no/x}}}\n"),
              HasSubstr("build.yml:3:62: `build.steps.s.whittle.image.layout` (`no/x`) cannot be"));
  write("w/b", "");
  EXPECT_THAT(problem("    s: {whittle: {binary: b, output: no/x}}\n"),
              HasSubstr("`no` is missing"));
}

TEST_F(PreflightTest, AFolderThatAStepMakes) {
  const std::string to_out = "whittle: {binary: b, image: {output: out/x.tar}}}\n";
  // The command says it.
  fine("    s: {run: mkdir -p out && touch ran, " + to_out);
  fine("    a: {run: mkdir ./out/}\n    s: {run: touch ran, depends_on: [a], " + to_out);
  fine(
      "    a: {run: 'mkdir \"out\"'}\n    m: {run: x, depends_on: [a]}\n"
      "    s: {run: x, depends_on: [m], " +
      to_out);
  // Something lies in it.
  fine("    s: {run: make, whittle: {binary: out/b, image: {output: out/x.tar}}}\n");
  fine("    s: {run: make, artifacts: [\"a:out\"], " + to_out);
  fine("    s: {run: make, artifacts: [out/deep/a], " + to_out);
  fine("    a: {run: make, artifacts: [\"a:out\"]}\n    s: {run: make, depends_on: [a], " + to_out);
  // Not by a step that comes at any time, nor by a longer name.
  EXPECT_THAT(problem("    a: {run: mkdir out}\n    s: {run: touch ran, " + to_out),
              HasSubstr("`out` is missing"));
  EXPECT_THAT(
      problem("    a: {run: make, artifacts: [\"a:out\"]}\n    s: {run: touch ran, " + to_out),
      HasSubstr("`out` is missing"));
  EXPECT_THAT(problem("    s: {run: touch ran layout out-dated, " + to_out),
              HasSubstr("`out` is missing"));
  EXPECT_THAT(
      problem("    s: {run: touch ran, " + to_out + "    a: {run: mkdir out, depends_on: [s]}\n"),
      HasSubstr("`out` is missing"));
  // It is there.
  std::filesystem::create_directory(folder / "w/out");
  fine("    s: {run: make, " + to_out);
}

TEST_F(PreflightTest, WhatIsInTheWayOfAnOutput) {
  write("w/file", "");
  std::filesystem::create_directory(folder / "w/dir");
  write("w/dir/other", "");
  const auto ship = [](std::string_view what) {
    return "    s: {run: touch ran, whittle: {binary: b, " + std::string(what) + "}}\n";
  };
  EXPECT_EQ(problem(ship("image: {layout: file}")),
            "build.yml:3:62: `build.steps.s.whittle.image.layout` (`file`) is a file, but an OCI "
            "layout is a folder");
  EXPECT_THAT(problem(ship("image: {layout: file/x}")), HasSubstr("`file` is not a folder"));
  EXPECT_THAT(problem(ship("image: {output: file/x}")), HasSubstr("`file` is not a folder"));
  EXPECT_THAT(problem(ship("image: {output: dir}")), HasSubstr("(`dir`) is a folder, but a file"));
  EXPECT_THAT(problem(ship("output: dir")),
              HasSubstr("build.yml:3:54: `build.steps.s.whittle.output`"));
  EXPECT_THAT(
      problem("    s: {run: touch ran, artifacts: [\"a:file\"]}\n"),
      HasSubstr("build.yml:3:37: `build.steps.s.artifacts[0]` (`file/a`) cannot be written: "
                "`file` is not a folder"));
  EXPECT_THAT(problem("    s: {run: touch ran, artifacts: [\"a:dir/other/deep\"]}\n"),
              HasSubstr("`dir/other` is not a folder"));
  EXPECT_THAT(problem("    s: {run: touch ran, dir: file}\n"),
              HasSubstr("build.yml:3:30: `build.steps.s.dir` (`file`) is where `run` starts, but "
                        "`file` is not a folder"));
  EXPECT_THAT(problem("    s: {run: touch ran, whittle: {binary: dir}}\n"),
              HasSubstr("(`dir`) is a folder, but must be an executable"));

  // A folder with other things in it: a command may empty it first.
  EXPECT_THAT(
      problem("    s: {whittle: {binary: file, image: {layout: dir}}}\n", ErrorKind::refused),
      HasSubstr("build.yml:3:49: `build.steps.s.whittle.image.layout` (`dir`) is not empty and "
                "not an OCI layout"));
  EXPECT_NO_THROW(check(ship("image: {layout: dir}")));
}

TEST_F(PreflightTest, WhatIsMissingWithNothingToMakeIt) {
  EXPECT_EQ(
      problem("    s: {whittle: {binary: b}}\n"),
      "build.yml:3:27: `build.steps.s.whittle.binary` (`b`) is the binary to ship, but nothing "
      "says that a step makes it");
  write("w/b", "");
  EXPECT_THAT(
      problem("    s: {whittle: {binary: b, image: {add: [\"b:/x\", \"a:/a\"]}}}\n"),
      HasSubstr("build.yml:3:52: `build.steps.s.whittle.image.add[1]` (`a`) is to be added, "
                "but nothing says"));
  EXPECT_THAT(
      problem("    s: {artifacts: [a], whittle: {binary: b}}\n"),
      HasSubstr("build.yml:3:21: `build.steps.s.artifacts[0]` (`a`) is made from `a`, but"));
  EXPECT_THAT(
      problem("    s: {run: touch ran, dir: d}\n"),
      HasSubstr("build.yml:3:30: `build.steps.s.dir` (`d`) is the folder that `run` starts in"));
  EXPECT_THAT(problem("    a: {run: mkdir d}\n    s: {run: touch ran, dir: d}\n"),
              HasSubstr("build.yml:4:30: `build.steps.s.dir`"));
  // What another step ships or hands on.
  fine(
      "    a: {whittle: {binary: b, output: a}}\n"
      "    s: {depends_on: [a], whittle: {binary: a, image: {add: [\"b.tar:/b\"]}}}\n");
  EXPECT_THAT(problem("    a: {whittle: {binary: b, output: a2}}\n"
                      "    s: {depends_on: [a], whittle: {binary: a}}\n"),
              HasSubstr("build.yml:4:44: `build.steps.s.whittle.binary`"));
}

// Who runs a command may know what it makes.
TEST_F(PreflightTest, WhatACommandMayMakeIsAWarning) {
  const std::string ship = "whittle: {binary: b, image: {add: [\"data/a.txt:/a\"]}}}\n";
  fine("    s: {run: make b && mkdir data && echo > data/a.txt, " + ship);
  fine("    s: {run: ./make-data, artifacts: [data/a.txt], " + ship);
  fine("    a: {run: ./make-data, artifacts: [\"a.txt:data\"]}\n    s: {run: x, depends_on: [a], " +
       ship);
  fine("    a: {run: ./x, artifacts: [\"out/data:.\"]}\n    s: {run: x, depends_on: [a], " + ship);
  check("    s: {run: make, " + ship);
  EXPECT_EQ(recorder.warnings,
            "s: build.yml:3:55: `build.steps.s.whittle.image.add[0]` (`data/a.txt`) is not there "
            "yet, and nothing says that a step makes it\n");
  check("    a: {run: make}\n    s: {run: x, dir: d, depends_on: [a]}\n");
  EXPECT_THAT(recorder.warnings,
              HasSubstr("s: build.yml:4:22: `build.steps.s.dir` (`d`) is not there"));
  check("    a: {run: make}\n    s: {whittle: {binary: b}, depends_on: [a]}\n");
  EXPECT_THAT(recorder.warnings,
              HasSubstr("s: build.yml:4:27: `build.steps.s.whittle.binary` (`b`)"));
}

// A block does not show whether a source is a file or a folder; the disk does.
TEST_F(PreflightTest, FilesWhereFoldersHaveToBe) {
  write("w/b", "");
  write("w/file", "");
  std::filesystem::create_directory(folder / "w/site");
  const auto adds = [](const std::string& list) {
    return "    s: {whittle: {binary: b, image: {add: [" + list + "]}}}\n";
  };
  EXPECT_EQ(problem(adds("\"file:/srv\", \"file:/srv/x\"")),
            "build.yml:3:57: `build.steps.s.whittle.image.add[1]` is wrong: image path '/srv' is a "
            "file, but another path needs it to be a folder");
  EXPECT_THAT(problem(adds("\"file:/b\"")), HasSubstr("'/b' is given twice"));
  fine(adds("\"site:/srv\", \"file:/srv/x\""));
  fine(adds("\"site/:/srv/\", \"file:/srv/x\""));
}

TEST_F(PreflightTest, FilesOfTheSystem) {
  write("w/b", "");
  EXPECT_THAT(problem("    s: {whittle: {binary: b, image: {add: "
                      "[\"/usr/share/zoneinfo/No/Where:/z\"]}}}\n"),
              HasSubstr("is a file of the system to add, but this system does not have it"));
}

TEST_F(PreflightTest, LinksThatLeadOut) {
  write("outside", "");
  std::filesystem::create_symlink("..", folder / "w/up");
  std::filesystem::create_symlink("../outside", folder / "w/out");
  for (const auto& [steps, key] : std::initializer_list<std::pair<const char*, const char*>>{
           {"    s: {run: touch ran, dir: up}\n", "build.yml:3:30: `build.steps.s.dir` (`up`)"},
           {"    s: {run: touch ran, artifacts: [out]}\n",
            "build.yml:3:37: `build.steps.s.artifacts[0]`"},
           {"    s: {run: touch ran, artifacts: [\"a:up\"]}\n", "build.yml:3:37: "},
           {"    s: {run: touch ran, whittle: {binary: out}}\n", "build.yml:3:43: "},
           {"    s: {run: touch ran, whittle: {binary: b, output: up/x}}\n", "build.yml:3:54: "},
           {"    s: {run: touch ran, whittle: {binary: b, image: {output: out}}}\n",
            "build.yml:3:62: "},
           {"    s: {run: touch ran, whittle: {binary: b, image: {layout: up/l}}}\n",
            "build.yml:3:62: "},
           {"    s: {run: touch ran, whittle: {binary: b, image: {add: [\"out:/o\"]}}}\n",
            "build.yml:3:60: "}}) {
    const std::string message = problem(steps, ErrorKind::refused);
    EXPECT_THAT(message, testing::StartsWith(key));
    EXPECT_THAT(message, HasSubstr("leads out of the work directory through a symbolic link"));
  }
}

TEST_F(PreflightTest, ClashesThroughLinks) {
  std::filesystem::create_directory(folder / "w/dist");
  std::filesystem::create_symlink("dist", folder / "w/link");
  EXPECT_THAT(
      problem("    a: {run: touch ran, artifacts: [\"o/x:dist\"]}\n"
              "    b: {run: touch ran, artifacts: [\"p/x:link\"]}\n"),
      HasSubstr("build.yml:4:37: `build.steps.b.artifacts[0]` would write `link/x`, as does "
                "`build.steps.a.artifacts[0]` (3:37)"));
}

TEST_F(PreflightTest, TheBuildFileIsNotOverwritten) {
  write("w/build.yml", "");
  for (const char* output :
       {"artifacts: [\"o/build.yml:.\"]", "whittle: {binary: b, output: build.yml}"}) {
    const Plan named = make_plan(config::parse_build_file(
        "build:\n  steps:\n    s: {run: touch ran, " + std::string(output) + "}\n",
        (folder / "w/build.yml").native(), {}));
    const Error error = error_of([&] { check_host_paths(named, folder / "w", recorder); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("build.yml:3:"));
    EXPECT_THAT(error.what(), HasSubstr("is the build file, which would be overwritten"));
  }
}

// What could not be known is told when the step's command is through, before it is packed.
TEST_F(PreflightTest, WhatACommandDidNotMake) {
  const auto failure = [&](const std::string& steps, ErrorKind kind) {
    const Error error = error_of([&] { run(steps); });
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_FALSE(std::filesystem::exists(folder / "w/b.tar"));
    return std::string(error.what());
  };
  EXPECT_EQ(failure("    s: {run: echo > b, whittle: {binary: b, image: {add: [\"a:/a\"]}}}\n",
                    ErrorKind::failed),
            "build.yml:3:59: `build.steps.s.whittle.image.add[0]` (`a`) is to be added, but the "
            "step did not create it");
  EXPECT_THAT(failure("    s: {run: 'echo > b # out', whittle: {binary: b, output: out/x}}\n",
                      ErrorKind::failed),
              HasSubstr("the folder `out` is missing, and the step did not create it"));
  EXPECT_THAT(
      failure("    s: {run: 'echo > b; echo > l', whittle: {binary: b, image: {layout: l}}}\n",
              ErrorKind::usage),
      HasSubstr("(`l`) is a file, but an OCI layout is a folder"));
  EXPECT_THAT(failure("    s: {run: 'echo > b; mkdir m; echo > m/x', whittle: {binary: b, image: "
                      "{layout: m}}}\n",
                      ErrorKind::refused),
              HasSubstr("build.yml:3:84: `build.steps.s.whittle.image.layout` (`m`) is not empty"));
  EXPECT_THAT(failure("    s: {run: 'echo > b; ln -s .. up', whittle: {binary: b, output: up/x}}\n",
                      ErrorKind::refused),
              HasSubstr("(`up/x`) leads out of the work directory"));
}

}  // namespace
}  // namespace whittle::flow
