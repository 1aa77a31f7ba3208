// SPDX-License-Identifier: MIT
#include "imagegen/spec.h"

#include "testing.h"

namespace whittle::imagegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The image of the small spec with one thing changed.
template <typename Change>
Image with(Change change) {
  ImageSpec spec = small_spec();
  change(spec);
  return build_image(spec);
}

TEST(Spec, SmallOneIsFineAndSurprisesNobody) {
  EXPECT_THAT(build_image(small_spec()).warnings, IsEmpty());
}

TEST(Spec, Ports) {
  EXPECT_THAT(normalise_ports({"8080", "53/udp", "8080/tcp", "1/sctp"}),
              ElementsAre("1/sctp", "53/udp", "8080/tcp"));
  for (const char* port : {"", "/tcp", "0", "65536", "80/", "80/http", "80/TCP", "-1", "+1", " 80",
                           "8000-8010", "99999999999", "80/tcp/udp"}) {
    EXPECT_ERROR(normalise_ports({port}), usage, HasSubstr("is not PORT"));
  }
}

TEST(Spec, UsersByNumber) {
  for (const char* user : {"", "0", "0:0", "65532:65532", "2147483647"}) {
    EXPECT_NO_THROW(with([&](ImageSpec& spec) { spec.user = user; }));
  }
  for (const char* user : {":", "1:", ":1", "1:2:3", "-1", "1 2", "a b", "/:x", "$(id)"}) {
    EXPECT_ERROR(with([&](ImageSpec& spec) { spec.user = user; }), usage,
                 HasSubstr("is not USER or USER:GROUP"));
  }
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.user = "2147483648"; }), usage,
               HasSubstr("user above 2147483647"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.user = "1:99999999999999999999"; }), usage,
               HasSubstr("group above"));
}

TEST(Spec, UserNamesNeedAFileToBeLookedUpIn) {
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.user = "nonroot"; }), usage,
               HasSubstr("no /etc/passwd"));
  const auto with_passwd = [](std::string user) {
    return with([&](ImageSpec& spec) {
      spec.user = user;
      spec.files.push_back({"/etc/passwd", to_bytes("nonroot:x:65532:65532::/:/\n"), 0644});
    });
  };
  EXPECT_NO_THROW(with_passwd("nonroot"));
  EXPECT_NO_THROW(with_passwd("nonroot:65532"));
  EXPECT_ERROR(with_passwd("nonroot:nonroot"), usage, HasSubstr("no /etc/group"));
}

TEST(Spec, Env) {
  EXPECT_NO_THROW(with([](ImageSpec& spec) { spec.env = {"A=", "B=x=y", "c.d=ü"}; }));
  for (const char* variable : {"", "A", "=x"}) {
    EXPECT_ERROR(with([&](ImageSpec& spec) { spec.env = {variable}; }), usage,
                 HasSubstr("is not NAME=VALUE"));
  }
  EXPECT_ERROR(with([](ImageSpec& spec) {
                 spec.env = {"A=1", "A=2"};
               }),
               usage, HasSubstr("'A' is given twice"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.env = {"A=\xc3"}; }), usage, HasSubstr("UTF-8"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.env = {std::string("A=\0", 3)}; }), usage,
               HasSubstr("NUL"));
}

TEST(Spec, LabelsAndAnnotations) {
  for (const char* key : {"", "a b", "a\nb"}) {
    EXPECT_ERROR(with([&](ImageSpec& spec) { spec.labels[key] = "x"; }), usage,
                 HasSubstr("is not a name"));
    EXPECT_ERROR(with([&](ImageSpec& spec) { spec.annotations[key] = "x"; }), usage,
                 HasSubstr("is not a name"));
  }
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.labels["a"] = "\xff"; }), usage,
               HasSubstr("value of label 'a'"));
}

TEST(Spec, RulesForSingleValuesNameNoPath) {
  EXPECT_NO_THROW(check_pairs("label", {{"a", "1"}, {"b", "1"}}));
  EXPECT_ERROR(check_pairs("label", {{"a", "1"}, {"b", "1"}, {"a", "1"}}), usage,
               HasSubstr("label 'a' is given twice"));
  EXPECT_ERROR(check_pairs("annotation", {{"a b", "1"}}), usage,
               HasSubstr("annotation 'a b' is not a name"));
  EXPECT_ERROR(check_env({"A=1", "A=2"}), usage, HasSubstr("'A' is given twice"));
  EXPECT_ERROR(check_user("a", {}), usage, HasSubstr("no /etc/passwd"));
  EXPECT_ERROR(check_text("cmd", std::string_view("a\0", 2)), usage, HasSubstr("cmd 'a"));
}

TEST(Spec, OtherTextAndTimes) {
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.architecture = ""; }), usage,
               HasSubstr("needs an architecture"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.entrypoint = {"/\xff"}; }), usage,
               HasSubstr("entrypoint"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.cmd = {"\xff"}; }), usage, HasSubstr("cmd"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.working_dir = "data"; }), usage,
               HasSubstr("must begin with '/'"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.tag = "A"; }), usage, HasSubstr("image name"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.created = -1; }), usage,
               HasSubstr("SOURCE_DATE_EPOCH"));
  EXPECT_ERROR(with([](ImageSpec& spec) { spec.created = 253402300800; }), usage,
               HasSubstr("1970 to 9999"));
  EXPECT_NO_THROW(with([](ImageSpec& spec) { spec.created = 253402300799; }));
}

TEST(Spec, WarnsOfWhatWouldSurprise) {
  const auto warning = [](auto change) { return with(change).warnings; };
  EXPECT_THAT(warning([](ImageSpec& spec) {
                spec.links = {{"/a", "nothing"}, {"/b", "/tmp/b"}, {"/null", "/dev/null"}};
              }),
              ElementsAre("the symbolic link /a leads to 'nothing', which the image does not have, "
                          "and 1 more are like that"));
  EXPECT_THAT(warning([](ImageSpec& spec) {
                spec.files.push_back({"/proc/x", {}, 0644});
              }),
              ElementsAre("/proc/x will be hidden: engines mount their own /proc"));
  EXPECT_THAT(warning([](ImageSpec& spec) { spec.compression = Compression::zstd; }),
              ElementsAre(HasSubstr("docker 20.10")));
  EXPECT_THAT(warning([](ImageSpec&) {}), IsEmpty());
}

}  // namespace
}  // namespace whittle::imagegen
