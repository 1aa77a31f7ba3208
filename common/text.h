// SPDX-License-Identifier: MIT
//
// Text of unknown origin. Names and strings out of a hostile file may hold escape sequences that
// move a terminal's cursor, or bytes that are no UTF-8 and that JSON cannot carry.
#pragma once

#include <string>
#include <string_view>

namespace whittle {

// True for well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

// `text` made safe to print on one line: control characters, line and paragraph separators,
// characters that reverse the direction of writing, and bytes that are no UTF-8 become escapes
// ("\n", "\x1b", "\u202e"). A backslash stays as it is: the result is for people.
std::string printable(std::string_view text);

// The number of columns `text` takes on a terminal, counting one a character.
std::size_t columns(std::string_view text);

}  // namespace whittle
