// SPDX-License-Identifier: MIT
//
// Text of unknown origin, such as a file's name, in a Markdown document. It is escaped here and
// once: callers pass it as it is, and what comes out shows exactly that text, with control
// characters and bytes that are no UTF-8 as `printable` shows them.
//
// Sources: CommonMark 0.31; GitHub Flavored Markdown, "Tables", "Autolinks" and "Strikethrough".
#pragma once

#include <string>
#include <string_view>

namespace whittle::report {

// As text: in a paragraph, a heading, a list or a cell of a table. Not at the beginning of a line,
// where it could make an item of a list.
std::string markdown_text(std::string_view raw);

// As a code span, for what is to be copied. Not for cells of tables, where a "|" would end it.
std::string markdown_code(std::string_view raw);

}  // namespace whittle::report
