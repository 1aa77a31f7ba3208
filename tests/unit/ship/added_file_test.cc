// SPDX-License-Identifier: MIT
#include "ship/added_file.h"

#include <gmock/gmock.h>

#include "tests/unit/common/scratch_test.h"

namespace whittle::ship {
namespace {

using imagegen::Owner;
using test::error_of;
using testing::HasSubstr;

TEST(AddedFile, ReadsSourceDestinationModeAndOwner) {
  const AddedFile plain = parse_added_file("a/b:/etc/b");
  EXPECT_EQ(plain.source, "a/b");
  EXPECT_EQ(plain.destination, "/etc/b");
  EXPECT_EQ(plain.mode, std::nullopt);
  EXPECT_EQ(plain.owner, Owner());
  EXPECT_EQ(parse_added_file("b:/c:0755").mode, 0755u);
  const AddedFile owned = parse_added_file("b:/c:0750:65532:2147483647");
  EXPECT_EQ(owned.mode, 0750u);
  EXPECT_EQ(owned.owner, (Owner{65532, 2147483647}));
  const AddedFile only_owned = parse_added_file("b:/c::1:2");
  EXPECT_EQ(only_owned.mode, std::nullopt);
  EXPECT_EQ(only_owned.owner, (Owner{1, 2}));
}

TEST(AddedFile, ADestinationThatIsAFolderGetsTheName) {
  EXPECT_EQ(parse_added_file("a/b:/etc/").destination, "/etc/b");
  // Without a name of its own, what is in the folder goes into the other.
  EXPECT_EQ(parse_added_file("site/:/srv/").destination, "/srv/");
  EXPECT_EQ(parse_added_file(".:/srv/").destination, "/srv/.");
}

TEST(AddedFile, RefusesWhatIsNotOfThatForm) {
  struct Case {
    const char *text, *problem;
  };
  for (const auto& [text, problem] : {
           Case{"", "names no destination"},
           Case{"a", "names no destination"},
           Case{":", "names no destination"},
           Case{":/b", "names no destination"},
           Case{"a:", "not absolute"},
           Case{"a:b", "not absolute"},
           Case{"a:/b:", "octal"},
           Case{"a:/b:8", "octal"},
           Case{"a:/b:10000", "octal"},
           Case{"a:/b:0644x", "octal"},
           Case{"a:/b:-1", "octal"},
           Case{"a:/b:0644:1", "user without a group"},
           Case{"a:/b:0644:1:", "not two numbers"},
           Case{"a:/b::1:", "not two numbers"},
           Case{"a:/b:0644:app:app", "not two numbers"},
           Case{"a:/b:0644:1:2147483648", "not two numbers up to 2147483647"},
           Case{"a:/b:0644:1:2:3", "has more parts"},
           Case{"a:/b/../c", "has '..'"},
           Case{"a:/.wh.b", "deletion"},
       }) {
    const Error error = error_of([&] { parse_added_file(text); });
    EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
    EXPECT_THAT(error.what(), HasSubstr(problem)) << text;
    EXPECT_THAT(error.what(), HasSubstr("; write SRC:DEST[:MODE[:UID:GID]], for example")) << text;
    EXPECT_EQ(error.path(), "") << text;
  }
}

TEST(AddedFolder, ReadsPathModeAndOwner) {
  const imagegen::RootFolder plain = parse_added_folder("/data");
  EXPECT_EQ(plain.path, "/data");
  EXPECT_EQ(plain.mode, 0755u);
  EXPECT_EQ(plain.owner, Owner());
  EXPECT_EQ(parse_added_folder("/tmp:1777").mode, 01777u);
  const imagegen::RootFolder owned = parse_added_folder("/var/lib/app/:0700:1:2");
  EXPECT_EQ(owned.mode, 0700u);
  EXPECT_EQ(owned.owner, (Owner{1, 2}));
  EXPECT_EQ(parse_added_folder("/data::1:2").mode, 0755u);
  for (const char* text :
       {"", "data", ":0755", "/", "//", "/a/..", "/data:", "/data:9", "/data:0755:1",
        "/data:0755:1:x", "/data:0755:1:2:3", "/data:0755:app:app"}) {
    const Error error = error_of([&] { parse_added_folder(text); });
    EXPECT_EQ(error.kind(), ErrorKind::usage) << text;
    EXPECT_THAT(error.what(), HasSubstr("; write PATH[:MODE[:UID:GID]], for example")) << text;
  }
}

TEST(AddedFile, OfTheSystemOnlyBundlesAndTimeZones) {
  for (const char* path :
       {"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cacert.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/usr/share/zoneinfo",
        "/usr/share/zoneinfo/", "/usr/share/zoneinfo/Europe/Berlin", "//etc/ssl/./cert.pem"}) {
    EXPECT_TRUE(is_system_file(path)) << path;
    EXPECT_EQ(problem_of_source(path), "") << path;
  }
  for (const char* path :
       {"/", "/etc/passwd", "/etc/ssl/certs", "/etc/ssl/private/key.pem", "/usr/share/zoneinfo2",
        "/usr/share/zoneinfo/..", "/usr/share/zoneinfo/../../../etc/shadow", "/usr/share"}) {
    EXPECT_FALSE(is_system_file(path)) << path;
    EXPECT_THAT(problem_of_source(path),
                HasSubstr("a build adds /etc/ssl/certs/ca-certificates.crt"))
        << path;
  }
  for (const char* path : {"..", "a/../../b", ""}) EXPECT_NE(problem_of_source(path), "") << path;
  EXPECT_EQ(problem_of_source("etc/passwd"), "");
}

}  // namespace
}  // namespace whittle::ship
