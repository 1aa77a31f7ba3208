// SPDX-License-Identifier: MIT
//
// A packer's refusal as a member of the documents that report one: {"code", "reason"} or null.
#pragma once

#include <optional>

#include "packer/packer.h"
#include "report/json.h"

namespace whittle::report {

inline Json refusal_json(const std::optional<packer::Refusal>& refusal) {
  if (!refusal) return nullptr;
  return {{"code", refusal->code}, {"reason", refusal->reason}};
}

}  // namespace whittle::report
