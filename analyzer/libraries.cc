// SPDX-License-Identifier: MIT
//
// The order of the search for a name without a slash: DT_RPATH of the object that asks and of those
// that loaded it (unless the object has a DT_RUNPATH), LD_LIBRARY_PATH, DT_RUNPATH of the object
// itself, the folders of /etc/ld.so.conf, the loader's own. /etc/ld.so.cache is made from the last
// two. It is not read, but without it the loader knows nothing of /etc/ld.so.conf. musl's order is
// LD_LIBRARY_PATH, the object's paths, and the folders of /etc/ld-musl-ARCH.path or else its own. A
// library of another class or machine is passed over. Nothing is searched for a name under which a
// library is loaded already, be it by way of a search path that the object which asks does not
// have; so the order of loading counts, which is breadth first.
//
// Symbolic links are followed inside the root: an absolute one starts at the root again, and none
// leads out of it.
#include "analyzer/libraries.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "common/text.h"

namespace whittle::analyzer {
namespace {

constexpr std::size_t kMaxLibraries = 2000;
// Search paths are hostile. Beyond these limits a library counts as missing.
constexpr std::size_t kMaxLookups = 100'000;       // of files, for one program
constexpr std::size_t kMaxAllLookups = 2'000'000;  // for all of a tree
constexpr std::size_t kMaxConfigured = 10'000;     // folders that it names
constexpr int kMaxConfigurations = 256;            // files that /etc/ld.so.conf includes

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

std::string triplet(const LinkedObject& header) {
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

  void add_missing(const std::string& name) {
    auto& missing = tree.missing;
    if (std::find(missing.begin(), missing.end(), name) == missing.end()) missing.push_back(name);
  }
};

// Nothing where there is no such file.
std::optional<std::string> LibraryFinder::resolve_path(const std::string& path) const {
  auto found = resolve(tree_, path);
  return found ? std::optional(std::move(found->path)) : std::nullopt;
}

std::shared_ptr<const LinkedObject> LibraryFinder::load(const std::string& resolved) const {
  auto object = tree_.object(resolved);
  return object != nullptr && object->type == elf::kTypeDyn ? object : nullptr;
}

bool LibraryFinder::may_look_up(Search& search) {
  return ++search.lookups <= kMaxLookups && ++lookups_ <= kMaxAllLookups;
}

// Lines of folders and of "include PATTERN", whose last part may have wildcards.
void LibraryFinder::read_configuration(const std::string& path, int depth) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  if (depth > 4 || ++configurations_ > kMaxConfigurations) return;
  const auto resolved = resolve_path(path);
  if (!resolved) return;
  const auto bytes = tree_.read(*resolved, kMaxBytes);
  if (!bytes) return;
  std::istringstream lines{std::string(as_text(*bytes))};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word, pattern;
    if (!(words >> word)) continue;
    if (word != "include") {
      if (configured_->size() < kMaxConfigured) configured_->push_back(word);
      continue;
    }
    while (words >> pattern) {
      if (!pattern.starts_with('/')) pattern = folder_of(path) + "/" + pattern;
      const auto folder = resolve_path(folder_of(pattern));
      if (!folder) continue;
      const std::string wanted = pattern.substr(pattern.rfind('/') + 1);
      for (const std::string& name : tree_.names(*folder)) {
        if (::fnmatch(wanted.c_str(), name.c_str(), FNM_PERIOD) == 0) {
          read_configuration(*folder + "/" + name, depth + 1);
        }
      }
    }
  }
}

// "/lib/ld-musl-x86_64.so.1" reads /etc/ld-musl-x86_64.path, which has a folder a line, or several
// with colons.
std::vector<std::string> LibraryFinder::musl_folders(std::string_view interpreter) const {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  const std::size_t name = interpreter.rfind('/') + 1;
  const std::size_t end = std::min(interpreter.find('.', name), interpreter.size());
  const auto file = resolve_path(fmt::format("/etc/{}.path", interpreter.substr(name, end - name)));
  const auto bytes = file ? tree_.read(*file, kMaxBytes) : std::nullopt;
  if (!bytes) return {"/lib", "/usr/local/lib", "/usr/lib"};
  std::string text(as_text(*bytes));
  std::replace(text.begin(), text.end(), '\n', ':');
  std::vector<std::string> folders = split_folders({text});
  if (folders.size() > kMaxConfigured) folders.resize(kMaxConfigured);
  return folders;
}

