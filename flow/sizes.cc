// SPDX-License-Identifier: MIT
#include "flow/sizes.h"

#include <atomic>
#include <cstdint>
#include <optional>

#include "common/threads.h"
#include "imagegen/image.h"

namespace whittle::flow {
namespace {

using imagegen::Compression;

struct Weighing {
  ByteView bytes;
  Compression compression;
  std::optional<std::uint64_t>* weight;
};

void weigh_all(const std::vector<Weighing>& weighings) {
  std::atomic<std::size_t> next = 0;
  run_on_threads(processor_count(), [&] {
    for (std::size_t i; (i = next++) < weighings.size();) {
      const Weighing& w = weighings[i];
      *w.weight = imagegen::layer_size(w.bytes, w.compression);
    }
  });
}

}  // namespace

std::vector<report::Stage> weigh(const std::vector<Form>& forms, bool on_wire) {
  std::vector<report::Stage> stages(forms.size());
  std::vector<Weighing> weighings;
  const auto is_same = [&](std::size_t i) { return i > 0 && forms[i].bytes == forms[i - 1].bytes; };
  for (std::size_t i = 0; i < forms.size(); i++) {
    stages[i].name = forms[i].stage;
    stages[i].disk = forms[i].bytes.size();
    stages[i].note = forms[i].note;
    if (!on_wire || is_same(i)) continue;
    weighings.push_back({forms[i].bytes, Compression::gzip, &stages[i].wire_gzip});
    weighings.push_back({forms[i].bytes, Compression::zstd, &stages[i].wire_zstd});
  }
  weigh_all(weighings);
  for (std::size_t i = 0; i < forms.size(); i++) {
    if (!is_same(i)) continue;
    stages[i].wire_gzip = stages[i - 1].wire_gzip;
    stages[i].wire_zstd = stages[i - 1].wire_zstd;
  }
  return stages;
}

}  // namespace whittle::flow
