// SPDX-License-Identifier: MIT
#include "ship/audit.h"

#include "analyzer/policy.h"
#include "tests/unit/imagegen/reading.h"

namespace whittle::ship {
namespace {

namespace fs = std::filesystem;
using analyzer::Answer;
using imagegen::digest_of;
using imagegen::LayoutFiles;
using imagegen::raw_tar;
using imagegen::RawEntry;
using imagegen::tar_of;
using imagegen::text;
using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::string elf(const std::string& interpreter = "", std::vector<std::string> needed = {},
                std::uint16_t machine = elf::kMachineX86_64) {
  test::ElfSpec spec;
  spec.interpreter = interpreter;
  spec.needed = std::move(needed);
  spec.machine = machine;
  return text(test::build(spec).bytes);
}

std::string library() {
  test::ElfSpec spec;
  spec.type = elf::kTypeDyn;
  spec.soname = "x";
  return text(test::build(spec).bytes);
}

class ImageAuditTest : public imagegen::ReadingTest {
 protected:
  Audit audit_of(const fs::path& path) { return audit({path}, {.root = {}, .progress = {}}); }

  // "PATH kind" or "PATH: error" of each file, without the test's folder.
  std::vector<std::string> files(const Audit& audit) const {
    std::vector<std::string> out;
    for (const auto& file : audit.files) {
      const std::string path = file.path.substr(folder_.native().size() + 1);
      out.push_back(file.report ? path + " " + std::string(name(file.report->kind))
                                : path + ": " + file.error);
    }
    return out;
  }

  // The audit of one image of these layers.
  Audit audit_layers(const std::vector<Bytes>& layers, const json& run = json::object()) {
    LayoutFiles layout;
    json config = LayoutFiles::config(layers);
    for (const auto& [key, value] : run.items()) config["config"][key] = value;
    layout.index({layout.image(layers, config)});
    return audit_of(put_folder(layout, "layout" + std::to_string(count_++)));
  }