std::vector<std::string> LibraryFinder::system_folders(const LinkedObject& program, bool musl) {
  if (musl) return musl_folders(program.interpreter);
  if (!configured_) {
    configured_.emplace();
    // The loader itself reads the cache alone, which ldconfig makes of these folders.
    if (resolve_path("/etc/ld.so.cache")) read_configuration("/etc/ld.so.conf", 0);
  }
  std::vector<std::string> folders = *configured_;
  if (const std::string name = triplet(program); !name.empty()) {
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

std::optional<LibraryFinder::Found> LibraryFinder::find_one(Search& search, const std::string& name,
                                                            const Loading& loading) {
  const LinkedObject& object = *loading.object->linked;
  const auto fits = [&](const std::string& path) -> std::optional<std::string> {
    const auto resolved = may_look_up(search) ? resolve(tree_, path) : std::nullopt;
    const auto found = resolved ? load(resolved->path) : nullptr;
    if (found == nullptr || !found->is_for_machine_of(object)) return std::nullopt;
    if (may_read_ && !may_read_(*resolved)) {
      auto& over = search.tree.passed_over;
      std::string file = printable(resolved->path);
      if (std::find(over.begin(), over.end(), file) == over.end()) over.push_back(std::move(file));
      return std::nullopt;
    }
    return resolved->path;
  };
  const auto look_in = [&](const std::vector<std::string>& folders, const Object& owner,
                           const char* by) -> std::optional<Found> {
    for (std::string folder : folders) {
      if (search.lookups > kMaxLookups || lookups_ > kMaxAllLookups) break;
      const std::string origin = folder_of(owner.path);
      const std::string lib = owner.linked->is_64bit ? "lib64" : "lib";
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
  const auto look_in_environment = [&] {
    return look_in(environment_, *loading.object, "LD_LIBRARY_PATH");
  };
  if (search.musl) {
    if (auto found = look_in_environment()) return found;
  }
  if (object.runpath.empty()) {
    for (const auto& loader : loading.loaders) {
      if (!loader->linked->runpath.empty()) continue;
      if (auto found = look_in(split_folders(loader->linked->rpath), *loader, "RPATH")) {
        return found;
      }
    }
  }
  if (!search.musl) {
    if (auto found = look_in_environment()) return found;
  }
  if (auto found = look_in(split_folders(object.runpath), *loading.object, "RUNPATH")) {
    return found;
  }
  return look_in(search.folders, *loading.object, "system");
}

// What stands in the list `out` of an object, in order; what is loaded for it joins the queue.
void LibraryFinder::add_needed(Search& search, const Loading& loading, std::deque<Loading>& queue) {
  std::vector<Library>& out = *loading.out;
  std::vector<std::pair<std::size_t, std::shared_ptr<const Object>>> loaded;
  for (const std::string& name : loading.object->linked->needed) {
    if (++search.libraries > kMaxLibraries) {
      search.add_missing(fmt::format("what comes after the first {} libraries", kMaxLibraries));
      break;
    }
    Library library;
    library.name = printable(name);
    const auto found = find_one(search, name, loading);
    if (found) {
      library.path = printable(found->path);
      library.found_by = found->by;
    } else {
      search.add_missing(library.name);
    }
    library.repeated = !search.shown.insert(name).second;
    if (found && !library.repeated) {
      const auto linked = load(found->path);
      search.loaded.try_emplace(name, *found);
      // musl knows a library by the name that it was asked for under, and by no other.
      if (linked != nullptr && !search.musl && !linked->soname.empty()) {
        search.loaded.try_emplace(linked->soname, *found);
      }
      if (linked != nullptr) {
        loaded.emplace_back(out.size(),
                            std::make_shared<const Object>(Object{found->path, linked}));
      }
    }
    out.push_back(std::move(library));
  }
  for (const auto& [index, object] : loaded) {
    std::vector<std::shared_ptr<const Object>> loaders = {object};
    loaders.insert(loaders.end(), loading.loaders.begin(), loading.loaders.end());
    queue.push_back({object, std::move(loaders), &out[index].needed});
  }
}

LibraryTree LibraryFinder::find(const LinkedObject& program, const std::string& path) {
  const auto object =
      std::make_shared<const Object>(Object{path, std::make_shared<const LinkedObject>(program)});
  Search search;
  if (!program.interpreter.empty()) {
    const auto resolved = resolve_path(program.interpreter);
    const auto found = resolved ? load(*resolved) : nullptr;
    if (found != nullptr && found->is_for_machine_of(program)) {
      search.tree.interpreter = printable(*resolved);
    } else {
      search.add_missing(printable(program.interpreter));
    }
  }
  search.musl = program.interpreter.find("/ld-musl-") != std::string::npos;
  search.folders = system_folders(program, search.musl);
  std::deque<Loading> queue = {{object, {object}, &search.tree.libraries}};
  for (; !queue.empty(); queue.pop_front()) add_needed(search, queue.front(), queue);
  return std::move(search.tree);
}

}  // namespace whittle::analyzer
