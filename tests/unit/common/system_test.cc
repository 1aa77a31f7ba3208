// SPDX-License-Identifier: MIT
#include "common/system.h"

#include <gtest/gtest.h>

#include "common/go_buildinfo.h"
#include "tests/unit/common/elf_builder.h"

namespace whittle::elf {
namespace {

System system_of_bytes(const Bytes& bytes, LookFor look = LookFor::marks_inside) {
  return system_of(File::parse(bytes, "f"), look);
}

System of_os_abi(std::uint8_t number, std::uint16_t machine = kMachineX86_64) {
  test::ElfSpec spec;
  spec.machine = machine;
  spec.is_64bit = machine != kMachineArm;
  test::ElfImage image = test::build(spec);
  image.set(7, 1, number);
  return system_of_bytes(image.bytes);
}

System of_note(const std::string& owner, std::uint32_t type, const std::string& descriptor) {
  test::ElfSpec spec;
  spec.notes = {{"GNU", kNoteGnuBuildId, "0123"}, {owner, type, descriptor}};
  return system_of_bytes(test::build(spec).bytes);
}

System of_interpreter(const std::string& interpreter) {
  test::ElfSpec spec;
  spec.interpreter = interpreter;
  return system_of_bytes(test::build(spec).bytes);
}

// As the linker of Go writes it, at the start of the data.
std::string go_build_info(const std::string& modules, const std::string& version = "go1.22.3") {
  const std::string sentinel(16, '\x30');
  const std::string text = sentinel + modules + sentinel;
  return std::string(as_text(inline_go_build_info({version, text})));
}

TEST(System, WithoutAMarkIsTakenForLinux) {
  const System system = system_of_bytes(test::build({}).bytes);
  EXPECT_EQ(system.name, "Linux");
  EXPECT_TRUE(system.runs_on_linux);
  EXPECT_FALSE(system.is_known);
  EXPECT_EQ(system.sign, "none");
  EXPECT_EQ(system.reason, "nothing in the file names a system");
}

TEST(System, ByEiOsabi) {
  struct Case {
    std::uint8_t number;
    const char* name;
    bool runs;
  };
  for (const auto& [number, name, runs] :
       {Case{2, "NetBSD", false}, Case{3, "Linux", true}, Case{6, "Solaris or illumos", false},
        Case{9, "FreeBSD", false}, Case{12, "OpenBSD", false}, Case{17, "CloudABI", false},
        Case{255, "bare metal", false}, Case{5, "system 5", false}, Case{64, "system 64", false}}) {
    const System system = of_os_abi(number);
    EXPECT_EQ(system.name, name);
    EXPECT_EQ(system.runs_on_linux, runs) << name;
    EXPECT_TRUE(system.is_known) << name;
    EXPECT_EQ(system.sign, "os-abi");
    EXPECT_EQ(system.reason, "EI_OSABI is " + std::to_string(number));
  }
}

// Numbers of ARM's own say what the code expects of its registers, not which system it is for.
TEST(System, EiOsabiOfArmNamesTheAbiOnly) {
  EXPECT_TRUE(of_os_abi(64, kMachineArm).runs_on_linux);
  EXPECT_FALSE(of_os_abi(97, kMachineArm).is_known);
  EXPECT_TRUE(of_os_abi(65, kMachineArm).is_known);  // FDPIC, on Linux without an MMU
  EXPECT_FALSE(of_os_abi(9, kMachineArm).runs_on_linux);
}

TEST(System, ByNotes) {
  const std::string word(4, '\0');
  const auto tag = [](char system) { return std::string(1, system) + std::string(15, '\0'); };
  EXPECT_EQ(of_note("FreeBSD", 1, word).name, "FreeBSD");
  EXPECT_EQ(of_note("NetBSD", 1, word).name, "NetBSD");
  EXPECT_EQ(of_note("OpenBSD", 1, word).name, "OpenBSD");
  EXPECT_EQ(of_note("DragonFly", 1, word).name, "DragonFly BSD");
  EXPECT_EQ(of_note("Solo5", 1, word).name, "Solo5");
  EXPECT_EQ(of_note("GNU", kNoteGnuAbiTag, tag(0)).name, "Linux");
  EXPECT_TRUE(of_note("GNU", kNoteGnuAbiTag, tag(0)).is_known);
  EXPECT_EQ(of_note("GNU", kNoteGnuAbiTag, tag(1)).name, "GNU Hurd");
  EXPECT_EQ(of_note("GNU", kNoteGnuAbiTag, tag(3)).name, "GNU/kFreeBSD");
  EXPECT_EQ(of_note("GNU", kNoteGnuAbiTag, tag(99)).name, "GNU system 99");
  EXPECT_FALSE(of_note("GNU", kNoteGnuAbiTag, tag(99)).runs_on_linux);
  EXPECT_FALSE(of_note("GNU", kNoteGnuAbiTag, "ab").is_known);  // too short to be one
  EXPECT_EQ(of_note("FreeBSD", 1, word).reason, "it has a note of the owner FreeBSD");
}

TEST(System, AndroidRunsOnLinux) {
  const System system = of_note("Android", 1, std::string(4, '\0'));
  EXPECT_EQ(system.name, "Android");
  EXPECT_TRUE(system.runs_on_linux);
  EXPECT_EQ(of_interpreter("/system/bin/linker64").name, "Android");
}

TEST(System, ByInterpreters) {
  EXPECT_EQ(of_interpreter("/libexec/ld-elf.so.1").name, "FreeBSD");
  EXPECT_EQ(of_interpreter("/libexec/ld.elf_so").name, "NetBSD");
  EXPECT_EQ(of_interpreter("/usr/libexec/ld.so").name, "OpenBSD");
  EXPECT_EQ(of_interpreter("/usr/libexec/ld-elf.so.2").name, "DragonFly BSD");
  EXPECT_EQ(of_interpreter("/lib/amd64/ld.so.1").name, "Solaris or illumos");
  EXPECT_EQ(of_interpreter("/lib/ld-x86-64.so.1").name, "GNU Hurd");
  for (const char* linux : {"/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1",
                            "/nix/store/x/lib/ld-linux-x86-64.so.2"}) {
    EXPECT_TRUE(of_interpreter(linux).is_known) << linux;
    EXPECT_EQ(of_interpreter(linux).name, "Linux");
  }
  EXPECT_FALSE(of_interpreter("/lib/ld.so.1").is_known);  // of several systems
}

TEST(System, ByGoBuildInformation) {
  test::ElfSpec spec;
  const auto of = [&](const std::string& modules) {
    spec.data = go_build_info(modules);
    return system_of_bytes(test::build(spec).bytes);
  };
  EXPECT_EQ(of("path\tx\nbuild\tGOOS=linux\n").name, "Linux");
  EXPECT_TRUE(of("path\tx\nbuild\tGOOS=linux\n").is_known);
  EXPECT_EQ(of("path\tx\nbuild\tGOARCH=amd64\nbuild\tGOOS=dragonfly\n").name, "DragonFly BSD");
  EXPECT_EQ(of("path\tx\nbuild\tGOOS=illumos\n").reason, "Go built it with GOOS=illumos");
  EXPECT_EQ(of("path\tx\nbuild\tGOOS=android\n").name, "Android");
  EXPECT_EQ(of("path\tx\nbuild\tGOOS=tamago\n").name, "tamago");
  EXPECT_FALSE(of("path\tx\nbuild\tGOOS=tamago\n").runs_on_linux);
  EXPECT_FALSE(of("path\tbuild\tGOOS=plan9\n").is_known);  // no line of its own
}

TEST(System, ByTheSourceFilesOfAnOlderGo) {
  test::ElfSpec spec;
  spec.data = go_build_info("path\tx\n", "go1.17.1");
  spec.code = std::string("/go/src/runtime/os_dragonfly.go") + '\0' + std::string(64, '\x90');
  EXPECT_EQ(system_of_bytes(test::build(spec).bytes).name, "DragonFly BSD");
  EXPECT_FALSE(system_of_bytes(test::build(spec).bytes, LookFor::marks).is_known);
  spec.code.insert(0, std::string("/go/src/runtime/os_linux.go") + '\0');
  EXPECT_EQ(system_of_bytes(test::build(spec).bytes).name, "Linux");
}

TEST(System, ByAddressesOfAKernel) {
  test::ElfImage image = test::build({});
  image.set(image.segment_field(1, "vaddr"), 8, 0xffffffff80000000);
  const System system = system_of_bytes(image.bytes);
  EXPECT_EQ(system.name, "bare metal");
  EXPECT_EQ(system.sign, "addresses");
}

TEST(System, OneMarkOfAnotherSystemIsEnough) {
  test::ElfSpec spec;
  spec.notes = {{"GNU", kNoteGnuAbiTag, std::string(16, '\0')}};
  spec.interpreter = "/lib64/ld-linux-x86-64.so.2";
  test::ElfImage image = test::build(spec);
  EXPECT_TRUE(system_of_bytes(image.bytes).runs_on_linux);
  image.set(7, 1, 9);
  EXPECT_EQ(system_of_bytes(image.bytes).name, "FreeBSD");
  spec.notes.push_back({"OpenBSD", 1, std::string(4, '\0')});
  image = test::build(spec);
  image.set(7, 1, 3);
  EXPECT_EQ(system_of_bytes(image.bytes).name, "OpenBSD");
}

TEST(System, OddFilesOfEitherClassAreNoTrouble) {
  test::ElfSpec spec;
  spec.is_64bit = false;
  spec.order = ByteOrder::big;
  spec.machine = kMachineMips;
  spec.notes = {{"GNU", kNoteGnuAbiTag, std::string("\0\0\0\1", 4) + std::string(12, '\0')}};
  EXPECT_EQ(system_of_bytes(test::build(spec).bytes).name, "GNU Hurd");
  test::ElfImage image = test::build({});
  image.set(image.segment_field(0, "type"), 4, kSegmentInterp);  // of no string
  EXPECT_FALSE(system_of_bytes(image.bytes).is_known);
}

}  // namespace
}  // namespace whittle::elf
