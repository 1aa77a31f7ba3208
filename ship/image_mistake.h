// SPDX-License-Identifier: MIT
//
// What is wrong with an image can be said before there is one: a tag, a user or two files on one
// path are judged by their text alone. The rules are imagegen's; this file applies them key by key,
// so that a build file can say in which line the mistake is and the command line by which option it
// came, and both before any work is done.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ship/request.h"

namespace whittle::ship {

struct ImageMistake {
  std::string_view key;             // of `whittle.image` ("user"); "binary" of `whittle`
  std::optional<std::size_t> item;  // which one of a list's or a mapping's, from 0
  std::string message;
};

// What a source of `add` is, for those who have looked; a block does not show it.
enum class SourceKind { unknown, file, folder };
using SourceKinds = std::function<SourceKind(const std::string& source)>;

// The first mistake in the block's image, or nothing. Without `kinds`, sources are unknown.
std::optional<ImageMistake> find_image_mistake(const ShipRequest& block,
                                               const SourceKinds& kinds = {});

}  // namespace whittle::ship
