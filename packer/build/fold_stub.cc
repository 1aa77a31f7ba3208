// SPDX-License-Identifier: MIT
//
// fold_stub UNIT FIRST REST STUB: writes to STUB the folded form of a stub (stub/start/fold.h) of
// two pieces: the functions that run as they lie in the file, and all others. UNIT is the codec's.
// A program of the build.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "packer/codecs/lz_encoder.h"
#include "packer/stub/codecs/lz_decoder.h"
#include "packer/stub/start/fold.h"

namespace {

using whittle::Bytes;

Bytes read(const char* path) {
  std::ifstream in(path, std::ios::binary);
  Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in || bytes.empty()) throw std::runtime_error(std::string("cannot read ") + path);
  return bytes;
}

Bytes folded(std::uint32_t unit, const Bytes& first, const Bytes& rest) {
  Bytes raw = first;
  raw.insert(raw.end(), rest.begin(), rest.end());
  const Bytes packed = whittle::packer::lz_encode(raw, first.size(), unit);

  Bytes again = first;
  again.resize(raw.size());
  whittle::stub::lz_decode(packed.data(), again.data() + first.size(), again.data() + again.size(),
                           unit);
  if (again != raw) throw std::runtime_error("the stub does not unfold to what it was");

  const whittle::stub::FoldHeader header = {
      .size = static_cast<std::uint32_t>(packed.size()),
      .digest = whittle::stub::fold_digest(packed.data(), packed.size())};
  Bytes stub = first;
  stub.resize(first.size() + sizeof header);
  std::memcpy(stub.data() + first.size(), &header, sizeof header);
  stub.insert(stub.end(), packed.begin(), packed.end());
  stub.resize((stub.size() + 15) / 16 * 16);
  return stub;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 5) throw std::runtime_error("usage: fold_stub UNIT FIRST REST STUB");
    const auto unit = static_cast<std::uint32_t>(std::stoul(argv[1]));
    const Bytes stub = folded(unit, read(argv[2]), read(argv[3]));
    std::ofstream out(argv[4], std::ios::binary);
    out.write(reinterpret_cast<const char*>(stub.data()),
              static_cast<std::streamsize>(stub.size()));
    out.close();
    if (!out) throw std::runtime_error(std::string("cannot write ") + argv[4]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fold_stub: %s\n", error.what());
    return 1;
  }
}
