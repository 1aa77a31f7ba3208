// SPDX-License-Identifier: MIT
//
// The ELF reader, the inspection without LIEF, attribution and strip, on any bytes: a value or one
// clear error. A look at the headers alone comes to the same verdict. Every list of whose bytes
// they are adds up to the file. What strip gives must itself be a static executable, no larger than
// the input.
#include <cstdlib>

#include "analyzer/analyzer.h"
#include "analyzer/attribution.h"
#include "common/error.h"

namespace {

using namespace whittle;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_documented(const Error& error) {
  require(error.kind() == ErrorKind::malformed || error.kind() == ErrorKind::refused);
  require(!error.message().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const analyzer::InspectOptions without_lief{.symbols = false};
  try {
    const analyzer::BinaryReport report = analyzer::inspect(bytes, "input", without_lief);
    require(!report.reasons.empty());
    const analyzer::BinaryReport plain =
        analyzer::inspect(bytes, "input", {.symbols = false, .contents = false});
    require(plain.kind == report.kind && plain.needed == report.needed);
  } catch (const Error& error) {
    require_documented(error);
  }
  try {
    const analyzer::Attribution found = analyzer::attribute(bytes, "input");
    for (const auto* shares : {&found.owners, &found.sections, &found.segments}) {
      std::uint64_t sum = 0;
      for (const analyzer::Share& share : *shares) sum += share.bytes;
      require(sum == size);
    }
  } catch (const Error& error) {
    require_documented(error);
  }
  try {
    const analyzer::StripResult result = analyzer::strip(bytes, "input");
    require(result.bytes.size() + result.removed == size);
    require(analyzer::is_static(analyzer::inspect(result.bytes, "stripped", without_lief).kind));
  } catch (const Error& error) {
    require_documented(error);
  }
  return 0;
}
