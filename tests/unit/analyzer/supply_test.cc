// SPDX-License-Identifier: MIT
#include "analyzer/supply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "analyzer/need_rules.h"
#include "analyzer/needs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/memory_tree.h"

namespace whittle::analyzer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The ways in which the need of a program can be met, and what is advised.
Need need_of(const std::string& id, const std::string& language, const std::string& symbol,
             const std::string& text = "", bool dynamic = false) {
  test::ElfSpec spec;
  spec.data = text + std::string(1, '\0');
  const Bytes bytes = test::build(spec).bytes;
  const elf::File file = elf::File::parse(bytes, "program");
  const Toolchain toolchain{.language = language,
                            .compiler = "",
                            .libc = language == "Go" ? "" : "glibc",
                            .main_package = "",
                            .modules = {},
                            .settings = {}};
  std::vector<Symbol> symbols;
  if (!symbol.empty()) {
    symbols.push_back({symbol, 0, 0, kSymbolFunction, !dynamic});
  }
  GoFunctionTable table;
  table.names = text;
  const std::vector<Symbol> none;
  for (const Need& need : find_needs({.file = file,
                          .toolchain = toolchain,
                          .dynamic = dynamic,
                          .go_functions = language == "Go" ? &table : nullptr,
                          .symbols = dynamic ? none : symbols,
                          .dynamic_symbols = dynamic ? symbols : none})) {
    if (need.id == id) return need;
  }
  ADD_FAILURE() << "no " << id;
  return {};
}

class SupplyTest : public testing::Test {
 protected:
  std::vector<std::string> supplied(const Need& need) {
    BinaryReport report;
    report.needs = {need};
    StartCheck check(tree, config);
    mark_supplied(tree, check, report);
    return report.needs[0].supplied_by;
  }
  std::vector<std::string> supplied(Supply::What what, std::vector<std::string> paths,
                                    const std::string& variable = "") {
    Need need;
    need.ways = {{what, std::move(paths), variable}};
    return supplied(need);
  }

  test::MemoryTree tree;
  RunConfig config{.entrypoint = {}, .cmd = {}, .env = {}, .working_dir = "", .user = "1000"};
};

TEST_F(SupplyTest, AFileIsReadableAndNotEmpty) {
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/x"}), IsEmpty());
  tree.file("/etc/x", "");
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/x"}), IsEmpty());
  tree.file("/etc/x", "text");
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/x"}), ElementsAre("/etc/x"));
  tree.file("/etc/x", "text", 0600);
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/x"}), IsEmpty());
  tree.file("/etc/x", "text").folder("/etc", 0700);
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/x"}), IsEmpty());
  tree.folder("/etc").folder("/etc/x");
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/x"}), IsEmpty());
  tree.file("/usr/x", "text").link("/etc/x", "/usr/x");
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/x"}), ElementsAre("/etc/x"));
}

TEST_F(SupplyTest, AllPathsOfAWayAreThere) {
  tree.file("/etc/passwd", "x");
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/passwd", "/etc/group"}), IsEmpty());
  tree.file("/etc/group", "x");
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/passwd", "/etc/group"}),
              ElementsAre("/etc/passwd", "/etc/group"));
}

TEST_F(SupplyTest, AVariableReplacesThePath) {
  tree.file("/etc/ca.pem", "x").file("/opt/ca.pem", "x");
  config.env = {"CA=/opt/ca.pem"};
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/ca.pem"}, "CA"), ElementsAre("/opt/ca.pem"));
  config.env = {"CA=/gone"};
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/ca.pem"}, "CA"), IsEmpty());
  config.env = {"CA="};
  EXPECT_THAT(supplied(Supply::What::file, {"/etc/ca.pem"}, "CA"), ElementsAre("/etc/ca.pem"));
}

TEST_F(SupplyTest, AFolderHasSomethingInIt) {
  tree.folder("/zones");
  EXPECT_THAT(supplied(Supply::What::folder, {"/zones"}), IsEmpty());
  tree.file("/zones/Europe/Berlin", "TZif");
  EXPECT_THAT(supplied(Supply::What::folder, {"/zones"}), ElementsAre("/zones"));
}

TEST_F(SupplyTest, AProgramCanBeStarted) {
  tree.file("/bin/sh", test::build(test::ElfSpec{}).bytes, 0644);
  EXPECT_THAT(supplied(Supply::What::program, {"/bin/sh"}), IsEmpty());
  tree.file("/bin/sh", test::build(test::ElfSpec{}).bytes);
  EXPECT_THAT(supplied(Supply::What::program, {"/bin/sh"}), ElementsAre("/bin/sh"));
  test::ElfSpec dynamic;
  dynamic.interpreter = "/lib/ld.so";
  tree.file("/bin/sh", test::build(dynamic).bytes);
  EXPECT_THAT(supplied(Supply::What::program, {"/bin/sh"}), IsEmpty());
}

TEST_F(SupplyTest, AFolderIsWritableByTheUser) {
  tree.folder("/tmp", 0755);
  EXPECT_THAT(supplied(Supply::What::writable_folder, {"/tmp"}), IsEmpty());
  tree.folder("/tmp", 01777);
  EXPECT_THAT(supplied(Supply::What::writable_folder, {"/tmp"}), ElementsAre("/tmp"));
  tree.folder("/tmp", 0700, 1000);
  EXPECT_THAT(supplied(Supply::What::writable_folder, {"/tmp"}), ElementsAre("/tmp"));
  tree.folder("/tmp", 0755);
  config.user = "0";
  EXPECT_THAT(supplied(Supply::What::writable_folder, {"/tmp"}), ElementsAre("/tmp"));
}

