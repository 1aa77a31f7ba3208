// SPDX-License-Identifier: MIT
#include "packer/encode.h"

#include <algorithm>
#include <atomic>

#include "common/threads.h"
#include "packer/codecs/mix_encoder.h"
#include "packer/codecs/quick_encoder.h"
#include "packer/codecs/zstd_encoder.h"
#include "packer/transforms/machine_code.h"

namespace whittle::packer {
namespace {

// One form of a stream.
struct Coded {
  std::uint32_t codec = kCodecStored;
  Bytes bytes;
};

struct Job {
  RawStream* raw = nullptr;
  std::vector<Coded> forms;  // by every codec of the level
};

// A small program must not need much more than its own memory to start, and every thread has
// tables. Half the places cost 1 % in size.
std::uint8_t table_bits(std::uint64_t filled) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  constexpr std::uint8_t most = stub::kMaxTableBits;
  return filled < 2 * kMiB ? most - 2 : filled < 3 * kMiB ? most - 1 : most;
}

void encode_one(Job& job, std::uint32_t level, std::uint8_t bits,
                std::atomic<std::uint64_t>& done) {
  const RawStream& raw = *job.raw;
  if (level == kLevelSmall) {
    job.forms.push_back(
        {kCodecMix, mix_encode(raw.bytes, model_of(raw.code_transform), bits, &done)});
    // Of code, codec mix knows too much for another one to come near it.
    if (raw.code_transform == 0) job.forms.push_back({kCodecQuick, quick_encode(raw.bytes)});
  } else {
    job.forms.push_back({kCodecZstd, zstd_encode(raw.bytes, &done)});
  }
}

void encode_all(std::vector<Job>& jobs, std::uint32_t level, const Progress& progress) {
  // The longest first here as well.
  std::vector<Job*> order;
  std::uint64_t total = 0;
  for (Job& job : jobs) {
    order.push_back(&job);
    total += job.raw->bytes.size();
  }
  std::stable_sort(order.begin(), order.end(), [](const Job* a, const Job* b) {
    return a->raw->bytes.size() > b->raw->bytes.size();
  });
  const std::uint8_t bits = table_bits(total);
  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++)
      encode_one(*order[i], level, bits, done);
  };
  run_on_threads(static_cast<unsigned>(std::min<std::size_t>(processor_count(), order.size())),
                 work, [&] {
                   if (progress) progress(done, total);
                 });
  if (progress) progress(total, total);
}

// A form for each stream, by index in its job's forms.
struct FormChoice {
  std::vector<std::size_t> forms;  // kAsItIs: none of them, it stays as it is
  std::uint64_t price = 0;         // of the streams and of the stub that decodes them, in bytes
};
constexpr std::size_t kAsItIs = SIZE_MAX;
constexpr std::uint64_t kNoStub = UINT64_MAX;  // a price: none has all that it takes

// A form that is a little larger but decodes many times faster is the better one: up to 1/12 larger
// for programs of 10 MiB or more (`all`), which take long to start anyway.
std::uint64_t price(const Coded& form, std::uint64_t all) {
  constexpr std::uint64_t kLarge = std::uint64_t{10} << 20;
  const std::uint64_t size = form.bytes.size();
  return form.codec == kCodecMix ? size + size * std::min(all, kLarge) / (12 * kLarge) : size;
}

// The cheapest forms, by the level's first codec or, where `by_any`, by any. What no stub decodes
// is free to have any. `features` are what the stub must have beside codecs.
FormChoice cheapest_forms(const std::vector<Job>& jobs, std::uint16_t machine,
                          std::uint32_t features, bool by_any) {
  FormChoice choice;
  std::uint64_t all = 0;
  for (const Job& job : jobs) all += job.raw->bytes.size();
  for (const Job& job : jobs) {
    std::size_t best = kAsItIs;
    std::uint64_t least = job.raw->bytes.size();
    for (std::size_t i = 0; i < job.forms.size(); i++) {
      const bool is_free = job.raw->kind == kStreamRest || i == 0 || by_any;
      if (is_free && price(job.forms[i], all) < least) {
        best = i;
        least = price(job.forms[i], all);
      }
    }
    choice.forms.push_back(best);
    choice.price += least;
    if (best != kAsItIs && job.raw->kind != kStreamRest) {
      features |= feature_of_codec(job.forms[best].codec);
    }
  }
  const Stub* stub = find_stub(machine, features);
  choice.price = stub != nullptr ? choice.price + stub->size() : kNoStub;
  return choice;
}

