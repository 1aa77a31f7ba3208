// SPDX-License-Identifier: MIT
//
// What every step saved, on disk and over the network. The two differ: a registry stores and
// sends layers compressed, so a smaller file can make a heavier pull. A report that shows one
// column misleads; this one always holds both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.h"

namespace whittle::report {

// One step: "built", "stripped", "packed", "layer", "image".
struct Stage {
  std::string name;
  std::uint64_t disk = 0;                  // bytes of the file (or layer, or archive) itself
  std::optional<std::uint64_t> wire_gzip;  // bytes as a gzip -9 layer
  std::optional<std::uint64_t> wire_zstd;  // bytes as a zstd -19 layer
  std::string note;                        // "kept: not smaller", "gzip", …
};

struct SizeReport {
  std::string subject;                                // the executable or image
  std::string image_reference, image_digest, output;  // empty where there is no image
  std::vector<Stage> stages;
  std::vector<std::string> verdicts;  // plain sentences, e.g. that packing makes the pull heavier
  std::vector<std::string> warnings;  // what the author should know, as the log has it
};

// Fills `verdicts` from the numbers.
void judge(SizeReport& report);

enum class Format { text, json, markdown };
std::string render(const SizeReport& report, Format format);

}  // namespace whittle::report
