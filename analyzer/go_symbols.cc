// SPDX-License-Identifier: MIT
#include "analyzer/go_symbols.h"

#include <algorithm>
#include <optional>

#include "common/text.h"

namespace whittle::analyzer {
namespace {

constexpr std::string_view kLinker = "[Go linker]", kTypes = "[Go types]",
                           kAssembly = "[Go assembly]";

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_word(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '_'; }

std::optional<unsigned> hex_digit(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

// The path that "gopkg.in/yaml%2ev3" is written for.
std::string decode(std::string_view path) {
  std::string out;
  for (std::size_t at = 0; at < path.size(); at++) {
    const auto high = path[at] == '%' && at + 2 < path.size() ? hex_digit(path[at + 1])
                                                              : std::optional<unsigned>();
    const auto low = high ? hex_digit(path[at + 2]) : std::nullopt;
    if (low) {
      out += static_cast<char>(*high * 16 + *low);
      at += 2;
    } else {
      out += path[at];
    }
  }
  return printable(out);
}

// What Go's linker makes, by the word after "go." or, since Go 1.20, "go:".
bool is_of_linker(std::string_view symbol) {
  if (symbol.starts_with("go:") || symbol.starts_with('$') || symbol.starts_with("gclocals")) {
    return true;
  }
  if (!take(symbol, "go.")) return false;
  constexpr std::string_view kWords[] = {
      "buildid", "buildinfo", "builtin", "constinfo", "cuinfo", "func",  "importpath", "info",
      "itab",    "link",      "loc",     "map",       "range",  "shape", "string",     "typelink"};
  const std::string_view word = symbol.substr(0, symbol.find('.'));
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

// "struct { sync.Once; crypto/x509.v *crypto/x509.Certificate }": fields that are not exported
// carry the package that the type stands in, with plain dots.
std::string package_of_struct(std::string_view type) {
  while (!type.empty()) {
    const std::size_t end = std::min(type.find(' '), type.size());
    std::string_view field = type.substr(0, end);
    take(field, "*");
    const std::size_t dot = field.find_last_of('.');
    if (dot != std::string_view::npos && dot + 1 < field.size() && dot > 0 &&
        !is_upper(field[dot + 1]) && is_word(field[dot + 1])) {
      return decode(field.substr(0, dot));
    }
    const std::size_t next = type.find("; ");
    if (next == std::string_view::npos) break;
    type.remove_prefix(next + 2);
  }
  return std::string(kTypes);
}

// True for "func(int) string", "map[string]int", "interface { F() }", "string".
bool has_no_name(std::string_view type) {
  for (const std::string_view word : {"func(", "map[", "chan ", "<-chan ", "interface {"}) {
    if (type.starts_with(word)) return true;
  }
  return std::all_of(type.begin(), type.end(), is_word);
}

// Where the path ends in a name that goes on with another package's: "text/template.T" in
// "text/template.T.text/template/parse.f", where a method is named. The element of the path that
// holds the type then has two dots at least, which few folders have and, but for a host's name,
// only where the type is not exported is it ambiguous. 0 where there is no such end.
std::size_t end_before_other_package(std::string_view name, std::size_t last_slash) {
  for (std::size_t begin = 0; begin < last_slash;) {
    const std::size_t end = name.find('/', begin);
    const std::size_t dot = name.find('.', begin);
    if (dot == std::string_view::npos || dot > last_slash) return 0;
    if (dot < end) {
      std::size_t after = dot + 1;
      while (is_word(name[after])) after++;
      const bool is_type = name[after] == '.' && after > dot + 1 && !is_digit(name[dot + 1]);
      const bool is_host = begin == 0 && !is_upper(name[dot + 1]) && !name.starts_with("main.");
      if (is_type && !is_host) return dot;
    }
    begin = end + 1;
  }
  return 0;
}

// The package of a symbol's name without what the compiler put before it.
std::string plain_package(std::string_view name) {
  const std::size_t method = name.find(".(");
  name = name.substr(0, method);
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) {
    if (const std::size_t end = end_before_other_package(name, slash); end != 0) {
      return decode(name.substr(0, end));
    }
  }
  const std::size_t dot = name.find('.', slash == std::string_view::npos ? 0 : slash);
  if (dot == 0 || (dot == std::string_view::npos && method == std::string_view::npos)) {
    return std::string(kAssembly);
  }
  return decode(name.substr(0, dot));
}

std::string package_of_type(std::string_view type) {
  for (;;) {
    if (take(type, "*") || take(type, "(*") || take(type, "go.shape.")) continue;
    if (!type.starts_with('[')) break;
    const std::size_t end = type.find(']');
    if (end == std::string_view::npos) return std::string(kTypes);
    type.remove_prefix(end + 1);
  }
  if (take(type, "struct {")) {
    take(type, " ");
    return package_of_struct(type);
  }
  if (type.empty() || has_no_name(type)) return std::string(kTypes);
  return plain_package(type.substr(0, type.find('[')));
}

}  // namespace

std::string go_package_of(std::string_view symbol) {
  constexpr std::size_t kLongest = 512;  // names in a hostile file may be long and many
  symbol = symbol.substr(0, kLongest);
  for (const std::string_view table : {"go:itab.", "go.itab."}) {
    if (take(symbol, table)) {
      const std::string_view type = symbol.substr(0, symbol.find('['));
      return package_of_type(type.substr(0, type.find(',')));
    }
  }
  for (const std::string_view generated : {"type:", "type."}) {
    if (!take(symbol, generated)) continue;
    for (const std::string_view what : {".eq.", ".hash."}) {
      if (take(symbol, what)) break;
    }
    if (symbol.starts_with('.')) return std::string(kTypes);  // ".namedata.": texts of all types
    return package_of_type(symbol);
  }
  if (is_of_linker(symbol)) return std::string(kLinker);
  // Methods of types without a name stand in a package "go" since Go 1.19.
  std::string_view type = symbol;
  take(type, "go.");
  if (type.starts_with("struct {") || type.starts_with("(*struct {") || type.starts_with('*')) {
    return package_of_type(type);
  }
  return plain_package(symbol.substr(0, symbol.find('[')));
}

bool is_c_name(std::string_view symbol) {
  // C++, Rust; a version of a library's symbol; what LLVM makes of constants; "net(.rodata)", a
  // section of C code that Go's linker took in.
  if (symbol.starts_with("_Z") || symbol.starts_with("_R") || symbol.starts_with('.') ||
      symbol.find('@') != std::string_view::npos || symbol.ends_with(')') ||
      symbol.starts_with("anon.") || symbol.starts_with("switch.table.")) {
    return true;
  }
  // "type:*", "gogo-tramp0": no name of C has these characters.
  if (symbol.find_first_of(":*-") != std::string_view::npos) return false;
  // A dot makes a name of Go, unless what follows it is what compilers append to names of C.
  const std::size_t dot = symbol.find('.');
  if (dot == std::string_view::npos) return symbol.find('/') == std::string_view::npos;
  if (symbol.substr(0, dot).find('/') != std::string_view::npos) return false;
  const std::string_view rest = symbol.substr(dot + 1);
  const std::string_view suffix = rest.substr(0, rest.find('.'));
  for (const std::string_view known : {"cold", "constprop", "isra", "part", "lto_priv", "llvm"}) {
    if (suffix == known) return true;
  }
  return !rest.empty() && std::all_of(rest.begin(), rest.end(), is_digit);
}

std::vector<bool> find_go_symbols(const std::vector<Symbol>& symbols, bool has_table) {
  constexpr std::string_view kGoFile = "go.go";
  bool has_go_file = false, has_other_files = false, has_cgo = false;
  for (const Symbol& symbol : symbols) {
    const bool is_file = symbol.type == kSymbolFile;
    has_go_file = has_go_file || (is_file && symbol.name == kGoFile);
    has_other_files = has_other_files || (is_file && symbol.name != kGoFile);
    has_cgo = has_cgo || (symbol.defined && symbol.name == "x_cgo_init");
  }
  std::vector<bool> out(symbols.size(), false);
  if (!has_table && !has_go_file) return out;
  const bool has_c = has_other_files || has_cgo;
  std::string_view file;
  for (std::size_t i = 0; i < symbols.size(); i++) {
    const Symbol& symbol = symbols[i];
    if (symbol.type == kSymbolFile) file = symbol.name;
    const bool by_file = has_go_file && has_other_files && symbol.is_local;
    out[i] = !has_c || (by_file ? file == kGoFile : !is_c_name(symbol.name));
  }
  return out;
}

}  // namespace whittle::analyzer
