// SPDX-License-Identifier: MIT
#include "packer/codecs/mix_encoder.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <vector>

#include "packer/codecs/mix_parser.h"
#include "packer/codecs/mix_player.h"
#include "packer/codecs/mix_prices.h"
#include "packer/codecs/rans_encoder.h"

namespace whittle::packer {
namespace {

using namespace stub;

constexpr std::size_t kSample = std::size_t{1} << 20;  // bytes from which the first prices come
constexpr int kPasses = 2;                             // parses of them

// What a literal costs beyond its bits, for the time that it takes to decode: the more, the longer
// the start takes anyway.
std::uint32_t literal_time(std::size_t size) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(kPriceOne / 8 + (size >> 15), kPriceOne / 2));
}

// Few bytes leave most places empty, and clearing them takes time at every start.
std::uint8_t table_bits_for(std::size_t size, std::uint8_t most) {
  const auto bits = static_cast<int>(std::bit_width(size >> 4));
  return static_cast<std::uint8_t>(std::clamp<int>(bits, 4, most));
}

// How streams of that kind may begin.
std::vector<MixHeader> headers(ModelKind kind, std::uint8_t bits) {
  if (kind == kModelX86) return {{kind, 0, 0, 0, bits}};
  if (kind == kModelAarch64) return {{kind, 3, 0, 0, bits}};
  constexpr std::uint8_t guess = 1, last = 2, last_but_one = 4, last_but_two = 8;
  return {{kind, 0, 0, 0, bits},
          {kind, 0, 0, last, bits},
          {kind, 0, last, 0, bits},
          {kind, 0, last, last_but_one, bits},
          {kind, 0, last, last | last_but_one, bits},
          {kind, 1, last, 0, bits},
          {kind, 3, guess, 0, bits},
          {kind, 3, last_but_one, 0, bits},
          {kind, 3, last, last_but_two, bits},
          {kind, 7, last, 0, bits}};
}

// A coder of stub::MixModel that writes.
class Writer {
 public:
  explicit Writer(Bytes& out) : rans_(out) {}

  void begin_command() {
    if (commands_ == kBlockCommands) finish();
    commands_++;
  }
  std::uint32_t code(const Mixture& mixture, std::uint32_t symbol) {
    rans_.code(mixture.start[symbol], mixture.size(symbol), kScaleBits);
    return symbol;
  }
  std::uint32_t raw(std::uint32_t value, std::uint32_t bits) {
    rans_.raw(value, bits);
    return value;
  }
  // Ends the block; there is none before the first command.
  void finish() {
    if (commands_ != 0) rans_.finish();
    commands_ = 0;
  }

 private:
  RansEncoder rans_;
  std::uint32_t commands_ = 0;  // of the block
};

// Commands, and the header under which they are cheapest.
struct Parse {
  std::vector<Step> steps;
  MixHeader header;
  std::uint64_t price;
};

// Has the workspace learn from all commands, and returns their price.
std::uint64_t learn_all(ByteView raw, const MixHeader& header, const std::vector<Step>& steps,
                        MixWorkspace& workspace) {
  prepare(workspace, header);
  Pricer pricer;
  Player(raw, header, workspace, pricer).play(steps);
  return pricer.price;
}

// Parses all of `raw`, by the prices of a workspace that goes on learning; take(step) for each.
template <class Take>
void parse_all(ByteView raw, const MixHeader& header, MixWorkspace& workspace, std::uint32_t time,
               const Take& take) {
  Pricer pricer;
  Player player(raw, header, workspace, pricer);
  const auto parser = std::make_unique<MixParser>(raw, header, player.model(), time);
  std::vector<Step> steps;
  while (player.at() < raw.size()) {
    parser->parse(player.at(), player.past(), steps);
    for (const Step& step : steps) {
      player.play(step);
      take(step);
    }
  }
}

// The cheapest parse of a few. Prices come from commands, and commands from prices: from a model
// that has learned nothing yet all literals look expensive, and taking copies instead it never
// learns better. So the first commands are literals alone.
Parse parse_often(ByteView raw, ModelKind kind, std::uint8_t bits, std::uint32_t time,
                  MixWorkspace& workspace) {
  Parse best{.steps = {}, .header = {}, .price = ~0ULL};
  std::vector<Step> steps(raw.size(), Step{kLiteral, 1, 0});
  for (int pass = 0;; pass++) {
    MixHeader header{};
    std::uint64_t least = ~0ULL;
    for (const MixHeader& h : headers(kind, bits)) {
      const std::uint64_t price = learn_all(raw, h, steps, workspace);
      if (price < least) {
        least = price;
        header = h;
      }
    }
    learn_all(raw, header, steps, workspace);
    if (least < best.price) best = {std::move(steps), header, least};
    if (pass == kPasses) return best;
    steps.clear();
    parse_all(raw, header, workspace, time, [&](const Step& step) { steps.push_back(step); });
  }
}

}  // namespace

Bytes mix_encode(ByteView raw, ModelKind kind, std::uint8_t table_bits,
                 std::atomic<std::uint64_t>* done) {
  const auto prices = std::make_unique<MixWorkspace>(), real = std::make_unique<MixWorkspace>();
  const std::uint32_t time = literal_time(raw.size());
  const ByteView sample = raw.first(std::min(raw.size(), kSample));
  const Parse parse =
      parse_often(sample, kind, table_bits_for(raw.size(), table_bits), time, *prices);
  const auto* header = reinterpret_cast<const std::uint8_t*>(&parse.header);
  Bytes out(header, header + sizeof parse.header);
  Writer writer(out);
  prepare(*real, parse.header);
  Player player(raw, parse.header, *real, writer);
  const auto play = [&](const Step& step) {
    player.play(step);
    if (done != nullptr) done->fetch_add(step.length, std::memory_order_relaxed);
  };
  if (sample.size() == raw.size()) {
    for (const Step& step : parse.steps) play(step);
  } else {
    learn_all(sample, parse.header, parse.steps, *prices);
    parse_all(raw, parse.header, *prices, time, play);
  }
  writer.finish();
  return out;
}

}  // namespace whittle::packer
