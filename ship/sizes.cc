// SPDX-License-Identifier: MIT
#include "ship/sizes.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <tuple>

#include "common/threads.h"

namespace whittle::ship {
namespace {

using imagegen::Compression;
using Wire = std::optional<std::uint64_t> report::Stage::*;

struct Weighing {
  const imagegen::ImageSpec* spec;
  ByteView program;
  Compression compression;
  std::uint64_t size;  // of what is compressed
  std::optional<std::uint64_t>* weight;
};

constexpr Compression kCompressions[] = {Compression::gzip, Compression::zstd};

Wire wire_of(Compression compression) {
  return compression == Compression::gzip ? &report::Stage::wire_gzip : &report::Stage::wire_zstd;
}

void weigh_all(std::vector<Weighing> weighings, std::stop_token stop) {
  // What takes longest comes first: it must not be alone at the end. zstd takes longer than gzip.
  std::stable_sort(weighings.begin(), weighings.end(), [](const Weighing& a, const Weighing& b) {
    return std::make_tuple(a.compression == Compression::zstd, a.size) >
           std::make_tuple(b.compression == Compression::zstd, b.size);
  });
  std::atomic<std::size_t> next = 0;
  run_on_threads(processor_count(), [&] {
    for (std::size_t i; !stop.stop_requested() && (i = next++) < weighings.size();) {
      const Weighing& w = weighings[i];
      *w.weight = imagegen::layer_size(*w.spec, w.program, w.compression);
    }
  });
}

}  // namespace

std::vector<report::Stage> stages_of(const std::vector<Form>& forms) {
  std::vector<report::Stage> stages(forms.size());
  for (std::size_t i = 0; i < forms.size(); i++) {
    stages[i].name = forms[i].stage;
    stages[i].disk = forms[i].bytes.size();
    stages[i].note = forms[i].note;
  }
  return stages;
}

void weigh(const std::vector<Form>& forms, const imagegen::ImageSpec& spec,
           std::vector<report::Stage>& stages, std::stop_token stop) {
  imagegen::ImageSpec program_only;
  program_only.files = {{.path = spec.files.at(0).path, .content = {}, .mode = spec.files[0].mode}};
  program_only.working_dir = spec.working_dir;
  program_only.created = spec.created;
  const bool is_alone = spec.files.size() == 1 && spec.folders.empty() && spec.links.empty();

  report::Stage& layer = stages.at(forms.size());
  layer.*wire_of(spec.compression) = layer.disk;

  std::vector<Weighing> weighings;
  // Forms that stay equal share the weight of the last of them.
  const auto is_same = [&](std::size_t i) {
    return i + 1 < forms.size() && forms[i].bytes == forms[i + 1].bytes;
  };
  for (std::size_t i = 0; i < forms.size(); i++) {
    if (is_same(i)) continue;
    const bool is_shipped = i + 1 == forms.size();
    for (const Compression compression : kCompressions) {
      const Wire wire = wire_of(compression);
      if (is_shipped && is_alone && compression == spec.compression) {
        stages[i].*wire = layer.disk;
        continue;
      }
      weighings.push_back({.spec = &program_only,
                           .program = forms[i].bytes,
                           .compression = compression,
                           .size = forms[i].bytes.size(),
                           .weight = &(stages[i].*wire)});
    }
  }
  for (const Compression compression : kCompressions) {
    if (is_alone || compression == spec.compression) continue;
    std::uint64_t size = 0;
    for (const imagegen::RootFile& file : spec.files) size += file.content.size();
    weighings.push_back({.spec = &spec,
                         .program = forms.back().bytes,
                         .compression = compression,
                         .size = size,
                         .weight = &(layer.*wire_of(compression))});
  }
  weigh_all(std::move(weighings), stop);

  for (std::size_t i = forms.size(); i-- > 0;) {
    if (!is_same(i)) continue;
    stages[i].wire_gzip = stages[i + 1].wire_gzip;
    stages[i].wire_zstd = stages[i + 1].wire_zstd;
  }
  if (!is_alone) return;
  layer.wire_gzip = stages[forms.size() - 1].wire_gzip;
  layer.wire_zstd = stages[forms.size() - 1].wire_zstd;
}

}  // namespace whittle::ship
