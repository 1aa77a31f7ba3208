// SPDX-License-Identifier: MIT
#include "ship/image_audit.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <utility>

#include "analyzer/supply.h"
#include "common/error.h"
#include "common/text.h"
#include "imagegen/image_tree.h"
#include "ship/image_platform.h"

namespace whittle::ship {
namespace {

using analyzer::AuditedFile;
using analyzer::ImageReport;

// Limits for all images of one path together. Images may share layers, so a small layout can
// describe very many files.
constexpr std::size_t kMaxEntries = 20'000'000;  // of layers that are laid over one another
constexpr std::size_t kMaxHeldEntries = 6'000'000;
constexpr std::size_t kMaxPrograms = 500'000;
constexpr std::size_t kMaxScripts = 100'000;  // of one image

// A layer, and what an audit says of the programs in it, by their places in the layer.
struct AuditedLayer {
  imagegen::LayerContents contents;
  std::map<std::size_t, AuditedFile> files;
};

class LayerAudits {
 public:
  LayerAudits(imagegen::ImageSet& images, const analyzer::AuditOptions& options)
      : images_(images), options_(options) {
    for (const imagegen::FoundImage& image : images.images()) {
      for (const imagegen::LayerClaim& layer : image.layers) uses_[layer.name]++;
    }
  }

  // Reads the layers of an image that are not known yet.
  void prepare(const imagegen::FoundImage& image) {
    std::set<std::string> names;
    if (!images_.is_sequential()) {
      for (const imagegen::LayerClaim& layer : image.layers) names.insert(layer.name);
    } else if (!has_read_all_) {
      for (const auto& [name, count] : uses_) names.insert(name);
      has_read_all_ = true;
    }
    std::erase_if(names, [&](const std::string& name) { return layers_.contains(name); });
    if (!names.empty()) read(names);
  }

  // Null for a missing layer.
  std::shared_ptr<const AuditedLayer> get(const std::string& name) const {
    const auto at = layers_.find(name);
    return at == layers_.end() ? nullptr : at->second;
  }

  // The number of entries in the layers of an image.
  std::size_t entries_of(const imagegen::FoundImage& image) const {
    std::size_t entries = 0;
    for (const imagegen::LayerClaim& claim : image.layers) {
      if (const auto layer = get(claim.name)) entries += layer->contents.entries.size();
    }
    return entries;
  }

  // Call it after an image: drops layers that no later image has.
  void release(const imagegen::FoundImage& image) {
    for (const imagegen::LayerClaim& layer : image.layers) {
      if (--uses_[layer.name] != 0) continue;
      const auto at = layers_.find(layer.name);
      if (at == layers_.end()) continue;
      held_ -= at->second->contents.entries.size();
      layers_.erase(at);
    }
  }

 private:
  void read(const std::set<std::string>& names) {
    analyzer::AuditOptions options = options_;
    if (options_.progress) {
      options.progress = [this](std::uint64_t done, std::uint64_t found) {
        options_.progress(done_ + done, done_ + found);
      };
    }
    std::unique_ptr<analyzer::Auditor> auditor;
    images_.read_layers(
        names,
        [&](const std::string&) {
          auditor = std::make_unique<analyzer::Auditor>(options);
          return imagegen::LayerVisitor{
              .keeps = analyzer::is_consulted,
              .take = [&auditor](std::size_t index, const imagegen::LayerEntry& entry,
                                 Bytes content) {
                auditor->add_content(std::to_string(index), entry.entry.mode, std::move(content));
              }};
        },
        [&](const std::string& name, imagegen::LayerContents contents) {
          auto layer = std::make_shared<AuditedLayer>();
          layer->contents = std::move(contents);
          held_ += layer->contents.entries.size();
          if (held_ > kMaxHeldEntries) {
            throw Error(ErrorKind::refused, "",
                        fmt::format("has layers of more than {} files at once{}", kMaxHeldEntries,
                                    images_.is_sequential() ? "; decompress the archive" : ""));
          }
          if (auditor != nullptr) {
            for (AuditedFile& file : auditor->finish()) keep(std::move(file), *layer);
            auditor.reset();  // a layer that is not read has none
          }

          done_ += layer->files.size();
          layers_[name] = std::move(layer);
        });
  }

  static void keep(AuditedFile file, AuditedLayer& layer) {
    if (file.report) {  // no audit shows them
      file.report->segments = {};
      file.report->sections = {};
    }
    const std::size_t index = std::stoul(file.path);
    layer.files.emplace(index, std::move(file));
  }

  imagegen::ImageSet& images_;
  const analyzer::AuditOptions& options_;
  std::map<std::string, std::size_t> uses_;  // by images that are still to come
  std::map<std::string, std::shared_ptr<const AuditedLayer>> layers_;
  std::uint64_t done_ = 0;  // files of layers that were read
  std::size_t held_ = 0;    // entries of layers_
  bool has_read_all_ = false;
};

class ImageAudit {
 public:
  ImageAudit(const imagegen::FoundImage& image, const std::string& path, Audit& out)
      : image_(image),
        path_(path + (image.label.empty() ? "" : "[" + printable(image.label) + "]")),
        out_(out) {
    report_.path = path_;
    report_.platform = image.platform;
    report_.digest = image.digest;
    report_.tags = image.tags;
    report_.is_absent = image.is_absent;
    report_.user = image.run.user;
  }

  void run(const LayerAudits& layers) {
    if (!image_.is_absent) {
      for (const auto& [where, error] : image_.problems) miss(where, error);
      lay_over(layers);
      look_around();
    } else {
      report_.not_looked_at.push_back(fmt::format("{} is not there", image_.digest));
    }
    out_.images.push_back(std::move(report_));
  }