  int count_ = 0;
};

TEST_F(ImageAuditTest, EveryProgramIsNamedOnce) {
  const Audit audit = audit_layers({raw_tar({{"bin/b", '0', elf()},
                                             {"bin/c", '1', "", "bin/b"},
                                             {"app", '0', elf("/ld.so")},
                                             {"lib.so", '0', library(), "", 0644}})});
  EXPECT_THAT(files(audit), ElementsAre("layout0:/app dynamic", "layout0:/bin/b static"));
  ASSERT_THAT(audit.images, SizeIs(1));
  EXPECT_EQ(audit.images[0].files, 3u);
  EXPECT_EQ(audit.images[0].folders, 1u);
  EXPECT_TRUE(audit.images[0].is_verified);
  EXPECT_EQ(audit.files[0].report->path, audit.files[0].path);
}

// A file of which the first name is deleted is still there.
TEST_F(ImageAuditTest, OneNameOfSeveralIsEnough) {
  const Audit audit = audit_layers(
      {raw_tar({{"bin/a", '0', elf()}, {"bin/b", '1', "", "bin/a"}}), tar_of({{"bin/.wh.a", ""}})});
  EXPECT_THAT(files(audit), ElementsAre("layout0:/bin/b static"));
}

// What is hidden is not judged, be it damaged.
TEST_F(ImageAuditTest, HiddenFilesDoNotCount) {
  const Bytes lower = tar_of({{"a",
                               "\x7f"
                               "ELF damaged"},
                              {"b", elf("/ld.so")}});
  EXPECT_THAT(files(audit_layers({lower})), ElementsAre(HasSubstr("a: "), HasSubstr("b dynamic")));
  EXPECT_THAT(files(audit_layers({lower, tar_of({{"a", elf()}, {".wh.b", ""}})})),
              ElementsAre("layout1:/a static"));
}

TEST_F(ImageAuditTest, NothingOfALayerThatIsNotTheOneCounts) {
  const Bytes lower = tar_of({{"app", elf()}});
  const Bytes upper = tar_of({{"other", elf("/ld.so")}});
  LayoutFiles layout;
  layout.index({layout.image({lower, upper})});
  layout.files["blobs/sha256/" + digest_of(upper).substr(7)] = tar_of({{"other", elf()}});
  const Audit audit = audit_of(put_folder(layout));
  ASSERT_THAT(audit.files, SizeIs(2));
  EXPECT_THAT(files(audit), ElementsAre(HasSubstr("layout:layer sha256:"), "layout:/app static"));
  EXPECT_EQ(audit.files[0].error_exit_code, 4);
  const analyzer::ImageReport& image = audit.images.at(0);
  EXPECT_FALSE(image.is_verified);
  EXPECT_THAT(image.not_looked_at, ElementsAre(HasSubstr("is not the layer that the image names")));
  // It may be that the layer takes the program away.
  EXPECT_EQ(image.startup.runs.answer, Answer::unknown);
  EXPECT_THAT(image.startup.runs.problem, HasSubstr("not all of the image could be read"));
}

TEST_F(ImageAuditTest, ALayerOfAnotherSizeIsAnErrorAlone) {
  const Bytes first = tar_of({{"a", elf()}}), second = tar_of({{"b", elf()}}),
              third = tar_of({{"c", elf()}});
  LayoutFiles layout;
  layout.index({layout.image({first, second, third})});
  layout.files["blobs/sha256/" + digest_of(second).substr(7)] = imagegen::to_bytes("short");
  for (const fs::path& path : {put_folder(layout), put_archive(layout)}) {
    const Audit audit = audit_of(path);
    ASSERT_THAT(audit.files, SizeIs(3));
    EXPECT_THAT(audit.files[0].error, HasSubstr("its size is 5, not "));
  }
}

TEST_F(ImageAuditTest, TheEntrypointIsLookedUp) {
  const auto startup = [&](const std::vector<RawEntry>& entries, const json& run) {
    const Audit audit = audit_layers({raw_tar(entries)}, run);
    const analyzer::Runnable& runs = audit.images.at(0).startup.runs;
    return runs.answer == Answer::yes ? runs.path + " " + runs.kind : runs.problem;
  };
  const json app = {{"Entrypoint", {"/app"}}};
  EXPECT_EQ(startup({{"app", '0', elf()}}, app), "/app static");
  EXPECT_EQ(startup({{"usr/bin/app", '0', elf()}, {"bin", '2', "", "usr/bin"}},
                    {{"Entrypoint", nullptr}, {"Cmd", {"app"}}, {"Env", {"PATH=/bin"}}}),
            "/usr/bin/app static");
  EXPECT_EQ(startup({{"app", '0', elf(), "", 0700}}, {{"Entrypoint", {"/app"}}, {"User", "7"}}),
            "has the mode 0700 and belongs to 0:0: user 7 may not execute it");
  EXPECT_EQ(
      startup({{"app", '0', elf(), "", 0700, 7}, {"etc/passwd", '0', "me:x:7:7::/:\n", "", 0644}},
              {{"Entrypoint", {"/app"}}, {"User", "me"}}),
      "/app static");
  EXPECT_EQ(startup({{"app", '0', elf("/lib/ld.so", {"liba.so"})},
                     {"usr/lib/ld.so", '0', library()},
                     {"lib", '2', "", "usr/lib"}},
                    app),
            "misses liba.so");
  EXPECT_EQ(startup({{"app", '0', "#!/bin/sh\n"}, {"bin/sh", '0', elf()}}, app), "/app script");
  EXPECT_EQ(startup({{"app", '0', elf("", {}, elf::kMachineAarch64)}}, app),
            "is for arm64, but the image is for amd64");
  EXPECT_EQ(startup({}, {{"Entrypoint", nullptr}}),
            "names nothing to run: entrypoint and cmd are empty");
}

TEST_F(ImageAuditTest, ScriptsAreCounted) {
  const Audit audit = audit_layers({raw_tar({{"a", '0', "#!/bin/sh\n"},
                                             {"b", '0', "#!/usr/bin/perl -w\n"},
                                             {"data", '0', "#!/bin/sh\n", "", 0644},
                                             {"bin/sh", '0', elf()},
                                             {"c", '1', "", "a"}})});
  const auto& scripts = audit.images.at(0).scripts;
  ASSERT_THAT(scripts, SizeIs(2));
  EXPECT_EQ(scripts[0].path, "/a");
  EXPECT_EQ(scripts[0].present, Answer::yes);
  EXPECT_EQ(scripts[1].path, "/b");
  EXPECT_EQ(scripts[1].present, Answer::no);
  EXPECT_THAT(scripts[1].interpreters, ElementsAre("/usr/bin/perl"));
}

TEST_F(ImageAuditTest, LibrariesAreThoseOfTheImage) {
  const Audit audit = audit_layers({raw_tar({{"app", '0', elf("/ld.so", {"liba.so", "libb.so"})},
                                             {"ld.so", '0', library()},
                                             {"opt/liba.so", '0', library(), "", 0644},
                                             {"etc/ld.so.cache", '0', "", "", 0644},
                                             {"etc/ld.so.conf", '0', "/opt\n", "", 0644}})});
  ASSERT_TRUE(audit.files.at(0).report->linkage.libraries);
  const analyzer::LibraryTree& tree = *audit.files[0].report->linkage.libraries;
  EXPECT_EQ(tree.libraries.at(0).path, "/opt/liba.so");
  EXPECT_THAT(tree.missing, ElementsAre("libb.so"));
}

TEST_F(ImageAuditTest, EachImageOfAnIndexIsJudgedByItself) {
  LayoutFiles layout;
  const auto image = [&](const Bytes& layer, const char* machine, const char* program) {
    json config = LayoutFiles::config({layer});
    config["architecture"] = machine;
    config["config"]["Entrypoint"] = {program};
    json descriptor = layout.image({layer}, config);
    descriptor["platform"] = {{"os", "linux"}, {"architecture", machine}};
    return descriptor;
  };
  const Bytes shared = raw_tar({{"app", '0', elf()}});
  layout.index({image(shared, "amd64", "/app"), image(shared, "arm64", "/app"),
                image(shared, "386", "/other")});
  for (const fs::path& path : {put_folder(layout), put_archive(layout)}) {
    const Audit audit = audit_of(path);
    ASSERT_THAT(audit.images, SizeIs(3));
    EXPECT_THAT(audit.files, SizeIs(3));
    EXPECT_EQ(audit.images[0].startup.runs.answer, Answer::yes);
    EXPECT_EQ(audit.images[1].startup.runs.problem, "is for amd64, but the image is for arm64");
    EXPECT_EQ(audit.images[2].startup.runs.problem, "is not in the image");
    EXPECT_THAT(audit.files[1].path, HasSubstr("[linux/arm64]:/app"));
  }
}

TEST_F(ImageAuditTest, WithoutItsConfigItIsUnknownWhatAnImageRuns) {
  LayoutFiles layout;
  const Bytes layer = tar_of({{"app", elf()}});
  const json image = layout.image({layer});
  layout.files.erase("blobs/sha256/" +
                     digest_of(as_bytes(LayoutFiles::config({layer}).dump())).substr(7));
  layout.index({image});
  const Audit audit = audit_of(put_folder(layout));
  EXPECT_THAT(files(audit), ElementsAre(HasSubstr("has no config"), "layout:/app static"));
  EXPECT_EQ(audit.images[0].startup.runs.answer, Answer::unknown);
  EXPECT_THAT(audit.images[0].startup.runs.problem, HasSubstr("its config is missing"));
}

TEST_F(ImageAuditTest, WhatIsNotLinuxIsUnknown) {
  LayoutFiles layout;
  const Bytes layer = tar_of({{"app.exe", "MZ"}});
  json config = LayoutFiles::config({layer});
  config["os"] = "windows";
  layout.index({layout.image({layer}, config)});
  const Audit audit = audit_of(put_folder(layout));
  EXPECT_EQ(audit.images.at(0).startup.runs.answer, Answer::unknown);
}

// Needs are met by the image that a program is in, and only there.
TEST_F(ImageAuditTest, NeedsAreMetByTheImage) {
  // What musl's getpwnam is, in a program without symbols.
  test::ElfSpec spec;
  spec.data = std::string("\0/etc/passwd\0No error information\0Illegal byte sequence\0", 57);
  const std::string program = text(test::build(spec).bytes);
  const auto violations = [&](std::vector<RawEntry> more) {
    more.push_back({"app", '0', program});
    Audit audit = audit_layers({raw_tar(more)});
    analyzer::Policy policy;
    policy.require("no-needs:passwd");
    analyzer::apply(policy, audit.files);
    return audit.files.at(0).violations.size();
  };
  EXPECT_EQ(violations({}), 1u);
  EXPECT_EQ(violations({{"etc/passwd", '0', "x", "", 0644}}), 1u);
  EXPECT_EQ(violations({{"etc/passwd", '0', "x", "", 0644}, {"etc/group", '0', "x", "", 0644}}),
            0u);
  Audit plain = audit_of(put("app", test::build(spec).bytes));
  analyzer::Policy policy;
  policy.require("no-needs:passwd");
  analyzer::apply(policy, plain.files);
  EXPECT_THAT(plain.files.at(0).violations, SizeIs(1));
  EXPECT_THAT(plain.images, IsEmpty());
}

TEST_F(ImageAuditTest, PathsKeepTheirOrder) {
  LayoutFiles layout;
  layout.index({layout.image({tar_of({{"in", elf()}})})});
  const fs::path image = put_folder(layout), first = put("first", imagegen::to_bytes(elf())),
                 last = put("last", imagegen::to_bytes(elf()));
  const Audit all = audit({first, image, folder_ / "gone", last}, {.root = {}, .progress = {}});
  EXPECT_THAT(files(all),
              ElementsAre("first static", "layout:/in static", HasSubstr("gone: "), "last static"));
}

}  // namespace
}  // namespace whittle::ship
