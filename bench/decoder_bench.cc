// SPDX-License-Identifier: MIT
//
// How fast the stub's decoder is, next to libzstd on the same frame.
//
//   decoder_bench [-n RUNS] FILE...
//
// Each file is compressed as one frame at levels 19 and 22 with a window of 128 MiB. Both decoders
// then decode it RUNS times, taking turns so that a noisy machine disturbs both alike, to the same
// destination whose pages are already there. One line a file and level: the sizes, the median
// speeds in MB/s (10^6 bytes of output a second), and their ratio.
#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include "packer/stub/codecs/zstd_decoder.h"

namespace {

using Bytes = std::vector<uint8_t>;

Bytes compress(const Bytes& input, int level) {
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                   ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 27);
  Bytes frame(ZSTD_compressBound(input.size()));
  const size_t size =
      ZSTD_compress2(context.get(), frame.data(), frame.size(), input.data(), input.size());
  if (ZSTD_isError(size)) {
    fmt::print(stderr, "compressing: {}\n", ZSTD_getErrorName(size));
    std::exit(1);
  }
  frame.resize(size);
  return frame;
}

// Seconds that one call takes.
template <typename Function>
double time(Function&& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  int runs = 31;
  const auto workspace = std::make_unique<whittle::stub::ZstdWorkspace>();
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                   ZSTD_freeDCtx);

  fmt::print("libzstd {}\n{:<24} {:>5} {:>11} {:>11} {:>8} {:>8} {:>6}\n", ZSTD_versionString(),
             "file", "level", "bytes", "frame", "whittle", "libzstd", "ratio");
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "-n" && i + 1 < argc) {
      runs = std::max(1, std::atoi(argv[++i]));
      continue;
    }
    std::ifstream stream(argv[i], std::ios::binary);
    const Bytes input{std::istreambuf_iterator<char>(stream), {}};
    if (!stream) {
      fmt::print(stderr, "{}: cannot read\n", argv[i]);
      return 1;
    }
    std::string_view name = argv[i];
    name.remove_prefix(name.rfind('/') + 1);
    for (const int level : {19, 22}) {
      const Bytes frame = compress(input, level);
      Bytes output(input.size());
      std::vector<double> own, reference;
      bool good = true;
      for (int run = 0; run < runs; ++run) {
        own.push_back(time([&] {
          good &=
              whittle::stub::zstd_decode(frame.data(), frame.size(), output.data(), output.size(),
                                         *workspace) == whittle::stub::ZstdStatus::ok;
        }));
        good &= output == input;
        reference.push_back(time([&] {
          good &= ZSTD_decompressDCtx(context.get(), output.data(), output.size(), frame.data(),
                                      frame.size()) == input.size();
        }));
      }
      if (!good) {
        fmt::print(stderr, "{}: level {} does not decode to what was compressed\n", argv[i], level);
        return 1;
      }
      const double size = static_cast<double>(input.size()) / 1e6;
      const double own_speed = size / median(own), reference_speed = size / median(reference);
      fmt::print("{:<24} {:>5} {:>11} {:>11} {:>8.0f} {:>8.0f} {:>6.2f}\n", name, level,
                 input.size(), frame.size(), own_speed, reference_speed,
                 own_speed / reference_speed);
    }
  }
  return 0;
}
