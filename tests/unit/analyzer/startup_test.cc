// SPDX-License-Identifier: MIT
#include "analyzer/startup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/memory_tree.h"

namespace whittle::analyzer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Bytes elf(const std::string& interpreter = "", std::vector<std::string> needed = {},
          std::uint16_t machine = elf::kMachineX86_64) {
  test::ElfSpec spec;
  spec.interpreter = interpreter;
  spec.needed = std::move(needed);
  spec.machine = machine;
  return test::build(spec).bytes;
}

Bytes library(const std::string& name) {
  test::ElfSpec spec;
  spec.type = elf::kTypeDyn;
  spec.soname = name;
  return test::build(spec).bytes;
}

class StartupTest : public testing::Test {
 protected:
  Startup startup() { return StartCheck(tree, config).startup(); }
  // "yes /path kind", or the answer and the problem.
  std::string answer() {
    const Runnable runs = startup().runs;
    return runs.answer == Answer::yes ? "yes " + runs.path + " " + runs.kind
                                      : std::string(name(runs.answer)) + ": " + runs.problem;
  }

  test::MemoryTree tree;
  RunConfig config{
      .entrypoint = {"/app"}, .cmd = {}, .env = {}, .working_dir = "/", .user = "65532"};
};

TEST_F(StartupTest, AStaticProgramStarts) {
  tree.file("/app", elf());
  EXPECT_EQ(answer(), "yes /app static");
  config.cmd = {"argument"};
  EXPECT_EQ(answer(), "yes /app static");
  config.entrypoint = {};
  config.cmd = {"/app"};
  EXPECT_EQ(answer(), "yes /app static");
  config.cmd = {};
  EXPECT_EQ(answer(), "no: names nothing to run: entrypoint and cmd are empty");
  EXPECT_EQ(startup().program, "");
}

TEST_F(StartupTest, LinksAreFollowed) {
  tree.file("/usr/bin/app", elf()).link("/bin", "usr/bin").link("/app", "/bin/app");
  EXPECT_EQ(answer(), "yes /usr/bin/app static");
  tree.link("/app", "/bin/gone");
  EXPECT_EQ(answer(), "no: is not in the image");
}

TEST_F(StartupTest, NamesAreLookedUpInPath) {
  tree.file("/usr/bin/app", elf()).file("/opt/app", elf()).link("/bin", "usr/bin");
  config.entrypoint = {"app"};
  EXPECT_EQ(answer(), "yes /usr/bin/app static");  // of the PATH that engines set
  config.env = {"PATH=/nowhere:/opt"};
  EXPECT_EQ(answer(), "yes /opt/app static");
  config.env = {"PATH=/opt", "PATH=/nowhere"};  // the last one counts
  EXPECT_THAT(answer(), StartsWith("no: is in no folder of PATH (/nowhere)"));
  config.env = {"PATH=:opt:."};
  config.working_dir = "/opt";
  EXPECT_THAT(answer(), StartsWith("no: is in no folder of PATH"));
  // What may not be executed is passed over.
  tree.file("/first/app", elf(), 0644);
  config.env = {"PATH=/first:/opt"};
  EXPECT_EQ(answer(), "yes /opt/app static");
}

TEST_F(StartupTest, RelativeNamesAreOfTheWorkingDirectory) {
  tree.file("/srv/bin/app", elf());
  config.entrypoint = {"bin/app"};
  EXPECT_EQ(answer(), "no: is not in the image");
  config.working_dir = "/srv";
  EXPECT_EQ(answer(), "yes /srv/bin/app static");
  config.entrypoint = {"../srv/./bin/app"};
  EXPECT_EQ(answer(), "yes /srv/bin/app static");
}

TEST_F(StartupTest, TheUserMayExecuteIt) {
  tree.file("/app", elf(), 0644);
  EXPECT_EQ(answer(), "no: has the mode 0644: nobody may execute it");
  config.user = "0";
  EXPECT_EQ(answer(), "no: has the mode 0644: nobody may execute it");
  tree.file("/app", elf(), 0700);
  EXPECT_EQ(answer(), "yes /app static");
  config.user = "";
  EXPECT_EQ(answer(), "yes /app static");
  config.user = "65532";
  EXPECT_EQ(answer(), "no: has the mode 0700 and belongs to 0:0: user 65532 may not execute it");
  tree.file("/app", elf(), 0700, 65532);
  EXPECT_EQ(answer(), "yes /app static");
  tree.file("/app", elf(), 0070, 1, 50);
  EXPECT_THAT(answer(), HasSubstr("may not execute it"));
  config.user = "65532:50";
  EXPECT_EQ(answer(), "yes /app static");
  tree.file("/app", elf(), 0007, 65532);  // what others may, the owner may not
  EXPECT_THAT(answer(), HasSubstr("may not execute it"));
}

