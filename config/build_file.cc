// SPDX-License-Identifier: MIT
#include "config/build_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "common/error.h"
#include "common/host_path.h"
#include "common/overloaded.h"
#include "common/suggest.h"
#include "common/text.h"
#include "config/clashes.h"
#include "config/step_order.h"
#include "config/yaml.h"
#include "imagegen/reference.h"
#include "ship/added_file.h"
#include "ship/image_mistake.h"
#include "ship/image_options.h"

namespace whittle::config {
namespace {

constexpr std::size_t kMaxFileSize = std::size_t{1} << 20;  // bytes, before and after `_env`

// The versions of the format. The first two are Habitus's; the older one has no secrets.
constexpr std::string_view kVersionWithoutSecrets = "2016-02-13";
constexpr std::string_view kVersions[] = {kVersionWithoutSecrets, "2016-03-14", "1"};

// Keys that only an engine can honour, each with what a host step has instead.
struct EngineKey {
  const char* key;
  const char* instead;
};
constexpr EngineKey kEngineKeys[] = {
    {"context", "`dir` is the folder that `run` starts in"},
    {"target", "name the target in the `run` command"},
    {"args", "use `env`"},
    {"cleanup", "what `run` leaves behind never reaches the image"},
    {"command", "put it into `run`"},
    {"after_build_command", "put it into `run`, or into a step that depends on this one"},
    {"no_cache", "a command on the host always runs"},
    {"secrets", "`run` sees the files and the environment of the host"},
};

using Paths = std::vector<HostPath>;

void note(const Value& value, HostPath::Use use, const std::string& path, Paths& paths) {
  paths.push_back({.use = use,
                   .path = normal_inner_path(path),
                   .source = "",
                   .key = value.name(),
                   .position = value.position()});
}

std::string inner_path(const Value& value, HostPath::Use use, Paths& paths) {
  std::string path = value.text();
  if (const std::string problem = problem_of_inner_path(path); !problem.empty()) {
    value.fail(fmt::format("(`{}`) {}", printable(path), problem));
  }
  note(value, use, path, paths);
  return path;
}

std::string inner_file(const Value& value, HostPath::Use use, Paths& paths) {
  std::string path = inner_path(value, use, paths);
  if (names_folder(path)) {
    value.fail(fmt::format("(`{}`) names a folder, but must name a file", printable(path)));
  }
  return path;
}

// Environments and build arguments. A mapping could hold names that NAME=VALUE cannot.
ship::Assignments parse_environment(const Value& value) {
  ship::Assignments assignments = value.assignments();
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < assignments.size(); i++) {
    const std::string& name = assignments[i].first;
    if (name.find('=') != std::string::npos) {
      value.item(i).fail(fmt::format("has `=` in its name `{}`", printable(name)));
    }
    if (!names.insert(name).second) {
      value.item(i).fail(fmt::format("gives `{}` a second time", printable(name)));
    }
  }
  return assignments;
}

// Where the artifact goes, which its base name decides.
void note_artifact(const Value& item, const Artifact& artifact, const Step& step, Paths& paths) {
  const bool on_host = step.dockerfile.empty();
  const std::string source = normal_inner_path(
      on_host ? (std::filesystem::path(step.dir) / artifact.source).native() : artifact.source);
  if (on_host && source == ".")
    item.fail("is the work directory, which cannot be copied into itself");
  const auto name = std::filesystem::path(source).filename();
  note(item, HostPath::Use::artifact, (std::filesystem::path(artifact.folder) / name).native(),
       paths);
  if (!on_host) return;
  HostPath& noted = paths.back();
  noted.source = source;
  if (noted.path.starts_with(source + "/")) {
    item.fail(fmt::format("would be copied into itself, to `{}`", printable(noted.path)));
  }
}

std::vector<Artifact> parse_artifacts(const Value& value, const Step& step, Paths& paths) {
  const bool on_host = step.dockerfile.empty();
  std::vector<Artifact> artifacts;
  for (const Value& item : value.list()) {
    Artifact artifact;
    artifact.source = item.text();
    // Habitus splits at the first colon; so a source with a colon in it cannot be named.
    if (const std::size_t colon = artifact.source.find(':'); colon != std::string::npos) {
      artifact.folder = artifact.source.substr(colon + 1);
      artifact.source.resize(colon);
    }
    std::string problem = problem_of_inner_path(artifact.folder);
    if (!problem.empty()) {
      item.fail(fmt::format("(folder `{}`) {}", printable(artifact.folder), problem));
    }
    // The source of a Dockerfile step lies in its image, where any path is fine.
    problem = on_host ? problem_of_inner_path(artifact.source)
                      : std::string(artifact.source.empty() ? "is an empty path" : "");
    if (!problem.empty()) {
      item.fail(fmt::format("(source `{}`) {}", printable(artifact.source), problem));
    }
    note_artifact(item, artifact, step, paths);
    artifacts.push_back(std::move(artifact));
  }
  return artifacts;
}

std::vector<Secret> parse_secrets(const Value& value, std::string_view version) {
  if (version == kVersionWithoutSecrets) {
    value.fail("needs `version: 2016-03-14` or `version: 1`");
  }
  std::vector<Secret> secrets;
  for (const auto& [name, entry] : value.entries()) {
    const Mapping mapping(entry, {"type", "value"});
    const Value type = mapping.require("type");
    Secret secret{.name = name, .type = type.text(), .value = mapping.require("value").text()};
    if (secret.type != "file" && secret.type != "env") type.fail("must be `file` or `env`");
    secrets.push_back(std::move(secret));
  }
  return secrets;
}

// Each "SRC:DEST[:MODE[:UID:GID]]"; checked here so that the error has a line, parsed again where
// it is used.
std::vector<std::string> parse_added(const Value& value, Paths& paths) {
  for (const Value& item : value.list()) {
    const std::string text = item.text();
    std::string source;
    item.check([&] { source = ship::parse_added_file(text).source; });
    if (const std::string problem = ship::problem_of_source(source); !problem.empty()) {
      item.fail(fmt::format("(`{}`) {}", printable(source), problem));
    }
    note(item, ship::is_system_file(source) ? HostPath::Use::system : HostPath::Use::added, source,
         paths);
  }
  return value.texts();
}

std::vector<std::string> parse_added_folders(const Value& value) {
  for (const Value& item : value.list()) {
    const std::string text = item.text();
    item.check([&] { ship::parse_added_folder(text); });
  }
  return value.texts();
}

imagegen::Compression parse_compression(const Value& value) {
  const std::string text = value.text();
  for (const auto compression : {imagegen::Compression::gzip, imagegen::Compression::zstd}) {
    if (text == imagegen::name(compression)) return compression;
  }
  value.fail("must be `gzip` or `zstd`");
}

// A text of `image`; paths of the host are noted.
std::string parse_image_text(const ship::ImageOption& option, const Value& value, Paths& paths) {
  if (option.key == "output") return inner_file(value, HostPath::Use::archive, paths);
  if (option.key != "layout") return value.text();
  std::string path = inner_path(value, HostPath::Use::layout, paths);
  if (paths.back().path == ".") value.fail("is the work directory; name a folder of its own");
  return path;
}

std::vector<std::string> parse_image_list(const ship::ImageOption& option, const Value& value,
                                          Paths& paths) {
  if (option.key == "add") return parse_added(value, paths);
  if (option.key == "add_dir") return parse_added_folders(value);
  return value.texts();
}

ship::ImageRequest parse_image(const Value& value, Paths& paths) {
  std::vector<std::string> keys;
  for (const ship::ImageOption& option : ship::kImageOptions) keys.emplace_back(option.key);
  const Mapping mapping(value, keys);
  ship::ImageRequest image;
  for (const ship::ImageOption& option : ship::kImageOptions) {
    const auto found = mapping.find(option.key);
    if (!found) continue;
    std::visit(Overloaded{
                   [&](std::string ship::ImageRequest::*member) {
                     image.*member = parse_image_text(option, *found, paths);
                   },
                   [&](std::vector<std::string> ship::ImageRequest::*member) {
                     image.*member = parse_image_list(option, *found, paths);
                   },
                   [&](ship::Assignments ship::ImageRequest::*member) {
                     image.*member =
                         option.key == "env" ? parse_environment(*found) : found->assignments();
                   },
                   [&](imagegen::Compression ship::ImageRequest::*member) {
                     image.*member = parse_compression(*found);
                   },
               },
               option.member);
  }
  return image;
}

packer::Level parse_level(const Value& value) {
  const auto level = packer::level_from_name(value.text());
  if (!level) value.fail("must be `fast`, `small` or `auto`");
  return *level;
}

// Points at the mistake: a value of `whittle` or of its `image`, or an item of it.
void check_image(const Value& value, const ship::ShipRequest& ship) {
  const auto mistake = ship::find_image_mistake(ship);
  if (!mistake) return;
  std::optional<Value> place;
  for (const auto& [name, entry] : value.entries()) {
    if (name == mistake->key) place = entry;
    if (name != "image") continue;
    for (const auto& [key, inner] : entry.entries()) {
      if (key == mistake->key) place = inner;
    }
  }
  if (place && mistake->item) place = place->item(*mistake->item);
  place.value_or(value).fail("is wrong: " + mistake->message);
}

ship::ShipRequest parse_ship(const Value& value, Paths& paths) {
  const Mapping mapping(value, {"binary", "strip", "pack", "level", "output", "image"});
  ship::ShipRequest ship;
  ship.binary = inner_file(mapping.require("binary"), HostPath::Use::binary, paths);
  if (auto found = mapping.find("strip")) ship.strip = found->boolean();
  if (auto found = mapping.find("pack")) ship.pack = found->boolean();
  if (auto found = mapping.find("level")) {
    ship.level = parse_level(*found);
    if (!ship.pack) found->fail("has no effect with `pack: false`");
  }
  if (auto found = mapping.find("output")) {
    ship.output = inner_file(*found, HostPath::Use::executable, paths);
  }
  if (auto found = mapping.find("image")) ship.image = parse_image(*found, paths);
  check_image(value, ship);
  if (ship.image.output.empty() && ship.image.layout.empty()) {
    note(value, HostPath::Use::archive, ship.archive(), paths);
  }
  return ship;
}

void parse_engine_keys(const Mapping& mapping, std::string_view version, Step& step) {
  if (auto found = mapping.find("context")) step.context = found->text();
  if (auto found = mapping.find("target")) step.target = found->text();
  if (auto found = mapping.find("args")) step.args = parse_environment(*found);
  if (auto found = mapping.find("cleanup")) {
    const Mapping cleanup(*found, {"commands"});
    if (auto commands = cleanup.find("commands")) step.cleanup_commands = commands->texts();
  }
  if (auto found = mapping.find("command")) step.command = found->text();
  if (auto found = mapping.find("after_build_command")) step.after_build_command = found->text();
  if (auto found = mapping.find("no_cache")) step.no_cache = found->boolean();
  if (auto found = mapping.find("secrets")) step.secrets = parse_secrets(*found, version);
}

// Refuses what would have no effect: a key that is read and ignored is a fault nobody finds.
void check_host_step(const Mapping& mapping, const Value& value, const Step& step) {
  for (const auto& [key, instead] : kEngineKeys) {
    if (auto found = mapping.find(key)) {
      found->fail(fmt::format("needs a step with a `dockerfile`; on the host, {}", instead));
    }
  }
  if (step.run.empty() && !step.ship) {
    value.fail("has nothing to do; give it `run`, `dockerfile` or `whittle`");
  }
  if (step.run.empty()) {
    for (const char* key : {"dir", "env"}) {
      if (auto found = mapping.find(key)) found->fail("has no effect without `run`");
    }
  }
  if (!step.name.empty() && !step.ship) {
    mapping.require("name").fail("names an image, but this step builds none; add `whittle`");
  }
}

void check_engine_step(const Mapping& mapping) {
  for (const char* key : {"run", "dir", "env"}) {
    if (auto found = mapping.find(key)) {
      found->fail("is for steps on the host; this step builds a `dockerfile`");
    }
  }
}

std::vector<std::string> parse_dependencies(const Value& value, const std::string& own_label,
                                            const std::vector<std::string>& labels) {
  std::vector<std::string> dependencies;
  for (const Value& item : value.list()) {
    const std::string label = item.text();
    if (std::find(labels.begin(), labels.end(), label) == labels.end()) {
      item.fail(fmt::format("names step `{}`, which does not exist{}", printable(label),
                            did_you_mean(label, labels)));
    }
    if (label == own_label) item.fail("names its own step, which cannot wait for itself");
    if (std::find(dependencies.begin(), dependencies.end(), label) == dependencies.end()) {
      dependencies.push_back(label);
    }
  }
  return dependencies;
}

// What the other steps tell while one is read.
struct Neighbours {
  std::vector<std::string> labels;                 // of all steps
  std::map<std::string, std::string> image_names;  // name → label, of the steps read so far
};

// Two spellings of one name ("app", "docker.io/library/app:latest") are one name.
void check_name(const Value& value, const std::string& label, Neighbours& neighbours) {
  imagegen::Reference name;
  value.check([&] { name = imagegen::parse_reference(value.text()); });
  const auto [other, is_new] = neighbours.image_names.emplace(name.canonical, label);
  if (!is_new) {
    value.fail(fmt::format("is already the name of step `{}`; image names must be unique",
                           printable(other->second)));
  }
}

Step parse_step(const std::string& label, const Value& value, std::string_view version,
                Neighbours& neighbours) {
  const Mapping mapping(value, {"name", "dockerfile", "context", "target", "args", "artifacts",
                                "cleanup", "command", "after_build_command", "no_cache", "secrets",
                                "depends_on", "run", "dir", "env", "whittle"});
  Step step;
  step.label = label;
  step.position = value.position();
  if (auto found = mapping.find("name")) step.name = found->text();
  if (auto found = mapping.find("dockerfile")) step.dockerfile = found->text();
  if (auto found = mapping.find("run")) step.run = found->text();
  if (auto found = mapping.find("dir")) {
    step.dir = inner_path(*found, HostPath::Use::dir, step.paths);
  }
  if (auto found = mapping.find("env")) step.env = parse_environment(*found);
  if (auto found = mapping.find("whittle")) step.ship = parse_ship(*found, step.paths);
  parse_engine_keys(mapping, version, step);
  const bool on_host = step.dockerfile.empty();
  if (on_host) {
    check_host_step(mapping, value, step);
  } else {
    check_engine_step(mapping);
  }
  if (auto found = mapping.find("artifacts")) {
    step.artifacts = parse_artifacts(*found, step, step.paths);
  }
  if (auto found = mapping.find("depends_on")) {
    step.depends_on = parse_dependencies(*found, label, neighbours.labels);
    step.depends_on_position = found->position();
  }
  if (auto found = mapping.find("name")) check_name(*found, label, neighbours);
  std::stable_sort(step.paths.begin(), step.paths.end(),
                   [](const HostPath& a, const HostPath& b) { return a.use < b.use; });
  return step;
}

}  // namespace

