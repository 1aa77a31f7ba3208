// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "tests/unit/common/scratch.h"

namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int status = -1;
  std::string out, err;
};

class CliTest : public testing::Test {
 protected:
  // Runs `whittle ARGUMENTS`, as a shell reads them, in the test's folder.
  Outcome whittle(const std::string& arguments, const std::string& before = "") const {
    const std::string command = "cd '" + folder.native() + "' && " + before +
                                " '" WHITTLE_COMMAND "' " + arguments + " >.out 2>.err </dev/null";
    const int status = ::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read(".out"),
            read(".err")};
  }
  std::string read(const std::string& name) const {
    std::ifstream file(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name, std::ios::binary) << text;
  }

 private:
  whittle::test::Scratch scratch_;

 protected:
  const std::filesystem::path& folder = scratch_.path();
};

TEST_F(CliTest, WrongUseIsStatusTwoWithAHint) {
  struct Case {
    const char *arguments, *message;
  };
  for (const auto& [arguments, message] : {
           Case{"", "no command given"},
           Case{"pakc x", "unknown command `pakc`; did you mean `pack`?"},
           Case{"pack --stirp x", "unknown option `--stirp`; did you mean `--strip`?"},
           Case{"pack", "FILE is required"},
           Case{"pack a b", "unexpected argument `b`"},
           Case{"audit --format xml x", "`xml` is not one of text, json"},
           Case{"audit --require statik x", "the requirement `statik` is not known"},
           Case{"audit --require no-needs:shel x",
                "names no known need; there are: ca-certificates"},
           Case{"audit --verdict-only --root / x", "excludes --verdict-only"},
           Case{"audit --verdict-only --format spdx x", "--verdict-only excludes --format spdx"},
           Case{"audit --require 'go>=x' x", "needs a version"},
           Case{"audit --require 'size<=1X' x", "needs a number of bytes"},
           Case{"build -j 0", "--jobs"},
           Case{"--no-such", "unknown option `--no-such`"},
       }) {
    const Outcome outcome = whittle(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_THAT(outcome.err, StartsWith("whittle: ")) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr(message)) << arguments;
    if (std::string(arguments).find("--require") == std::string::npos) {
      EXPECT_THAT(outcome.err, HasSubstr("--help` to see")) << arguments;
    }
  }
  EXPECT_EQ(whittle("help pakc").status, 2);
  EXPECT_EQ(whittle("image /bin/true").status, 2);
}

// In a script, an empty value is what comes of a variable that is not set.
TEST_F(CliTest, EmptyValuesAreRefusedByName) {
  std::filesystem::copy_file("/proc/self/exe", folder / "app");
  struct Case {
    const char *arguments, *option;
  };
  for (const auto& [arguments, option] : {
           Case{"image app -o x.tar -t ''", "--tag"},
           Case{"image app -o x.tar --name ''", "--name"},
           Case{"image app -o x.tar --user ''", "--user"},
           Case{"image app -o x.tar --workdir ''", "--workdir"},
           Case{"image app -o x.tar --entrypoint ''", "--entrypoint"},
           Case{"image app -o x.tar --env ''", "--env"},
           Case{"image app -o x.tar --expose ''", "--expose"},
           Case{"image app -o x.tar --label ''", "--label"},
           Case{"image app -o x.tar --annotation ''", "--annotation"},
           Case{"image app -o x.tar --add ''", "--add"},
           Case{"image app -o x.tar --compression ''", "--compression"},
           Case{"image app -o x.tar --report ''", "--report"},
           Case{"image app -o ''", "--output"},
           Case{"image app -o x.tar --layout ''", "--layout"},
           Case{"image '' -o x.tar", "FILE"},
           Case{"audit ''", "PATH"},
           Case{"audit app ''", "PATH"},
           Case{"audit app --require ''", "--require"},
           Case{"audit app --policy ''", "--policy"},
           Case{"audit app --root ''", "--root"},
           Case{"audit app --format ''", "--format"},
           Case{"build -f ''", "--file"},
           Case{"build -d ''", "--dir"},
           Case{"build --env ''", "--env"},
           Case{"build -j ''", "--jobs"},
           Case{"pack app -o ''", "--output"},
           Case{"pack app --level ''", "--level"},
           Case{"pack ''", "FILE"},
           Case{"strip app -o ''", "--output"},
           Case{"unpack app -o ''", "--output"},
           Case{"inspect ''", "FILE"},
           Case{"verify ''", "FILE"},
           Case{"report ''", "FILE"},
           Case{"report app ''", "NEW"},
           Case{"report app --rows ''", "--rows"},
           Case{"help ''", "COMMAND"},
       }) {
    const Outcome outcome = whittle(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_THAT(outcome.err, HasSubstr(option)) << arguments;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "x.tar"));
  EXPECT_FALSE(std::filesystem::exists(folder / "app.packed"));
  // An argument of a program may be empty.
  EXPECT_THAT(whittle("image app -o x.tar --cmd ''").err, testing::Not(HasSubstr("empty value")));
}

