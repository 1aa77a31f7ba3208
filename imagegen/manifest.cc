// SPDX-License-Identifier: MIT
//
// Three documents point at each other by digest: index.json → manifest → config and layer; the
// config holds what a container is started with. Sources: OCI image-spec 1.0, config.md,
// manifest.md, image-index.md, image-layout.md, annotations.md.
//
// The name of an image has three readers with three rules. `org.opencontainers.image.ref.name` in
// index.json is the plain tag: umoci and skopeo select by it (`LAYOUT:TAG`). podman and containerd
// take the whole name from `io.containerd.image.name`. docker reads RepoTags in manifest.json. What
// becomes of the tag where a layout has two names with the same one: layout_index.cc.
#include "imagegen/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "imagegen/reference.h"
#include "imagegen/spec.h"

namespace whittle::imagegen {
namespace {

constexpr std::string_view kCreated = "org.opencontainers.image.created";

Json platform(const ImageSpec& spec) {
  Json out = {{"architecture", spec.architecture}};
  if (!spec.variant.empty()) out["variant"] = spec.variant;
  out["os"] = "linux";
  return out;
}

// What `docker history` shows beside the layer's size.
std::string created_by(const ImageSpec& spec) {
  constexpr std::size_t kNamed = 3;
  std::string text = "whittle: add";
  for (std::size_t i = 0; i < std::min(spec.files.size(), kNamed); i++) {
    text += (i == 0 ? " " : ", ") + spec.files[i].path;
  }
  if (spec.files.size() > kNamed) {
    text += fmt::format(" and {} more", spec.files.size() - kNamed);
  }
  return text;
}

}  // namespace

Bytes serialise(const Json& json) {
  const std::string text = json.dump();
  return Bytes(text.begin(), text.end());
}

Json descriptor_of(const Blob& blob) {
  return {{"mediaType", blob.media_type}, {"digest", blob.digest}, {"size", blob.bytes.size()}};
}

std::string format_time(std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Blob make_config(const ImageSpec& spec, const Layer& layer) {
  Json run = Json::object();
  if (!spec.user.empty()) run["User"] = spec.user;
  for (const std::string& port : normalise_ports(spec.exposed_ports)) {
    run["ExposedPorts"][port] = Json::object();
  }
  if (!spec.env.empty()) run["Env"] = spec.env;
  if (!spec.entrypoint.empty()) run["Entrypoint"] = spec.entrypoint;
  if (!spec.cmd.empty()) run["Cmd"] = spec.cmd;
  run["WorkingDir"] = normalise_path(spec.working_dir);
  for (const auto& [key, value] : spec.labels) run["Labels"][key] = value;

  const std::string created = format_time(spec.created);
  Json config = {{"created", created}};
  config.update(platform(spec));
  config["config"] = std::move(run);
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", Json::array({layer.diff_id})}};
  config["history"] = Json::array({{{"created", created}, {"created_by", created_by(spec)}}});
  return make_blob(std::string(kConfigType), serialise(config));
}

Blob make_manifest(const ImageSpec& spec, const Blob& config, const Blob& layer) {
  std::map<std::string, std::string> annotations = spec.annotations;
  annotations.try_emplace(std::string(kCreated), format_time(spec.created));
  const Json manifest = {{"schemaVersion", 2},
                         {"mediaType", kManifestType},
                         {"config", descriptor_of(config)},
                         {"layers", Json::array({descriptor_of(layer)})},
                         {"annotations", annotations}};
  return make_blob(std::string(kManifestType), serialise(manifest));
}

Json index_descriptor(const Image& image) {
  const Reference reference = parse_reference(image.reference);
  // The config is ours and has the platform's members; the index repeats them for readers that
  // choose without opening it.
  const Json config = Json::parse(image.config.bytes);
  Json platform = {{"architecture", config.at("architecture")}, {"os", config.at("os")}};
  if (config.contains("variant")) platform["variant"] = config.at("variant");
  Json out = descriptor_of(image.manifest);
  out["platform"] = std::move(platform);
  out["annotations"] = {{kContainerdName, reference.canonical}, {kRefName, reference.tag}};
  return out;
}

Json make_index(const Image& image) {
  return {{"schemaVersion", 2},
          {"mediaType", kIndexType},
          {"manifests", Json::array({index_descriptor(image)})}};
}

Json docker_manifest(const Image& image) {
  return Json::array({{{"Config", blob_path(image.config)},
                       {"RepoTags", Json::array({image.reference})},
                       {"Layers", Json::array({blob_path(image.layer)})}}});
}

std::string blob_path(const Blob& blob) {
  return "blobs/sha256/" + blob.digest.substr(std::string_view("sha256:").size());
}

}  // namespace whittle::imagegen
