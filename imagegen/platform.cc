// SPDX-License-Identifier: MIT
//
// ELF machines as OCI spells them: GOOS and GOARCH, with a variant where GOARCH is not enough
// (OCI image-index.md, "platform object"). A 32-bit ARM executable says nothing reliable about its
// variant in the header, so it gets none, and engines take that for their default.
#include <fmt/format.h>

#include <array>

#include "common/elf.h"
#include "common/error.h"
#include "imagegen/image.h"

namespace whittle::imagegen {
namespace {

struct Row {
  std::uint16_t machine;
  bool is_64bit, big_endian;
  std::string_view architecture, variant;
};

constexpr std::array<Row, 13> kPlatforms = {{
    {elf::kMachineX86_64, true, false, "amd64", ""},
    {elf::kMachine386, false, false, "386", ""},
    {elf::kMachineAarch64, true, false, "arm64", "v8"},
    {elf::kMachineArm, false, false, "arm", ""},
    {elf::kMachineRiscv, true, false, "riscv64", ""},
    {elf::kMachinePpc64, true, false, "ppc64le", ""},
    {elf::kMachinePpc64, true, true, "ppc64", ""},
    {elf::kMachineS390, true, true, "s390x", ""},
    {elf::kMachineLoongArch, true, false, "loong64", ""},
    {elf::kMachineMips, false, false, "mipsle", ""},
    {elf::kMachineMips, false, true, "mips", ""},
    {elf::kMachineMips, true, false, "mips64le", ""},
    {elf::kMachineMips, true, true, "mips64", ""},
}};

}  // namespace

Platform platform_of(std::uint16_t elf_machine, bool is_64bit, bool big_endian,
                     std::string_view path) {
  for (const Row& row : kPlatforms) {
    if (row.machine == elf_machine && row.is_64bit == is_64bit && row.big_endian == big_endian) {
      return {std::string(row.architecture), std::string(row.variant)};
    }
  }
  throw Error(ErrorKind::refused, path,
              fmt::format("is for ELF machine {} ({} bits, {}-endian), which has no name among the "
                          "platforms of OCI images",
                          elf_machine, is_64bit ? 64 : 32, big_endian ? "big" : "little"));
}

}  // namespace whittle::imagegen
