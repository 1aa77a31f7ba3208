// SPDX-License-Identifier: MIT
#include "ship/ship.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "analyzer/analyzer.h"
#include "common/elf.h"
#include "common/file.h"
#include "common/outputs.h"
#include "common/text.h"
#include "imagegen/image.h"
#include "packer/packer.h"
#include "report/text_table.h"
#include "ship/added_content.h"
#include "ship/added_file.h"
#include "ship/image_contents.h"
#include "ship/sizes.h"

namespace whittle::ship {
namespace {

namespace fs = std::filesystem;

// "861,520 → 766,640 bytes (-11.0 %)"
std::string change(std::uint64_t before, std::uint64_t after) {
  const std::string numbers =
      fmt::format("{} → {} bytes", report::group_digits(before), report::group_digits(after));
  const double percent =
      before == 0 ? 0 : 100 * (static_cast<double>(after) / static_cast<double>(before) - 1);
  return percent > -0.05 && percent < 0.05 ? numbers
                                           : fmt::format("{} ({:+.1f} %)", numbers, percent);
}

// The forms that one executable takes on its way, and what is told about each.
class Shipment {
 public:
  Shipment(const ShipRequest& block, const ShipContext& context, Observer& observer)
      : block_(block),
        context_(context),
        observer_(observer),
        path_((context.base / block.binary).lexically_normal()),
        file_(read_file(path_)) {}

  report::SizeReport run() {
    refuse_collisions();
    audit();
    const bool was_packed = packer::is_packed(file_.bytes);
    if (was_packed) {
      take_packed();
    } else {
      forms_.push_back({.stage = "built", .bytes = std::move(file_.bytes), .note = ""});
    }
    check_contents();
    if (block_.strip && !was_packed) strip();
    if (block_.pack && !was_packed) pack();
    write_executable();
    return make_image();
  }

 private:
  void audit() {
    const auto report = analyzer::inspect(file_.bytes, path_.native(), {.symbols = false});
    if (report.kind == analyzer::Kind::other_system) {
      throw Error(ErrorKind::refused, path_.native(),
                  fmt::format("{}; images are for Linux: build the program for it",
                              printable(report.reasons.front().text)));
    }
    if (!analyzer::is_static(report.kind)) {
      std::string reasons;
      for (const auto& reason : report.reasons) {
        reasons += (reasons.empty() ? "" : "; ") + printable(reason.text);
      }
      throw Error(context_.not_static, path_.native(),
                  fmt::format("{} run in an empty image; it is {}: {}",
                              report.kind == analyzer::Kind::packed ? "may not" : "cannot",
                              analyzer::name(report.kind), reasons));
    }
    std::string summary =
        fmt::format("{} for {}", analyzer::name(report.kind), printable(report.machine));
    for (const std::string& part : {report.toolchain.compiler, report.toolchain.libc}) {
      if (!part.empty()) summary += ", " + printable(part);
    }
    tell(Stage::audit, summary);
    for (const std::string& warning : report.warnings) warn(warning);
    needs_ = report.needs;
    if (file_.status.is_privileged()) {
      warn("is shipped without its set-uid and set-gid bits and file capabilities");
    }
  }

  // The report begins at what is packed in; that it can be unpacked at all is checked on the way.
  void take_packed() {
    const auto info = packer::inspect(file_.bytes, path_.native());
    forms_.push_back({.stage = "built",
                      .bytes = packer::unpack(file_.bytes, path_.native()),
                      .note = "packed in"});
    forms_.push_back({.stage = "packed",
                      .bytes = std::move(file_.bytes),
                      .note = fmt::format("level {}, packed before", info.level)});
    tell(Stage::pack, change(forms_.front().bytes.size(), executable().size()) +
                          ", packed before: shipped as it is");
    needs_ = analyzer::inspect(forms_.front().bytes, path_.native(), {.symbols = false}).needs;
  }

