// SPDX-License-Identifier: MIT
#include "analyzer/go_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace whittle::analyzer {
namespace {

using testing::ElementsAre;

struct Name {
  const char *symbol, *package;
};

TEST(GoSymbols, PackagesOfPlainNames) {
  for (const auto& [symbol, package] : {
           Name{"net/http.(*Client).do", "net/http"},
           Name{"main.main", "main"},
           Name{"main..inittask", "main"},
           Name{"main..dict.Pair[int].Sum", "main"},
           Name{"example.com/gt/tab.Table", "example.com/gt/tab"},
           Name{"example%2ecom/a.f", "example.com/a"},
           Name{"gopkg.in/yaml%2ev3.(*node).f", "gopkg.in/yaml.v3"},
           Name{"example.com/f%c3%bc.x", "example.com/f\xc3\xbc"},
           Name{"example.com/a%0ab.x", "example.com/a\\nb"},
           Name{"example.com/a%zz.x", "example.com/a%zz"},
           Name{"vendor/golang.org/x/net/dns/dnsmessage.(*Parser).skip",
                "vendor/golang.org/x/net/dns/dnsmessage"},
           Name{"go.uber.org/zap.New", "go.uber.org/zap"},
           Name{"go/ast.Print", "go/ast"},
           Name{"runtime.gcbits.*", "runtime"},
           Name{"gogo", "[Go assembly]"},
           Name{"_rt0_amd64_linux", "[Go assembly]"},
           Name{"runtime.lock2-tramp0", "runtime"},
           Name{"", "[Go assembly]"},
           Name{".x", "[Go assembly]"},
       }) {
    EXPECT_EQ(go_package_of(symbol), package) << symbol;
  }
}

TEST(GoSymbols, PackagesOfGenericNames) {
  EXPECT_EQ(go_package_of("slices.Sort[go.shape.[]example.com/x.T]"), "slices");
  EXPECT_EQ(go_package_of("sync/atomic.(*Pointer[go.shape.struct { a/b.c int }]).Load"),
            "sync/atomic");
  EXPECT_EQ(go_package_of("a.F[" + std::string(10'000, '/') + "x.T]"), "a");
}

// The path of a second package, whose slashes are no part of the first.
TEST(GoSymbols, PackagesOfNamesThatHoldAnother) {
  for (const auto& [symbol, package] : {
           Name{"text/template.(*Template).text/template/parse.f", "text/template"},
           Name{"text/template.T.text/template/parse.f", "text/template"},
           Name{"bufio.T.example.com/x.f", "bufio"},
           Name{"main.t.example.com/x.f", "main"},
           Name{"x.org/a.rule.buf.build/go/check.isRule", "x.org/a"},
           Name{"x.org/a.NewChecker.x.org/core.Memoize[...].func1", "x.org/a"},
           Name{"x.org/a.parse.(*scanner).next.func1", "x.org/a"},
           Name{"gopkg.in/src-d/go-git.v4/plumbing.New", "gopkg.in/src-d/go-git.v4/plumbing"},
           Name{"sub.domain.example.com/x.F", "sub.domain.example.com/x"},
       }) {
    EXPECT_EQ(go_package_of(symbol), package) << symbol;
  }
}

TEST(GoSymbols, PackagesOfWhatTheCompilerMakesForTypes) {
  for (const auto& [symbol, package] : {
           Name{"type:.eq.net/url.URL", "net/url"},
           Name{"type..eq.net/url.URL", "net/url"},
           Name{"type:.hash.[2]net/url.URL", "net/url"},
           Name{"type:.eq.sync/atomic.Pointer[interface {}]", "sync/atomic"},
           Name{"type:.eq.[3]string", "[Go types]"},
           Name{"type:.eq.[2]interface {}", "[Go types]"},
           Name{"type:.eq.struct { sync.Once; crypto/x509.v *crypto/x509.Certificate }",
                "crypto/x509"},
           Name{"type:.eq.struct { gopkg.in/yaml%2ev3.a int }", "gopkg.in/yaml.v3"},
           Name{"type:.eq.struct { gopkg.in/yaml.v3.a int }", "gopkg.in/yaml.v3"},
           Name{"type:.eq.struct { Name string; P *math/big.Int }", "[Go types]"},
           Name{"type:.eq.go.shape.struct { net/netip.isV6 bool; net/netip.z string }",
                "net/netip"},
           Name{"struct { io.Reader; x.org/a.n int }.Read", "x.org/a"},
           Name{"go.struct { io.Reader; x.org/a.n int }.Read", "x.org/a"},
           Name{"go.(*struct { sync.Mutex; x.org/a.n int }).Lock", "x.org/a"},
           Name{"go:itab.*os.File,io.Reader", "os"},
           Name{"go.itab.runtime.errorString,error", "runtime"},
           Name{"go:itab.*x.org/a.T[int,string],io.Reader", "x.org/a"},
           Name{"type:*", "[Go types]"},
           Name{"type.*", "[Go types]"},
           Name{"type:.namedata.*func()-", "[Go types]"},
           Name{"type:func(*net/http.Request)", "[Go types]"},
           Name{"type:*map[string]int", "[Go types]"},
           Name{"type:.eq.[9", "[Go types]"},
           Name{"type:.eq.struct {", "[Go types]"},
           Name{"type:.eq.", "[Go types]"},
       }) {
    EXPECT_EQ(go_package_of(symbol), package) << symbol;
  }
}

TEST(GoSymbols, WhatTheLinkerMakesIsOfNoPackage) {
  for (const char* symbol : {"go:buildid", "go.buildid", "go:string.*", "go.func.*",
                             "go:buildinfo.ref", "$f64.3ff0000000000000", "go:textfipsstart"}) {
    EXPECT_EQ(go_package_of(symbol), "[Go linker]") << symbol;
  }
}

TEST(GoSymbols, LongNamesAreCut) {
  EXPECT_LT(go_package_of(std::string(100'000, 'a') + ".f").size(), 1000u);
  EXPECT_LT(go_package_of("type:.eq." + std::string(100'000, '*')).size(), 1000u);
  EXPECT_LT(go_package_of(std::string(100'000, '/')).size(), 1000u);
}

TEST(GoSymbols, NamesOfC) {
  for (const char* name :
       {"read", "seen.0", "completed.7421", "f.cold", "f.part.0.cold", "_ZN1a1bEv", "_RNvC1a1b",
        ".LC0", "str.3", "anon.00ff.12", "f.constprop.0.isra.0", "switch.table.f",
        "memcpy@@GLIBC_2.14", "f.llvm.123", "runtime/cgo(.rodata)"}) {
    EXPECT_TRUE(is_c_name(name)) << name;
  }
  for (const char* name : {"main.main", "main..inittask", "net/http.x", "time.startNano",
                           "example.com/a.b", "gogo-tramp0", "type:*", "unicode.C"}) {
    EXPECT_FALSE(is_c_name(name)) << name;
  }
}

Symbol file(std::string_view name) {
  return {.name = name, .type = kSymbolFile, .defined = true, .is_local = true};
}
Symbol data(std::string_view name, bool is_local) {
  return {.name = name, .size = 8, .type = kSymbolObject, .defined = true, .is_local = is_local};
}

TEST(GoSymbols, WithoutCAllAreOfGo) {
  const std::vector<Symbol> symbols = {file("go.go"), data("masks", true), data("a.x", false)};
  EXPECT_THAT(find_go_symbols(symbols, true), ElementsAre(true, true, true));
  EXPECT_THAT(find_go_symbols(symbols, false), ElementsAre(true, true, true));
  EXPECT_THAT(find_go_symbols({file("a.c"), data("a.1", true)}, false), ElementsAre(false, false));
}

TEST(GoSymbols, AnOuterLinkerListsThemByFile) {
  EXPECT_THAT(
      find_go_symbols({file("crt1.o"), data("s.x", true), file("go.go"), data("masks", true),
                       data("a.x", true), file("a.c"), data("seen.0", true), data("switch.x", true),
                       data("table", false), data("plugin.X", false)},
                      true),
      ElementsAre(false, false, true, true, true, false, false, false, false, true));
}

TEST(GoSymbols, GosLinkerListsThemByNameOnly) {
  EXPECT_THAT(find_go_symbols({file("go.go"), data("x_cgo_init", false), data("table", false),
                               data("a.x", false), data("seen.0", true)},
                              true),
              ElementsAre(true, false, false, true, false));
}

}  // namespace
}  // namespace whittle::analyzer
