// SPDX-License-Identifier: MIT
//
// The order of the search for a name without a slash: DT_RPATH of the object that asks and of those
// that loaded it (unless the object has a DT_RUNPATH), DT_RUNPATH of the object itself, the folders
// of /etc/ld.so.conf, the loader's own. /etc/ld.so.cache is made from the last two and is not read:
// images often come without. A library of another class or machine is passed over. Nothing is
// searched for a name under which a library is loaded already, be it by way of a search path that
// the object which asks does not have; so the order of loading counts, which is breadth first.
//
// Symbolic links are followed inside the root: an absolute one starts at the root again, and none
// leads out of it.
#include "analyzer/libraries.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <system_error>

#include "common/error.h"
#include "common/file.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLibraries = 2000;
constexpr std::size_t kMaxLookups = 100'000;  // of files, for one program: search paths are hostile
constexpr std::uint64_t kMaxLibraryBytes = std::uint64_t{1} << 30;

// The folders of "a:b"; an empty one means the working directory, which is not ours to know.
std::vector<std::string> split_folders(const std::vector<std::string>& lists) {
  std::vector<std::string> out;
  for (const std::string& list : lists) {
    std::istringstream parts(list);
    for (std::string part; std::getline(parts, part, ':');) {
      if (!part.empty()) out.push_back(part);
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

std::string triplet(const elf::Header& header) {
  switch (header.machine) {
    case elf::kMachineX86_64:
      return header.is_64bit ? "x86_64-linux-gnu" : "x86_64-linux-gnux32";
    case elf::kMachine386:
      return "i386-linux-gnu";
    case elf::kMachineAarch64:
      return "aarch64-linux-gnu";
    case elf::kMachineArm:
      return "arm-linux-gnueabihf";
    case elf::kMachineRiscv:
      return header.is_64bit ? "riscv64-linux-gnu" : "riscv32-linux-gnu";
    case elf::kMachinePpc64:
      return header.order == ByteOrder::little ? "powerpc64le-linux-gnu" : "powerpc64-linux-gnu";
    case elf::kMachineS390:
      return "s390x-linux-gnu";
    default:
      return {};
  }
}

std::string folder_of(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  return folder.empty() ? "/" : folder;
}

// musl's loader is its C library and answers to all of its names without looking for them.
bool is_part_of_musl(std::string_view name) {
  for (const std::string_view own :
       {"libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."}) {
    if (name.starts_with(own)) return true;
  }
  return false;
}

}  // namespace

struct LibraryFinder::Search {
  std::vector<std::string> folders;     // of the system
  std::set<std::string> shown;          // names that stand in the tree
  std::map<std::string, Found> loaded;  // by the names that lead to them without a search
  std::size_t libraries = 0, lookups = 0;
  bool musl = false;
  LibraryTree tree;
};

LibraryFinder::LibraryFinder(const fs::path& root) {
  std::error_code error;
  root_ = fs::canonical(root, error);
  if (!error && !fs::is_directory(root_, error) && !error) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) throw io_error(root.native(), "cannot use it as a root", error.value());
}

// The path without links, "." and ".."; nothing where there is no such file.
std::optional<std::string> LibraryFinder::resolve(const std::string& path) const {
  constexpr int kMaxLinks = 40;  // Linux's own limit
  std::vector<std::string> done;
  std::vector<std::string> left;  // the next one last
  const auto push = [&left](const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, '/');) parts.push_back(part);
    left.insert(left.end(), parts.rbegin(), parts.rend());
  };
  push(path);
  int links = 0;
  while (!left.empty()) {
    const std::string part = left.back();
    left.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    fs::path here = root_;
    for (const std::string& one : done) here /= one;
    here /= part;
    std::error_code error;
    const fs::file_status status = fs::symlink_status(here, error);
    if (error || !fs::exists(status)) return std::nullopt;
    if (!fs::is_symlink(status)) {
      done.push_back(part);
      continue;
    }
    if (++links > kMaxLinks) return std::nullopt;
    const std::string target = fs::read_symlink(here, error).native();
    if (error || target.empty()) return std::nullopt;
    if (target.front() == '/') done.clear();
    push(target);
  }
  std::string out;
  for (const std::string& one : done) out += "/" + one;
  return out.empty() ? "/" : out;
}

