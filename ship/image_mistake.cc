// SPDX-License-Identifier: MIT
#include "ship/image_mistake.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "common/error.h"
#include "imagegen/reference.h"
#include "imagegen/rootfs.h"
#include "imagegen/spec.h"
#include "ship/added_file.h"

namespace whittle::ship {
namespace {

constexpr std::uint32_t kProgramMode = 0755;

// What the rule says against it, or nothing.
template <typename Rule>
std::optional<std::string> objection(Rule rule) {
  try {
    rule();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::usage) throw;
    return error.message();
  }
  return std::nullopt;
}

template <typename Rule>
std::optional<ImageMistake> in_value(std::string_view key, Rule rule) {
  if (auto message = objection(rule)) return ImageMistake{key, std::nullopt, *message};
  return std::nullopt;
}

// `rule(n)` applies to the first n items of a list, all together: a second label of one name is a
// mistake only beside the first. More items never mend a mistake, so bisection finds the first item
// that makes one.
template <typename Rule>
std::optional<ImageMistake> in_list(std::string_view key, std::size_t size, Rule rule) {
  const auto objection_to = [&](std::size_t n) { return objection([&] { rule(n); }); };
  if (!objection_to(size)) return std::nullopt;
  std::size_t good = 0, bad = size;
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    (objection_to(middle) ? bad : good) = middle;
  }
  return ImageMistake{key, bad - 1, objection_to(bad).value_or("")};
}

template <typename T>
std::vector<T> first(const std::vector<T>& all, std::size_t n) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n)};
}

std::optional<ImageMistake> in_words(std::string_view key, const std::vector<std::string>& words) {
  return in_list(key, words.size(), [&](std::size_t n) {
    for (std::size_t i = 0; i < n; i++) imagegen::check_text(key, words[i]);
  });
}

std::optional<ImageMistake> in_pairs(std::string_view key, std::string_view what,
                                     const Assignments& pairs) {
  return in_list(key, pairs.size(),
                 [&](std::size_t n) { imagegen::check_pairs(what, first(pairs, n)); });
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) &&
         (folder == "/" || path[folder.size()] == '/');
}

// The root of an image as far as its block shows it: the program, the first `adds` of what is
// added, without contents, which no rule looks at, and the first `folders` of `add_dir`. A source
// of unknown kind is taken for a folder where something else goes into it. It makes nothing of its
// own where only its contents are added ("src/").
class Shape {
 public:
  Shape(const ShipRequest& block, std::size_t adds, std::size_t folders, const SourceKinds& kinds) {
    const std::string program = block.program_path();
    spec_.files = {{.path = program, .content = {}, .mode = kProgramMode}};
    for (std::size_t i = 0; i < folders; i++) {
      spec_.folders.push_back(parse_added_folder(block.image.add_dir[i]));
    }
    std::vector<std::string> paths = {program};
    for (const imagegen::RootFolder& folder : spec_.folders) paths.push_back(folder.path);
    std::vector<std::pair<std::string, SourceKind>> added;
    for (std::size_t i = 0; i < adds; i++) {
      const AddedFile file = parse_added_file(block.image.add[i]);
      const std::string path = imagegen::normalise_path(file.destination);
      if (is_below("/etc/passwd", path)) may_hold_names_ = true;
      if (file.source.ends_with('/')) continue;
      added.emplace_back(path, kinds ? kinds(file.source) : SourceKind::unknown);
      paths.push_back(path);
    }
    std::set<std::string> made;
    for (const auto& [added_path, kind] : added) {
      const std::string& path = added_path;
      const bool holds_others =
          std::any_of(paths.begin(), paths.end(),
                      [&](const std::string& other) { return is_below(other, path); });
      const bool is_named = std::any_of(spec_.folders.begin(), spec_.folders.end(),
                                        [&](const imagegen::RootFolder& folder) {
                                          return imagegen::normalise_path(folder.path) == path;
                                        });
      const bool is_folder =
          kind == SourceKind::folder || (kind == SourceKind::unknown && (holds_others || is_named));
      if (!made.insert(path).second || !is_folder) {
        spec_.files.push_back({.path = path, .content = {}});
      } else if (!is_named && path != "/") {
        spec_.folders.push_back({.path = path});
      }
    }
  }

  void set_working_dir(const std::string& path) { spec_.working_dir = path; }
  void check() const { imagegen::make_root(spec_); }
  void check_user(const std::string& user) {
    // A folder that is added may bring the files that names are looked up in.
    imagegen::ImageSpec both;
    both.files = {{.path = "/etc/passwd", .content = {}}, {.path = "/etc/group", .content = {}}};
    imagegen::check_user(user, imagegen::make_root(may_hold_names_ ? both : spec_));
  }

 private:
  imagegen::ImageSpec spec_;
  bool may_hold_names_ = false;
};

}  // namespace

std::optional<ImageMistake> find_image_mistake(const ShipRequest& block, const SourceKinds& kinds) {
  const ImageRequest& image = block.image;
  if (!image.tag.empty()) {
    if (auto mistake = in_value("tag", [&] { imagegen::parse_reference(image.tag); })) {
      return mistake;
    }
  }
  if (auto mistake = in_value(image.name.empty() ? "binary" : "name",
                              [&] { Shape(block, 0, 0, kinds).check(); })) {
    return mistake;
  }
  if (auto mistake = in_words("entrypoint", image.entrypoint)) return mistake;
  if (auto mistake = in_words("cmd", image.cmd)) return mistake;
  std::vector<std::string> env;
  for (const auto& [name, value] : image.env) env.push_back(name + "=" + value);
  if (auto mistake =
          in_list("env", env.size(), [&](std::size_t n) { imagegen::check_env(first(env, n)); })) {
    return mistake;
  }
  if (auto mistake = in_list("expose", image.expose.size(), [&](std::size_t n) {
        imagegen::normalise_ports(first(image.expose, n));
      })) {
    return mistake;
  }
  if (auto mistake = in_pairs("labels", "label", image.labels)) return mistake;
  if (auto mistake = in_pairs("annotations", "annotation", image.annotations)) return mistake;
  if (auto mistake = in_list("add", image.add.size(),
                             [&](std::size_t n) { Shape(block, n, 0, kinds).check(); })) {
    return mistake;
  }
  if (auto mistake = in_list("add_dir", image.add_dir.size(), [&](std::size_t n) {
        Shape(block, image.add.size(), n, kinds).check();
      })) {
    return mistake;
  }
  Shape shape(block, image.add.size(), image.add_dir.size(), kinds);
  shape.set_working_dir(image.workdir);
  if (auto mistake = in_value("workdir", [&] { shape.check(); })) return mistake;
  return in_value("user", [&] { shape.check_user(image.user); });
}

}  // namespace whittle::ship
