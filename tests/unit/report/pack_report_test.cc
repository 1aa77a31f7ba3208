// SPDX-License-Identifier: MIT
#include "report/pack_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whittle::report {
namespace {

packer::PackDecision packed() {
  packer::PackDecision decision;
  decision.packed.emplace();
  decision.packed->bytes = Bytes(1200, 0);
  decision.packed->original_size = 4000;
  decision.packed->source_size = 5000;
  decision.packed->start_memory = 5 << 20;
  decision.packed->level = "small";
  decision.packed->choice = "small saves 300 bytes";
  decision.packed->warnings = {"odd\x1bthing"};
  return decision;
}

packer::PackDecision refused() {
  packer::PackDecision decision;
  decision.refusal = {.code = "dynamic", .reason = "needs libc.so.6"};
  return decision;
}

TEST(PackReport, Text) {
  EXPECT_EQ(pack_text("a\nb", packed()),
            "a\\nb: packed, 1,200 bytes instead of 5,000 (24.0 %)\n"
            "  first stripped to 4,000 bytes\n"
            "  to start: about 5.0 MiB of memory, besides what the program uses\n"
            "  level small: small saves 300 bytes\n"
            "  warning: odd\\x1bthing\n");
  EXPECT_EQ(pack_text("app", refused()), "app: not packed: needs libc.so.6 [dynamic]\n");
}

TEST(PackReport, Packable) {
  EXPECT_EQ(packable_text("app", {}), "app: can be packed\n");
  EXPECT_EQ(packable_text("app", {.refusal = {}, .warnings = {"odd\x1bthing"}}),
            "app: can be packed\n  warning: odd\\x1bthing\n");
  EXPECT_EQ(packable_text("a\nb", {.refusal = refused().refusal, .warnings = {}}),
            "a\\nb: not packed: needs libc.so.6 [dynamic]\n");
  EXPECT_EQ(nlohmann::json::parse(packable_json("app", {.refusal = {}, .warnings = {"odd"}})),
            nlohmann::json::parse(R"({"schema": "whittle.pack-check/1", "path": "app",
                "packable": true, "refusal": null, "warnings": ["odd"]})"));
  EXPECT_EQ(
      nlohmann::json::parse(packable_json("app", {.refusal = refused().refusal, .warnings = {}})),
      nlohmann::json::parse(R"({"schema": "whittle.pack-check/1", "path": "app",
                "packable": false,
                "refusal": {"code": "dynamic", "reason": "needs libc.so.6"}, "warnings": []})"));
}

TEST(PackReport, Json) {
  EXPECT_EQ(nlohmann::json::parse(pack_json("app", packed())),
            nlohmann::json::parse(R"({"schema": "whittle.pack/1", "path": "app", "packed": true,
                "original_bytes": 4000, "source_bytes": 5000, "packed_bytes": 1200,
                "start_memory_bytes": 5242880, "level": "small",
                "choice": "small saves 300 bytes", "warnings": ["odd\u001bthing"]})"));
  EXPECT_EQ(nlohmann::json::parse(pack_json("app\xff", refused())),
            nlohmann::json::parse(R"({"schema": "whittle.pack/1", "path": "app\ufffd",
                "packed": false,
                "refusal": {"code": "dynamic", "reason": "needs libc.so.6"}})"));
}

const std::vector<packer::Check> kDamaged = {{"header digest", true, ""},
                                             {"payload digest", false, "expected 1, found 2"}};

TEST(VerifyReport, Text) {
  EXPECT_EQ(verify_text("app", {{"header digest", true, ""}}),
            "app\n  ok  header digest\n1 of 1 check passed\n");
  EXPECT_EQ(verify_text("app", kDamaged),
            "app\n"
            "  ok      header digest\n"
            "  FAILED  payload digest  expected 1, found 2\n"
            "1 of 2 checks passed: the file is damaged\n");
}

TEST(VerifyReport, Json) {
  EXPECT_EQ(nlohmann::json::parse(verify_json("app", kDamaged)),
            nlohmann::json::parse(R"({"schema": "whittle.verify/1", "path": "app", "ok": false,
                "checks": [{"name": "header digest", "ok": true, "detail": ""},
                           {"name": "payload digest", "ok": false,
                            "detail": "expected 1, found 2"}]})"));
  EXPECT_EQ(nlohmann::json::parse(verify_json("app", {kDamaged[0]}))["ok"], true);
  EXPECT_EQ(nlohmann::json::parse(verify_json("app", {}))["ok"], false);
}

}  // namespace
}  // namespace whittle::report
