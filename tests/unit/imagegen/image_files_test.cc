// SPDX-License-Identifier: MIT
#include "imagegen/image_files.h"

#include <fstream>

#include "common/file.h"
#include "imagegen/stream.h"
#include "tests/unit/common/mutate.h"
#include "tests/unit/imagegen/testing.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// A tar of files; a name that ends in "/" is a folder.
Bytes tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
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

std::string text(const Bytes& bytes) { return std::string(as_text(bytes)); }

// An archive as `docker save` writes it, of layers from the lowest up.
Bytes docker_archive(const std::vector<Bytes>& layers) {
  std::vector<std::pair<std::string, std::string>> files;
  nlohmann::json names = nlohmann::json::array();
  for (std::size_t i = 0; i < layers.size(); i++) {
    files.emplace_back(std::to_string(i) + "/layer.tar", text(layers[i]));
    names.push_back(files.back().first);
  }
  const nlohmann::json manifest = {{{"RepoTags", {"app:1"}}, {"Layers", names}}};
  files.emplace_back("manifest.json", manifest.dump());
  return tar_of(files);
}

class ImageFilesTest : public FolderTest {
 protected:
  fs::path put(const std::string& name, const Bytes& bytes) {
    fs::create_directories((folder_ / name).parent_path());
    write_file_atomic(folder_ / name, bytes);
    return folder_ / name;
  }
  // "IMAGE/PATH=CONTENT" of every file; problems go to `problems_`.
  std::vector<std::string> walk(const fs::path& path) {
    std::vector<std::string> out;
    problems_.clear();
    walk_image(path, {.wants = [](ByteView start) { return as_text(start) != "skip"; },
                      .take =
                          [&](const ImageFile& file) {
                            out.push_back(file.image + file.path + "=" + text(file.content));
                          },
                      .problem =
                          [&](const std::string& where, const Error& error) {
                            problems_.push_back(where + ": " + error.message());
                          }});
    return out;
  }
  std::vector<std::string> walk_layers(const std::vector<Bytes>& layers) {
    return walk(put("image.tar", docker_archive(layers)));
  }

  std::vector<std::string> problems_;
};

TEST_F(ImageFilesTest, AreThoseOfEveryLayer) {
  EXPECT_THAT(walk_layers({tar_of({{"bin/a", "lower a"}, {"bin/skipped", "skip me"}}),
                           tar_of({{"bin/b", "upper b"}, {"x", ""}})}),
              UnorderedElementsAre("/bin/a=lower a", "/bin/b=upper b", "/x="));
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(ImageFilesTest, UpperLayersHideLowerOnes) {
  const Bytes lower =
      tar_of({{"a", "lower"}, {"d/x", "lower"}, {"d/e/y", "lower"}, {"f", "lower"}});
  EXPECT_THAT(walk_layers({lower, tar_of({{"a", "upper"}})}),
              UnorderedElementsAre("/a=upper", "/d/x=lower", "/d/e/y=lower", "/f=lower"));
  EXPECT_THAT(walk_layers({lower, tar_of({{".wh.a", ""}, {"d/.wh.e", ""}})}),
              UnorderedElementsAre("/d/x=lower", "/f=lower"));
  EXPECT_THAT(walk_layers({lower, tar_of({{"d/", ""}, {"d/.wh..wh..opq", ""}, {"d/n", "new"}})}),
              UnorderedElementsAre("/a=lower", "/d/n=new", "/f=lower"));
  EXPECT_THAT(walk_layers({lower, tar_of({{"d", "a file now"}})}),
              UnorderedElementsAre("/a=lower", "/d=a file now", "/f=lower"));
  EXPECT_THAT(walk_layers({lower, tar_of({{"f/", ""}, {"f/g", "new"}})}),
              UnorderedElementsAre("/a=lower", "/d/x=lower", "/d/e/y=lower", "/f/g=new"));
  // Taken away, then put back: the middle layer's whiteout does not reach up.
  EXPECT_THAT(walk_layers({lower, tar_of({{".wh.a", ""}}), tar_of({{"a", "again"}})}),
              UnorderedElementsAre("/a=again", "/d/x=lower", "/d/e/y=lower", "/f=lower"));
}

TEST_F(ImageFilesTest, OfWhatWhittleWrites) {
  ImageSpec spec = small_spec();
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    spec.compression = compression;
    const Image image = build_image(spec);
    write_archive(image, folder_ / "image.tar");
    EXPECT_TRUE(is_image(folder_ / "image.tar"));
    EXPECT_THAT(walk(folder_ / "image.tar"), ElementsAre("/app=not really a program\n"));
    const fs::path layout = folder_ / std::string(name(compression));
    write_layout(image, layout);
    EXPECT_TRUE(is_image(layout));
    EXPECT_THAT(walk(layout), ElementsAre("/app=not really a program\n"));
  }
}

