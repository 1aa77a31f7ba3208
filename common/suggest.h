// SPDX-License-Identifier: MIT
//
// "Did you mean …?" A wrong name is mostly a right name with one slip: a letter too many, too few,
// another one, or two neighbours swapped. The optimal string alignment distance counts those slips;
// a candidate within a third of the word's length is close enough to be offered.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace whittle {

// Slips between `a` and `b` in bytes: insertions, deletions, substitutions, swapped neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The closest of `candidates` (the first of equals), or empty where none is close. Words longer
// than 64 bytes get no suggestion: nobody mistypes those, and the cost is quadratic.
std::string closest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean `NAME`?" or nothing: the tail of an error message.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace whittle