TEST_F(CliTest, HelpFitsATerminalAndIsAResult) {
  const std::string all = whittle("--help").out;
  EXPECT_EQ(all, whittle("help").out);
  for (const std::string name :
       {"audit", "strip", "pack", "unpack", "inspect", "report", "verify", "image", "build"}) {
    EXPECT_THAT(all, HasSubstr("\n  " + name + " "));
    const Outcome help = whittle("help " + name);
    EXPECT_EQ(help.status, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_EQ(help.out, whittle(name + " --help").out);
    EXPECT_THAT(help.out, HasSubstr("Usage: whittle " + name + " "));
    EXPECT_THAT(help.out, HasSubstr("Example:\n  whittle " + name));
    std::istringstream lines(help.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST_F(CliTest, VersionNamesTheLibraries) {
  const Outcome outcome = whittle("--version");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, StartsWith("whittle "));
  for (const char* name :
       {"LIEF", "libarchive", "zstd", "OpenSSL", "libyaml", "fmt", "CLI11", "nlohmann-json"}) {
    EXPECT_THAT(outcome.out, testing::ContainsRegex(std::string("\n  ") + name + " +[0-9]"));
  }
}

TEST_F(CliTest, ErrorsAreOneLineWithTheStatusOfTheirKind) {
  write("text", "just text\n");
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  struct Case {
    const char* arguments;
    int status;
  };
  for (const auto& [arguments, status] : {
           Case{"verify missing", 5},
           Case{"verify text", 3},
           Case{"pack dynamic", 3},
           Case{"image dynamic -o out", 3},
           Case{"pack .", 3},
           Case{"pack dynamic -o dynamic", 2},
           Case{"image dynamic -o out --env BAD", 2},
           Case{"build", 5},
       }) {
    const Outcome outcome = whittle(arguments);
    EXPECT_EQ(outcome.status, status) << arguments << ": " << outcome.err;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_THAT(outcome.err, StartsWith("whittle: ")) << arguments;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_F(CliTest, AuditFailsForWhatIsNotStatic) {
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  const Outcome outcome = whittle("audit dynamic");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, HasSubstr("libc.so.6"));
  EXPECT_EQ(whittle("audit missing").status, 5);
  EXPECT_EQ(whittle("audit missing dynamic").status, 1);
  const Outcome quiet = whittle("audit -q dynamic");
  EXPECT_EQ(quiet.status, 1);
  EXPECT_EQ(quiet.out, "");
  EXPECT_THAT(quiet.err, HasSubstr("whittle: dynamic: violates static: is dynamic: asks for"));
  EXPECT_EQ(std::count(quiet.err.begin(), quiet.err.end(), '\n'), 1);
  const Outcome missing = whittle("audit -q missing");
  EXPECT_EQ(missing.status, 5);
  EXPECT_EQ(missing.out, "");
  EXPECT_THAT(missing.err, HasSubstr("missing: cannot open"));
}

TEST_F(CliTest, QuietPrintsALineForEachRuleThatIsBroken) {
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  const Outcome outcome = whittle("audit -q --require static,size\\<=1K,nx dynamic missing");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("whittle: dynamic: violates size<=1K: has "));
  EXPECT_THAT(outcome.err, HasSubstr("whittle: missing: cannot open"));
  EXPECT_EQ(whittle("audit -q --require nx dynamic").err, "");
}

// What is not shown in a bill of materials is not lost.
TEST_F(CliTest, ABillOfMaterialsComesWithWhatIsWrong) {
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  for (const std::string format : {"cyclonedx", "spdx"}) {
    const Outcome outcome = whittle("audit --format " + format + " dynamic missing");
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.out, HasSubstr("libc.so.6"));
    EXPECT_THAT(outcome.err, HasSubstr("dynamic: violates static"));
    EXPECT_THAT(outcome.err, HasSubstr("missing: cannot open"));
  }
}

TEST_F(CliTest, RulesThatNoFileWasCheckedByDoNotHold) {
  std::filesystem::create_directories(folder / "empty/inner");
  write("empty/readme", "no program\n");
  write("policy.yml", "require: [static]\n");
  for (const std::string rules : {"--require static", "--policy policy.yml"}) {
    for (const std::string format :
         {"text", "json", "sarif", "junit", "markdown", "cyclonedx", "spdx"}) {
      const Outcome outcome = whittle("audit empty " + rules + " --format " + format);
      EXPECT_EQ(outcome.status, 1) << format;
      EXPECT_THAT(outcome.out + outcome.err, HasSubstr("holds no executable")) << format;
      EXPECT_EQ(whittle("audit empty --allow-empty " + rules + " --format " + format).status, 0);
    }
    const Outcome quiet = whittle("audit -q empty empty/inner " + rules);
    EXPECT_EQ(quiet.status, 1);
    EXPECT_THAT(quiet.err, HasSubstr("whittle: empty: holds no executable"));
    EXPECT_THAT(quiet.err, HasSubstr("whittle: empty/inner: holds no executable"));
    EXPECT_EQ(whittle("audit -q empty --allow-empty " + rules).err, "");
  }
  EXPECT_EQ(whittle("audit empty").status, 0);  // asked for what is there: nothing
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  EXPECT_EQ(whittle("audit empty dynamic --require nx").status, 0);
}

TEST_F(CliTest, RulesOfImagesNeedAnImage) {
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  const Outcome outcome = whittle("audit --require entrypoint dynamic");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no path leads to one"));
}

TEST_F(CliTest, AnAuditIsBriefUnlessItIsOfOneFile) {
  std::filesystem::copy_file("/proc/self/exe", folder / "one");
  std::filesystem::copy_file("/proc/self/exe", folder / "two");
  const std::string rules = "audit --require nx ";
  EXPECT_THAT(whittle(rules + "one").out, HasSubstr("newest version: "));
  EXPECT_THAT(whittle(rules + "one two").out, testing::Not(HasSubstr("newest version: ")));
  EXPECT_THAT(whittle(rules + "one two --details").out, HasSubstr("newest version: "));
  std::istringstream lines(whittle(rules + "one two").out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 82u) << line;
}

TEST_F(CliTest, OutputsOverwriteNothing) {
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  for (const char* line :
       {"image dynamic -o x.tar --report dynamic", "image dynamic -o same --report same",
        "image dynamic --add dynamic:/d -o ./dynamic", "pack dynamic -o dynamic",
        "strip dynamic -o ./dynamic"}) {
    const Outcome outcome = whittle(line);
    EXPECT_EQ(outcome.status, 2) << line;
    EXPECT_THAT(outcome.err, HasSubstr("as well as")) << line;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "same"));
  EXPECT_EQ(std::filesystem::file_size(folder / "dynamic"),
            std::filesystem::file_size("/proc/self/exe"));
}

// The rules are those of a build file, the option takes the place of the line. Nothing is read.
TEST_F(CliTest, ImageNamesTheOptionThatIsWrong) {
  struct Case {
    const char *options, *message;
  };
  for (const auto& [options, message] : {
           Case{"-t Bad/Name:1", "--tag: image name 'Bad/Name:1' has the part 'Bad'"},
           Case{"--tag x:", "--tag: image name 'x:' has the tag ''"},
           Case{"--name app", "--name: image path 'app' must begin with '/'"},
           Case{"--name /", "--name: image path '/' names a folder, not a file"},
           Case{"--workdir srv", "--workdir: image path 'srv' must begin with '/'"},
           Case{"--workdir /none", "--workdir: image path '/none' is a file"},
           Case{"--user 'a b'", "--user: user 'a b' is not USER or USER:GROUP"},
           Case{"--user nonroot", "--user: user 'nonroot' has a user name, and the image has no"},
           Case{"--expose 80 --expose 80/http", "--expose: port '80/http' is not PORT"},
           Case{"-e A=1 -e A=2", "--env: environment variable 'A' is given twice"},
           Case{"-l a=1 -l a=2", "--label: label 'a' is given twice"},
           Case{"--annotation a=1 --annotation a=2", "--annotation: annotation 'a' is given twice"},
           Case{"--annotation 'a b=c'", "--annotation: annotation 'a b' is not a name"},
           Case{"--add a:b", "--add: the file to add `a:b` has a destination that is not absolute"},
           Case{"--add a:/c --add b:/c", "--add: image path '/c' is given twice"},
           Case{"--add a:/none", "--add: image path '/none' is given twice"},
       }) {
    const Outcome outcome = whittle(std::string("image none -o out.tar ") + options);
    EXPECT_EQ(outcome.status, 2) << options;
    EXPECT_THAT(outcome.err, StartsWith(std::string("whittle: ") + message)) << options;
  }
  EXPECT_THAT(
      whittle("image d/.wh.x -o out.tar").err,
      StartsWith("whittle: d/.wh.x: image path '/.wh.x' has a name that begins with '.wh.'"));
}

TEST_F(CliTest, SaysWhereOptionsStandAndWhatTheyTake) {
  EXPECT_THAT(whittle("--quiet pack x").err, HasSubstr("options go after the command"));
  EXPECT_THAT(whittle("pack x --level tiny").err,
              HasSubstr("`tiny` is not one of fast, small, auto"));
  EXPECT_THAT(whittle("pack x -o").err, HasSubstr("`--output` needs a value"));
  EXPECT_THAT(whittle("pack x -o a -o b").err, HasSubstr("is given more than once"));
  EXPECT_THAT(whittle("report x --rows -1").err, HasSubstr("`-1` is not a number from 1"));
  EXPECT_THAT(whittle("pack x --goal pull").err, HasSubstr("--goal requires --level auto"));
}

TEST_F(CliTest, AuditTakesRequirements) {
  std::filesystem::copy_file("/proc/self/exe", folder / "dynamic");
  EXPECT_EQ(whittle("audit --require nx,no-writable-code dynamic").status, 0);
  const Outcome quoted = whittle("audit --require 'nx,size<=1K' --require static dynamic");
  EXPECT_EQ(quoted.status, 1);
  EXPECT_THAT(quoted.out, HasSubstr("violates size<=1K: has "));
  EXPECT_THAT(quoted.out, HasSubstr("violates static: is dynamic: asks for"));
  write("policy.yml", "require:\n  - nx\n  - pie\n");
  EXPECT_EQ(whittle("audit --policy policy.yml dynamic").status, 0);
  write("policy.yml", "require: [nx, px]\n");
  const Outcome wrong = whittle("audit --policy policy.yml dynamic");
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("policy.yml:1:15"));
  write("policy.yml", "requires: [nx]\n");
  EXPECT_THAT(whittle("audit --policy policy.yml dynamic").err,
              HasSubstr("did you mean `require`"));
  for (const std::string format : {"json", "sarif", "junit", "markdown", "cyclonedx", "spdx"}) {
    EXPECT_NE(whittle("audit --format " + format + " dynamic").out, "") << format;
  }
}

