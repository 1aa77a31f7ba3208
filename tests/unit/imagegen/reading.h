// SPDX-License-Identifier: MIT
//
// Images that tests write by hand, one way or the other, and what is read of them.
#pragma once

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "imagegen/image_set.h"
#include "imagegen/image_tree.h"
#include "imagegen/stream.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/imagegen/testing.h"

namespace whittle::imagegen {

// One header of a tar, and the content padded: what TarWriter refuses to write is written, too.
struct RawEntry {
  std::string name;
  char type = '0';  // as tar has it: 0 file, 1 hard link, 2 symbolic link, 5 folder, 6 FIFO
  std::string content = {};
  std::string target = {};
  unsigned mode = 0755, owner = 0, group = 0;
};

inline std::string raw_entry(const RawEntry& entry) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  const auto octal = [](std::uint64_t value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
    return std::string(text);
  };
  put(0, entry.name.substr(0, 100));
  put(100, octal(entry.mode, 7));
  put(108, octal(entry.owner, 7));
  put(116, octal(entry.group, 7));
  put(124, octal(entry.content.size(), 11));
  put(136, octal(0, 11));
  put(148, std::string(8, ' '));
  header[156] = entry.type;
  put(157, entry.target.substr(0, 100));
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  std::string out = header + entry.content;
  out.resize((out.size() + 511) / 512 * 512);
  return out;
}

inline Bytes raw_tar(const std::vector<RawEntry>& entries) {
  std::string out;
  for (const RawEntry& entry : entries) out += raw_entry(entry);
  return to_bytes(out + std::string(1024, '\0'));
}

// A tar of files; a name that ends in "/" is a folder.
inline Bytes tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  Bytes out;
  TarWriter writer([&](ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }, 0);
  for (const auto& [name, content] : files) {
    if (name.ends_with("/")) {
      writer.add_folder(name.substr(0, name.size() - 1), 0755);
    } else {
      writer.add_file(name, as_bytes(content), 0755);
    }
  }
  writer.finish();
  return out;
}

inline std::string text(const Bytes& bytes) { return std::string(as_text(bytes)); }
inline std::string digest_of(ByteView bytes) { return "sha256:" + to_hex(sha256(bytes)); }

inline Bytes compressed(ByteView bytes, Compression compression) {
  Bytes out;
  Compressor compressor([&](ByteView b) { out.insert(out.end(), b.begin(), b.end()); },
                        compression);
  compressor.write(bytes);
  compressor.finish();
  return out;
}

// A program; `mark` makes its content unique.
inline std::string program(const std::string& mark) {
  return text(test::build(test::ElfSpec{}).bytes) + mark;
}

inline ByteSource source_of(ByteView bytes) {
  return [bytes, at = std::size_t{0}](std::span<std::uint8_t> buffer) mutable {
    const std::size_t n = std::min(buffer.size(), bytes.size() - at);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), n, buffer.begin());
    at += n;
    return n;
  };
}

// The files of an OCI layout, by name, as a test puts them together.
class LayoutFiles {
 public:
  nlohmann::json blob(const Bytes& bytes, const std::string& type) {
    const std::string digest = digest_of(bytes);
    files["blobs/sha256/" + digest.substr(7)] = bytes;
    return {{"mediaType", type}, {"digest", digest}, {"size", bytes.size()}};
  }
  nlohmann::json blob(const nlohmann::json& json, const std::string& type) {
    return blob(to_bytes(json.dump()), type);
  }
  static nlohmann::json config(const std::vector<Bytes>& layers) {
    nlohmann::json ids = nlohmann::json::array();
    for (const Bytes& layer : layers) ids.push_back(digest_of(layer));
    return {{"architecture", "amd64"},
            {"os", "linux"},
            {"config", {{"Entrypoint", {"/app"}}}},
            {"rootfs", {{"type", "layers"}, {"diff_ids", ids}}}};
  }
  // The descriptor of an image of these layers, which are not compressed.
  nlohmann::json image(const std::vector<Bytes>& layers) { return image(layers, config(layers)); }
  nlohmann::json image(const std::vector<Bytes>& layers, const nlohmann::json& its_config) {
    nlohmann::json list = nlohmann::json::array();
    for (const Bytes& layer : layers) list.push_back(blob(layer, kLayer));
    return blob(
        nlohmann::json{
            {"schemaVersion", 2}, {"config", blob(its_config, kConfig)}, {"layers", list}},
        kManifest);
  }
  void index(const std::vector<nlohmann::json>& manifests) {
    files["oci-layout"] = to_bytes(R"({"imageLayoutVersion":"1.0.0"})");
    files["index.json"] =
        to_bytes(nlohmann::json{{"schemaVersion", 2}, {"manifests", manifests}}.dump());
  }