TEST_F(ImageFilesTest, SeveralImagesAreNamed) {
  ImageSpec spec = small_spec();
  write_layout(build_image(spec), folder_ / "layout");
  spec.tag = "other:2";
  spec.architecture = "arm64";
  spec.files[0].content = to_bytes("arm");
  write_layout(build_image(spec), folder_ / "layout");
  EXPECT_THAT(
      walk(folder_ / "layout"),
      UnorderedElementsAre("linux/amd64/app=not really a program\n", "linux/arm64/app=arm"));
}

TEST_F(ImageFilesTest, CompressedArchivesAreRead) {
  Bytes packed;
  Compressor gzip([&](ByteView b) { packed.insert(packed.end(), b.begin(), b.end()); },
                  Compression::gzip);
  gzip.write(docker_archive({tar_of({{"a", "content"}})}));
  gzip.finish();
  const fs::path path = put("image.tar.gz", packed);
  EXPECT_TRUE(is_image(path));
  EXPECT_THAT(walk(path), ElementsAre("/a=content"));
}

TEST_F(ImageFilesTest, OtherFilesAreNoImages) {
  EXPECT_FALSE(is_image(put("text", to_bytes("text"))));
  EXPECT_FALSE(is_image(put("empty", {})));
  EXPECT_FALSE(is_image(put("other.tar", tar_of({{"a", "b"}}))));
  EXPECT_FALSE(is_image(folder_));
  EXPECT_FALSE(is_image(folder_ / "missing"));
  EXPECT_FALSE(is_image("/dev/null"));
}

TEST_F(ImageFilesTest, ADamagedLayerIsAProblemAndTheOthersAreRead) {
  Bytes damaged = tar_of({{"b", std::string(5000, 'b')}});
  damaged.resize(2000);
  EXPECT_THAT(walk_layers({tar_of({{"a", "x"}}), damaged}), ElementsAre("/a=x"));
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("cannot read the archive")));
}

TEST_F(ImageFilesTest, NamesStayInTheRoot) {
  Bytes layer = tar_of({{"aa/bb", "x"}});
  // TarWriter refuses such names: put one into a header, whose sum of bytes has to fit.
  for (std::size_t i = 0; i < 2; i++) layer[i] = '.';
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? ' ' : layer[i];
  std::snprintf(reinterpret_cast<char*>(&layer[148]), 8, "%06o", sum);
  EXPECT_THAT(walk_layers({layer}), IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("leads out of the root")));
}

TEST_F(ImageFilesTest, BrokenDescriptionsAreErrors) {
  const auto fails = [&](const std::string& manifest, const char* message) {
    const fs::path path = put("image.tar", tar_of({{"manifest.json", manifest}}));
    EXPECT_ERROR(walk(path), corrupt, HasSubstr(message));
  };
  fails("{", "not a JSON list");
  fails("{}", "not a JSON list");
  fails(R"([{"Layers": 1}])", "lists no layers");
  const auto index_fails = [&](const std::string& index, const char* message) {
    const fs::path path = put("image.tar", tar_of({{"index.json", index}}));
    EXPECT_ERROR(walk(path), corrupt, HasSubstr(message));
  };
  index_fails("[]", "not a JSON object");
  index_fails(R"({"manifests": {}})", "lists no manifests");
  index_fails(R"({"manifests": [{"digest": "sha256:../../etc"}]})", "is not a digest");
  index_fails(R"({"manifests": [{"digest": "sha256:00"}]})", "has no blobs/sha256/00");
  EXPECT_THAT(walk(put("image.tar", tar_of({{"manifest.json", R"([{"Layers": ["gone"]}])"}}))),
              IsEmpty());
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("has no gone")));
}

TEST_F(ImageFilesTest, SurviveDamage) {
  Bytes packed;
  Compressor gzip([&](ByteView b) { packed.insert(packed.end(), b.begin(), b.end()); },
                  Compression::gzip);
  gzip.write(tar_of({{"a", std::string(3000, 'a')}, {"b/.wh.c", ""}}));
  gzip.finish();
  for (const Bytes& original : {docker_archive({tar_of({{"a", "x"}}), packed}), packed}) {
    test::expect_survives(original, 250, [&](ByteView bytes) {
      const fs::path path = folder_ / "image.tar";
      std::ofstream(path, std::ios::binary)
          .write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
      try {
        walk(path);
      } catch (const Error& error) {
        EXPECT_EQ(name(error.kind()), name(ErrorKind::corrupt)) << error.what();
      }
      is_image(path);
    });
  }
}

}  // namespace
}  // namespace whittle::imagegen
