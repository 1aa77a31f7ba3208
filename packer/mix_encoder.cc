// SPDX-License-Identifier: MIT
#include "packer/mix_encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "packer/stub/mix_model.h"

namespace whittle::packer {
namespace {

using namespace stub;

constexpr std::uint32_t kPriceOne = 256;  // of one bit

struct PriceTable {
  std::uint16_t of[kScale + 1];
  PriceTable() {
    of[0] = 16 * kPriceOne;
    for (std::uint32_t f = 1; f <= kScale; f++) {
      of[f] = static_cast<std::uint16_t>(std::lround((15 - std::log2(f)) * kPriceOne));
    }
  }
};
const PriceTable kPrice;

// What a command costs, by the sum of its symbols' prices.
struct Pricer {
  std::uint64_t price = 0;
  void begin_command() {}
  std::uint32_t code(const Mixture& mixture, std::uint32_t symbol) {
    price += kPrice.of[mixture.size(symbol)];
    return symbol;
  }
  std::uint32_t raw(std::uint32_t value, std::uint32_t bits) {
    price += bits * kPriceOne;
    return value;
  }
};

// Records symbols, then codes them last to first (rANS).
class Encoder {
 public:
  explicit Encoder(Bytes& out) : out_(out) {}
  void begin_command() {
    if (commands_ == kBlockCommands) finish();
    commands_++;
  }
  std::uint32_t code(const Mixture& cdf, std::uint32_t symbol) {
    tokens_.push_back({cdf.start[symbol], static_cast<std::uint16_t>(cdf.size(symbol)), 0});
    return symbol;
  }
  std::uint32_t raw(std::uint32_t value, std::uint32_t bits) {
    tokens_.push_back({value, 0, static_cast<std::uint16_t>(bits)});
    return value;
  }
  // Of the block; there is none before the first command.
  void finish() {
    if (commands_ == 0) return;
    commands_ = 0;
    std::uint64_t state = std::uint64_t{1} << 31;
    words_.clear();
    for (std::size_t i = tokens_.size(); i-- > 0;) {
      const Token& t = tokens_[i];
      const std::uint64_t limit =
          t.size != 0 ? std::uint64_t{t.size} << 48 : std::uint64_t{1} << (63 - t.bits);
      if (state >= limit) {
        words_.push_back(static_cast<std::uint32_t>(state));
        state >>= 32;
      }
      state = t.size != 0 ? ((state / t.size) << kScaleBits) + state % t.size + t.value
                          : state << t.bits | t.value;
    }
    words_.push_back(static_cast<std::uint32_t>(state >> 32));
    words_.push_back(static_cast<std::uint32_t>(state));
    for (std::size_t i = words_.size(); i-- > 0;) {
      for (int k = 0; k < 32; k += 8) out_.push_back(static_cast<std::uint8_t>(words_[i] >> k));
    }
    tokens_.clear();
  }