TEST_F(StartupTest, TheUserMayReachIt) {
  tree.folder("/root", 0700).file("/root/app", elf());
  config.entrypoint = {"/root/app"};
  EXPECT_EQ(answer(),
            "no: is in the folder /root, whose mode is 0700: user 65532 may not enter it");
  config.user = "0:0";
  EXPECT_EQ(answer(), "yes /root/app static");
}

TEST_F(StartupTest, TheUserIsKnown) {
  tree.file("/app", elf(), 0050, 1, 50);
  config.user = "app";
  EXPECT_EQ(answer(),
            "no: is run by app, but the image has no /etc/passwd to look up the user `app`");
  tree.file("/etc/passwd", "app:x:7:8::/:\n").file("/etc/group", "staff:x:50:app\n");
  EXPECT_EQ(answer(), "yes /app static");  // by a supplementary group
  config.user = "app:wheel";
  EXPECT_THAT(answer(), HasSubstr("no line for the group `wheel`"));
  tree.unread("/etc/passwd");
  config.user = "app";
  EXPECT_THAT(answer(), StartsWith("unknown: is run by app, and the image's list of users"));
}

TEST_F(StartupTest, OtherThingsAreNoPrograms) {
  tree.folder("/app");
  EXPECT_EQ(answer(), "no: is a folder");
  tree.file("/app", "echo hello\n", 0755);
  EXPECT_EQ(answer(), "no: is neither an ELF file nor a script that names its interpreter");
  tree.file("/app", "", 0755);
  EXPECT_THAT(answer(), StartsWith("no: is neither"));
  tree.file("/app", as_bytes("\x7f"
                             "ELF damaged"));
  EXPECT_EQ(answer(), "unknown: is an ELF file that is damaged or was not read");
  tree.unread("/app");
  EXPECT_EQ(answer(), "unknown: was not read");
  config.entrypoint = {"/proc/self/exe"};
  EXPECT_EQ(answer(), "unknown: is not in the image, unless the engine mounts it");
  config.entrypoint = {"/process"};
  EXPECT_EQ(answer(), "no: is not in the image");
}

TEST_F(StartupTest, ADynamicProgramHasItsLibraries) {
  tree.file("/app", elf("/lib/ld.so", {"liba.so"}));
  EXPECT_EQ(answer(), "no: misses /lib/ld.so, liba.so");
  tree.file("/usr/lib/ld.so", library("ld.so")).link("/lib", "usr/lib");
  EXPECT_EQ(answer(), "no: misses liba.so");
  tree.file("/usr/lib/liba.so", library("liba.so"), 0644);
  EXPECT_EQ(answer(), "yes /app dynamic");
  EXPECT_THAT(startup().runs.interpreters, ElementsAre("/lib/ld.so"));
  tree.file("/usr/lib/ld.so", library("ld.so"), 0644);
  EXPECT_EQ(answer(), "no: asks for /lib/ld.so, which has the mode 0644: nobody may execute it");
  tree.file("/app", elf("", {"liba.so"}));
  EXPECT_EQ(answer(), "unknown: needs shared libraries, but asks for no interpreter to load them");
}

TEST_F(StartupTest, TheUserMayReadItsLibraries) {
  tree.file("/app", elf("/lib/ld.so", {"liba.so"})).file("/lib/ld.so", library("ld.so"));
  tree.file("/lib/liba.so", library("liba.so"), 0600);
  EXPECT_EQ(answer(), "no: misses liba.so (user 65532 may not read /lib/liba.so)");
  config.user = "0";
  EXPECT_EQ(answer(), "yes /app dynamic");
  // The loader goes on to the next folder.
  config.user = "65532";
  tree.file("/usr/lib/liba.so", library("liba.so"), 0644);
  EXPECT_EQ(answer(), "yes /app dynamic");
}

TEST_F(StartupTest, TheWorkingDirectoryIsNoFile) {
  tree.file("/app", elf());
  for (const std::string folder : {"", "/", "/new/one", "/srv"}) {
    config.working_dir = folder;
    EXPECT_EQ(answer(), "yes /app static") << folder;
  }
  for (const std::string folder : {"/app", "/app/", "/app/below", "/app/far/below"}) {
    config.working_dir = folder;
    EXPECT_EQ(answer(), "no: is started in " + folder + ", but /app is no folder");
  }
}

