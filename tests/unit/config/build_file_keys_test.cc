// SPDX-License-Identifier: MIT
//
// Ten wrong values or more for every key of a build file, each with the place and the words of its
// error. The place of a value is where the template has "@"; a mistake inside of it is so many
// characters further on.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "config/build_file.h"
#include "flow/plan.h"
#include "tests/unit/common/scratch_test.h"

namespace whittle::config {
namespace {

using test::error_of;

struct Wrong {
  std::string value;
  std::size_t offset;   // characters from the beginning of the value to the mistake
  std::string message;  // a part of it
};

enum class Type { text, boolean, list, mapping, assignments };

struct Key {
  std::string name;  // "build.steps.s.run"
  Type type;
  std::string file;  // with "@" for the value
  std::vector<Wrong> wrong;
};

const std::string k256(256, 'n');
const std::string k5000 = [] {
  std::string path;
  while (path.size() < 5000) path += "n/";
  return path + "n";
}();

// What no key takes, whatever its type.
const std::vector<Wrong> kNever = {
    {"!x y", 0, "the tag `!x` has no meaning here"},
    {"!x [y]", 0, "the tag `!x` has no meaning here"},
    {"!!int 1", 0, "the tag `!!int` has no meaning here"},
    {"\"open", 0, "the quote that begins here is never closed"},
    {"'open", 0, "the quote that begins here is never closed"},
    {"*nothing", 0, "`*nothing` repeats a value that nothing before it names `&nothing`"},
    {"@at", 0, "no text without quotes begins with '@'"},
    {"%percent", 0, "no text without quotes begins with '%'"},
    {"a \x01 b", 2, "there is the character U+0001, which YAML does not allow"},
    {"a \xff b", 2, "is not UTF-8 text"},
    {"a: b", 1, "mapping values are not allowed in this context"},
};

const std::vector<Wrong> kNoText = {
    {"[a]", 0, "is a list, but must be a text"},
    {"{a: b}", 0, "is a mapping, but must be a text"},
    {"~", 0, "is empty, but must be a text"},
    {"null", 0, "is empty, but must be a text"},
    {"\"a\\0b\"", 0, "contains a NUL byte"},
    {"!!bool yes", 0, "is a boolean by its tag `!!bool`, but must be a text"},
};
const Wrong kEmpty = {"\"\"", 0, "must not be empty"};

const std::vector<Wrong> kNoBoolean = {
    {"maybe", 0, "must be `true` or `false`, not `maybe`"},
    {"1", 0, "must be `true` or `false`, not `1`"},
    {"0", 0, "must be `true` or `false`, not `0`"},
    {"tRuE", 0, "must be `true` or `false`, not `tRuE`"},
    {"yes no", 0, "must be `true` or `false`, not `yes no`"},
    {"!!str yes", 0, "must be `true` or `false`, not `yes`"},
    {"\"\"", 0, "must be `true` or `false`, not ``"},
    {"~", 0, "must be `true` or `false`, not empty"},
    {"[true]", 0, "must be `true` or `false`, not a list"},
    {"{true: true}", 0, "must be `true` or `false`, not a mapping"},
};

const std::vector<Wrong> kNoList = {
    {"a", 0, "is a text, but must be a list"},
    {"\"\"", 0, "is a text, but must be a list"},
    {"~", 0, "is empty, but must be a list"},
    {"{a: b}", 0, "is a mapping, but must be a list"},
    {"[[a]]", 1, "[0]` is a list, but must be a text"},
    {"[{a: b}]", 1, "[0]` is a mapping, but must be a text"},
    {"[~]", 1, "[0]` is empty, but must be a text"},
    {"[\"\\0\"]", 1, "[0]` contains a NUL byte"},
    {"[!x a]", 1, "[0]`: the tag `!x` has no meaning here"},
};

const std::vector<Wrong> kNoMapping = {
    {"a", 0, "is a text, but must be a mapping"},
    {"\"\"", 0, "is a text, but must be a mapping"},
    {"~", 0, "is empty, but must be a mapping"},
    {"[a]", 0, "is a list, but must be a mapping"},
    {"{[a]: b}", 1, "a key must be plain text"},
    {"{\"\": b}", 1, "a key must be plain text"},
    {"{\"a\\n\": b}", 1, "a key must be plain text"},
    {"{!x a: b}", 1, "the tag `!x` has no meaning here"},
};

const std::vector<Wrong> kNoAssignments = {
    {"a", 0, "is a text, but must be a mapping or a list of KEY=VALUE"},
    {"~", 0, "is empty, but must be a mapping or a list of KEY=VALUE"},
    {"[a]", 1, "[0]` must be of the form KEY=VALUE"},
    {"[=a]", 1, "[0]` must be of the form KEY=VALUE"},
    {"[\"\"]", 1, "[0]` must not be empty"},
    {"[[a=b]]", 1, "[0]` is a list, but must be a text"},
    {"[{a: b}]", 1, "[0]` is a mapping, but must be a text"},
    {"{a: [b]}", 4, ".a` is a list, but must be a text"},
    {"{a: ~}", 4, ".a` is empty, but must be a text"},
    {"{a: b, a: c}", 7, "the key `a` is given twice"},
    {"{\"\": b}", 1, "a key must be plain text"},
    {"{a: \"\\0\"}", 4, ".a` contains a NUL byte"},
};

const std::vector<Wrong> kEnvironment = {
    {"[A=1, B=2, A=3]", 11, "[2]` "},
    {"{\"A=B\": c}", 8, "has `=` in its name `A=B`"},
};

const std::vector<Wrong> kNames = {
    {"Bad/Name:1", 0, "is wrong: image name 'Bad/Name:1' has the part 'Bad'"},
    {"\"x:\"", 0, "is wrong: image name 'x:' has the tag ''"},
    {"x:-1", 0, "has the tag '-1'"},
    {"x:a b", 0, "has the tag 'a b'"},
    {"x:" + std::string(129, 't'), 0, "a tag is up to 128"},
    {"x@sha256:0123", 0, "has a digest"},
    {"UPPER", 0, "has the part 'UPPER'"},
    {"a//b", 0, "has the part ''"},
    {"a/", 0, "has the part ''"},
    {"-a", 0, "has the part '-a'"},
    {"a..b", 0, "has the part 'a..b'"},
    {"host.:x/a", 0, "has the registry 'host.:x'"},
    {"\":1\"", 0, "has the part ''"},
    {k256, 0, "has 256 bytes before the tag"},
};

const std::vector<Wrong> kHostPaths = {
    {"/a", 0, "(`/a`) is absolute, but must be a path inside the work directory"},
    {"/", 0, "is absolute"},
    {"//a", 0, "is absolute"},
    {"..", 0, "(`..`) leaves the work directory"},
    {"../a", 0, "leaves the work directory"},
    {"a/../..", 0, "leaves the work directory"},
    {"./../a", 0, "leaves the work directory"},
    {"a/b/../../../c", 0, "leaves the work directory"},
    {k256, 0, "has a name of more than 255 bytes"},
    {k5000, 0, "is a path of more than 4,095 bytes"},
};

const std::vector<Wrong> kHostFiles = {
    {".", 0, "(`.`) names a folder, but must name a file"},
    {"a/", 0, "(`a/`) names a folder, but must name a file"},
    {"a/.", 0, "names a folder"},
    {"a/..", 0, "names a folder"},
};

const std::vector<Wrong> kImagePaths = {
    {"app", 0, "is wrong: image path 'app' must begin with '/'"},
    {"./app", 0, "must begin with '/'"},
    {"/../app", 0, "has '..'"},
    {"/a/..", 0, "has '..'"},
    {"/.wh.app", 0, "begins with '.wh.'"},
    {"/" + k256, 0, "has a name of 256 bytes"},
    {"/" + k5000, 0, "Linux takes 4095"},
    {"C:/app", 0, "must begin with '/'"},
    {"$HOME", 0, "must begin with '/'"},
    {"~/app", 0, "must begin with '/'"},
};

const std::vector<Wrong> kLabels = {
    {"[a=1, a=2]", 6, "[1]` is wrong: "},
    {"[x=y, \"a b=c\"]", 6, "[1]` is wrong: "},
    {"[\" a=c\"]", 1, "is not a name: it needs one or more characters without blanks"},
    {"{x: y, a b: c}", 12, ".a b` is wrong: "},
};

std::vector<Wrong> operator+(std::vector<Wrong> a, const std::vector<Wrong>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A step `s` of the file beside a step `t`.
std::string step(const std::string& lines) {
  return "build:\n  steps:\n    t: {run: x}\n    s:\n" + lines;
}
std::string host(const std::string& key) { return step("      run: x\n      " + key + ": @\n"); }
std::string engine(const std::string& key) {
  return step("      dockerfile: D\n      " + key + ": @\n");
}
std::string shipping(const std::string& key) {
  return step("      whittle:\n" + std::string(key == "binary" ? "" : "        binary: b\n") +
              "        " + key + ": @\n");
}
std::string image(const std::string& key) {
  return step("      whittle:\n        binary: b\n        image:\n          " + key + ": @\n");
}

std::vector<Key> keys() {
  const std::string s = "build.steps.s", w = s + ".whittle", i = w + ".image";
  return {
      {"build",
       Type::mapping,
       "build: @\n",
       {{"{}", 0, "needs the key `steps`"}, {"{stepz: {}}", 1, "unknown key `stepz`"}}},
      {"build.version",
       Type::text,
       "build:\n  version: @\n  steps: {a: {run: x}}\n",
       {kEmpty,
        {"2", 0, "is `2`; known versions are"},
        {"1.0", 0, "is `1.0`; known versions are"},
        {"01", 0, "known versions"},
        {"v1", 0, "known versions"},
        {"\"1 \"", 0, "known versions"},
        {"2016-3-14", 0, "known versions"},
        {"2017-03-14", 0, "known versions"},
        {"latest", 0, "known versions"},
        {"-1", 0, "known versions"},
        {"true", 0, "known versions"}}},
      {"build.work_dir", Type::text, "build:\n  work_dir: @\n  steps: {a: {run: x}}\n", {}},
      {"build.steps",
       Type::mapping,
       "build:\n  steps: @\n",
       {{"{}", 0, "has no steps"},
        {"{a: ~}", 4, "`build.steps.a` is empty, but must be a mapping"},
        {"{a: run}", 4, "`build.steps.a` is a text, but must be a mapping"},
        {"{a: {}}", 4, "has nothing to do"},
        {"{a: {rum: x}}", 5, "unknown key `rum` in `build.steps.a`; did you mean `run`?"},
        {"{a: {run: x}, a: {run: y}}", 14, "the key `a` is given twice"}}},
      {s,
       Type::mapping,
       "build:\n  steps:\n    t: {run: x}\n    s: @\n",
       {{"{}", 0, "has nothing to do; give it `run`, `dockerfile` or `whittle`"},
        {"{name: n}", 0, "has nothing to do"},
        {"{dir: d}", 0, "has nothing to do"},
        {"{run: x, name: n}", 15, "names an image, but this step builds none"},
        {"{whittle: {binary: b}, dir: d}", 28, "has no effect without `run`"},
        {"{run: x, dockerfile: D}", 6, "is for steps on the host"}}},

      {s + ".name", Type::text, engine("name"), kNames + std::vector{kEmpty}},
      {s + ".depends_on",
       Type::list,
       host("depends_on"),
       {{"[s]", 1, "[0]` names its own step"},
        {"[nothing]", 1, "[0]` names step `nothing`, which does not exist"},
        {"[t, u]", 4, "[1]` names step `u`, which does not exist"},
        {"[T]", 1, "names step `T`, which does not exist"},
        {"[\"t \"]", 1, "names step `t `, which does not exist"},
        {"[\"\"]", 1, "[0]` must not be empty"}}},
      {s + ".artifacts",
       Type::list,
       host("artifacts"),
       {{"[/a]", 1, "[0]` (source `/a`) is absolute"},
        {"[b, ../a]", 4, "[1]` (source `../a`) leaves the work directory"},
        {"[\"a:/b\"]", 1, "(folder `/b`) is absolute"},
        {"[\"a:..\"]", 1, "(folder `..`) leaves the work directory"},
        {"[\"a:\"]", 1, "(folder ``) is an empty path"},
        {"[\":a\"]", 1, "(source ``) is an empty path"},
        {"[\"\"]", 1, "[0]` must not be empty"},
        {"[.]", 1, "is the work directory"},
        {"[a, \"b:b/c\"]", 4, "would be copied into itself, to `b/c/b`"},
        {"[p/a, q/a]", 6, "would write `a`, as does `build.steps.s.artifacts[0]` (6:19)"},
        {"[" + k256 + "]", 1, "has a name of more than 255 bytes"}}},
      {s + ".run", Type::text, step("      run: @\n"), {kEmpty}},
      {s + ".dir", Type::text, host("dir"), kHostPaths + std::vector{kEmpty}},
      {s + ".env", Type::assignments, host("env"), kEnvironment},

      {s + ".dockerfile", Type::text, step("      dockerfile: @\n"), {kEmpty}},
      {s + ".context", Type::text, engine("context"), {kEmpty}},
      {s + ".target", Type::text, engine("target"), {kEmpty}},
      {s + ".args", Type::assignments, engine("args"), kEnvironment},
      {s + ".cleanup",
       Type::mapping,
       engine("cleanup"),
       {{"{command: [x]}", 1, "unknown key `command`"}, {"{commands: x}", 11, "must be a list"}}},
      {s + ".cleanup.commands",
       Type::list,
       step("      dockerfile: D\n      cleanup:\n"
            "        commands: @\n"),
       {}},
      {s + ".command", Type::text, engine("command"), {kEmpty}},
      {s + ".after_build_command", Type::text, engine("after_build_command"), {kEmpty}},
      {s + ".no_cache", Type::boolean, engine("no_cache"), {}},
      {s + ".secrets",
       Type::mapping,
       engine("secrets"),
       {{"{a: x}", 4, ".a` is a text, but must be a mapping"},
        {"{a: {type: env}}", 4, ".a` needs the key `value`"},
        {"{a: {value: env}}", 4, ".a` needs the key `type`"},
        {"{a: {type: x, value: y}}", 11, "must be `file` or `env`"}}},
      {s + ".secrets.a.type",
       Type::text,
       step("      dockerfile: D\n      secrets:\n        a:\n"
            "          value: x\n          type: @\n"),
       {kEmpty,
        {"File", 0, "must be `file` or `env`"},
        {"environment", 0, "must be `file` or `env`"},
        {"path", 0, "must be `file` or `env`"},
        {"\"env \"", 0, "must be `file` or `env`"}}},
      {s + ".secrets.a.value",
       Type::text,
       step("      dockerfile: D\n      secrets:\n        a:\n"
            "          type: env\n          value: @\n"),
       {kEmpty}},

      {w,
       Type::mapping,
       step("      whittle: @\n"),
       {{"{}", 0, "needs the key `binary`"},
        {"{output: x}", 0, "needs the key `binary`"},
        {"{Binary: b}", 1, "unknown key `Binary`"},
        {"{binary: b, binary: c}", 12, "the key `binary` is given twice"},
        {"{binary: .wh.b}", 9, "is wrong: image path '/.wh.b' has a name that begins with"}}},
      {w + ".binary", Type::text, shipping("binary"),
       kHostPaths + kHostFiles + std::vector{kEmpty}},
      {w + ".strip", Type::boolean, shipping("strip"), {}},
      {w + ".pack", Type::boolean, shipping("pack"), {}},
      {w + ".level",
       Type::text,
       shipping("level"),
       {kEmpty,
        {"tiny", 0, "must be `fast`, `small` or `auto`"},
        {"Fast", 0, "must be `fast`, `small` or `auto`"},
        {"9", 0, "must be `fast`, `small` or `auto`"},
        {"best", 0, "must be `fast`, `small` or `auto`"},
        {"\"fast \"", 0, "must be `fast`, `small` or `auto`"}}},
      {w + ".output", Type::text, shipping("output"),
       kHostPaths + kHostFiles +
           std::vector<Wrong>{kEmpty,
                              {"b", 0, "would write `b`, which is read by `" + w + ".binary`"},
                              {"./b", 0, "would write `b`, which is read by"},
                              {"b/x", 0, "would write `b/x` into `b`, which is read by"},
                              {"b.tar", 0, "would write `b.tar`, as does `" + w + "`"}}},
      {w + ".image",
       Type::mapping,
       shipping("image"),
       {{"{tags: x}", 1, "unknown key `tags`"}, {"{tag: x, tag: y}", 9, "is given twice"}}},

      {i + ".output", Type::text, image("output"),
       kHostPaths + kHostFiles + std::vector<Wrong>{kEmpty, {"b", 0, "would write `b`"}}},
      {i + ".layout", Type::text, image("layout"),
       kHostPaths + std::vector<Wrong>{kEmpty,
                                       {".", 0, "is the work directory"},
                                       {"a/..", 0, "is the work directory"},
                                       {"b", 0, "would write `b`, which is read by"}}},
      {i + ".tag", Type::text, image("tag"), kNames + std::vector{kEmpty}},
      {i + ".name", Type::text, image("name"),
       kImagePaths + std::vector<Wrong>{kEmpty,
                                        {"/", 0, "names a folder, not a file"},
                                        {"/a/", 0, "names a folder, not a file"},
                                        {"/a/.", 0, "names a folder, not a file"}}},
      {i + ".entrypoint", Type::list, image("entrypoint"), {}},
      {i + ".cmd", Type::list, image("cmd"), {}},
      {i + ".env", Type::assignments, image("env"), kEnvironment},
      {i + ".workdir", Type::text, image("workdir"),
       kImagePaths +
           std::vector<Wrong>{kEmpty, {"/b", 0, "'/b' is a file, but another path needs it"}}},
      {i + ".user",
       Type::text,
       image("user"),
       {kEmpty,
        {"a b", 0, "is wrong: user 'a b' is not USER or USER:GROUP; use numbers"},
        {"\"1:\"", 0, "is not USER or USER:GROUP"},
        {"\":1\"", 0, "is not USER or USER:GROUP"},
        {"\"1:2:3\"", 0, "is not USER or USER:GROUP"},
        {"-1", 0, "is not USER or USER:GROUP"},
        {"1.5", 0, "is not USER or USER:GROUP"},
        {"$USER", 0, "is not USER or USER:GROUP"},
        {"0x10", 0, "is not USER or USER:GROUP"},
        {"2147483648", 0, "has a user above 2147483647"},
        {"\"1:99999999999\"", 0, "has a group above 2147483647"},
        {"nonroot", 0, "has a user name, and the image has no /etc/passwd"},
        {"\"1:users\"", 0, "has a group name, and the image has no /etc/group"}}},
      {i + ".expose",
       Type::list,
       image("expose"),
       {{"[0]", 1, "[0]` is wrong: port '0' is not PORT"},
        {"[80, 65536]", 5, "[1]` is wrong: port '65536' is not PORT"},
        {"[-1]", 1, "is not PORT"},
        {"[\"80/\"]", 1, "is not PORT"},
        {"[80/http]", 1, "is not PORT"},
        {"[80/TCP]", 1, "is not PORT"},
        {"[8000-8010]", 1, "is not PORT"},
        {"[\"80:80\"]", 1, "is not PORT"},
        {"[\" 80\"]", 1, "is not PORT"},
        {"[\"\"]", 1, "is not PORT"}}},
      {i + ".labels", Type::assignments, image("labels"), kLabels},
      {i + ".annotations", Type::assignments, image("annotations"), kLabels},
      {i + ".add",
       Type::list,
       image("add"),
       {{"[a]", 1, "[0]` is wrong: the file to add `a` names no destination"},
        {"[\":/a\"]", 1, "names no destination"},
        {"[\"a:b\"]", 1, "has a destination that is not absolute"},
        {"[\"a:/b:8\"]", 1, "has a mode that is not an octal number up to 7777"},
        {"[\"a:/b:10000\"]", 1, "has a mode"},
        {"[\"../a:/b\"]", 1, "[0]` (`../a`) leaves the work directory"},
        {"[\"/a:/b\"]", 1, "[0]` (`/a`) is absolute"},
        {"[\"a:/x/../b\"]", 1, "cannot be: image path '/x/../b' has '..'"},
        {"[\"a:/.wh.b\"]", 1, "begins with '.wh.'"},
        {"[\"a:/b\"]", 1, "[0]` is wrong: image path '/b' is given twice"},
        {"[\"a:/b/c\"]", 1, "'/b' is a file, but another path needs it to be a folder"},
        {"[\"a:/c\", \"d:/c\"]", 9, "[1]` is wrong: image path '/c' is given twice"},
        {"[\"a:/c\", \"d:/./c\"]", 9, "is given twice"},
        {"[\"a:/c:0644:0:x\"]", 1, "has an owner that is not two numbers"},
        {"[\"a:/c::1\"]", 1, "[0]` is wrong: the file to add `a:/c::1`"},
        {"[\"\"]", 1, "must not be empty"}}},
      {i + ".add_dir",
       Type::list,
       image("add_dir"),
       {{"[a]", 1, "[0]` is wrong: the folder to add `a` has a path that is not absolute"},
        {"[\"/\"]", 1, "is the root, which belongs to the engine"},
        {"[\"/a:8\"]", 1, "has a mode that is not an octal number up to 7777"},
        {"[\"/a:10000\"]", 1, "has a mode"},
        {"[\"/a:755:x:0\"]", 1, "has an owner that is not two numbers"},
        {"[\"/a:755:1\"]", 1, "[0]` is wrong: the folder to add `/a:755:1`"},
        {"[\"/a/../b\"]", 1, "has '..'"},
        {"[\"/.wh.a\"]", 1, "begins with '.wh.'"},
        {"[\"/b\"]", 1, "[0]` is wrong: "},
        {"[\"/b/c\"]", 1, "'/b' is a file, but another path needs it to be a folder"},
        {"[\"/c:700\", \"/c:755\"]", 11, "[1]` is wrong: "},
        {"[\"\"]", 1, "must not be empty"}}},
      {i + ".compression",
       Type::text,
       image("compression"),
       {kEmpty,
        {"gz", 0, "must be `gzip` or `zstd`"},
        {"GZIP", 0, "must be `gzip` or `zstd`"},
        {"none", 0, "must be `gzip` or `zstd`"},
        {"xz", 0, "must be `gzip` or `zstd`"},
        {"\"zstd \"", 0, "must be `gzip` or `zstd`"}}},
  };
}

std::vector<Wrong> of_type(Type type) {
  switch (type) {
    case Type::text:
      return kNoText;
    case Type::boolean:
      return kNoBoolean;
    case Type::list:
      return kNoList;
    case Type::mapping:
      return kNoMapping;
    case Type::assignments:
      break;
  }
  return kNoAssignments;
}

void PrintTo(const Key& key, std::ostream* out) { *out << key.name; }

class BuildFileKeys : public testing::TestWithParam<Key> {};

TEST_P(BuildFileKeys, EveryWrongValueIsReportedWhereItStands) {
  const Key& key = GetParam();
  const std::size_t place = key.file.find('@');
  const auto line =
      1 + std::count(key.file.begin(), key.file.begin() + static_cast<int>(place), '\n');
  const std::size_t column = place - key.file.rfind('\n', place);
  const std::vector<Wrong> all = of_type(key.type) + key.wrong + kNever;
  std::set<std::string> values;
  for (const Wrong& wrong : all) values.insert(wrong.value);
  EXPECT_GE(values.size(), 10u);

  for (const Wrong& wrong : all) {
    std::string file = key.file;
    file.replace(place, 1, wrong.value);
    const Error error = error_of([&] { flow::make_plan(parse_build_file(file, "build.yml", {})); });
    EXPECT_EQ(error.kind(), ErrorKind::usage) << file;
    EXPECT_EQ(error.path(),
              "build.yml:" + std::to_string(line) + ":" + std::to_string(column + wrong.offset))
        << error.what() << "\n"
        << file;
    EXPECT_THAT(error.message(), testing::HasSubstr(wrong.message)) << file;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BuildFileKeys, testing::ValuesIn(keys()), [](const auto& key) {
  std::string name = key.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.'; }, '_');
  return name;
});

// A variable that is not set leaves nothing of `tag: x:_env(VERSION)` but the mistake.
TEST(BuildFileValues, AnUnsetVariableIsSeenInTheTag) {
  const Error error = error_of([] {
    parse_build_file(
        "build:\n  steps:\n    s:\n      whittle: {binary: b, image: {tag: \"x:_env(VERSION)\"}}\n",
        "build.yml", {});
  });
  EXPECT_STREQ(
      error.what(),
      "build.yml:4:41: `build.steps.s.whittle.image.tag` is wrong: image name 'x:' has the "
      "tag ''; a tag is up to 128 letters, digits, '_', '.' and '-', and does not begin "
      "with '.' or '-'");
}

TEST(BuildFileValues, NamesOfUsersAreFineWithTheirFiles) {
  const auto parse = [](const std::string& add) {
    parse_build_file(
        "build: {steps: {s: {whittle: {binary: b, image: {user: \"a:g\", add: [" + add + "]}}}}}",
        "build.yml", {});
  };
  EXPECT_NO_THROW(parse("\"p:/etc/passwd\", \"g:/etc/group\""));
  EXPECT_THAT(error_of([&] { parse("\"p:/etc/passwd\""); }).what(),
              testing::HasSubstr("the image has no /etc/group"));
}

TEST(BuildFileValues, NamesOfImagesAreUniqueHoweverTheyAreWritten) {
  const Error error = error_of([] {
    parse_build_file(
        "build:\n  steps:\n    a: {dockerfile: d, name: app}\n"
        "    b: {dockerfile: d, name: \"docker.io/library/app:latest\"}\n",
        "build.yml", {});
  });
  EXPECT_THAT(error.what(),
              testing::HasSubstr("build.yml:4:30: `build.steps.b.name` is already the "
                                 "name of step `a`"));
}

}  // namespace
}  // namespace whittle::config
