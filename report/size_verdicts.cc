// SPDX-License-Identifier: MIT
//
// What the numbers of a size report say in words. The trap it is built around: a packed file is
// compressed already, so a layer's own compression finds little left in it. What shrinks on disk by
// two thirds may pull as heavy as before, or heavier where zstd would have done better than the
// packer. So packing is judged by the pull, against the file that went into it, and the lightest
// way to ship is named when it is another one.
//
// Like is compared with like: whole images with whole images, and layers of one compression with
// each other. Another compression is another choice, with readers of its own, and named as that. Of
// an image with more files than the program, only what is shipped was ever compressed as a whole;
// with another form of the program in it, it weighs about as much more or less as the forms do.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "report/size_report.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

using Weight = std::optional<std::int64_t>;  // bytes on the wire, or a difference of such

constexpr std::string_view kCompressions[] = {"gzip", "zstd"};

// A form of the executable, not what it was wrapped in.
bool is_file(const Stage& stage) { return stage.name != "layer" && stage.name != "image"; }

Weight wire(const Stage& stage, std::string_view compression) {
  const auto& wire = compression == "gzip" ? stage.wire_gzip : stage.wire_zstd;
  return wire ? Weight(static_cast<std::int64_t>(*wire)) : std::nullopt;
}

double change_percent(double before, double after) {
  return before <= 0 ? 0 : 100.0 * (after / before - 1.0);
}

// Too little for the one decimal that is shown.
bool is_nothing(double change) { return change > -0.05 && change < 0.05; }

// "63.3 % smaller"
std::string compare(double change, std::string_view less, std::string_view more) {
  return fmt::format("{:.1f} % {}", change < 0 ? -change : change, change < 0 ? less : more);
}

class Judge {
 public:
  explicit Judge(SizeReport& report) : report_(report) {
    for (const Stage& stage : report.stages) {
      if (is_file(stage)) forms_.push_back(&stage);
      if (stage.name == "layer") layer_ = &stage;
    }
  }

  void judge() {
    report_.verdicts.clear();
    if (forms_.empty()) return;
    if (forms_.size() > 1) judge_file();
    for (std::size_t i = 1; i < forms_.size(); i++) {
      if (forms_[i]->name == "packed") judge_packing(*forms_[i - 1], *forms_[i]);
    }
    judge_lightest();
    if (!report_.weighed) {
      say("What the stages weigh as layers is not known (--no-weigh), nor which pull is lightest.");
    }
  }

 private:
  // What the layer holds beside the program.
  std::int64_t rest(std::string_view compression) const {
    if (layer_ == nullptr) return 0;
    const Weight whole = wire(*layer_, compression), program = wire(*forms_.back(), compression);
    return whole && program ? *whole - *program : 0;
  }

  // Of the image with this form of the program.
  Weight pull(const Stage& form, std::string_view compression) const {
    const Weight weight = wire(form, compression);
    return weight ? Weight(*weight + rest(compression)) : std::nullopt;
  }

  void judge_file() {
    const Stage &built = *forms_.front(), &last = *forms_.back();
    const double change =
        change_percent(static_cast<double>(built.disk), static_cast<double>(last.disk));
    if (is_nothing(change)) return say("The file is as large as it was built.");
    say(fmt::format("The file is {} than it was built: {} bytes instead of {}.",
                    compare(change, "smaller", "larger"), group_digits(last.disk),
                    group_digits(built.disk)));
  }

  void judge_packing(const Stage& before, const Stage& packed) {
    if (packed.disk == before.disk) {
      return say("Packing changed nothing" +
                 (packed.note.empty() ? "." : " (" + printable(packed.note) + ")."));
    }
    std::vector<std::string> changed, same;
    bool lighter = false;
    for (const std::string_view compression : kCompressions) {
      const auto change = change_of(pull(before, compression), pull(packed, compression));
      if (!change) continue;
      if (is_nothing(*change)) {
        same.push_back(std::string(compression));
      } else {
        changed.push_back(
            fmt::format("{} as {}", compare(*change, "lighter", "heavier"), compression));
        lighter |= *change < 0;
      }
    }
    if (changed.empty() && same.empty()) return;
    if (changed.empty()) {
      return say("Packing leaves the pull as heavy as it was; what it saves is disk.");
    }
    std::string text = fmt::format("Packing makes the pull {}", fmt::join(changed, " and "));
    if (!same.empty()) text += fmt::format(" and leaves it the same as {}", same.front());
    say(text + (lighter ? "." : ": for the network, ship it unpacked."));
  }

  struct Way {
    const Stage* form;
    std::int64_t weight;
  };

  // The lightest of the forms that were not shipped, the latest of those that weigh the same.
  std::optional<Way> lightest(std::string_view compression, bool with_shipped) const {
    std::optional<Way> best;
    for (const Stage* form : forms_) {
      if (is_shipped(*form) && !with_shipped) continue;
      const Weight weight = pull(*form, compression);
      if (weight && (!best || *weight <= best->weight)) best = Way{form, *weight};
    }
    return best;
  }

  // Also an earlier form that stayed as it was.
  bool is_shipped(const Stage& form) const {
    const Stage& last = *forms_.back();
    return form.disk == last.disk && form.wire_gzip == last.wire_gzip &&
           form.wire_zstd == last.wire_zstd;
  }

  // Names a lighter way where the shipped one is not the lightest.
  void judge_lightest() {
    if (layer_ == nullptr) return;
    std::int64_t least = static_cast<std::int64_t>(layer_->disk);
    const auto is_lighter = [&](const std::optional<Way>& way) {
      if (!way || way->weight >= least) return false;
      return !is_nothing(*change_of(static_cast<std::int64_t>(layer_->disk), way->weight));
    };
    const std::string& own = layer_->note;
    if (const auto way = lightest(own, false); is_lighter(way)) {
      least = way->weight;
      say(fmt::format("The lightest {} layer would be that of the {} file: {}.", own,
                      printable(way->form->name), numbers(*way)));
    }
    for (const std::string_view other : kCompressions) {
      if (other == own) continue;
      const auto way = lightest(other, true);
      if (!is_lighter(way)) continue;
      say(fmt::format("The lightest pull would be {} in a {} layer (`compression: {}`): {}.",
                      is_shipped(*way->form)
                          ? std::string("the same file")
                          : fmt::format("the {} file", printable(way->form->name)),
                      other, other, numbers(*way)));
    }
  }

  // "about 400 bytes, 33.3 % lighter than this one"
  std::string numbers(const Way& way) const {
    const bool is_exact = is_shipped(*way.form) || (rest("gzip") == 0 && rest("zstd") == 0);
    return fmt::format(
        "{}{} bytes, {} than this one", is_exact ? "" : "about ",
        group_digits(static_cast<std::uint64_t>(std::max<std::int64_t>(0, way.weight))),
        compare(*change_of(static_cast<std::int64_t>(layer_->disk), way.weight), "lighter",
                "heavier"));
  }

  static std::optional<double> change_of(Weight before, Weight after) {
    if (!before || !after) return std::nullopt;
    return change_percent(static_cast<double>(*before), static_cast<double>(*after));
  }

  void say(std::string text) { report_.verdicts.push_back(std::move(text)); }

  SizeReport& report_;
  std::vector<const Stage*> forms_;
  const Stage* layer_ = nullptr;
};

}  // namespace

void judge(SizeReport& report) { Judge(report).judge(); }

}  // namespace whittle::report