TEST_F(SupplyTest, NameServicesAreFiles) {
  const auto with = [&](std::string_view text) {
    tree.file("/etc/nsswitch.conf", text);
    return !supplied(Supply::What::name_services, {"/etc/nsswitch.conf"}).empty();
  };
  EXPECT_TRUE(with("passwd: files\nhosts:\tfiles dns\n"));
  EXPECT_TRUE(with("# comment\nhosts: files dns # [NOTFOUND=return]\n"));
  EXPECT_FALSE(with("passwd: ldap\nhosts: files\n"));
  EXPECT_FALSE(with("passwd: myfiles\n"));
  EXPECT_FALSE(with("# passwd: files\n"));
  EXPECT_FALSE(with(""));
}

TEST_F(SupplyTest, EnginesMountSomeThings) {
  EXPECT_THAT(supplied(Supply::What::engine, {"/proc"}), ElementsAre("the container engine"));
}

TEST_F(SupplyTest, NoWayIsNeverMet) {
  tree.file("/bin/other", test::build(test::ElfSpec{}).bytes);
  EXPECT_THAT(supplied(need_of("needs/processes", "C/C++", "execvp")), IsEmpty());
}

// Where a program looks depends on what it is made of.
TEST_F(SupplyTest, CertificatesAreWhereTheProgramLooks) {
  const std::string go(
      std::string("crypto/x509.SystemCertPool\0crypto/x509.loadSystemRoots\0", 55));
  const Need of_go = need_of("needs/ca-certificates", "Go", "", go);
  EXPECT_EQ(of_go.supply,
            "whittle image --add "
            "/etc/ssl/certs/ca-certificates.crt:/etc/ssl/certs/ca-certificates.crt");
  const Need of_openssl = need_of("needs/ca-certificates", "C/C++",
                                  "SSL_CTX_set_default_verify_paths", "/usr/lib/ssl/cert.pem");
  EXPECT_EQ(of_openssl.supply,
            "whittle image --add /etc/ssl/certs/ca-certificates.crt:/usr/lib/ssl/cert.pem");
  const Need of_dynamic =
      need_of("needs/ca-certificates", "C/C++", "SSL_CTX_set_default_verify_paths", "", true);
  tree.file("/etc/ssl/certs/ca-certificates.crt", "x");
  EXPECT_THAT(supplied(of_go), ElementsAre("/etc/ssl/certs/ca-certificates.crt"));
  EXPECT_THAT(supplied(of_dynamic), ElementsAre("/etc/ssl/certs/ca-certificates.crt"));
  EXPECT_THAT(supplied(of_openssl), IsEmpty());
  tree.file("/usr/lib/ssl/cert.pem", "x");
  EXPECT_THAT(supplied(of_openssl), ElementsAre("/usr/lib/ssl/cert.pem"));
  test::MemoryTree fedora;
  fedora.file("/etc/pki/tls/certs/ca-bundle.crt", "x");
  tree = fedora;
  EXPECT_THAT(supplied(of_go), ElementsAre("/etc/pki/tls/certs/ca-bundle.crt"));
}

// ---- The table and the advice made of it.

TEST(SupplyRules, AreOfKnownNeeds) {
  std::set<std::string_view> known, advised, ruled;
  for (const NeedKind& kind : need_kinds()) {
    known.insert(kind.id);
    if (kind.supply.find("{}") != std::string_view::npos) advised.insert(kind.id);
  }
  for (const SupplyRule& rule : supply_rules()) {
    EXPECT_TRUE(known.contains(rule.need)) << rule.need;
    EXPECT_TRUE(rule.path.starts_with('/')) << rule.path;
    ruled.insert(rule.need);
  }
  // Advice that is made of the table has something to be made of.
  for (const std::string_view id : advised) EXPECT_TRUE(ruled.contains(id)) << id;
}

TEST(SupplyRules, MakeTheAdvice) {
  EXPECT_EQ(need_of("needs/passwd", "C/C++", "getpwnam").supply,
            "whittle image --add passwd:/etc/passwd --add group:/etc/group");
  EXPECT_THAT(need_of("needs/shell", "C/C++", "system").supply,
              HasSubstr("whittle image --add /bin/busybox:/bin/sh:0755, or"));
  EXPECT_THAT(need_of("needs/zoneinfo", "C/C++", "tzset").supply,
              HasSubstr("else whittle image --add "
                        "/usr/share/zoneinfo/Europe/Berlin:/usr/share/zoneinfo/Europe/Berlin for"));
  EXPECT_THAT(need_of("needs/resolver", "C/C++", "getaddrinfo").supply,
              HasSubstr("whittle image --add hosts:/etc/hosts --add resolv.conf:/etc/resolv.conf"));
  EXPECT_THAT(need_of("needs/nss", "C/C++", "__nss_passwd_lookup2").supply,
              HasSubstr("whittle image --add nsswitch.conf:/etc/nsswitch.conf, with"));
}

TEST(Supply, ConsultedFilesAreKnownByName) {
  for (const char* path : {"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ld.so.conf",
                           "/etc/ld.so.conf.d/x.conf", "/nix/store/x/etc/passwd"}) {
    EXPECT_TRUE(is_consulted(path)) << path;
  }
  for (const char* path : {"/etc/passwd-", "/bin/sh", "/passwd/x"}) {
    EXPECT_FALSE(is_consulted(path)) << path;
  }
}

}  // namespace
}  // namespace whittle::analyzer
