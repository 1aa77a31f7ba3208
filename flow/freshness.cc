// SPDX-License-Identifier: MIT
#include "flow/freshness.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "common/text.h"

namespace whittle::flow {
namespace {

namespace fs = std::filesystem;

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// "2026-01-31 23:59:59 UTC"
std::string date(const timespec& time) {
  struct tm parts {};
  std::array<char, 64> text{};
  if (::gmtime_r(&time.tv_sec, &parts) == nullptr ||
      ::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts) == 0) {
    return fmt::format("{} seconds after 1970", time.tv_sec);
  }
  return text.data();
}

// Without a separator at the end.
std::string normal(const fs::path& path) {
  fs::path normal = path.lexically_normal();
  if (!normal.has_filename()) normal = normal.parent_path();
  return normal.native();
}

// Where `path` comes from when `source` was copied to `target`: `source` itself or a file in it.
std::optional<std::string> origin_in(const std::string& path, const std::string& target,
                                     const std::string& source) {
  if (path == target) return source;
  if (path.rfind(target + "/", 0) == 0) return source + path.substr(target.size());
  return std::nullopt;
}

}  // namespace

bool FileStamp::operator==(const FileStamp& other) const {
  return device == other.device && inode == other.inode && size == other.size &&
         same_time(modified, other.modified) && same_time(changed, other.changed);
}

std::optional<FileStamp> stamp_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileStamp{.device = status.st_dev,
                   .inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .modified = status.st_mtim,
                   .changed = status.st_ctim};
}

Freshness::Freshness(const Plan& plan, const fs::path& work_dir)
    : plan_(plan), work_dir_(work_dir), origins_(plan.steps.size()) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < plan.steps.size(); i++) {
    const config::Step& step = plan.steps[i].step;
    index.emplace(step.label, i);
    std::set<std::size_t> ancestors;  // each step comes after everything it depends on
    for (const std::string& label : step.depends_on) {
      const std::size_t dependency = index.at(label);
      ancestors.insert(dependency);
      ancestors.insert(ancestors_[dependency].begin(), ancestors_[dependency].end());
    }
    ancestors_.emplace_back(ancestors.rbegin(), ancestors.rend());
  }
  for (std::size_t i = 0; i < plan.steps.size(); i++) {
    if (!plan.steps[i].step.ship) continue;
    std::vector<std::string> seen;
    origins_[i] = find_origin(i, normal(plan.steps[i].step.ship->binary), seen);
    if (origins_[i]) origins_[i]->stamp = stamp_of(work_dir_ / origins_[i]->path);
  }
}

std::optional<Freshness::Origin> Freshness::find_origin(std::size_t step, const std::string& path,
                                                        std::vector<std::string>& seen) const {
  std::vector<std::size_t> makers = {step};
  makers.insert(makers.end(), ancestors_[step].begin(), ancestors_[step].end());
  for (const std::size_t maker : makers) {
    const config::Step& candidate = plan_.steps[maker].step;
    if (!candidate.dockerfile.empty()) continue;
    for (const config::Artifact& artifact : candidate.artifacts) {
      const std::string source = normal(fs::path(candidate.dir) / artifact.source);
      const std::string target = normal(fs::path(artifact.folder) / fs::path(source).filename());
      const auto origin = origin_in(path, target, source);
      if (!origin) continue;
      const std::string key = fmt::format("{} {}", maker, *origin);
      if (*origin != path && std::find(seen.begin(), seen.end(), key) == seen.end()) {
        seen.push_back(key);
        if (auto further = find_origin(maker, *origin, seen)) return further;
      }
      if (!candidate.run.empty()) return Origin{.path = *origin, .owner = maker, .stamp = {}};
    }
  }
  if (plan_.steps[step].step.run.empty()) return std::nullopt;
  return Origin{.path = path, .owner = step, .stamp = {}};
}

std::string Freshness::warning(std::size_t step) const {
  const auto& origin = origins_[step];
  if (!origin || !origin->stamp || stamp_of(work_dir_ / origin->path) != origin->stamp) return "";
  const std::string binary = printable(plan_.steps[step].step.ship->binary);
  const std::string path = printable(origin->path);
  const std::string maker =
      origin->owner == step
          ? "this step"
          : fmt::format("step `{}`", printable(plan_.steps[origin->owner].step.label));
  const std::string what = normal(plan_.steps[step].step.ship->binary) == origin->path
                               ? "it"
                               : fmt::format("`{}`, of which it is a copy", path);
  return fmt::format("`{}` is shipped, but {} did not change {}; last changed {}", binary, maker,
                     what, date(origin->stamp->modified));
}

}  // namespace whittle::flow
