// SPDX-License-Identifier: MIT
//
// The run-time stubs, built from packer/stub/ for every machine that can be packed for; for each in
// several variants, so that no program carries a decoder or a transform that it does not need.
#pragma once

#include <cstdint>
#include <vector>

#include "common/bytes.h"
#include "packer/format.h"

namespace whittle::packer {

// What there is to know about a machine whose programs can be packed.
struct Machine {
  std::uint16_t machine = 0;    // ELF e_machine
  std::uint64_t page_size = 0;  // the largest page size there is, bytes
  std::uint32_t transform = 0;  // kTransform… for its code; every stub of its own can undo it
};

// Null where there is no stub for it.
const Machine* find_machine(std::uint16_t machine);

// What a variant can do beside stored streams and its machine's code.
enum StubFeature : std::uint32_t {
  kStubZstd = 1,   // kCodecZstd
  kStubMix = 2,    // kCodecMix
  kStubQuick = 4,  // kCodecQuick
  kStubGo = 8,     // kTransformGoTable
  kStubData = 16,  // the other transforms of tables
};

struct Stub {
  std::uint16_t machine = 0;
  std::uint32_t features = 0;
  ByteView code;
  ByteView late;  // the stream of its late code (stub/start/late.h); often there is none
  std::uint32_t late_size = 0;  // bytes that this decodes to

  // What it takes in a file.
  std::size_t size() const { return code.size() + late.size(); }
};

// Every stub, by machine.
const std::vector<Stub>& all_stubs();

// The feature that undoes a transform; 0 for machine code, of which every stub can do its own.
std::uint32_t feature_of(std::uint32_t transform);

// The feature that decodes a codec; 0 for stored bytes.
std::uint32_t feature_of_codec(std::uint32_t codec);

// What the streams and regions of a packed file ask of its stub.
std::uint32_t features_of(const std::vector<PackStream>& streams,
                          const std::vector<PackRegion>& regions);

// The smallest stub for a machine that has all `features`; null where none has.
const Stub* find_stub(std::uint16_t machine, std::uint32_t features);

// The same where there is known to be one.
const Stub& smallest_stub(std::uint16_t machine, std::uint32_t features);

}  // namespace whittle::packer