 private:
  struct Token {
    std::uint32_t value;  // or start of the symbol's part
    std::uint16_t size;   // of the part, 0: plain bits
    std::uint16_t bits;
  };
  Bytes& out_;
  std::uint32_t commands_ = 0;
  std::vector<Token> tokens_;
  std::vector<std::uint32_t> words_;
};

constexpr std::size_t kSample = std::size_t{1} << 20;  // bytes from which the first prices come
constexpr int kPasses = 2;                             // parses of them
constexpr std::uint32_t kChunk = 8192;                 // positions that one parse covers
constexpr std::uint32_t kKeep = 7168;                  // of which the commands are kept
constexpr std::uint32_t kLongest = 4096;               // match length
constexpr std::uint32_t kNice = 192;                   // taken without asking further

// Binary trees of the positions before, by hash of 3 and 4 bytes.
struct Found {
  std::uint32_t length, distance;
};
class MatchFinder {
 public:
  explicit MatchFinder(ByteView raw)
      : raw_(raw), hash4_(kHash, 0), hash3_(1 << 16, 0), hash2_(1 << 16, 0) {
    window_ = 1;
    while (window_ < raw.size() && window_ < kWindow) window_ *= 2;
    tree_.resize(window_ * 2);
  }
  // Inserts the next position; longer and longer matches at longer and longer distances.
  void next(std::vector<Found>& found) {
    found.clear();
    const std::size_t at = at_++;
    const std::uint32_t limit =
        static_cast<std::uint32_t>(std::min<std::size_t>(kNice, raw_.size() - at));
    if (limit < 4) return;
    const std::uint8_t* p = raw_.data() + at;
    std::uint32_t v;
    std::memcpy(&v, p, 4);
    std::uint32_t best = 1;
    const auto try_head = [&](std::uint32_t& head, std::uint32_t need) {
      if (head != 0 && best < need) {
        const std::uint8_t* q = raw_.data() + head - 1;
        std::uint32_t n = 0;
        while (n < limit && p[n] == q[n]) n++;
        if (n > best) {
          best = n;
          found.push_back({n, static_cast<std::uint32_t>(at - (head - 1))});
        }
      }
      head = static_cast<std::uint32_t>(at + 1);
    };
    try_head(hash2_[v & 0xffff], 2);
    try_head(hash3_[((v & 0xffffff) * 0x9E3779B1U) >> 16], 3);
    std::uint32_t& head = hash4_[(v * 0x9E3779B1U) >> (32 - kHashBits)];
    std::uint32_t cur = head;
    head = static_cast<std::uint32_t>(at + 1);
    std::uint32_t* left = &tree_[(at & (window_ - 1)) * 2];
    std::uint32_t* right = left + 1;
    std::uint32_t left_length = 0, right_length = 0;
    for (int depth = kDepth;; depth--) {
      if (depth == 0 || cur == 0 || at - (cur - 1) >= window_) {
        *left = *right = 0;
        break;
      }
      const std::size_t there = cur - 1;
      std::uint32_t* pair = &tree_[(there & (window_ - 1)) * 2];
      const std::uint8_t* q = raw_.data() + there;
      std::uint32_t n = std::min(left_length, right_length);
      while (n < limit && p[n] == q[n]) n++;
      if (n > best) {
        best = n;
        found.push_back({n, static_cast<std::uint32_t>(at - there)});
      }
      if (n == limit) {
        *left = pair[0];
        *right = pair[1];
        break;
      }
      if (q[n] < p[n]) {
        *left = cur;
        left = pair + 1;
        cur = *left;
        left_length = n;
      } else {
        *right = cur;
        right = pair;
        cur = *right;
        right_length = n;
      }
    }
  }

 private:
  static constexpr std::uint32_t kHashBits = 18, kHash = 1U << kHashBits;
  static constexpr std::size_t kWindow = std::size_t{1} << 26;
  static constexpr int kDepth = 96;
  ByteView raw_;
  std::vector<std::uint32_t> hash4_, hash3_, hash2_, tree_;
  std::size_t window_ = 1, at_ = 0;
};

struct Step {
  std::uint32_t command, length, distance;
};

struct Node {
  std::uint32_t price;
  Step step;  // that led here
  Past past;
};

// Codes commands one by one; the model learns.
template <class Coder>
class Player {
 public:
  Player(ByteView raw, const MixHeader& header, MixWorkspace& workspace, Coder& coder)
      : raw_(raw), model_{workspace, coder}, walker_(walker(workspace, header)) {}

  void play(const Step& step) {
    const std::uint32_t guess = past_.reps[0] <= walker_.at ? raw_[walker_.at - past_.reps[0]] : 0;
    const Context c = walker_.context(guess);
    model_.coder.begin_command();
    if (!past_.after_literal() || walker_.command_follows()) {
      model_.mixed(model_.command_pair(c, past_), step.command);
    }
    if (step.command == kLiteral) {
      model_.literal(c, raw_[walker_.at]);
      past_.literal();
    } else {
      if (step.command < kShortRep) {
        model_.length(step.command, c.field,
                      step.command == kRep ? step.length - kShortest + 1 : step.length);
      }
      if (step.command == kMatch) {
        model_.distance(model_.distance_context(step.length, c.field), step.distance);
      }
      past_.copy(step.command, step.distance);
    }
    for (std::uint32_t i = 0; i < step.length; i++) walker_.step(raw_[walker_.at]);
  }
  void play(const std::vector<Step>& steps) {
    for (const Step& step : steps) play(step);
  }
  std::size_t at() const { return walker_.at; }
  const Past& past() const { return past_; }
  stub::MixModel<Coder>& model() { return model_; }