BuildFile parse_build_file(std::string_view text, std::string_view path,
                           const Environment& environment) {
  const auto check_size = [&](std::size_t size) {
    if (size > kMaxFileSize) {
      throw Error(ErrorKind::usage, path,
                  fmt::format("has {} bytes; a build file has at most {}", size, kMaxFileSize));
    }
  };
  check_size(text.size());
  const SubstitutedText substituted(text, environment);
  check_size(substituted.text().size());

  const Document document(substituted, path);
  const Mapping root(document.root(), {"build"});
  const Mapping build(root.require("build"), {"version", "work_dir", "steps"});
  BuildFile file;
  file.path = path;
  if (auto found = build.find("version")) {
    file.version = found->text();
    if (std::find(std::begin(kVersions), std::end(kVersions), file.version) ==
        std::end(kVersions)) {
      found->fail(fmt::format("is `{}`; known versions are {}", printable(file.version),
                              fmt::join(kVersions, ", ")));
    }
  }
  if (auto found = build.find("work_dir")) file.work_dir = found->text_or_empty();

  const Value steps = build.require("steps");
  const auto entries = steps.entries();
  if (entries.empty()) steps.fail("has no steps");
  if (entries.size() > kMaxSteps) steps.fail(fmt::format("has more than {} steps", kMaxSteps));
  Neighbours neighbours;
  for (const auto& entry : entries) neighbours.labels.push_back(entry.first);
  for (const auto& [label, value] : entries) {
    file.steps.push_back(parse_step(label, value, file.version, neighbours));
  }
  refuse_clashes(file.path, file.steps);
  return file;
}

}  // namespace whittle::config