// The streams as they stand in the file, in the jobs' order. The jobs are used up.
struct CodedStreams {
  std::vector<PackStream> streams;
  std::vector<Bytes> packed;
};

CodedStreams take_cheapest(std::vector<Job> jobs, std::uint16_t machine, std::uint32_t features) {
  // A second decoder in the stub has to earn its keep.
  const FormChoice few = cheapest_forms(jobs, machine, features, false),
                   all = cheapest_forms(jobs, machine, features, true);
  CodedStreams result;
  for (std::size_t i = 0; i < jobs.size(); i++) {
    const std::size_t form = (all.price < few.price ? all : few).forms[i];
    Coded coded = form != kAsItIs ? std::move(jobs[i].forms[form])
                                  : Coded{.codec = kCodecStored, .bytes = jobs[i].raw->bytes};
    result.streams.push_back({.address = jobs[i].raw->address,
                              .raw_size = jobs[i].raw->bytes.size(),
                              .packed_size = coded.bytes.size(),
                              .kind = jobs[i].raw->kind,
                              .codec = coded.codec});
    result.packed.push_back(std::move(coded.bytes));
  }
  return result;
}

// A group's place in the file.
struct Span {
  const StreamGroup* group;
  std::size_t begin;         // of its streams in the jobs' order
  std::uint64_t cost = 0;    // nanoseconds to decode them and to undo transforms, roughly
  std::uint64_t filled = 0;  // bytes of the image
  std::uint64_t beside = 0;  // bytes of memory that there are beside the image while it is made
  bool is_held = false;      // until the regions from parts are made

  std::uint32_t kind() const { return group->streams.front().kind; }
};

// What decoding takes, in nanoseconds, roughly: the 2.7 MB that esbuild packs to at level small
// take one processor 0.3 s by codec mix; Zstandard's time goes by what comes out as well as by what
// goes in. Costs decide the order of the work and nothing else.
constexpr std::uint64_t kMixPerPackedByte = 100, kQuickPerPackedByte = 10;
constexpr std::uint64_t kZstdPerPackedByte = 3, kZstdRawBytesPerNanosecond = 2;
constexpr std::uint64_t kJoinPerByte = 3;  // of a region made from parts

std::uint64_t decoding_cost(const PackStream& stream) {
  if (stream.codec == kCodecMix) return kMixPerPackedByte * stream.packed_size;
  if (stream.codec == kCodecQuick) return kQuickPerPackedByte * stream.packed_size;
  return stream.raw_size / kZstdRawBytesPerNanosecond + kZstdPerPackedByte * stream.packed_size;
}

Span measure(const StreamGroup& group, std::size_t begin, const std::vector<PackStream>& streams) {
  Span span{.group = &group, .begin = begin};
  std::uint64_t parts = 0;
  for (std::size_t i = 0; i < group.streams.size(); i++) {
    const PackStream& stream = streams[begin + i];
    if (stream.kind == kStreamRest) continue;  // no stub decodes it
    span.cost += decoding_cost(stream);
    (stream.kind == kStreamImage ? span.filled : parts) += stream.raw_size;
  }
  for (const PackRegion& region : group.regions) {
    if (region.part_count == 0) continue;
    span.cost += kJoinPerByte * region.size;
    span.filled += region.size;
  }
  // Parts are given back as the region grows.
  span.beside = group.work + (parts > span.filled ? parts - span.filled : 0);
  return span;
}