  std::map<std::string, Bytes> files;

  static constexpr const char* kLayer = "application/vnd.oci.image.layer.v1.tar";
  static constexpr const char* kConfig = "application/vnd.oci.image.config.v1+json";
  static constexpr const char* kManifest = "application/vnd.oci.image.manifest.v1+json";
  static constexpr const char* kIndex = "application/vnd.oci.image.index.v1+json";
};

class ReadingTest : public FolderTest {
 protected:
  std::filesystem::path put(const std::string& name, const Bytes& bytes) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary)
        .write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    return folder_ / name;
  }
  // As a folder, and as a tar.
  std::filesystem::path put_folder(const LayoutFiles& layout, const std::string& name = "layout") {
    for (const auto& [file, bytes] : layout.files) put(name + "/" + file, bytes);
    return folder_ / name;
  }
  std::filesystem::path put_archive(const LayoutFiles& layout,
                                    const std::string& name = "layout.tar") {
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto& [file, bytes] : layout.files) entries.emplace_back(file, text(bytes));
    return put(name, tar_of(entries));
  }

  // "LABEL/PATH=CONTENT" of every program in every image, without the common beginning; problems go
  // to `problems_`.
  std::vector<std::string> walk(const std::filesystem::path& path) {
    std::vector<std::string> out;
    problems_.clear();
    images_ = ImageSet::open(path);
    if (images_ == nullptr) return {"no image"};
    for (const FoundImage& image : images_->images()) {
      for (const auto& [where, error] : image.problems) problems_.push_back(error.message());
      std::map<std::string, std::pair<LayerContents, std::map<std::size_t, Bytes>>> layers;
      std::set<std::string> names;
      for (const LayerClaim& layer : image.layers) names.insert(layer.name);
      images_->read_layers(
          names,
          [&](const std::string& name) {
            return LayerVisitor{.keeps = [](const std::string&) { return false; },
                                .take =
                                    [&, name](std::size_t index, const LayerEntry&, Bytes content) {
                                      layers[name].second[index] = std::move(content);
                                    }};
          },
          [&](const std::string& name, LayerContents contents) {
            layers[name].first = std::move(contents);
          });
      ImageTree tree;
      std::vector<std::string> applied;
      for (const LayerClaim& claim : image.layers) {
        if (!layers.contains(claim.name)) {
          problems_.push_back("has no " + claim.name);
          continue;
        }
        const LayerContents& contents = layers.at(claim.name).first;
        if (const auto error = check_layer(claim, contents)) {
          problems_.push_back(error->message());
          continue;
        }
        for (const auto& [name, error] : contents.problems) {
          problems_.push_back(name + ": " + error.message());
        }
        tree.apply(contents, [&](const std::string& name, const Error& error) {
          problems_.push_back(name + ": " + error.message());
        });
        applied.push_back(claim.name);
      }
      tree.for_each([&](const std::string& name, const TreeEntry& entry, ImageTree::Origin origin,
                        const Error* problem) {
        if (problem != nullptr) problems_.push_back(name + ": " + problem->message());
        if (!entry.is_file()) return;
        const auto& taken = layers.at(applied.at(origin.layer)).second;
        const auto at = taken.find(origin.entry);
        if (at == taken.end()) return;
        const std::size_t common = program("").size();
        out.push_back(image.label + name + "=" + text(at->second).substr(common));
      });
    }
    return out;
  }

  std::unique_ptr<ImageSet> images_;
  std::vector<std::string> problems_;
};

}  // namespace whittle::imagegen