const LibraryFinder::Object* LibraryFinder::load(const std::string& resolved) {
  const auto [it, is_new] = objects_.try_emplace(resolved);
  if (!is_new) return it->second ? &*it->second : nullptr;
  try {
    const LoadedFile loaded = read_file(root_.native() + resolved, kMaxLibraryBytes);
    if (!elf::has_magic(loaded.bytes)) return nullptr;
    const elf::File file = elf::File::parse(loaded.bytes, resolved);
    if (file.header().type != elf::kTypeDyn) return nullptr;
    const auto soname = file.dynamic_strings(elf::kDynamicSoname);
    it->second = {.path = resolved,
                  .soname = soname.empty() ? std::string() : soname.front(),
                  .needed = file.dynamic_strings(elf::kDynamicNeeded),
                  .rpath = file.dynamic_strings(elf::kDynamicRpath),
                  .runpath = file.dynamic_strings(elf::kDynamicRunpath),
                  .is_64bit = file.header().is_64bit,
                  .machine = file.header().machine};
    return &*it->second;
  } catch (const Error&) {
    return nullptr;
  }
}

// Lines of folders and of "include PATTERN", whose last part may have wildcards.
void LibraryFinder::read_configuration(const std::string& path, std::vector<std::string>& folders,
                                       int depth) const {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  const auto resolved = resolve(path);
  if (!resolved || depth > 4) return;
  std::string text;
  try {
    text = as_text(read_file(root_.native() + *resolved, kMaxBytes).bytes);
  } catch (const Error&) {
    return;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word, pattern;
    if (!(words >> word)) continue;
    if (word != "include") {
      folders.push_back(word);
      continue;
    }
    while (words >> pattern) {
      const auto folder = resolve(folder_of(pattern));
      if (!folder) continue;
      std::vector<std::string> names;
      std::error_code error;
      for (fs::directory_iterator it(root_.native() + *folder, error), end; !error && it != end;
           it.increment(error)) {
        names.push_back(it->path().filename().native());
      }
      std::sort(names.begin(), names.end());
      const std::string wanted = pattern.substr(pattern.rfind('/') + 1);
      for (const std::string& name : names) {
        if (::fnmatch(wanted.c_str(), name.c_str(), FNM_PERIOD) == 0) {
          read_configuration(*folder + "/" + name, folders, depth + 1);
        }
      }
    }
  }
}

std::vector<std::string> LibraryFinder::system_folders(const Object& program, bool musl) const {
  if (musl) return {"/lib", "/usr/local/lib", "/usr/lib"};
  std::vector<std::string> folders;
  read_configuration("/etc/ld.so.conf", folders, 0);
  elf::Header header;
  header.machine = program.machine;
  header.is_64bit = program.is_64bit;
  if (const std::string name = triplet(header); !name.empty()) {
    folders.push_back("/lib/" + name);
    folders.push_back("/usr/lib/" + name);
  }
  if (program.is_64bit) {
    folders.emplace_back("/lib64");
    folders.emplace_back("/usr/lib64");
  }
  folders.emplace_back("/lib");
  folders.emplace_back("/usr/lib");
  return folders;
}

