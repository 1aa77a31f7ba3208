// SPDX-License-Identifier: MIT
#include "flow/image_mistake.h"

#include <vector>

#include "common/error.h"
#include "flow/added_file.h"
#include "imagegen/reference.h"
#include "imagegen/rootfs.h"
#include "imagegen/spec.h"

namespace whittle::flow {
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

// The image's files, without their contents, which no rule looks at: the program, and the first n
// of those that are added.
std::vector<imagegen::RootFile> files_of(const ShipBlock& block, std::size_t n) {
  std::vector<imagegen::RootFile> files = {
      {.path = block.program_path(), .content = {}, .mode = kProgramMode}};
  for (std::size_t i = 0; i < n; i++) {
    const AddedFile added = parse_added_file(block.image.add[i]);
    files.push_back({.path = added.destination, .content = {}, .mode = added.mode});
  }
  return files;
}

}  // namespace

std::optional<ImageMistake> find_image_mistake(const ShipBlock& block) {
  const ImageBlock& image = block.image;
  if (!image.tag.empty()) {
    if (auto mistake = in_value("tag", [&] { imagegen::parse_reference(image.tag); })) {
      return mistake;
    }
  }
  if (auto mistake = in_value(image.name.empty() ? "binary" : "name",
                              [&] { imagegen::make_root(files_of(block, 0), {}); })) {
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
                             [&](std::size_t n) { imagegen::make_root(files_of(block, n), {}); })) {
    return mistake;
  }
  const std::vector<imagegen::RootFile> files = files_of(block, image.add.size());
  if (auto mistake = in_value("workdir", [&] { imagegen::make_root(files, {image.workdir}); })) {
    return mistake;
  }
  return in_value("user", [&] {
    imagegen::check_user(image.user, imagegen::make_root(files, {image.workdir}));
  });
}

}  // namespace whittle::flow