TEST_F(CliTest, BuildMistakesAndFailuresHaveTheirStatus) {
  write("build.yml", "build:\n  steps:\n    a: {rnu: x}\n");
  Outcome outcome = whittle("build");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("build.yml:3:9: unknown key `rnu`"));
  write("build.yml", "build: {steps: {a: {run: 'echo tells; exit 9'}}}");
  outcome = whittle("build");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("[a] tells\n"));
  EXPECT_THAT(outcome.err,
              HasSubstr("whittle: build.yml: step `a`: the command failed with exit status 9"));
  write("build.yml", "build: {steps: {a: {dockerfile: D}}}");
  EXPECT_EQ(whittle("build").status, 3);
  write("build.yml", "build: {steps: {a: {run: 'echo _env(WHO) $WHO'}}}");
  outcome = whittle("build --env WHO=you", "WHO=me");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("[a] you me\n"));
  EXPECT_EQ(whittle("build -q").err, "");
  EXPECT_EQ(whittle("build", "SOURCE_DATE_EPOCH=now").status, 2);
}

TEST_F(CliTest, AResultThatCannotBeWrittenIsAnError) {
  const std::string command =
      "'" WHITTLE_COMMAND "' --version >/dev/full 2>'" + (folder / ".err").native() + "'";
  const int status = ::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 5);
  EXPECT_THAT(read(".err"), StartsWith("whittle: standard output: cannot write"));
}

TEST_F(CliTest, ABrokenPipeEndsQuietly) {
  const std::string err = (folder / ".err").native();
  const std::string command = "bash -c \"set -o pipefail; (sleep 0.3; exec '" WHITTLE_COMMAND
                              "' --help 2>'" +
                              err + "') | true\"";
  EXPECT_EQ(WEXITSTATUS(::system(command.c_str())), 128 + SIGPIPE);
  EXPECT_EQ(read(".err"), "");
}

}  // namespace