 private:
  void add_error(const std::string& where, const Error& error) {
    out_.files.push_back(analyzer::failed_file(path_ + ":" + where, error));
    report_.not_looked_at.push_back(where + ": " + out_.files.back().error);
  }

  // A part of the tree is unknown from here on.
  void miss(const std::string& where, const Error& error) {
    add_error(where, error);
    is_whole_ = false;
  }

  void lay_over(const LayerAudits& layers) {
    bool is_named = true;
    for (const imagegen::LayerClaim& claim : image_.layers) {
      const std::string where =
          "layer " + (claim.digest.empty() ? printable(claim.name) : claim.digest);
      const auto layer = layers.get(claim.name);
      if (layer == nullptr) {
        miss(where, Error(ErrorKind::corrupt, "", "the image has no " + printable(claim.name)));
        continue;
      }
      if (const auto error = imagegen::check_layer(claim, layer->contents)) {
        miss(where, *error);
        continue;
      }
      is_named &= !claim.digest.empty() || !claim.diff_id.empty();
      for (const auto& [name, error] : layer->contents.problems) miss(name, error);
      layers_.push_back(layer);
      try {
        tree_.apply(layer->contents,
                    [&](const std::string& name, const Error& error) { miss(name, error); });
      } catch (const Error& error) {
        miss(where, error);
        break;
      }
    }
    report_.is_verified = is_whole_ && is_named;
  }

  void look_around() {
    analyzer::StartCheck check(tree_, image_.run, [this](const LinkedObject& object) {
      return problem_of_machine(object, image_.platform);
    });
    std::set<imagegen::ImageTree::Origin> seen;
    tree_.for_each([&](const std::string& path, const TreeEntry& entry,
                       imagegen::ImageTree::Origin origin, const Error* problem) {
      report_.folders += entry.is_folder();
      report_.links += entry.type == TreeEntry::Type::symlink;
      if (!entry.is_file() || !seen.insert(origin).second) return;
      report_.files++;
      report_.bytes += entry.size;
      if (problem != nullptr) {  // only its content is unknown; the tree is complete
        add_error(path, *problem);
      } else {
        add_file(path, origin, check);
      }
      add_script(path, entry, check);
    });
    report_.startup = check.startup();
    std::string unknown;
    if (!image_.is_config_known) {
      unknown = "does not say what it runs: its config is missing or could not be read";
    } else if (!image_.platform.empty() && !image_.platform.starts_with("linux/")) {
      unknown = "is not known, because the image is for " + printable(image_.platform);
    } else if (!is_whole_ && !report_.startup.program.empty()) {
      unknown = "is not known, because not all of the image could be read";
    }
    if (unknown.empty()) return;
    report_.startup.runs = {};
    report_.startup.runs.problem = unknown;
  }

  void add_file(const std::string& path, imagegen::ImageTree::Origin origin,
                analyzer::StartCheck& check) {
    const auto& files = layers_.at(origin.layer)->files;
    const auto at = files.find(origin.entry);
    if (at == files.end()) return;
    AuditedFile file = at->second;
    file.path = path_ + ":" + path;
    if (file.report) {
      file.report->path = file.path;
      const auto object = tree_.object(path);
      if (object != nullptr && file.report->kind == analyzer::Kind::dynamic_executable) {
        file.report->linkage.libraries = check.libraries(*object, path);
      }
      if (is_whole_) analyzer::mark_supplied(tree_, check, *file.report);
    }
    out_.files.push_back(std::move(file));
  }

  void add_script(const std::string& path, const TreeEntry& entry, analyzer::StartCheck& check) {
    const auto magic = tree_.read(path, 2);
    if ((entry.mode & 0111) == 0 || !magic || as_text(*magic) != "#!") return;
    if (report_.scripts.size() == kMaxScripts) {
      if (std::exchange(has_all_scripts_, false)) {
        add_error(path, Error(ErrorKind::refused, "",
                              fmt::format("this and all later scripts are not looked at: there are "
                                          "more than {}",
                                          kMaxScripts)));
      }
      return;
    }
    const analyzer::Runnable runs = check.interpret(path);
    report_.scripts.push_back({.path = path,
                               .interpreters = runs.interpreters,
                               .present = is_whole_ ? runs.answer : analyzer::Answer::unknown,
                               .problem = runs.problem});
  }

  const imagegen::FoundImage& image_;
  std::string path_;
  Audit& out_;
  ImageReport report_;
  imagegen::ImageTree tree_;
  std::vector<std::shared_ptr<const AuditedLayer>> layers_;  // those in the tree, by its numbers
  bool is_whole_ = true, has_all_scripts_ = true;
};

}  // namespace

void audit_images(imagegen::ImageSet& images, const std::filesystem::path& path,
                  const analyzer::AuditOptions& options, Audit& out) {
  LayerAudits layers(images, options);
  std::size_t entries = 0;
  for (const imagegen::FoundImage& image : images.images()) {
    if (!image.is_absent) layers.prepare(image);
    entries += layers.entries_of(image);
    if (entries > kMaxEntries || out.files.size() > kMaxPrograms) {
      throw Error(
          ErrorKind::refused, path.native(),
          fmt::format("has images of more than {} files or {} programs together; those from "
                      "{} on are not looked at: audit them one by one",
                      kMaxEntries, kMaxPrograms, printable(image.label)));
    }
    ImageAudit(image, path.native(), out).run(layers);
    layers.release(image);
  }
}

}  // namespace whittle::ship