// Bytes of the image that may be decoded while regions are made from their parts. A program has to
// start in the memory of its file and a quarter more. So memory in use must not exceed the finished
// image; half a MiB is set aside for decoders and for huge pages, which take memory from their
// first byte on. Decoders of level small take more; there, at most a fifth of the image is allowed.
std::uint64_t room_beside_parts(const std::vector<Span>& spans, std::uint32_t level) {
  std::uint64_t filled = 0, taken = 0;
  for (const Span& span : spans) {
    filled += span.filled;
    if (span.kind() == kStreamPart) taken += span.filled + span.beside;
  }
  if (taken == 0) return filled;
  constexpr std::uint64_t kReserve = 512 << 10;
  const std::uint64_t room = filled - std::min(filled, taken + kReserve);
  return level == kLevelSmall ? std::min(room, filled / 5) : room;
}

// The longest first, so that several processors finish together. Streams that do not fit in memory
// together with the regions from parts wait until these are made, and come after everything else.
// The rest stream is last.
void put_in_order(std::vector<Span>& spans, std::uint32_t level) {
  std::uint64_t room = room_beside_parts(spans, level);
  std::stable_sort(spans.begin(), spans.end(),
                   [](const Span& a, const Span& b) { return a.cost > b.cost; });
  for (Span& span : spans) {
    if (span.kind() == kStreamPart) continue;
    span.is_held = span.kind() == kStreamRest || span.filled > room;
    if (!span.is_held) room -= span.filled;
  }
  std::stable_sort(spans.begin(), spans.end(),
                   [](const Span& a, const Span& b) { return a.is_held < b.is_held; });
}

std::vector<PackRegion> regions_of(const std::vector<StreamGroup>& groups) {
  std::vector<PackRegion> regions;
  for (const StreamGroup& group : groups) {
    regions.insert(regions.end(), group.regions.begin(), group.regions.end());
  }
  return regions;
}

void add_late_code(Encoded& encoded) {
  const Stub& stub = encoded.stub;
  if (stub.late.empty()) return;
  encoded.streams.push_back({.address = 0,
                             .raw_size = stub.late_size,
                             .packed_size = stub.late.size(),
                             .kind = kStreamStub,
                             .codec = kCodecMix});
  encoded.packed.emplace_back(stub.late.begin(), stub.late.end());
}

}  // namespace

Encoded encode(std::vector<StreamGroup> groups, std::uint32_t level, std::uint16_t machine,
               const Progress& progress) {
  std::vector<Job> jobs;
  for (StreamGroup& group : groups) {
    for (RawStream& raw : group.streams) jobs.push_back({.raw = &raw, .forms = {}});
  }
  encode_all(jobs, level, progress);
  CodedStreams coded = take_cheapest(std::move(jobs), machine, features_of({}, regions_of(groups)));
  std::vector<Span> spans;
  std::size_t at = 0;
  for (const StreamGroup& group : groups) {
    spans.push_back(measure(group, at, coded.streams));
    at += group.streams.size();
  }
  put_in_order(spans, level);

  Encoded encoded{.stub = smallest_stub(machine, features_of(coded.streams, regions_of(groups)))};
  add_late_code(encoded);
  std::uint64_t scratch = 0;
  for (const Span& span : spans) {
    const auto first = static_cast<std::uint16_t>(encoded.streams.size());
    if (!span.is_held)
      encoded.first_held = first + static_cast<std::uint16_t>(span.group->streams.size());
    for (std::size_t i = span.begin; i < span.begin + span.group->streams.size(); i++) {
      PackStream& stream = coded.streams[i];
      if (stream.kind == kStreamPart) {
        stream.address = scratch;
        scratch = align_up(scratch + stream.raw_size, kPartAlignment);
      }
      encoded.streams.push_back(stream);
      encoded.packed.push_back(std::move(coded.packed[i]));
    }
    for (PackRegion region : span.group->regions) {
      if (region.part_count != 0)
        region.first_part = static_cast<std::uint16_t>(first + region.first_part);
      encoded.regions.push_back(region);
    }
  }
  return encoded;
}

}  // namespace whittle::packer