 private:
  ByteView raw_;
  stub::MixModel<Coder> model_;
  Walker walker_;
  Past past_;
};

// What is known of a position from the bytes alone.
struct Place {
  Walker walker;
  bool command_follows;
  std::vector<Found> found;
};

class Parser {
 public:
  // A literal is charged `time` on top of its bits.
  Parser(ByteView raw, const MixHeader& header, const stub::MixModel<Pricer>& model,
         std::uint32_t time)
      : raw_(raw),
        model_(model),
        literal_time_(time),
        finder_(raw),
        walker_(walker(model.w, header)),
        nodes_(kChunk + 1),
        places_(kChunk) {}

  // Commands from `at` on, into `steps`.
  void parse(std::size_t at, const Past& past, std::vector<Step>& steps) {
    look_ahead(at);
    const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(kChunk, raw_.size() - at));
    set_prices();
    for (std::uint32_t i = 1; i <= end; i++) nodes_[i].price = ~0U;
    nodes_[0].price = 0;
    nodes_[0].past = past;
    std::uint32_t skip_to = 0;
    for (std::uint32_t i = 0; i < end; i++) {
      if (i != 0) arrive(nodes_[i], nodes_[i - nodes_[i].step.length].past);
      if (i >= skip_to) skip_to = std::max(skip_to, leave(at, i, end));
    }
    steps.clear();
    for (std::uint32_t i = end; i > 0; i -= nodes_[i].step.length) steps.push_back(nodes_[i].step);
    std::reverse(steps.begin(), steps.end());
    if (at + end == raw_.size()) return;
    // The last of them did not see what follows.
    std::uint32_t to = end;
    while (steps.size() > 1 && to - steps.back().length >= kKeep) {
      to -= steps.back().length;
      steps.pop_back();
    }
  }

 private:
  // Places from `at` on.
  void look_ahead(std::size_t at) {
    const std::size_t kept = ahead_to_ > at ? ahead_to_ - at : 0;
    const std::size_t from = at - ahead_from_;
    for (std::size_t i = 0; i < kept; i++) std::swap(places_[i], places_[from + i]);
    ahead_from_ = at;
    const std::size_t end = std::min<std::size_t>(at + kChunk, raw_.size());
    for (std::size_t p = ahead_to_; p < end; p++) {
      Place& place = places_[p - at];
      place.walker = walker_;
      place.command_follows = walker_.command_follows();
      finder_.next(place.found);
      walker_.step(raw_[p]);
    }
    ahead_to_ = end;
  }

  static void arrive(Node& node, const Past& before) {
    node.past = before;
    if (node.step.command == kLiteral) {
      node.past.literal();
    } else {
      node.past.copy(node.step.command, node.step.distance);
    }
  }

  void relax(std::uint32_t to, std::uint32_t price, const Step& step) {
    Node& node = nodes_[to];
    if (price < node.price) {
      node.price = price;
      node.step = step;
    }
  }

