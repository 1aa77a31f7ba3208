// SPDX-License-Identifier: MIT
#include "config/build_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "flow/plan.h"
#include "tests/unit/common/scratch_test.h"

namespace whittle::config {
namespace {

using test::error_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

BuildFile parse(std::string_view text, const Environment& environment = {}) {
  return parse_build_file(text, "build.yml", environment);
}

std::string problem(std::string_view text) {
  const Error error = error_of([&] { parse(text); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  return error.what();
}

// A step named `s` with these lines in it.
std::string step(std::string_view lines) {
  std::string text = "build:\n  steps:\n    s:\n";
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    text += "      " + std::string(lines.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return text;
}

constexpr std::string_view kHabitus = R"(build:
  version: 2016-03-14
  work_dir: ./unused
  steps:
    builder:
      name: registry.example:5000/builder
      dockerfile: Dockerfile.builder
      context: ./src
      target: compile
      args:
        - FLAGS=-a=b
        - EMPTY=
      artifacts:
        - /go/bin/app
        - /go/share:data/share
      cleanup:
        commands:
          - rm -rf /root/.ssh
          - apt-get clean
      command: echo done
      after_build_command: echo after
      no_cache: true
      secrets:
        token: {type: file, value: token.txt}
        password: {type: env, value: PW}
    final:
      name: app
      dockerfile: Dockerfile
      depends_on: [builder, builder]
)";

TEST(BuildFile, ReadsTheWholeHabitusSchema) {
  const BuildFile file = parse(kHabitus);
  EXPECT_EQ(file.version, "2016-03-14");
  EXPECT_EQ(file.work_dir, "./unused");
  ASSERT_EQ(file.steps.size(), 2u);
  const Step& builder = file.steps[0];
  EXPECT_EQ(builder.label, "builder");
  EXPECT_EQ(builder.name, "registry.example:5000/builder");
  EXPECT_EQ(builder.dockerfile, "Dockerfile.builder");
  EXPECT_EQ(builder.context, "./src");
  EXPECT_EQ(builder.target, "compile");
  EXPECT_THAT(builder.args, ElementsAre(Pair("FLAGS", "-a=b"), Pair("EMPTY", "")));
  ASSERT_EQ(builder.artifacts.size(), 2u);
  EXPECT_EQ(builder.artifacts[0].source, "/go/bin/app");
  EXPECT_EQ(builder.artifacts[0].folder, ".");
  EXPECT_EQ(builder.artifacts[1].source, "/go/share");
  EXPECT_EQ(builder.artifacts[1].folder, "data/share");
  EXPECT_THAT(builder.cleanup_commands, ElementsAre("rm -rf /root/.ssh", "apt-get clean"));
  EXPECT_EQ(builder.command, "echo done");
  EXPECT_EQ(builder.after_build_command, "echo after");
  EXPECT_TRUE(builder.no_cache);
  ASSERT_EQ(builder.secrets.size(), 2u);
  EXPECT_EQ(builder.secrets[1].name, "password");
  EXPECT_EQ(builder.secrets[1].type, "env");
  EXPECT_EQ(builder.secrets[1].value, "PW");
  EXPECT_THAT(file.steps[1].depends_on, ElementsAre("builder"));
  EXPECT_EQ(file.steps[1].position.line, 27);
}

TEST(BuildFile, ReadsHostStepsAndWhatTheyShip) {
  const BuildFile file = parse(step(R"(name: hello:1.0
run: make hello
dir: src
env: {A: "1", B: x=y}
whittle:
  binary: src/hello
  strip: false
  pack: yes
  level: small
  output: hello.small
  image:
    output: hello.tar
    layout: hello-oci
    tag: hello:2
    name: /bin/hello
    entrypoint: [/bin/hello, serve]
    cmd: [--port, "8080"]
    env: [PATH=/bin]
    workdir: /srv
    user: "0:0"
    expose: [8080]
    labels: {a.b: c}
    annotations: [k=v]
    add: ["ca.pem:/etc/ca.pem:0444", /usr/share/zoneinfo:/usr/share/zoneinfo]
    add_dir: ["/tmp:1777", "/data:0750:65532:65532"]
    compression: zstd)"));
  const Step& s = file.steps.at(0);
  EXPECT_EQ(file.version, "");
  EXPECT_EQ(s.run, "make hello");
  EXPECT_EQ(s.dir, "src");
  EXPECT_THAT(s.env, ElementsAre(Pair("A", "1"), Pair("B", "x=y")));
  ASSERT_TRUE(s.ship);
  EXPECT_EQ(s.ship->binary, "src/hello");
  EXPECT_FALSE(s.ship->strip);
  EXPECT_TRUE(s.ship->pack);
  EXPECT_EQ(s.ship->level, packer::Level::small);
  EXPECT_EQ(s.ship->output, "hello.small");
  const ship::ImageRequest& image = s.ship->image;
  EXPECT_EQ(image.output, "hello.tar");
  EXPECT_EQ(image.layout, "hello-oci");
  EXPECT_EQ(image.tag, "hello:2");
  EXPECT_EQ(image.name, "/bin/hello");
  EXPECT_THAT(image.entrypoint, ElementsAre("/bin/hello", "serve"));
  EXPECT_THAT(image.cmd, ElementsAre("--port", "8080"));
  EXPECT_THAT(image.env, ElementsAre(Pair("PATH", "/bin")));
  EXPECT_EQ(image.workdir, "/srv");
  EXPECT_EQ(image.user, "0:0");
  EXPECT_THAT(image.expose, ElementsAre("8080"));
  EXPECT_THAT(image.labels, ElementsAre(Pair("a.b", "c")));
  EXPECT_THAT(image.annotations, ElementsAre(Pair("k", "v")));
  EXPECT_THAT(image.add,
              ElementsAre("ca.pem:/etc/ca.pem:0444", "/usr/share/zoneinfo:/usr/share/zoneinfo"));
  EXPECT_THAT(image.add_dir, ElementsAre("/tmp:1777", "/data:0750:65532:65532"));
  EXPECT_EQ(image.compression, imagegen::Compression::zstd);
}

TEST(BuildFile, StripsAndPacksUnlessTold) {
  const BuildFile file = parse(step("whittle: {binary: a}"));
  EXPECT_TRUE(file.steps[0].ship->strip);
  EXPECT_TRUE(file.steps[0].ship->pack);
}

TEST(BuildFile, SubstitutesBeforeParsing) {
  const BuildFile file =
      parse("build: {steps: {_env(WHO): {run: echo _env(MISSING)}}}", {{"WHO", "me"}});
  EXPECT_EQ(file.steps[0].label, "me");
  EXPECT_EQ(file.steps[0].run, "echo");
}

TEST(BuildFile, UnknownKeysHaveAPositionAndASuggestion) {
  EXPECT_EQ(
      problem(step("run: x\ndepend_on: [a]")),
      "build.yml:5:7: unknown key `depend_on` in `build.steps.s`; did you mean `depends_on`?");
  EXPECT_EQ(problem("biuld: {}"), "build.yml:1:1: unknown key `biuld`; did you mean `build`?");
  EXPECT_EQ(problem("build:\n  step: {}\n"),
            "build.yml:2:3: unknown key `step` in `build`; did you mean `steps`?");
  EXPECT_THAT(
      problem(step("run: x\nwhittle:\n  binary: b\n  image: {lables: {}}")),
      HasSubstr("build.yml:7:17: unknown key `lables` in `build.steps.s.whittle.image`; did "
                "you mean `labels`?"));
  EXPECT_THAT(problem(step("run: x\nzzzzzz: 1")), testing::EndsWith("`build.steps.s`"));
}

TEST(BuildFile, PositionsLookThroughSubstitution) {
  const Error error = error_of([&] {
    parse("build:\n  version: _env(V)\n  setps: {}\n", {{"V", "\"1\"\n\n\n"}});
  });
  EXPECT_THAT(error.what(), HasSubstr("build.yml:3:3: unknown key `setps`"));
}

TEST(BuildFile, TypeErrorsHaveAPosition) {
  EXPECT_EQ(problem(step("run: [a]")),
            "build.yml:4:12: `build.steps.s.run` is a list, but must be a text");
  EXPECT_EQ(problem(step("run: x\nartifacts: a")),
            "build.yml:5:18: `build.steps.s.artifacts` is a text, but must be a list");
  EXPECT_THAT(problem(step("run: x\nenv: 3")), HasSubstr("a mapping or a list of KEY=VALUE"));
  EXPECT_THAT(problem(step("run: x\nenv: [A]")),
              HasSubstr("build.yml:5:13: `build.steps.s.env[0]` must be of the form"));
  EXPECT_THAT(problem(step("run:")), HasSubstr("is empty, but must be a text"));
  EXPECT_THAT(problem(step("dockerfile: D\nno_cache: maybe")),
              HasSubstr("must be `true` or `false`, not `maybe`"));
  EXPECT_THAT(problem("build:\n  steps: {}\n"), HasSubstr("has no steps"));
  EXPECT_THAT(problem("build:\n  version: 1\n"), HasSubstr("needs the key `steps`"));
  EXPECT_THAT(problem(step("whittle: {}")),
              HasSubstr("build.yml:4:16: `build.steps.s.whittle` needs the key `binary`"));
  EXPECT_THAT(problem(""), HasSubstr("but must be a mapping"));
  EXPECT_THAT(problem("- a\n"), HasSubstr("is a list, but must be a mapping"));
}

TEST(BuildFile, NamesMustBeUniqueAndKnown) {
  EXPECT_EQ(problem("build:\n  steps:\n    a: {run: x}\n    a: {run: y}\n"),
            "build.yml:4:5: the key `a` is given twice");
  EXPECT_THAT(
      problem(
          "build:\n  steps:\n    a: {dockerfile: d, name: n}\n    b: {dockerfile: d, name: n}\n"),
      HasSubstr("build.yml:4:30: `build.steps.b.name` is already the name of step `a`"));
  EXPECT_THAT(
      problem("build:\n  steps:\n    compile: {run: x}\n    b: {run: y, depends_on: [compiel]}\n"),
      HasSubstr("build.yml:4:30: `build.steps.b.depends_on[0]` names step `compiel`, which "
                "does not exist; did you mean `compile`?"));
}

TEST(BuildFile, VersionsAreKnownOnes) {
  EXPECT_THAT(problem("build: {version: 2017-01-01, steps: {a: {run: x}}}"),
              HasSubstr("known versions are 2016-02-13, 2016-03-14, 1"));
  EXPECT_EQ(parse("build: {version: 2016-02-13, steps: {a: {run: x}}}").version, "2016-02-13");
  EXPECT_THAT(problem("build: {version: 2016-02-13, steps: {a: {dockerfile: d, secrets: {}}}}"),
              HasSubstr("needs `version: 2016-03-14`"));
}

TEST(BuildFile, KeysWithoutEffectAreErrors) {
  for (const char* line :
       {"context: .", "target: t", "args: [A=b]", "cleanup: {commands: [x]}", "command: x",
        "after_build_command: x", "no_cache: false", "secrets: {}"}) {
    EXPECT_THAT(problem(step(std::string("run: x\n") + line)),
                HasSubstr("needs a step with a `dockerfile`; on the host, "))
        << line;
  }
  EXPECT_THAT(problem(step("dockerfile: D\nrun: x")), HasSubstr("is for steps on the host"));
  EXPECT_THAT(problem(step("depends_on: []")), HasSubstr("has nothing to do"));
  EXPECT_THAT(problem(step("whittle: {binary: b}\nenv: {A: b}")),
              HasSubstr("has no effect without `run`"));
  EXPECT_THAT(problem(step("run: x\nname: n")),
              HasSubstr("names an image, but this step builds none"));
}

TEST(BuildFile, PathsStayInTheWorkDirectory) {
  EXPECT_THAT(problem(step("run: x\nartifacts: [../a]")), HasSubstr("leaves the work directory"));
  EXPECT_THAT(problem(step("run: x\nartifacts: [a/../../b]")),
              HasSubstr("leaves the work directory"));
  EXPECT_THAT(problem(step("run: x\nartifacts: [/etc/passwd]")), HasSubstr("is absolute"));
  EXPECT_THAT(problem(step("run: x\nartifacts: ['a:/tmp']")), HasSubstr("is absolute"));
  EXPECT_THAT(problem(step("run: x\nartifacts: ['a:..']")), HasSubstr("leaves the work directory"));
  EXPECT_THAT(problem(step("dockerfile: d\nartifacts: ['/a:..']")),
              HasSubstr("leaves the work directory"));
  EXPECT_THAT(problem(step("run: x\ndir: ..")), HasSubstr("leaves the work directory"));
  EXPECT_THAT(problem(step("whittle: {binary: ../b}")), HasSubstr("leaves the work directory"));
  EXPECT_THAT(problem(step("whittle: {binary: b, output: /b}")), HasSubstr("is absolute"));
  EXPECT_THAT(problem(step("whittle: {binary: b, image: {output: ../b}}")),
              HasSubstr("leaves the work"));
  EXPECT_THAT(problem(step("whittle: {binary: b, image: {add: [../b:/b]}}")),
              HasSubstr("leaves the work"));
  EXPECT_THAT(problem(step("whittle: {binary: b, image: {add: [b]}}")),
              HasSubstr("names no destination"));
  EXPECT_THAT(problem(step("whittle: {binary: b, image: {add: ['/etc/shadow:/etc/shadow']}}")),
              HasSubstr("is absolute"));
  EXPECT_THAT(problem(step("whittle: {binary: b, image: {add_dir: [/a, 'tmp:1777']}}")),
              AllOf(HasSubstr(":4:50:"), HasSubstr("`tmp:1777` has a path that is not absolute")));
  EXPECT_EQ(parse(step("run: x\nartifacts: [a/../b]")).steps[0].artifacts[0].source, "a/../b");
}

TEST(BuildFile, ALevelNeedsPacking) {
  EXPECT_FALSE(parse(step("whittle: {binary: app, pack: no}")).steps[0].ship->pack);
  EXPECT_THAT(problem(step("whittle: {binary: app, pack: false, level: small}")),
              HasSubstr("has no effect with `pack: false`"));
}

TEST(BuildFile, WhatIsNotYamlIsSaidSo) {
  EXPECT_EQ(problem("build: [\n"),
            "build.yml:2:1: is not YAML: did not find expected node content while parsing a flow "
            "node, which begins at 2:1");
  EXPECT_THAT(problem("build: {steps: {a: {run: x}}}\n---\nb: c\n"),
              HasSubstr("build.yml:2:1: what begins here is not part"));
  EXPECT_EQ(problem(std::string("build: \xff\xfe")), "build.yml:1:8: is not UTF-8 text");
  EXPECT_THAT(problem("build: *nothing"),
              HasSubstr("build.yml:1:8: `*nothing` repeats a value that nothing before it names"));
  EXPECT_EQ(problem("? {a: b}\n: c\n"), "build.yml:1:3: a key must be plain text");
}

TEST(BuildFile, AQuoteThatIsNotClosedSwallowsNothing) {
  EXPECT_EQ(problem(R"(build:
  steps:
    build:
      run: "echo building
    test:
      depends_on: [build]
      run: exit 1
)"),
            "build.yml:4:12: the quote that begins here is never closed");
}

TEST(BuildFile, HostileInputIsBounded) {
  for (const char* opening : {"[", "{", "{a: ", "- ", "? ", "a: &x [", "[[]"}) {
    std::string text;
    while (text.size() < 100000) text += opening;
    problem(text);
  }
  problem(std::string((1 << 20) + 1, ' '));
  // Half a megabyte, a hundred thousand times.
  std::string laughs = "build:\n  steps:\n    s:\n      run: &x " + std::string(500000, 'x') +
                       "\n      env: {}\n      artifacts: [";
  for (int i = 0; i < 100000; i++) laughs += "*x,";
  EXPECT_THAT(problem(laughs + "]\n"), HasSubstr("aliases (*name) repeat too much"));
  // A value that contains itself is only as deep as the schema asks.
  problem("build: &b {steps: *b}\n");
  EXPECT_THAT(problem("build: {steps: {_env(A): {run: x}}}" + std::string(1 << 20, ' ')),
              HasSubstr("bytes"));
}

TEST(BuildFile, SubstitutionCannotExceedTheLimit) {
  std::string text;
  for (int i = 0; i < 1000; i++) text += "_env(BIG)";
  const Error error = error_of([&] { parse(text, {{"BIG", std::string(10000, 'x')}}); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
}

// A reader must not make documents out of nothing here, for ever.
TEST(BuildFile, AStrayCommaEnds) {
  EXPECT_THAT(problem("# comment\n, a\nbuild: {}\n"),
              HasSubstr("build.yml:2:1: is not YAML: did not find expected node content"));
}

// Whatever is read either is a build file or an Error; with ASan and UBSan, nothing else happens.
TEST(BuildFile, SurvivesMutations) {
  const std::string seeds[] = {
      std::string(kHabitus),
      step("name: n\nrun: x\nenv: {A: b}\nwhittle:\n  binary: b\n  image:\n    add: [a:/b:0644]\n"
           "    labels: &l {a: b}\n    annotations: *l\n    cmd: [\"a\", 'b']\n")};
  const std::string bytes = "{}[]:,-&*!|>'\"%@`#?\n\t \\_0aé\xff";
  std::mt19937 random(20160314);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 1000; i++) {
    std::string text = seeds[static_cast<std::size_t>(i) % 2];
    for (unsigned changes = 1 + random() % 2; changes > 0; changes--) {
      const std::size_t at = random() % text.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 4) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1, byte);
          break;
        case 2:
          text.erase(at, 1 + random() % 8);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 40));
      }
      if (text.empty()) text = " ";
    }
    try {
      flow::make_plan(parse(text));
      accepted++;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
      EXPECT_THAT(error.what(), testing::StartsWith("build.yml"));
      refused++;
    }
  }
  EXPECT_GT(accepted, 50);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace whittle::config
