// SPDX-License-Identifier: MIT
//
// code_late MACHINE LATE CODED: writes to CODED the late code of a stub for that machine
// (stub/start/late.h) as whittle embeds it: its size, 32 bits, and the stream that files carry.
// Nothing for no code. A program of the build.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "packer/codecs/mix_encoder.h"
#include "packer/stub/codecs/mix_decoder.h"
#include "packer/stub/start/late.h"
#include "packer/transforms/machine_code.h"

namespace {

using whittle::Bytes;
using namespace whittle::packer;

std::uint32_t transform_of(const std::string& machine) {
  static const std::map<std::string, std::uint32_t> kTransforms = {
      {"x86_64", kTransformX86}, {"aarch64", kTransformAarch64}, {"riscv64", kTransformRiscv64}};
  const auto found = kTransforms.find(machine);
  if (found == kTransforms.end()) throw std::runtime_error("unknown machine " + machine);
  return found->second;
}

Bytes coded(std::uint32_t transform, Bytes code) {
  if (code.empty()) return {};
  to_absolute(transform, code.data(), code.size(), whittle::stub::kLateAddress);
  const Bytes stream = mix_encode(code, model_of(transform));

  Bytes again(code.size());
  const auto workspace = std::make_unique<whittle::stub::MixWorkspace>();
  if (mix_decode(stream.data(), stream.size(), again.data(), again.size(), *workspace) !=
          whittle::stub::MixStatus::ok ||
      again != code) {
    throw std::runtime_error("the late code does not decode to what it was");
  }
  const auto size = static_cast<std::uint32_t>(code.size());
  Bytes result(sizeof size);
  std::memcpy(result.data(), &size, sizeof size);
  result.insert(result.end(), stream.begin(), stream.end());
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::runtime_error("usage: code_late MACHINE LATE CODED");
    std::ifstream in(argv[2], std::ios::binary);
    const Bytes result =
        coded(transform_of(argv[1]), Bytes{std::istreambuf_iterator<char>(in), {}});
    if (!in) throw std::runtime_error(std::string("cannot read ") + argv[2]);
    std::ofstream out(argv[3], std::ios::binary);
    out.write(reinterpret_cast<const char*>(result.data()),
              static_cast<std::streamsize>(result.size()));
    out.close();
    if (!out) throw std::runtime_error(std::string("cannot write ") + argv[3]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "code_late: %s\n", error.what());
    return 1;
  }
}