  // Tries every command from nodes_[i]. Returns where to go on: behind a long copy.
  std::uint32_t leave(std::size_t at, std::uint32_t i, std::uint32_t end) {
    const Node& node = nodes_[i];
    const Past past = node.past;
    const std::size_t p = at + i;
    const std::uint32_t guess = past.reps[0] <= p ? raw_[p - past.reps[0]] : 0;
    const Context c = places_[i].walker.context(guess);
    const std::uint32_t literal = node.price + literal_price(c, raw_[p]) + literal_time_;
    if (past.after_literal() && !places_[i].command_follows) {
      relax(i + 1, literal, {kLiteral, 1, 0});
      return 0;
    }
    const auto pair = model_.command_pair(c, past);
    Mixture mixture;
    mix(mixture, pair.weight, *pair.a.from, *pair.b.from);
    std::uint32_t command_price[16];
    for (std::uint32_t k = 0; k < 16; k++) {
      command_price[k] = kPrice.of[mixture.start[k + 1] - mixture.start[k]];
    }
    relax(i + 1, literal + command_price[kLiteral], {kLiteral, 1, 0});

    const std::uint32_t most = std::min(end - i, kLongest);
    std::uint32_t skip = 0;
    for (std::uint32_t k = 0; k < kReps; k++) {
      const std::uint32_t distance = past.reps[k];
      const std::uint32_t n = extend(p, distance, 0, most);
      const std::uint16_t* lengths = length_price(kRep + k, c.field);
      const std::uint32_t base = node.price + command_price[kRep + k];
      std::uint32_t l = n >= kNice ? n : 1;
      if (k == 0) {
        for (; l <= n && l < kShortest; l++) {
          relax(i + l, node.price + command_price[kShortRep + l - 1],
                {kShortRep + l - 1, l, distance});
        }
        for (; l <= n; l++) {
          relax(i + l, base + lengths[std::min(l, kNice) - kShortest + 1], {kRep, l, distance});
        }
      } else {
        for (; l <= n; l++) {
          relax(i + l, base + lengths[std::min(l, kNice)], {kRep + k, l, distance});
        }
      }
      if (n >= kNice) skip = std::max(skip, i + n);
    }
    const std::uint16_t* lengths = length_price(kMatch, c.field);
    std::uint32_t l = 2;
    for (const Found& f : places_[i].found) {
      std::uint32_t n = std::min(f.length, most);
      if (n >= kNice) {
        n = extend(p, f.distance, n, most);
        skip = std::max(skip, i + n);
        l = n;
      }
      const std::uint32_t base = node.price + command_price[kMatch] + distance_price(f.distance);
      const std::uint32_t high = high_of(f.distance);
      for (; l <= n; l++) {
        relax(i + l,
              base + lengths[std::min(l, kNice)] +
                  high_price_[model_.distance_context(l, c.field)][high],
              {kMatch, l, f.distance});
      }
    }
    return skip;
  }

  // Bytes from p on that equal those `distance` before; the first `known` do.
  std::uint32_t extend(std::size_t p, std::uint32_t distance, std::uint32_t known,
                       std::uint32_t most) const {
    if (distance > p) return 0;
    const std::uint8_t* a = raw_.data() + p;
    const std::uint8_t* b = a - distance;
    while (known < most && a[known] == b[known]) known++;
    return known;
  }

  static std::uint32_t high_of(std::uint32_t distance) {
    return static_cast<std::uint32_t>(31 - __builtin_clz(distance)) >> 1;
  }
  std::uint32_t literal_price(const Context& c, std::uint32_t byte) const {
    std::uint32_t price = 0, part = 0;
    for (const std::uint32_t k : {byte >> 4, byte & 15}) {
      const auto pair = model_.literal_pair(c, part);
      Mixture mixture;
      mix(mixture, pair.weight, *pair.a.from, *pair.b.from);
      price += kPrice.of[mixture.start[k + 1] - mixture.start[k]];
      part = 1 + k;
    }
    return price;
  }
  static std::uint16_t single(const Nibble& m, std::uint32_t k) {
    const int above = k == 15 ? static_cast<int>(kFull) : m.lane[k + 1],
              below = k == 0 ? 0 : m.lane[k];
    return kPrice.of[above - below + 1];
  }
  void set_prices() {
    const MixWorkspace& w = model_.w;
    for (std::uint32_t k = 0; k < 3; k++) {
      for (std::uint32_t f = 0; f < kFields; f++) {
        for (std::uint32_t l = 1; l <= kNice; l++) {
          std::uint32_t v = l - 1, price = single(w.length[k * kFields + f], v < 15 ? v : 15);
          if (v >= 15) {
            v -= 15;
            price += single(w.length_more[k], v < 15 ? v : 15);
            if (v >= 15) {
              const auto bits = static_cast<std::uint32_t>(31 - __builtin_clz(v - 14));
              price += single(w.length_high[k], bits) + bits * kPriceOne;
            }
          }
          length_price_[k][f][l] = static_cast<std::uint16_t>(price);
        }
      }
    }
    for (std::uint32_t c = 0; c < 8 * kFields; c++) {
      for (std::uint32_t k = 0; k < 16; k++) high_price_[c][k] = single(w.distance_high[c], k);
    }
  }
  const std::uint16_t* length_price(std::uint32_t command, std::uint32_t field) const {
    return length_price_[model_.length_class(command)][field];
  }
  // Of all but what depends on the length.
  std::uint32_t distance_price(std::uint32_t distance) const {
    const MixWorkspace& w = model_.w;
    const std::uint32_t high = high_of(distance);
    if (high == 0) return single(w.distance_low[0], distance);
    const std::uint32_t bits = 2 * high - 2;
    std::uint32_t price = single(w.distance_low[high], (distance >> bits) & 15);
    if (bits == 0) return price;
    if (bits > 4) price += (bits - 4) * kPriceOne;
    return price + single(w.distance_align[high], distance & (bits > 4 ? 15 : (1U << bits) - 1));
  }