  // Before the work, and before anything is written.
  void check_contents() {
    make_spec();
    const ContentProblems problems = find_content_problems(spec_, needs_);
    if (!problems.fatal.empty()) {
      throw Error(ErrorKind::usage, "",
                  problems.fatal + ": a container of this image could never start");
    }
    for (const std::string& warning : problems.warnings) warn(warning);
  }

  void strip() {
    check_stop();
    auto result = analyzer::strip(executable(), path_.native());
    const std::string note = result.removed == 0 ? "kept: nothing to remove" : "";
    tell(Stage::strip, change(executable().size(), result.bytes.size()));
    forms_.push_back({.stage = "stripped", .bytes = std::move(result.bytes), .note = note});
  }

  void pack() {
    check_stop();
    packer::PackOptions options;
    options.level = block_.level;
    options.privileged = file_.status.is_privileged();
    if (forms_.size() > 1) options.stripped_from = forms_.front().bytes;
    options.progress = [this](std::uint64_t done, std::uint64_t total) {
      check_stop();
      observer_.on({context_.step, event::Progress{Stage::pack, done, total}});
    };
    auto decision = packer::pack(executable(), path_.native(), options);
    if (decision.refusal) {
      tell(Stage::pack, "kept unpacked: " + printable(decision.refusal->reason));
      forms_.push_back({.stage = "packed",
                        .bytes = executable(),
                        .note = "kept: " + printable(decision.refusal->reason)});
      return;
    }
    tell(Stage::pack, change(executable().size(), decision.packed->bytes.size()));
    for (const std::string& warning : decision.packed->warnings) warn(warning);
    forms_.push_back({.stage = "packed",
                      .bytes = std::move(decision.packed->bytes),
                      .note = block_.level == packer::Level::automatic
                                  ? "level " + decision.packed->level
                                  : ""});
  }

  void write_executable() {
    if (block_.output.empty()) return;
    AtomicFile file(context_.base / block_.output, file_.status.mode);
    file.write(executable());
    file.set_exact_mode(file_.status.mode & 0777);
    file.commit();
  }

  report::SizeReport make_image() {
    check_stop();
    const ImageRequest& block = block_.image;
    const fs::path output = archive_path();
    const fs::path layout = block.layout.empty() ? fs::path() : context_.base / block.layout;

    spec_.files.front().content = executable();
    imagegen::Image image = imagegen::build_image(spec_);
    const std::uint64_t content =
        image.layer.bytes.size() + image.config.bytes.size() + image.manifest.bytes.size();
    const std::uint64_t disk = output.empty() ? content : imagegen::write_archive(image, output);
    if (!layout.empty()) {
      const std::vector<std::string> notes = imagegen::write_layout(image, layout);
      image.warnings.insert(image.warnings.end(), notes.begin(), notes.end());
    }

    const fs::path& main_output = output.empty() ? layout : output;
    tell(Stage::image,
         fmt::format("{} for {} in {}, {} bytes to pull", image.reference, image.platform,
                     printable(main_output.lexically_normal().native()),
                     report::group_digits(content)));
    for (const std::string& warning : image.warnings) warn(warning);

    report::SizeReport report;
    report.subject = block_.binary;
    report.image_reference = image.reference;
    report.image_digest = image.manifest.digest;
    report.output = main_output.lexically_normal().native();
    report.platform = image.platform;
    report.warnings = warnings_;
    report.stages = stages_of(forms_);
    report.stages.push_back({.name = "layer",
                             .disk = image.layer.bytes.size(),
                             .wire_gzip = std::nullopt,
                             .wire_zstd = std::nullopt,
                             .note = std::string(imagegen::name(block.compression))});
    report.weighed = context_.measure;
    if (report.weighed) weigh(forms_, spec_, report.stages, context_.stop);
    check_stop();
    report.stages.push_back({.name = "image",
                             .disk = disk,
                             .wire_gzip = std::nullopt,
                             .wire_zstd = std::nullopt,
                             .note = output.empty() ? "layout" : "archive"});
    report::judge(report);
    return report;
  }

