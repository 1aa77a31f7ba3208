// SPDX-License-Identifier: MIT
#include "packer/container/stubs.h"

#include <cstring>

#include "common/elf.h"
#include "common/error.h"

// The build makes one for each combination of codecs and tables, but for those of all three codecs
// and of all tables with codec quick (packer/CMakeLists.txt), and names a blob by its machine and
// its variant.
#define WHITTLE_STUB_TABLES(X, machine, e_machine, codecs, features) \
  X(machine, codecs, e_machine, features)                            \
  X(machine, codecs##_go, e_machine, (features) | kStubGo)           \
  X(machine, codecs##_data, e_machine, (features) | kStubData)       \
  X(machine, codecs##_go_data, e_machine, (features) | kStubGo | kStubData)
#define WHITTLE_STUB_CODECS(X, machine, e_machine)                     \
  WHITTLE_STUB_TABLES(X, machine, e_machine, zstd, kStubZstd)          \
  WHITTLE_STUB_TABLES(X, machine, e_machine, mix, kStubMix)            \
  X(machine, mix_quick, e_machine, kStubMix | kStubQuick)              \
  X(machine, mix_quick_go, e_machine, kStubMix | kStubQuick | kStubGo) \
  X(machine, mix_quick_data, e_machine, kStubMix | kStubQuick | kStubData)
#define WHITTLE_STUBS(X)                                \
  WHITTLE_STUB_CODECS(X, x86_64, elf::kMachineX86_64)   \
  WHITTLE_STUB_CODECS(X, aarch64, elf::kMachineAarch64) \
  WHITTLE_STUB_CODECS(X, riscv64, elf::kMachineRiscv)

#define WHITTLE_DECLARE(machine, variant, e_machine, features)                          \
  extern const std::uint8_t whittle_stub_##machine##_##variant[],                       \
      whittle_stub_##machine##_##variant##_end[], whittle_late_##machine##_##variant[], \
      whittle_late_##machine##_##variant##_end[];
extern "C" {
WHITTLE_STUBS(WHITTLE_DECLARE)
}

namespace whittle::packer {

const Machine* find_machine(std::uint16_t machine) {
  static const Machine kMachines[] = {
      {.machine = elf::kMachineX86_64, .page_size = 4096, .transform = kTransformX86},
      {.machine = elf::kMachineAarch64, .page_size = 65536, .transform = kTransformAarch64},
      {.machine = elf::kMachineRiscv, .page_size = 4096, .transform = kTransformRiscv64},
  };
  for (const Machine& m : kMachines) {
    if (m.machine == machine) return &m;
  }
  return nullptr;
}

namespace {

// `late`: as packer/build/code_late.cc writes it.
Stub stub_of(std::uint16_t machine, std::uint32_t features, ByteView code, ByteView late) {
  Stub stub{.machine = machine, .features = features, .code = code, .late = {}};
  if (!late.empty()) {
    std::memcpy(&stub.late_size, late.data(), sizeof stub.late_size);
    stub.late = late.subspan(sizeof stub.late_size);
  }
  return stub;
}

}  // namespace

const std::vector<Stub>& all_stubs() {
#define WHITTLE_LIST(machine, variant, e_machine, features)                               \
  stub_of(e_machine, features,                                                            \
          {whittle_stub_##machine##_##variant, whittle_stub_##machine##_##variant##_end}, \
          {whittle_late_##machine##_##variant, whittle_late_##machine##_##variant##_end}),
  static const std::vector<Stub> kStubs = {WHITTLE_STUBS(WHITTLE_LIST)};
  return kStubs;
}

std::uint32_t feature_of(std::uint32_t transform) {
  if (transform <= kTransformLastCode) return 0;
  return transform == kTransformGoTable ? kStubGo : kStubData;
}

std::uint32_t feature_of_codec(std::uint32_t codec) {
  switch (codec) {
    case kCodecZstd:
      return kStubZstd;
    case kCodecMix:
      return kStubMix;
    case kCodecQuick:
      return kStubQuick;
    default:
      return 0;
  }
}

std::uint32_t features_of(const std::vector<PackStream>& streams,
                          const std::vector<PackRegion>& regions) {
  std::uint32_t features = 0;
  for (const PackStream& stream : streams) {
    // A rest stream is not decoded at run time.
    if (stream.kind != kStreamRest) features |= feature_of_codec(stream.codec);
  }
  for (const PackRegion& region : regions) features |= feature_of(region.transform);
  return features;
}

const Stub* find_stub(std::uint16_t machine, std::uint32_t features) {
  const Stub* smallest = nullptr;
  for (const Stub& stub : all_stubs()) {
    if (stub.machine == machine && (stub.features & features) == features &&
        (smallest == nullptr || stub.size() < smallest->size())) {
      smallest = &stub;
    }
  }
  return smallest;
}

const Stub& smallest_stub(std::uint16_t machine, std::uint32_t features) {
  const Stub* stub = find_stub(machine, features);
  if (stub == nullptr) throw Error(ErrorKind::internal, "", "there is no such stub");
  return *stub;
}

}  // namespace whittle::packer