  ByteView raw_;
  const stub::MixModel<Pricer>& model_;
  std::uint32_t literal_time_;
  MatchFinder finder_;
  Walker walker_;
  std::vector<Node> nodes_;
  std::vector<Place> places_;
  std::size_t ahead_from_ = 0, ahead_to_ = 0;
  std::uint16_t length_price_[3][kFields][kNice + 1];
  std::uint16_t high_price_[8 * kFields][16];
};

// What a literal costs beyond its bits, for the time that it takes to decode: the more, the longer
// the start takes anyway.
std::uint32_t literal_time(std::size_t size) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(kPriceOne / 5 + (size >> 15), kPriceOne / 2));
}

// Few bytes leave most places empty, and clearing them takes time at every start.
std::uint8_t table_bits_for(std::size_t size, std::uint8_t most) {
  const auto bits = static_cast<int>(std::bit_width(size >> 4));
  return static_cast<std::uint8_t>(std::clamp<int>(bits, 4, most));
}

// How streams of a model may begin.
std::vector<MixHeader> headers(MixModel model, std::uint8_t bits) {
  const auto kind = static_cast<std::uint8_t>(model);
  if (model == MixModel::x86_code) return {{kind, 0, 0, 0, bits}};
  if (model == MixModel::aarch64_code) return {{kind, 3, 0, 0, bits}};
  constexpr std::uint8_t guess = 1, last = 2, last_but_one = 4;
  return {{kind, 0, 0, 0, bits},
          {kind, 0, 0, last, bits},
          {kind, 0, last, 0, bits},
          {kind, 0, last, last_but_one, bits},
          {kind, 0, last, last | last_but_one, bits},
          {kind, 3, guess, 0, bits},
          {kind, 3, last_but_one, 0, bits},
          {kind, 7, last, 0, bits}};
}

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
  const auto parser = std::make_unique<Parser>(raw, header, player.model(), time);
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
Parse parse_often(ByteView raw, MixModel model, std::uint8_t bits, std::uint32_t time,
                  MixWorkspace& workspace) {
  Parse best{.steps = {}, .header = {}, .price = ~0ULL};
  std::vector<Step> steps(raw.size(), Step{kLiteral, 1, 0});
  for (int pass = 0;; pass++) {
    MixHeader header{};
    std::uint64_t least = ~0ULL;
    for (const MixHeader& h : headers(model, bits)) {
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

Bytes mix_encode(ByteView raw, MixModel model, std::uint8_t table_bits,
                 std::atomic<std::uint64_t>* done) {
  const auto prices = std::make_unique<MixWorkspace>(), real = std::make_unique<MixWorkspace>();
  const std::uint32_t time = literal_time(raw.size());
  const ByteView sample = raw.first(std::min(raw.size(), kSample));
  const Parse parse =
      parse_often(sample, model, table_bits_for(raw.size(), table_bits), time, *prices);
  const auto* header = reinterpret_cast<const std::uint8_t*>(&parse.header);
  Bytes out(header, header + sizeof parse.header);
  Encoder encoder(out);
  prepare(*real, parse.header);
  Player player(raw, parse.header, *real, encoder);
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
  encoder.finish();
  return out;
}

}  // namespace whittle::packer