  // With the executable as it is now, which is replaced by its last form.
  void make_spec() {
    const ImageRequest& block = block_.image;
    const elf::Header header = elf::File::parse(executable(), path_.native()).header();
    const imagegen::Platform platform = imagegen::platform_of(
        header.machine, header.is_64bit, header.order == ByteOrder::big, path_.native());
    const std::string name = block_.program_path();

    spec_.architecture = platform.architecture;
    spec_.variant = platform.variant;
    spec_.files.push_back({.path = name, .content = executable(), .mode = 0755});
    spec_.entrypoint = block.entrypoint.empty() ? std::vector{name} : block.entrypoint;
    spec_.cmd = block.cmd;
    for (const auto& [key, value] : block.env) spec_.env.push_back(key + "=" + value);
    spec_.working_dir = block.workdir;
    spec_.user = block.user;
    spec_.exposed_ports = block.expose;
    spec_.labels.insert(block.labels.begin(), block.labels.end());
    spec_.annotations.insert(block.annotations.begin(), block.annotations.end());
    spec_.tag = block.tag.empty() ? default_tag() : block.tag;
    spec_.compression = block.compression;
    spec_.created = context_.created;
    for (const std::string& warning : add_content(block, context_.base, spec_)) warn(warning);
  }

  std::string base_name() const { return path_.filename().native(); }

  // The file's name as far as an image may have it: lower case, single separators, none at an end.
  std::string default_tag() const {
    std::string tag;
    for (const char c : base_name()) {
      const auto byte = static_cast<unsigned char>(c);
      const bool plain = byte < 0x80 && std::isalnum(byte);
      if (plain) {
        tag += static_cast<char>(std::tolower(byte));
      } else if (!tag.empty() && tag.back() != '-') {
        tag += '-';
      }
    }
    while (!tag.empty() && tag.back() == '-') tag.pop_back();
    return (tag.empty() ? "app" : tag) + ":latest";
  }

  // Empty: none.
  fs::path archive_path() const {
    const std::string name = block_.archive();
    return name.empty() ? fs::path() : context_.base / name;
  }

  void refuse_collisions() const {
    std::vector<NamedPath> inputs = {{"the executable", path_}};
    for (const std::string& text : block_.image.add) {
      inputs.push_back({"a source of `add`", context_.base / parse_added_file(text).source, true});
    }
    const auto place = [&](const std::string& path) {
      return path.empty() ? fs::path() : context_.base / path;
    };
    whittle::refuse_collisions(inputs, {{"the packed executable", place(block_.output)},
                                        {"the image", archive_path()},
                                        {"the layout", place(block_.image.layout)}});
  }

  const Bytes& executable() const { return forms_.back().bytes; }
  void check_stop() const {
    if (context_.stop.stop_requested()) throw Stopped();
  }
  void tell(Stage stage, std::string_view text) {
    observer_.on({context_.step, event::Done{stage, text}});
  }
  void warn(std::string_view text) {
    warnings_.push_back(printable(text));
    observer_.on({context_.step, event::Warning{warnings_.back()}});
  }

  const ShipRequest& block_;
  const ShipContext& context_;
  Observer& observer_;
  const fs::path path_;
  LoadedFile file_;  // its bytes move into forms_
  std::vector<Form> forms_;
  std::vector<analyzer::Need> needs_;  // of the program, unpacked
  imagegen::ImageSpec spec_;
  std::vector<std::string> warnings_;
};

}  // namespace

std::string_view name(Stage stage) {
  switch (stage) {
    case Stage::compile:
      return "compile";
    case Stage::audit:
      return "audit";
    case Stage::strip:
      return "strip";
    case Stage::pack:
      return "pack";
    case Stage::image:
      break;
  }
  return "image";
}

report::SizeReport ship_executable(const ShipRequest& block, const ShipContext& context,
                                   Observer& observer) {
  return Shipment(block, context, observer).run();
}

}  // namespace whittle::ship