TEST_F(StartupTest, LibrariesAreFoundByTheEnvironment) {
  for (const std::string loader : {"/lib/ld.so", "/lib/ld-musl-x86_64.so.1"}) {
    tree.file(loader, library("ld.so"))
        .file("/app", elf(loader, {"liba.so", "libb.so", "libc2.so"}))
        .file("/opt/lib/liba.so", library("liba.so"))
        .file("/srv/own/libb.so", library("libb.so"))
        .file("/srv/libc2.so", library("libc2.so"));
    config.env = {};
    EXPECT_EQ(answer(), "no: misses liba.so, libb.so, libc2.so");
    config.working_dir = "/srv";
    config.env = {"LD_LIBRARY_PATH=/opt/lib:own::/nowhere"};
    EXPECT_EQ(answer(), "yes /app dynamic");
    config.env = {"LD_LIBRARY_PATH=/opt/lib"};
    EXPECT_EQ(answer(), "no: misses libb.so, libc2.so");
  }
}

TEST_F(StartupTest, AScriptHasItsInterpreter) {
  tree.file("/app", "#!/bin/sh -e\n", 0755);
  EXPECT_EQ(answer(), "no: asks for /bin/sh, which is not in the image");
  tree.file("/usr/bin/busybox", elf()).link("/bin", "usr/bin").link("/usr/bin/sh", "busybox");
  EXPECT_EQ(answer(), "yes /app script");
  EXPECT_THAT(startup().runs.interpreters, ElementsAre("/bin/sh"));
  tree.file("/usr/bin/busybox", elf("/lib/ld.so"));
  EXPECT_EQ(answer(), "no: asks for /bin/sh, which misses /lib/ld.so");
  tree.file("/app", "#!/bin/sh\r\n", 0755);
  EXPECT_EQ(answer(), "no: asks for /bin/sh\\r, which is not in the image");
  tree.file("/app", "#!\n", 0755);
  EXPECT_EQ(answer(), "no: is a script whose first line names no interpreter");
  tree.file("/app", "#!bin/run\n", 0755).file("/srv/bin/run", elf());
  EXPECT_THAT(answer(), StartsWith("no: asks for bin/run"));
  config.working_dir = "/srv";
  EXPECT_EQ(answer(), "yes /app script");
}

TEST_F(StartupTest, TheUserMayReadItsScript) {
  tree.file("/bin/sh", elf()).file("/app", as_bytes("#!/bin/sh\n"), 0711);
  EXPECT_EQ(answer(), "no: is a script that user 65532 may not read");
  config.user = "0";
  EXPECT_EQ(answer(), "yes /app script");
}

TEST_F(StartupTest, EnvFindsItsProgram) {
  tree.file("/app", "#!/usr/bin/env -S python3 -u\n", 0755).file("/usr/bin/env", elf());
  EXPECT_EQ(answer(), "no: asks /usr/bin/env for python3, which is in no folder of PATH");
  tree.file("/opt/python3", elf());
  config.env = {"PATH=/opt"};
  EXPECT_EQ(answer(), "yes /app script");
  EXPECT_THAT(startup().runs.interpreters, ElementsAre("/usr/bin/env", "python3"));
  tree.file("/opt/python3", elf("/ld.so"));
  EXPECT_EQ(answer(), "no: asks /usr/bin/env for python3, which misses /ld.so");
  tree.file("/app", "#!/usr/bin/env -u X\n", 0755);
  EXPECT_THAT(answer(),
              StartsWith("unknown: asks for /usr/bin/env -u X, of which it is not known"));
}

TEST_F(StartupTest, ScriptsOfScriptsEnd) {
  tree.file("/app", "#!/app\n", 0755);
  EXPECT_THAT(answer(), HasSubstr("is a script of scripts, more deeply than Linux"));
  tree.file("/0", elf());
  for (int i = 1; i <= 5; i++) {
    tree.file("/" + std::to_string(i), "#!/" + std::to_string(i - 1) + "\n", 0755);
  }
  config.entrypoint = {"/5"};
  EXPECT_EQ(answer(), "yes /5 script");
}

TEST_F(StartupTest, TheMachineIsThatOfTheImage) {
  tree.file("/app", elf("", {}, elf::kMachineAarch64));
  const auto refuse = [](const LinkedObject& object) {
    return object.machine == elf::kMachineX86_64 ? std::string() : std::string("is for another");
  };
  EXPECT_EQ(StartCheck(tree, config, refuse).startup().runs.problem, "is for another");
  tree.file("/app", elf());
  EXPECT_EQ(StartCheck(tree, config, refuse).startup().runs.answer, Answer::yes);
}

TEST_F(StartupTest, ScriptsAreInterpretedWhoeverMayExecuteThem) {
  tree.file("/app", "#!/bin/sh\n", 0600);
  StartCheck check(tree, config);
  EXPECT_EQ(check.interpret("/app").problem, "asks for /bin/sh, which is not in the image");
}

}  // namespace
}  // namespace whittle::analyzer
