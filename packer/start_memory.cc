// SPDX-License-Identifier: MIT
//
// An original's pages are read from its file when they are first used, and a system that is short
// of memory drops them again. A packed program writes all of them into private memory before it
// runs, so under a limit that the original never reaches it is killed without a word.
//
// The stub first makes the regions from parts, with as many image streams beside them as the header
// says, then the streams that are held back. The peak is the larger of the two: the first phase
// with its scratch memory, or the finished image.
#include "packer/start_memory.h"

#include <algorithm>
#include <array>

#include "packer/stub/transforms/go_tables.h"

namespace whittle::packer {
namespace {

// Measured in control groups: decoders, their stacks, page tables and the ends of huge pages, in
// programs that one thread unpacks and in those that several do; and the models of level small.
constexpr std::uint64_t kForOneThread = 512 << 10, kForThreads = 1 << 20;
constexpr std::uint64_t kForModels = 1536 << 10;
constexpr std::uint64_t kThreadsFrom = 1 << 20;  // bytes of payload (stub/start/workers.cc)

// What the join of a region uses of its work memory.
std::uint64_t work_in_use(const PackedView& view, const PackRegion& region) {
  const std::uint64_t most = work_size(region);
  if (region.transform != kTransformGoTable || region.part_count != stub::kGoStreamCount) {
    return most;
  }
  const std::size_t parameters = std::size_t{region.first_part} + stub::kParameters;
  if (view.streams()[parameters].codec != kCodecStored) return most;
  const ByteView bytes = view.packed_bytes(parameters);
  const Bytes aligned(bytes.begin(), bytes.end());
  std::array<stub::StreamView, stub::kGoStreamCount> parts{};
  parts[stub::kParameters] = {aligned.data(), aligned.size()};
  const std::uint64_t used = stub::go_table_scratch(parts.data(), parts.size(), region.size);
  return used == 0 ? most : std::min(used, most);
}

}  // namespace

std::uint64_t start_memory_of(const PackedView& view) {
  std::uint64_t image = 0, first_phase = 0;
  for (const PackSegment& segment : view.segments()) image += segment.file_size;
  for (const PackRegion& region : view.regions()) {
    if (region.part_count == 0) continue;
    std::uint64_t parts = 0;
    for (std::size_t i = 0; i < region.part_count; i++) {
      parts += view.streams()[region.first_part + i].raw_size;
    }
    // Parts are given back as the region grows.
    first_phase += std::max(parts, region.size) + work_in_use(view, region);
  }
  for (std::size_t i = 0; i < view.header().first_held; i++) {
    const PackStream& stream = view.streams()[i];
    if (stream.kind == kStreamImage) first_phase += stream.raw_size;
  }
  return std::max(image, first_phase) +
         (view.header().payload_size < kThreadsFrom ? kForOneThread : kForThreads) +
         (view.header().level == kLevelSmall ? kForModels : 0);
}

}  // namespace whittle::packer
