// SPDX-License-Identifier: MIT
//
// From an executable to the image that runs it: audit, strip, pack, image, and the report on what
// each of them bought. The command `whittle image` and the `whittle` block of a build file are both
// this function.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "report/size_report.h"
#include "ship/event.h"
#include "ship/request.h"

namespace whittle::ship {

struct ShipContext {
  std::filesystem::path base = ".";           // what the block's host paths are relative to
  ErrorKind not_static = ErrorKind::refused;  // of the error for a dynamic executable
  std::int64_t created = 0;                   // seconds since 1970
  std::string step;                           // for the observer
  std::stop_token stop;
  bool measure = true;  // work out the sizes on the wire, which takes as long as compressing does
};

// Thrown when the stop token asked for the end; not an error of this step.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped"; }
};

// Does what the block says, writing its outputs atomically. A file that the packer refuses is
// shipped unpacked, and the report's note says why; one that is packed already is shipped as it is,
// once it has been unpacked successfully.
//
// Throws Error{context.not_static} with every reason where the executable needs a loader, and what
// the rooms throw: Error{malformed} or Error{corrupt} for a damaged file, Error{usage} for an image
// that cannot be or an output that is one of the inputs, Error{io}.
report::SizeReport ship_executable(const ShipRequest& block, const ShipContext& context,
                                   Observer& observer);

}  // namespace whittle::ship
