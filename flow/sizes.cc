// SPDX-License-Identifier: MIT
#include "flow/sizes.h"

#include <future>

#include "imagegen/image.h"

namespace whittle::flow {
namespace {

using imagegen::Compression;

struct Weights {
  std::shared_future<std::uint64_t> gzip, zstd;
};

Weights start_weighing(ByteView bytes) {
  const auto weigh_as = [bytes](Compression compression) {
    return std::async(std::launch::async, imagegen::layer_size, bytes, compression).share();
  };
  return {.gzip = weigh_as(Compression::gzip), .zstd = weigh_as(Compression::zstd)};
}

}  // namespace

std::vector<report::Stage> weigh(const std::vector<Form>& forms, bool on_wire) {
  std::vector<Weights> weights;
  for (std::size_t i = 0; on_wire && i < forms.size(); i++) {
    const bool is_same = i > 0 && forms[i].bytes == forms[i - 1].bytes;
    weights.push_back(is_same ? weights.back() : start_weighing(forms[i].bytes));
  }
  std::vector<report::Stage> stages;
  for (std::size_t i = 0; i < forms.size(); i++) {
    report::Stage stage;
    stage.name = forms[i].stage;
    stage.disk = forms[i].bytes.size();
    stage.note = forms[i].note;
    if (on_wire) {
      stage.wire_gzip = weights[i].gzip.get();
      stage.wire_zstd = weights[i].zstd.get();
    }
    stages.push_back(std::move(stage));
  }
  return stages;
}

}  // namespace whittle::flow