std::optional<LibraryFinder::Found> LibraryFinder::find_one(
    Search& search, const std::string& name, const Object& object,
    const std::vector<const Object*>& loaders) {
  const auto fits = [&](const std::string& path) -> std::optional<std::string> {
    const auto resolved = ++search.lookups > kMaxLookups ? std::nullopt : resolve(path);
    const Object* found = resolved ? load(*resolved) : nullptr;
    if (found == nullptr || found->machine != object.machine ||
        found->is_64bit != object.is_64bit) {
      return std::nullopt;
    }
    return resolved;
  };
  const auto look_in = [&](const std::vector<std::string>& folders, const Object& owner,
                           const char* by) -> std::optional<Found> {
    for (std::string folder : folders) {
      if (search.lookups > kMaxLookups) break;
      const std::string origin = folder_of(owner.path);
      const std::string lib = owner.is_64bit ? "lib64" : "lib";
      replace_all(folder, "${ORIGIN}", origin);
      replace_all(folder, "$ORIGIN", origin);
      replace_all(folder, "${LIB}", lib);
      replace_all(folder, "$LIB", lib);
      if (const auto path = fits(folder + "/" + name)) return Found{*path, by};
    }
    return std::nullopt;
  };
  if (const auto it = search.loaded.find(name); it != search.loaded.end()) return it->second;
  if (name.find('/') != std::string::npos) {
    const auto path = fits(name);
    return path ? std::optional(Found{*path, "path"}) : std::nullopt;
  }
  if (search.musl && is_part_of_musl(name)) return Found{search.tree.interpreter, "interpreter"};
  if (object.runpath.empty()) {
    for (const Object* loader : loaders) {
      if (!loader->runpath.empty()) continue;
      if (auto found = look_in(split_folders(loader->rpath), *loader, "RPATH")) return found;
    }
  }
  if (auto found = look_in(split_folders(object.runpath), object, "RUNPATH")) return found;
  return look_in(search.folders, object, "system");
}

// What stands in the list `out` of an object, in order; what is loaded for it joins the queue.
void LibraryFinder::add_needed(Search& search, const Loading& loading, std::deque<Loading>& queue) {
  std::vector<Library>& out = *loading.out;
  std::vector<std::pair<std::size_t, const Object*>> loaded;
  for (const std::string& name : loading.object->needed) {
    if (++search.libraries > kMaxLibraries) break;
    Library library;
    library.name = printable(name);
    const auto found = find_one(search, name, *loading.object, loading.loaders);
    if (found) {
      library.path = printable(found->path);
      library.found_by = found->by;
    } else if (std::find(search.tree.missing.begin(), search.tree.missing.end(), library.name) ==
               search.tree.missing.end()) {
      search.tree.missing.push_back(library.name);
    }
    library.repeated = !search.shown.insert(name).second;
    if (found && !library.repeated) {
      const Object* object = load(found->path);
      search.loaded.try_emplace(name, *found);
      // musl knows a library by the name that it was asked for under, and by no other.
      if (object != nullptr && !search.musl && !object->soname.empty()) {
        search.loaded.try_emplace(object->soname, *found);
      }
      if (object != nullptr) loaded.emplace_back(out.size(), object);
    }
    out.push_back(std::move(library));
  }
  for (const auto& [index, object] : loaded) {
    std::vector<const Object*> loaders = {object};
    loaders.insert(loaders.end(), loading.loaders.begin(), loading.loaders.end());
    queue.push_back({object, std::move(loaders), &out[index].needed});
  }
}

LibraryTree LibraryFinder::find(const elf::File& file, const fs::path& path) {
  Object program{.path = {},
                 .soname = {},
                 .needed = file.dynamic_strings(elf::kDynamicNeeded),
                 .rpath = file.dynamic_strings(elf::kDynamicRpath),
                 .runpath = file.dynamic_strings(elf::kDynamicRunpath),
                 .is_64bit = file.header().is_64bit,
                 .machine = file.header().machine};
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  const fs::path inside = whole.lexically_relative(root_);
  const bool is_inside = !inside.empty() && *inside.begin() != "..";
  program.path = is_inside ? "/" + inside.native() : whole.native();

  Search search;
  const auto interpreter = file.interpreter();
  if (interpreter) {
    const auto resolved = resolve(*interpreter);
    if (resolved && load(*resolved) != nullptr) {
      search.tree.interpreter = printable(*resolved);
    } else {
      search.tree.missing.push_back(printable(*interpreter));
    }
  }
  search.musl = interpreter && interpreter->find("/ld-musl-") != std::string::npos;
  search.folders = system_folders(program, search.musl);
  std::deque<Loading> queue = {{&program, {&program}, &search.tree.libraries}};
  for (; !queue.empty(); queue.pop_front()) add_needed(search, queue.front(), queue);
  return std::move(search.tree);
}

}  // namespace whittle::analyzer
